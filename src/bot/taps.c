/* taps.c - see taps.h. */
#include "config.h"

#include "bot/taps.h"

#include <string.h>

enum { WHOM_CHARS = 4, UNTIL_CHARS = 3, CHAR_BITS = 6, HOUR_S = 3600,
	STAMP_EPOCH = 1767225600 /* 2026-01-01; 262,144 hours reach 2055 */ };

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The last step of splitmix64: ids of a family are often neighbours. */
uint32_t tap_whom(int64_t user_id)
{
	uint64_t h = (uint64_t)user_id + UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((h ^ (h >> 31)) & 0xffffff);
}

static void put(char *out, uint32_t v, int n)
{
	for (int i = n - 1; i >= 0; i--, v >>= CHAR_BITS)
		out[i] = digits[v & 63];
}

static bool get(const char *in, int n, uint32_t *v)
{
	const char *at;

	*v = 0;
	for (int i = 0; i < n; i++) {
		if (in[i] == '\0' || (at = strchr(digits, in[i])) == NULL)
			return false;
		*v = *v << CHAR_BITS | (uint32_t)(at - digits);
	}
	return true;
}

static const struct tap *row_of(const struct tap *const *rows,
    const char *data, size_t n)
{
	for (; *rows != NULL; rows++)
		if (strncmp((*rows)->verb, data, n) == 0 &&
		    (*rows)->verb[n] == '\0')
			return *rows;
	return NULL;
}

bool tap_read(const struct tap *const *rows, const char *data,
    struct tap_data *out)
{
	size_t len = strcspn(data, "~"), verb = strcspn(data, ":~");
	const char *stamp = data + len;
	uint32_t hours = 0;

	*out = (struct tap_data){ .row = row_of(rows, data, verb) };
	if (verb == 0 || len > KB_DATA_MAX)
		return false;
	if (verb < len)
		str_copy_n(out->args, sizeof(out->args), data + verb + 1,
		    len - verb - 1);
	if (*stamp == '\0')
		return true;
	out->stamped = true;
	len = strlen(++stamp);
	if ((len != WHOM_CHARS && len != WHOM_CHARS + UNTIL_CHARS) ||
	    !get(stamp, WHOM_CHARS, &out->whom) ||
	    (len > WHOM_CHARS && !get(stamp + WHOM_CHARS, UNTIL_CHARS, &hours)))
		return false;
	if (len > WHOM_CHARS)
		out->until = STAMP_EPOCH + (int64_t)hours * HOUR_S;
	return true;
}

bool tap_stamp(const struct tap *const *rows, int64_t user_id, int64_t now,
    char *data, size_t size)
{
	const struct tap *row = row_of(rows, data, strcspn(data, ":"));
	char stamp[1 + WHOM_CHARS + UNTIL_CHARS + 1] = "~";
	size_t len = strlen(data);
	int64_t hours;

	put(stamp + 1, tap_whom(user_id), WHOM_CHARS);
	if (row != NULL && row->holds_hours > 0) {
		/* the hour that has begun is not counted */
		hours = (now - STAMP_EPOCH) / HOUR_S + 1 + row->holds_hours;
		put(stamp + 1 + WHOM_CHARS, (uint32_t)hours, UNTIL_CHARS);
	}
	if (len + strlen(stamp) >= size)
		return false;
	return str_copy(data + len, size - len, stamp);
}

enum text_id tap_refusal(const struct tap_data *d, const struct update *u,
    int64_t now)
{
	bool others = !u->private_chat;

	if (d->stamped && d->whom != tap_whom(u->user_id))
		return T_NOT_YOURS;
	if (others && u->reply_to_user != 0 && u->reply_to_user != u->user_id)
		return T_NOT_YOURS;
	if (others && (d->row->flags & CMD_PRIVATE_ONLY))
		return T_PRIVATE_ONLY;
	/* before there were stamps only the message told for whom it is */
	if (others && !d->stamped && u->reply_to_user == 0)
		return T_TAP_OLD;
	if (d->until != 0 && now >= d->until)
		return T_TAP_OLD;
	return TEXT_COUNT;
}
