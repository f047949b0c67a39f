/*
 * options.c - every option of familybot.conf: name, type, default, variable
 * of the environment, help.  A new option is one row here, one field of
 * struct config and one paragraph of familybot.conf(5).
 *
 * The table is constant; nothing is allocated.
 */
#include <config.h>

#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "utils/buf.h"

#define FIELD(f)	offsetof(struct config, f)

const struct option option_table[] = {
	{ "telegram_token", OPTION_SECRET, "", "TELEGRAM_TOKEN",
	    "bot token from @BotFather; without it nothing is sent",
	    NULL, 0, 0, FIELD(telegram_token) },
	{ "bot_username", OPTION_USERNAME, "", "BOT_USERNAME",
	    "the bot's name without @, by which groups address it",
	    NULL, 0, 0, FIELD(bot_username) },
	{ "webhook_secret", OPTION_SECRET, "", "FAMILYBOT_WEBHOOK_SECRET",
	    "what Telegram must send as X-Telegram-Bot-Api-Secret-Token",
	    NULL, 0, 0, FIELD(webhook_secret) },
	{ "openai_api_key", OPTION_SECRET, "", "OPENAI_API_KEY",
	    "key of the AI server; without it the bot works without AI",
	    NULL, 0, 0, FIELD(openai_api_key) },
	{ "telegram_api", OPTION_URL, "https://api.telegram.org",
	    "TELEGRAM_API", "base of the Bot API",
	    NULL, 0, 0, FIELD(telegram_api) },
	{ "openai_api", OPTION_URL, "https://api.openai.com/v1", "OPENAI_API",
	    "base of any OpenAI-compatible server",
	    NULL, 0, 0, FIELD(openai_api) },
	{ "tmdb_api", OPTION_URL, "https://api.themoviedb.org/3", "TMDB_API",
	    "base of the movie database", NULL, 0, 0, FIELD(tmdb_api) },
	{ "s3_api", OPTION_URL, "", "S3_API",
	    "base of the object store for photos",
	    NULL, 0, 0, FIELD(s3_api) },
	{ "mongo_url", OPTION_SECRET, "", "MONGO_URL",
	    "the only shard, when there is no shards.conf",
	    NULL, 0, 0, FIELD(mongo_url) },
	{ "redis_url", OPTION_SECRET, "", "REDIS_URL",
	    "for the cache to come, redis://host:port/db; nothing uses it yet",
	    NULL, 0, 0, FIELD(redis_url) },
	{ "public_url", OPTION_URL, "", "PUBLIC_URL",
	    "https address that Telegram reaches, without /api/webhook",
	    NULL, 0, 0, FIELD(public_url) },
	{ "state_dir", OPTION_DIR, ".", "FAMILYBOT_STATE",
	    "where data/ and run/ are", NULL, 0, 0, FIELD(state_dir) },
	{ "shards_file", OPTION_STRING, "shards.conf", "FAMILYBOT_SHARDS",
	    "the list of shards, see shards.conf(5)",
	    NULL, 0, 0, FIELD(shards_file) },
	{ "foods_db", OPTION_FILE, PKGDATADIR "/foods.db", "FOODS_DB",
	    "the food tables, made by the build",
	    NULL, 0, 0, FIELD(foods_db) },
	{ "slots_map", OPTION_STATE_FILE, "data/slots.map",
	    "FAMILYBOT_SLOTS_MAP", "which slot lives on which shard",
	    NULL, 0, 0, FIELD(slots_map) },
	{ "metrics_file", OPTION_STATE_FILE, "run/metrics.shm",
	    "FAMILYBOT_METRICS_FILE", "figures that all processes share",
	    NULL, 0, 0, FIELD(metrics_file) },
	{ "pulse_file", OPTION_STATE_FILE, "run/pulse.shm",
	    "FAMILYBOT_PULSE_FILE", "how each shard does, for all processes",
	    NULL, 0, 0, FIELD(pulse_file) },
	{ "spool_db", OPTION_STATE_FILE, "data/spool.db",
	    "FAMILYBOT_SPOOL_DB", "updates of people whose shard is away",
	    NULL, 0, 0, FIELD(spool_db) },
	{ "spool_max", OPTION_INT, "67108864", "SPOOL_MAX",
	    "most bytes of updates that wait; 0 keeps none", NULL, 0,
	    INT64_C(1) << 40, FIELD(spool_max) },
	{ "worker_socket", OPTION_SOCKET, "run/worker.sock",
	    "FAMILYBOT_WORKER_SOCKET", "where the worker is woken",
	    NULL, 0, 0, FIELD(worker_socket) },
	{ "sqlite_sync", OPTION_CHOICE, "full", "SQLITE_SYNC",
	    "full keeps what was answered through a power loss; normal is "
	    "faster and weaker", "full|normal", 0, 0, FIELD(sqlite_sync) },
	{ "log_level", OPTION_CHOICE, "info", "LOG_LEVEL",
	    "what is logged", "error|warn|info|debug", 0, 0,
	    FIELD(log_level) },
	{ "default_zone", OPTION_ZONE, "UTC", "DEFAULT_ZONE",
	    "time zone of people who have not chosen one",
	    NULL, 0, 0, FIELD(default_zone) },
	{ "debug", OPTION_BOOL, "false", "DEBUG",
	    "log at level debug", NULL, 0, 0, FIELD(debug) },
	{ "body_max", OPTION_INT, "1048576", "BODY_MAX",
	    "bytes of one update", NULL, 1024, 16777216, FIELD(body_max) },
	{ "store_timeout_ms", OPTION_INT, "1000", "STORE_TIMEOUT_MS",
	    "longest wait for one operation of a MongoDB shard",
	    NULL, 50, 60000, FIELD(store_timeout_ms) },
	{ "fence_wait_ms", OPTION_INT, "500", "FENCE_WAIT_MS",
	    "longest wait for a slot that is being moved",
	    NULL, 0, 10000, FIELD(fence_wait_ms) },
};

