/*
 * norm.c - normalising what people type: case, ё, look-alike
 * letters of the other alphabet, fractions, accents, emoji, broken UTF-8.
 * Pure; owns no memory.
 */
#include "config.h"

#include "services/nutrition/text.h"

#include <string.h>

enum { WORD_CP_MAX = 64 };

struct norm {
	char *out;
	size_t len, size;
	uint32_t word[WORD_CP_MAX];
	size_t nword;
	bool latin, cyrillic;
};

/* One code point of well-formed UTF-8, or U+FFFD and one byte. */
static size_t utf8_decode(const unsigned char *s, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 :
	    (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c;

	*cp = 0xfffd;
	if (n == 0)
		return 1;
	if (n == 1) {
		*cp = s[0];
		return 1;
	}
	c = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff))
		*cp = c;
	return n;
}

static void put(struct norm *m, uint32_t c)
{
	unsigned char b[4];
	size_t n = 0;

	if (c < 0x80) {
		b[n++] = (unsigned char)c;
	} else if (c < 0x800) {
		b[n++] = (unsigned char)(0xc0 | c >> 6);
		b[n++] = (unsigned char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		b[n++] = (unsigned char)(0xe0 | c >> 12);
		b[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (unsigned char)(0x80 | (c & 0x3f));
	} else {
		b[n++] = (unsigned char)(0xf0 | c >> 18);
		b[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		b[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (unsigned char)(0x80 | (c & 0x3f));
	}
	if (m->len + n >= m->size)
		return;
	memcpy(m->out + m->len, b, n);
	m->len += n;
}

/* Latin letters that look like Cyrillic ones. */
static uint32_t to_cyrillic(uint32_t c)
{
	static const char lat[] = "aceopxyktmhbnu";
	static const uint16_t cyr[] = { 0x430, 0x441, 0x435, 0x43e, 0x440,
		0x445, 0x443, 0x43a, 0x442, 0x43c, 0x43d, 0x432, 0x43f, 0x438 };
	const char *p = c < 0x80 && c != 0 ? strchr(lat, (int)c) : NULL;

	return p != NULL ? cyr[p - lat] : c;
}

static void word_flush(struct norm *m)
{
	bool mixed = m->latin && m->cyrillic;

	for (size_t i = 0; i < m->nword; i++)
		put(m, mixed ? to_cyrillic(m->word[i]) : m->word[i]);
	m->nword = 0;
	m->latin = m->cyrillic = false;
}

static void letter(struct norm *m, uint32_t c)
{
	if (m->nword == WORD_CP_MAX)
		word_flush(m);
	if (c >= 'a' && c <= 'z')
		m->latin = true;
	else if (c >= 0x400 && c <= 0x4ff)
		m->cyrillic = true;
	m->word[m->nword++] = c;
}

static void other(struct norm *m, uint32_t c)
{
	word_flush(m);
	put(m, c);
}

/* Latin-1 letters without their accents; 0 when it is no such letter. */
static uint32_t unaccent(uint32_t c)
{
	static const char plain[] =
	    "aaaaaaaceeeeiiiidnooooo/ouuuuypsaaaaaaaceeeeiiiidnooooo/ouuuuypy";

	if (c < 0xc0 || c > 0xff || c == 0xd7 || c == 0xf7)
		return 0;
	return (uint32_t)plain[c - 0xc0];
}

static const char *fraction_text(uint32_t c)
{
	switch (c) {
	case 0xbc: return " 1/4 ";
	case 0xbd: return " 1/2 ";
	case 0xbe: return " 3/4 ";
	case 0x2153: return " 1/3 ";
	case 0x2154: return " 2/3 ";
	case 0x215b: return " 1/8 ";
	default: return NULL;
	}
}

/* A mark that belongs to the letter before it.  True when c was one. */
static bool combining(struct norm *m, uint32_t c)
{
	if (c < 0x300 || c > 0x36f)
		return c == 0x200d || c == 0xfe0f || c == 0xad;
	if (c == 0x306 && m->nword > 0 && m->word[m->nword - 1] == 0x438)
		m->word[m->nword - 1] = 0x439;
	return true;
}

/* Punctuation and symbols outside ASCII. */
static void symbol(struct norm *m, uint32_t c)
{
	if (c == 0xd7)
		other(m, 'x');
	else if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
		other(m, '-');
	else if (c == 0x2018 || c == 0x2019 || c == 0x2bc)
		letter(m, '\'');
	else if (c == 0x2022 || c == 0xb7 || c == 0x2026 || c == 0x2028)
		other(m, '\n');
	else
		other(m, ' ');
}

/* The lower case of an ASCII or Cyrillic letter, 0 when c is none. */
static uint32_t plain_letter(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if ((c >= 'a' && c <= 'z') || c == '\'')
		return c;
	return c == 0x401 || c == 0x451 ? 0x435 : 0;
}

/* Digits of other scripts, and full-width letters, as their ASCII twins:
 * "３５０ г" and "١٥٠ g" tell an amount like any other. */
static uint32_t ascii_twin(uint32_t c)
{
	static const uint16_t zeros[] = { 0x660, 0x6f0, 0x966, 0x9e6 };

	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		if (c >= zeros[i] && c < zeros[i] + 10u)
			return '0' + (c - zeros[i]);
	return c >= 0xff01 && c <= 0xff5e ? c - 0xfee0 : c;
}

static bool is_symbol(uint32_t c)
{
	return c < 0x250 || (c >= 0x2000 && c <= 0x2bff) ||
	    (c >= 0x3000 && c <= 0x303f) || c >= 0xfe00;
}

static void take(struct norm *m, uint32_t c)
{
	const char *f = fraction_text(c);

	c = ascii_twin(c);
	if (plain_letter(c) != 0)
		letter(m, plain_letter(c));
	else if (c < 0x80)
		other(m, c < ' ' && c != '\n' ? ' ' : c);
	else if (f != NULL)
		for (; *f != '\0'; f++)
			other(m, (uint32_t)*f);
	else if (combining(m, c))
		return;
	else if (unaccent(c) != 0)
		letter(m, unaccent(c));
	else if (is_symbol(c))
		symbol(m, c);
	else
		letter(m, c);
}

size_t text_normalise(const char *in, char *out, size_t size)
{
	struct norm m = { .out = out, .size = size };
	const unsigned char *s = (const unsigned char *)in;
	size_t left = strnlen(in, TEXT_MAX);
	unsigned char tail[5];
	uint32_t c;

	while (left > 0) {
		size_t n;

		if (left < 4) {
			/* never read past the end of what is taken */
			memset(tail, 0, sizeof(tail));
			memcpy(tail, s, left);
			n = utf8_decode(tail, &c);
		} else {
			n = utf8_decode(s, &c);
		}
		take(&m, c);
		n = n > left ? left : n;
		s += n;
		left -= n;
	}
	word_flush(&m);
	out[m.len] = '\0';
	return m.len;
}
