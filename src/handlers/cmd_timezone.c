/*
 * cmd_timezone.c - /timezone: where days begin and end for a person.
 *
 * Taps: "z" shows, "z:t:<index>" a zone of the list, "z:d:<minutes>" the start
 * of the day.  Typed cities and zones are heard in the dialogue "timezone".
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "bot/intent.h"
#include "bot/text.h"
#include "handlers/table.h"
#include "services/user.h"
#include "utils/validators.h"

struct zone_name {
	const char *zone;
	const char *en, *ru;
};

/* Offered as buttons: where speakers of both languages mostly live. */
static const struct zone_name offered[] = {
	{ "Europe/London", "London", "Лондон" },
	{ "Europe/Berlin", "Berlin", "Берлин" },
	{ "Europe/Kaliningrad", "Kaliningrad", "Калининград" },
	{ "Europe/Moscow", "Moscow", "Москва" },
	{ "Europe/Samara", "Samara", "Самара" },
	{ "Asia/Yekaterinburg", "Yekaterinburg", "Екатеринбург" },
	{ "Asia/Omsk", "Omsk", "Омск" },
	{ "Asia/Novosibirsk", "Novosibirsk", "Новосибирск" },
	{ "Asia/Irkutsk", "Irkutsk", "Иркутск" },
	{ "Asia/Vladivostok", "Vladivostok", "Владивосток" },
	{ "Asia/Almaty", "Almaty", "Алматы" },
	{ "America/New_York", "New York", "Нью-Йорк" },
	{ "America/Chicago", "Chicago", "Чикаго" },
	{ "America/Los_Angeles", "Los Angeles", "Лос-Анджелес" },
};

/* Cities that people write and tzdata does not name. */
static const struct zone_name more[] = {
	{ "Europe/Moscow", "Saint Petersburg", "Санкт-Петербург" },
	{ "Europe/Moscow", "Petersburg", "Петербург" },
	{ "Europe/Moscow", "Kazan", "Казань" },
	{ "Europe/Moscow", "Nizhny Novgorod", "Нижний Новгород" },
	{ "Europe/Moscow", "Rostov", "Ростов" },
	{ "Europe/Moscow", "Krasnodar", "Краснодар" },
	{ "Europe/Moscow", "Sochi", "Сочи" },
	{ "Europe/Minsk", "Minsk", "Минск" },
	{ "Europe/Kyiv", "Kyiv", "Киев" },
	{ "Europe/Kyiv", "Kiev", "Київ" },
	{ "Asia/Yekaterinburg", "Ufa", "Уфа" },
	{ "Asia/Yekaterinburg", "Chelyabinsk", "Челябинск" },
	{ "Asia/Yekaterinburg", "Perm", "Пермь" },
	{ "Asia/Krasnoyarsk", "Krasnoyarsk", "Красноярск" },
	{ "Asia/Yakutsk", "Yakutsk", "Якутск" },
	{ "Asia/Almaty", "Astana", "Астана" },
	{ "Asia/Tashkent", "Tashkent", "Ташкент" },
	{ "Asia/Bishkek", "Bishkek", "Бишкек" },
	{ "Asia/Tbilisi", "Tbilisi", "Тбилиси" },
	{ "Asia/Yerevan", "Yerevan", "Ереван" },
	{ "Europe/Belgrade", "Belgrade", "Белград" },
	{ "Europe/Berlin", "Munich", "Мюнхен" },
	{ "Asia/Jerusalem", "Tel Aviv", "Тель-Авив" },
	{ "America/Los_Angeles", "San Francisco", "Сан-Франциско" },
};

enum { OFFERED = sizeof(offered) / sizeof(offered[0]),
	MORE = sizeof(more) / sizeof(more[0]) };

static void show(struct turn *t, struct buf *out)
{
	static const int starts[] = { 0, 180, 240, 300 };
	struct keyboard *k = reply_keyboard(&t->reply);
	enum lang l = turn_lang(t);
	int32_t day;
	int now;

	zone_local(t->user.zone, clock_ms(t->bot->clock) / 1000, &day, &now);
	text_put(out, l, T_ZONE_TITLE, t->user.zone,
	    arena_printf(t->arena, "%02d:%02d", now / 60, now % 60),
	    arena_printf(t->arena, "%02d:%02d", t->user.day_start_min / 60,
	    t->user.day_start_min % 60));
	buf_puts(out, "\n\n");
	text_put(out, l, T_ZONE_HOW);
	for (int i = 0; i < OFFERED; i++) {
		if (i % 3 == 0)
			keyboard_row(k);
		keyboard_button(k, l == LANG_RU ? offered[i].ru : offered[i].en,
		    "z:t:%d", i);
	}
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (i % 2 == 0)
			keyboard_row(k);
		keyboard_button(k, text_plain(t->arena, l, T_ZONE_DAY_START,
		    (const char *const[]){ arena_printf(t->arena, "%02d:00",
		    starts[i] / 60), NULL }), "z:d:%d", starts[i]);
	}
}

static enum rc show_and_listen(struct turn *t, struct buf *out)
{
	show(t, out);
	str_copy(t->user.dialogue, sizeof(t->user.dialogue), "timezone");
	return user_save(t->bot->users, t->store, &t->user, t->err);
}

