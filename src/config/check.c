/*
 * check.c - checks each option's text by its kind and fills struct config.
 *
 * The fields are allocated for config_free().  No secret reaches the report.
 */
#include <config.h>

#include "config/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/file.h"
#include "config/options.h"
#include "config/secret.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/xalloc.h"

/* One option that is being checked. */
struct item {
	const struct option *o;
	const char *text;
	const char *where;
	struct report *report;
};

static char **text_field(struct config *c, const struct option *o)
{
	return (char **)((char *)c + o->offset);
}

static void check_int(const struct item *it, struct config *c)
{
	long long v;
	char *end;

	errno = 0;
	v = strtoll(it->text, &end, 10);
	if (errno || end == it->text || *end)
		report_error(it->report, it->where, "%s is not an integer; it "
		    "should be %lld to %lld", it->o->name,
		    (long long)it->o->min, (long long)it->o->max);
	else if (v < it->o->min || v > it->o->max)
		report_error(it->report, it->where, "%s is %lld; it should be "
		    "%lld to %lld", it->o->name, v, (long long)it->o->min,
		    (long long)it->o->max);
	else
		*(int64_t *)((char *)c + it->o->offset) = v;
}

static void check_bool(const struct item *it, struct config *c)
{
	bool *field = (bool *)((char *)c + it->o->offset);

	if (option_chosen("true|1|yes|on", it->text))
		*field = true;
	else if (option_chosen("false|0|no|off", it->text))
		*field = false;
	else
		report_error(it->report, it->where, "%s is \"%s\"; it should "
		    "be true or false", it->o->name, it->text);
}

static void check_choice(const struct item *it)
{
	if (!option_chosen(it->o->choices, it->text))
		report_error(it->report, it->where, "%s is \"%s\"; it should "
		    "be one of %s", it->o->name, it->text, it->o->choices);
}

static void check_url(const struct item *it)
{
	const char *s = it->text;

	if (*s == '\0')
		return;
	if (strncmp(s, "https://", 8) == 0)
		s += 8;
	else if (strncmp(s, "http://", 7) == 0)
		s += 7;
	else
		s = "";
	if (*s == '\0' || *s == '/' || strpbrk(s, " \t\r\n\"<>"))
		report_error(it->report, it->where, "%s is no address; it "
		    "should look like https://host/path", it->o->name);
	else if (strcmp(it->o->name, "public_url") == 0 &&
	    strncmp(it->text, "https://", 8) != 0)
		report_error(it->report, it->where, "public_url is plain "
		    "http; Telegram calls https:// only");
}

static void check_dir(const struct item *it, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		report_error(it->report, it->where, "%s: directory %s: %s; "
		    "mkdir -p %s", it->o->name, path, strerror(errno), path);
	else if (!S_ISDIR(st.st_mode))
		report_error(it->report, it->where, "%s: %s is no directory; "
		    "name a directory", it->o->name, path);
}

/* The directory of a file that the program will make. */
static void check_parent(const struct item *it, const char *path)
{
	char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');

	if (slash && slash != dir) {
		*slash = '\0';
		check_dir(it, dir);
	}
	free(dir);
}

static void check_path(const struct item *it, const char *path)
{
	const size_t longest = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (it->o->kind == OPTION_DIR) {
		check_dir(it, path);
	} else if (it->o->kind == OPTION_FILE) {
		if (access(path, R_OK) != 0)
			report_error(it->report, it->where, "%s: %s: %s; name "
			    "a file that can be read", it->o->name, path,
			    strerror(errno));
	} else {
		check_parent(it, path);
	}
	if (it->o->kind == OPTION_SOCKET && strlen(path) > longest)
		report_error(it->report, it->where, "%s: the path has %zu "
		    "bytes, a unix socket takes %zu; use a shorter state_dir",
		    it->o->name, strlen(path), longest);
}

static bool all_of(const char *s, const char *more)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(more, *s))
			return false;
	return true;
}