const int option_count = sizeof(option_table) / sizeof(option_table[0]);

int option_find(const char *name)
{
	for (int i = 0; i < option_count; i++)
		if (strcmp(option_table[i].name, name) == 0)
			return i;
	return -1;
}

int option_find_file(const char *name)
{
	size_t len = strlen(name);
	char base[64];
	int i;

	if (len < 6 || strcmp(name + len - 5, "_file") != 0)
		return -1;
	str_copy_n(base, sizeof(base), name, len - 5);
	i = option_find(base);
	return i >= 0 && option_table[i].kind == OPTION_SECRET ? i : -1;
}

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance of two names of at most 31 bytes. */
static int name_distance(const char *a, const char *b)
{
	int row[32], diagonal, up;
	int la = (int)strlen(a), lb = (int)strlen(b);

	if (la > 31 || lb > 31)
		return 99;
	for (int j = 0; j <= lb; j++)
		row[j] = j;
	for (int i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (int j = 1; j <= lb; j++) {
			up = row[j];
			row[j] = min3(up + 1, row[j - 1] + 1,
			    diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[lb];
}

const char *option_nearest(const char *name)
{
	const char *best = NULL;
	int least = 5, d;

	for (int i = 0; i < option_count; i++) {
		d = name_distance(name, option_table[i].name);
		if (d < least) {
			least = d;
			best = option_table[i].name;
		}
	}
	return best;
}

bool option_chosen(const char *choices, const char *value)
{
	size_t len = strlen(value), n;

	for (const char *p = choices; *p; p += n + (p[n] == '|')) {
		n = strcspn(p, "|");
		if (n == len && memcmp(p, value, n) == 0)
			return true;
	}
	return false;
}

void option_type(const struct option *o, char *out, size_t size)
{
	switch (o->kind) {
	case OPTION_SECRET:
		str_copy(out, size, "secret");
		break;
	case OPTION_URL:
		str_copy(out, size, "url");
		break;
	case OPTION_CHOICE:
		str_copy(out, size, o->choices);
		break;
	case OPTION_ZONE:
		str_copy(out, size, "time zone");
		break;
	case OPTION_USERNAME:
		str_copy(out, size, "username");
		break;
	case OPTION_DIR:
		str_copy(out, size, "directory");
		break;
	case OPTION_FILE:
	case OPTION_STATE_FILE:
		str_copy(out, size, "file");
		break;
	case OPTION_SOCKET:
		str_copy(out, size, "socket");
		break;
	case OPTION_BOOL:
		str_copy(out, size, "true|false");
		break;
	case OPTION_INT:
		str_format(out, size, "integer %lld..%lld",
		    (long long)o->min, (long long)o->max);
		break;
	case OPTION_STRING:
		str_copy(out, size, "string");
		break;
	}
}

void config_print_options(FILE *f)
{
	char type[64];

	for (int i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		option_type(o, type, sizeof(type));
		fprintf(f, "%s\t%s\t%s\t%s\t%s\n", o->name, type, o->fallback,
		    o->env, o->help);
	}
}