/* Case-insensitive for both alphabets; ё is e's sister. */
static void fold(const char *in, char *out, size_t size)
{
	size_t o = 0;

	for (; *in != '\0' && o + 2 < size; in++) {
		unsigned char c = (unsigned char)in[0], d = (unsigned char)in[1];
		if (c == 0xd0 && d >= 0x90 && d <= 0x9f) {
			out[o++] = (char)0xd0;
			out[o++] = (char)(d + 0x20);
			in++;
		} else if (c == 0xd0 && d >= 0xa0 && d <= 0xaf) {
			out[o++] = (char)0xd1;
			out[o++] = (char)(d - 0x20);
			in++;
		} else {
			out[o++] = c == '_' ? ' ' : (char)tolower(c);
		}
	}
	out[o] = '\0';
}

static const char *in_list(const struct zone_name *list, int n,
    const char *folded)
{
	char name[128];

	for (int i = 0; i < n; i++) {
		fold(list[i].en, name, sizeof(name));
		if (strcmp(name, folded) == 0)
			return list[i].zone;
		fold(list[i].ru, name, sizeof(name));
		if (strcmp(name, folded) == 0)
			return list[i].zone;
	}
	return NULL;
}

/* Looks a zone or its city up in tzdata's own list. */
static bool in_tzdata(const char *folded, char zone[USER_ZONE_SIZE])
{
	char line[256], found[USER_ZONE_SIZE], name[128];
	FILE *f = fopen("/usr/share/zoneinfo/tzdata.zi", "re");
	bool ok = false;

	if (f == NULL)
		return false;
	while (!ok && fgets(line, sizeof(line), f) != NULL) {
		const char *p = line;
		if (line[0] == 'L')		/* L target alias */
			p = strchr(line + 2, ' ');
		else if (line[0] != 'Z')	/* Z name rules */
			continue;
		if (p == NULL)
			continue;
		p += line[0] == 'L' ? 1 : 2;
		str_copy_n(found, sizeof(found), p, strcspn(p, " \n"));
		fold(found, name, sizeof(name));
		const char *city = strrchr(name, '/');
		ok = (strcmp(name, folded) == 0 ||
		    (city != NULL && strcmp(city + 1, folded) == 0)) &&
		    zone_valid(found);
	}
	fclose(f);
	if (ok)
		str_copy(zone, USER_ZONE_SIZE, found);
	return ok;
}

static bool find_zone(const char *text, char zone[USER_ZONE_SIZE])
{
	char folded[128];
	const char *hit;
	size_t n;

	fold(text + strspn(text, " \t\n"), folded, sizeof(folded));
	n = strlen(folded);
	while (n > 0 && strchr(" \t\n.", folded[n - 1]) != NULL)
		folded[--n] = '\0';
	if ((hit = in_list(offered, OFFERED, folded)) == NULL)
		hit = in_list(more, MORE, folded);
	if (hit != NULL)
		return str_copy(zone, USER_ZONE_SIZE, hit);
	return n > 0 && in_tzdata(folded, zone);
}

/* A message may have waited for hours, with others behind it; a tap does not,
 * and has no date of its own. */
static int64_t said_at(const struct turn *t)
{
	return t->up->kind == UPDATE_CALLBACK ?
	    clock_ms(t->bot->clock) / 1000 : t->up->date;
}

static enum rc choose(struct turn *t, const char *zone, struct buf *out)
{
	user_set_zone(&t->user, zone, t->user.day_start_min, said_at(t));
	return show_and_listen(t, out);
}

static enum rc run(struct turn *t, const char *args)
{
	char zone[USER_ZONE_SIZE], shown[USER_ZONE_SIZE];

	if (args[0] == '\0')
		return show_and_listen(t, reply_send(&t->reply));
	if (find_zone(args, zone))
		return choose(t, zone, reply_send(&t->reply));
	str_copy(shown, sizeof(shown), args);
	text_put(reply_send(&t->reply), turn_lang(t), T_ZONE_UNKNOWN, shown);
	return RC_OK;
}

static enum rc run_tap(struct turn *t, const char *args)
{
	int64_t v;

	if (strncmp(args, "t:", 2) == 0 && ints_parse(args + 2, &v, 1) == 1 &&
	    v >= 0 && v < OFFERED)
		return choose(t, offered[v].zone, reply_edit(&t->reply));
	if (strncmp(args, "d:", 2) == 0 && ints_parse(args + 2, &v, 1) == 1 &&
	    v >= 0 && v <= 720)
		user_set_zone(&t->user, t->user.zone, (int)v, said_at(t));
	return show_and_listen(t, reply_edit(&t->reply));
}

/* A name that is neither a zone nor food is a city that we do not know. */
static enum rc is_strange_city(struct turn *t, const char *text, bool *strange)
{
	struct intent in;
	enum rc rc;

	*strange = strlen(text) < 60 && strpbrk(text, "0123456789\n") == NULL;
	if (!*strange || strchr(text, '/') != NULL)
		return RC_OK;
	rc = intent_read(t, text, &in);
	*strange = rc == RC_OK && in.guess.score == INTENT_MAYBE;
	return rc;
}

static enum rc on_text(struct turn *t, const char *text, bool *consumed)
{
	char zone[USER_ZONE_SIZE];
	enum rc rc;

	if (find_zone(text, zone)) {
		*consumed = true;
		return choose(t, zone, reply_send(&t->reply));
	}
	rc = is_strange_city(t, text, consumed);
	if (rc == RC_OK && *consumed)
		text_put(reply_send(&t->reply), turn_lang(t), T_ZONE_UNKNOWN,
		    text);
	return rc;
}

const struct command cmd_timezone = { "timezone", T_CMD_TIMEZONE, 0, run };
const struct tap tap_timezone = { "z", 0, 0, run_tap };
/* Cities are heard wherever the person writes one. */
static bool pending(const struct turn *t)
{
	(void)t;
	return true;
}

const struct dialogue dialogue_timezone = { "timezone", T_CANCELLED, pending,
	NULL, on_text };