static void check_webhook_secret(const struct item *it)
{
	size_t len = strlen(it->text);

	if (len == 0)
		report_error(it->report, it->where, "webhook_secret is not "
		    "set, so anybody could send updates; put the output of "
		    "`openssl rand -hex 32` into a file and name it by "
		    "webhook_secret_file");
	else if (len > 256 || !all_of(it->text, "_-"))
		report_error(it->report, it->where, "webhook_secret should be "
		    "1 to 256 of A-Z a-z 0-9 _ -; `openssl rand -hex 32` "
		    "makes one");
	else if (len < 16)
		report_warning(it->report, it->where, "webhook_secret has "
		    "fewer than 16 characters and could be guessed; `openssl "
		    "rand -hex 32` makes a better one");
}

static void check_secret(const struct item *it)
{
	const char *s = it->text;

	if (strcmp(it->o->name, "webhook_secret") == 0) {
		check_webhook_secret(it);
	} else if (strcmp(it->o->name, "telegram_token") == 0 && *s) {
		if (!strchr(s, ':') || !all_of(s, ":_-") ||
		    !isdigit((unsigned char)*s))
			report_error(it->report, it->where, "telegram_token "
			    "is not a token; @BotFather gives one like "
			    "123456789:AAE...");
	} else if (strcmp(it->o->name, "redis_url") == 0 && *s) {
		if (strncmp(s, "redis://", 8) != 0 &&
		    strncmp(s, "unix:", 5) != 0)
			report_error(it->report, it->where, "redis_url should "
			    "look like redis://127.0.0.1:6379/0");
	}
	for (; *s; s++) {
		if ((unsigned char)*s > ' ' && *s != 0x7f)
			continue;
		report_error(it->report, it->where, "%s holds a space or a "
		    "control character; it should be one word", it->o->name);
		return;
	}
}

/* https://core.telegram.org/method/account.checkUsername: 5 to 32 of
 * A-Za-z0-9_, a letter first; some bots of old have four. */
static void check_username(const struct item *it)
{
	const char *s = it->text;
	size_t len = strlen(s);

	if (len == 0)
		return;
	if (*s == '@')
		report_error(it->report, it->where, "%s begins with @; leave "
		    "the @ out", it->o->name);
	else if (len < 4 || len > 32 || !isalpha((unsigned char)*s) ||
	    !all_of(s, "_"))
		report_error(it->report, it->where, "%s is \"%s\"; it should "
		    "be the name after t.me/, such as our_family_bot",
		    it->o->name, s);
}

static bool kind_is_path(enum option_kind kind)
{
	return kind == OPTION_DIR || kind == OPTION_FILE ||
	    kind == OPTION_STATE_FILE || kind == OPTION_SOCKET;
}

static void check_text(const struct item *it)
{
	switch (it->o->kind) {
	case OPTION_SECRET:
		check_secret(it);
		break;
	case OPTION_URL:
		check_url(it);
		break;
	case OPTION_CHOICE:
		check_choice(it);
		break;
	case OPTION_USERNAME:
		check_username(it);
		break;
	case OPTION_ZONE:
		if (!zone_valid(it->text))
			report_error(it->report, it->where, "%s is \"%s\", "
			    "which tzdata does not know; it should be like "
			    "Europe/Moscow", it->o->name, it->text);
		break;
	default:
		if (*it->text == '\0')
			report_error(it->report, it->where, "%s is empty; "
			    "leave it out or give a path", it->o->name);
	}
}

static void check_item(const struct item *it, const struct values *vs,
    struct config *c)
{
	bool in_state = it->o->kind == OPTION_STATE_FILE ||
	    it->o->kind == OPTION_SOCKET;
	char **field;

	if (it->o->kind == OPTION_INT) {
		check_int(it, c);
		return;
	}
	if (it->o->kind == OPTION_BOOL) {
		check_bool(it, c);
		return;
	}
	check_text(it);
	field = text_field(c, it->o);
	if (kind_is_path(it->o->kind)) {
		*field = path_under(in_state ? c->state_dir : vs->base,
		    it->text);
		if (*it->text)
			check_path(it, *field);
	} else {
		*field = xstrdup(it->text);
	}
}

void values_check(const struct values *vs, struct config *c,
    struct report *r)
{
	char where[64];

	for (int i = 0; i < option_count; i++) {
		struct item it = { &option_table[i], vs->v[i].text,
		    vs->v[i].where, r };

		if (!it.text) {
			it.text = it.o->fallback;
			it.where = where;
			str_format(where, sizeof(where), "default of %s",
			    it.o->name);
		}
		check_item(&it, vs, c);
	}
}
