/* log_who.c - see log_who.h. */
#include "config.h"

#include "utils/log_who.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "utils/buf.h"
#include "utils/log.h"

enum { NAMES = 8, NAME_SIZE = 24, TEXT_MAX = 512 };

/* Part of what log.c keeps, by the same right: who logs passes no context. */
static struct {
	bool set;
	unsigned char bytes[16];
} key;

static uint64_t turn(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turn(v[1], 13) ^ v[0];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] = turn(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = turn(v[1], 17) ^ v[2];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] = turn(v[2], 32);
	}
}

/* Up to eight bytes, the first one lowest. */
static uint64_t word(const unsigned char *s, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++)
		x |= (uint64_t)s[i] << (8 * i);
	return x;
}

static void take(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
}

uint64_t log_siphash(const unsigned char k[16], const void *data, size_t len)
{
	uint64_t k0 = word(k, 8), k1 = word(k + 8, 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
	const unsigned char *s = data;
	size_t left = len;

	for (; left >= 8; left -= 8, s += 8)
		take(v, word(s, 8));
	take(v, word(s, left) | (uint64_t)len << 56);
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void put_word(unsigned char *out, uint64_t x)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(x >> (8 * i));
}

void log_who_key(const char *secret)
{
	static const unsigned char low[16] = "familybot log 0",
		high[16] = "familybot log 1";
	size_t len = strlen(secret);

	key.set = true;
	if (len == 0 && getrandom(key.bytes, sizeof(key.bytes), 0) ==
	    (ssize_t)sizeof(key.bytes))
		return;
	put_word(key.bytes, log_siphash(low, secret, len));
	put_word(key.bytes + 8, log_siphash(high, secret, len));
}

const char *log_who_name(int64_t id)
{
	static char ring[NAMES][NAME_SIZE];
	static unsigned int next;
	char *out = ring[next++ % NAMES];
	unsigned char bytes[8];

	if (!key.set)
		log_who_key("");
	put_word(bytes, (uint64_t)id);
	str_format(out, NAME_SIZE, "u%016" PRIx64,
	    log_siphash(key.bytes, bytes, sizeof(bytes)));
	return out;
}

const char *log_who(int64_t id)
{
	static char ring[NAMES][NAME_SIZE];
	static unsigned int next;

	if (id != 0 && !log_level_is(LOG_LVL_DEBUG))
		return log_who_name(id);
	char *out = ring[next++ % NAMES];
	str_format(out, NAME_SIZE, "%" PRId64, id);
	return out;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The next whole number raw in text, or NULL. */
static const char *number_find(const char *text, const char *raw)
{
	const char *at = text;
	size_t len = strlen(raw);

	for (; (at = strstr(at, raw)) != NULL; at += len)
		if ((at == text || !is_digit(at[-1])) && !is_digit(at[len]))
			break;
	return at;
}

const char *log_who_in(const char *text, int64_t id)
{
	char raw[NAME_SIZE];
	const char *at, *out;
	struct buf b;

	str_format(raw, sizeof(raw), "%" PRId64, id);
	if (id == 0 || number_find(text, raw) == NULL)
		return log_q(text);
	buf_init(&b, TEXT_MAX);
	while ((at = number_find(text, raw)) != NULL) {
		buf_add(&b, text, (size_t)(at - text));
		buf_puts(&b, log_who(id));
		text = at + strlen(raw);
	}
	buf_puts(&b, text);
	out = log_q(b.s);
	buf_release(&b);
	return out;
}
