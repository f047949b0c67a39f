/* text.c - see text.h. */
#include "config.h"

#include "bot/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "utils/clock.h"

enum { ARGS_MAX = 10 };

const struct language *language_of(enum lang lang)
{
	return lang == LANG_RU ? &language_ru : &language_en;
}

enum lang lang_from_code(const char *code)
{
	static const char *const russian[] = { "ru", "uk", "be", "kk", "ky",
		"uz", "tg", "tt" };

	for (size_t i = 0; i < sizeof(russian) / sizeof(russian[0]); i++)
		if (strncmp(code, russian[i], 2) == 0 &&
		    (code[2] == '\0' || code[2] == '-'))
			return LANG_RU;
	return LANG_EN;
}

const char *text_get(enum lang lang, enum text_id id)
{
	return language_of(lang)->texts[id];
}

void html_escape(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		size_t plain = strcspn(s, "<>&\"");
		buf_add(b, s, plain);
		s += plain;
		if (*s == '\0')
			return;
		buf_puts(b, *s == '<' ? "&lt;" : *s == '>' ? "&gt;"
		    : *s == '&' ? "&amp;" : "&quot;");
	}
}

/* The number that a formatted figure shows, for plurals: digits only. */
static int64_t number_in(const char *s)
{
	int64_t n = 0;

	for (; *s != '\0'; s++)
		if (isdigit((unsigned char)*s) && n < INT64_MAX / 100)
			n = n * 10 + (*s - '0');
	return n;
}

/* p stands after "{0:"; adds the form that n asks for, returns the "}". */
static const char *put_plural(struct buf *b, const struct language *l,
    const char *p, int64_t n)
{
	const char *end = strchr(p, '}');

	for (int skip = l->plural(n); skip > 0; skip--) {
		const char *bar = memchr(p, '|', (size_t)(end - p));
		if (bar == NULL)
			break;
		p = bar + 1;
	}
	buf_add(b, p, strcspn(p, "|}"));
	return end;
}

static void expand(struct buf *b, enum lang lang, enum text_id id,
    const char *const *args, bool html)
{
	const struct language *l = language_of(lang);
	const char *p = l->texts[id];
	int nargs = 0;

	while (nargs < ARGS_MAX && args[nargs] != NULL)
		nargs++;
	while (*p != '\0') {
		size_t plain = strcspn(p, "{");
		buf_add(b, p, plain);
		p += plain;
		if (*p == '\0')
			return;
		int i = p[1] - '0';
		const char *arg = i >= 0 && i < nargs ? args[i] : "";
		if (p[2] == ':') {
			p = put_plural(b, l, p + 3, number_in(arg)) + 1;
			continue;
		}
		if (html)
			html_escape(b, arg);
		else
			buf_puts(b, arg);
		p += 3;
	}
}

void text_add(struct buf *b, enum lang lang, enum text_id id,
    const char *const *args)
{
	expand(b, lang, id, args, true);
}

const char *text_plain(struct arena *a, enum lang lang, enum text_id id,
    const char *const *args)
{
	struct buf b;
	const char *s;

	buf_init(&b, 1024);
	expand(&b, lang, id, args, false);
	s = arena_strdup(a, b.s);
	buf_release(&b);
	return s;
}

const char *fmt_int(struct arena *a, enum lang lang, int64_t n)
{
	char digits[32];
	char out[64];
	size_t len, o = 0;
	/* no-break space, so that a figure is never torn between lines */
	const char *sep = lang == LANG_RU ? "\xc2\xa0" : ",";

	str_format(digits, sizeof(digits), "%" PRId64, n < 0 ? -n : n);
	len = strlen(digits);
	if (n < 0)
		out[o++] = '-';
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			for (const char *s = sep; *s != '\0'; s++)
				out[o++] = *s;
		out[o++] = digits[i];
	}
	out[o] = '\0';
	return arena_strdup(a, out);
}

static int64_t round_div(int64_t n, int64_t by)
{
	return n >= 0 ? (n + by / 2) / by : -((-n + by / 2) / by);
}

const char *fmt_kcal(struct arena *a, enum lang lang, int64_t cal)
{
	return fmt_int(a, lang, round_div(cal, 1000));
}

const char *fmt_num(struct arena *a, enum lang lang, double v, int digits)
{
	char s[64];
	char *dot;

	str_format(s, sizeof(s), "%.*f", digits, v);
	dot = strchr(s, '.');
	if (dot != NULL) {
		char *end = s + strlen(s);
		while (end > dot && (end[-1] == '0' || end[-1] == '.'))
			*--end = '\0';
		if (lang == LANG_RU && *dot == '.')
			*dot = ',';
	}
	return arena_strdup(a, s);
}

const char *fmt_g(struct arena *a, enum lang lang, int64_t mg)
{
	if (mg >= 9950)
		return fmt_int(a, lang, round_div(mg, 1000));
	return fmt_num(a, lang, (double)round_div(mg, 100) / 10, 1);
}

const char *fmt_day(struct arena *a, enum lang lang, int32_t day,
    int32_t today)
{
	int y, m, d;

	if (day == today)
		return text_get(lang, T_TODAY);
	if (day == today - 1)
		return text_get(lang, T_YESTERDAY);
	day_to_ymd(day, &y, &m, &d);
	return text_plain(a, lang, T_DATE, (const char *const[]){
	    text_get(lang, T_DAY_0 + (enum text_id)day_weekday(day)),
	    arena_printf(a, "%d", d),
	    text_get(lang, T_MONTH_1 + (enum text_id)(m - 1)), NULL });
}

const char *fmt_day_short(struct arena *a, enum lang lang, int32_t day)
{
	int y, m, d;

	day_to_ymd(day, &y, &m, &d);
	return arena_printf(a, "%s %02d.%02d",
	    text_get(lang, T_DAY_SHORT_0 + (enum text_id)day_weekday(day)), d, m);
}
