/*
 * test_fcgi_parse.c - records of FastCGI as bytes, without a socket: whole,
 * in pieces, padded, mixed with what is none of ours.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/fcgi_parse.h"

enum { BODY_MAX = 1000, ID = 0x0102 };

static const char begin[8] = { 0, 1 /* responder */, 1 /* keep */ };

/* A record with pad bytes after it that are not zero. */
static void put(struct buf *b, int type, unsigned int id, const char *data,
    size_t len, unsigned int pad)
{
	const unsigned char head[8] = { 1, (unsigned char)type,
		(unsigned char)(id >> 8), (unsigned char)id,
		(unsigned char)(len >> 8), (unsigned char)len,
		(unsigned char)pad, 7 };

	buf_add(b, head, sizeof(head));
	buf_add(b, data, len);
	for (unsigned int i = 0; i < pad; i++)
		buf_putc(b, '\x5a');
}

static void put_length(struct buf *b, size_t n, bool always_long)
{
	if (n > 127 || always_long) {
		buf_putc(b, (char)(0x80 | n >> 24));
		buf_putc(b, (char)(n >> 16));
		buf_putc(b, (char)(n >> 8));
	}
	buf_putc(b, (char)n);
}

static void put_pair(struct buf *b, const char *name, const char *value)
{
	put_length(b, strlen(name), false);
	put_length(b, strlen(value), strlen(value) % 2);
	buf_puts(b, name);
	buf_puts(b, value);
}

static const char long_value[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789";

static void put_params(struct buf *p)
{
	put_pair(p, "REQUEST_METHOD", "POST");
	put_pair(p, "DOCUMENT_URI", "/api/webhook");
	put_pair(p, "QUERY_STRING", "a=1&b=%20");
	put_pair(p, "CONTENT_TYPE", "");
	put_pair(p, "CONTENT_LENGTH", "11");
	put_pair(p, "REMOTE_ADDR", "192.0.2.7");
	put_pair(p, "HTTP_AUTHORIZATION", "Bearer x");
	put_pair(p, "HTTP_X_LONG", long_value);
	put_pair(p, "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN", "tok");
}

/* A request with all that the protocol allows in it: params in records of
 * step bytes, padding, other requests, unknown types. */
static void put_request(struct buf *b, size_t step)
{
	struct buf p;

	buf_init(&p, 4096);
	put_params(&p);
	put(b, FCGI_BEGIN, ID, begin, sizeof(begin), 3);
	put(b, 99, ID, "what is this", 12, 1);
	put(b, FCGI_STDIN, ID + 1, "not ours", 8, 0);
	for (size_t at = 0; at < p.len; at += step)
		put(b, FCGI_PARAMS, ID, p.s + at,
		    p.len - at < step ? p.len - at : step, step % 5);
	put(b, FCGI_PARAMS, ID, "", 0, 255);
	put(b, FCGI_STDIN, ID, "hello ", 6, 2);
	put(b, FCGI_DATA, ID, "of a filter", 11, 0);
	put(b, FCGI_STDIN, ID, "world", 5, 0);
	put(b, FCGI_STDIN, ID, "", 0, 4);
	buf_release(&p);
}

static void is_whole(const struct fcgi_in *in)
{
	struct http_request r = { .method = "", .content_type = "?" };

	assert_int_equal(in->state, FCGI_READY);
	assert_int_equal(in->id, ID);
	fcgi_request(in, &r);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.path, "/api/webhook");
	assert_string_equal(r.query, "a=1&b=%20");
	assert_string_equal(r.content_type, "");
	assert_string_equal(r.remote_addr, "192.0.2.7");
	assert_string_equal(r.secret_token, "tok");
	assert_int_equal(r.nfields, 9);
	assert_string_equal(r.fields[6].value, "Bearer x");
	assert_string_equal(r.fields[7].value, long_value);
	assert_int_equal(r.len, 11);
	assert_memory_equal(r.body, "hello world", 11);
	assert_false(r.cut_short || r.too_big || r.too_many);
}

static int setup(void **state)
{
	static struct fcgi_in in;

	fcgi_in_init(&in, BODY_MAX);
	*state = &in;
	return 0;
}

static int teardown(void **state)
{
	fcgi_in_release(*state);
	return 0;
}

static void a_request_is_the_same_however_it_is_cut(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 100, 5000 };
	struct fcgi_in *in = *state;
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		buf_clear(&b);
		put_request(&b, steps[s]);
		for (size_t piece = 1; piece <= b.len; piece = piece * 3 + 1) {
			fcgi_in_clear(in);
			for (size_t at = 0; at < b.len; at += piece) {
				size_t n = b.len - at;
				assert_int_equal(in->state, FCGI_MORE);
				fcgi_feed(in, b.s + at, n < piece ? n : piece);
			}
			is_whole(in);
		}
		fcgi_in_clear(in);
		fcgi_feed(in, b.s, b.len);
		is_whole(in);
	}
	buf_release(&b);
}

static void a_request_cut_anywhere_is_not_whole(void **state)
{
	struct fcgi_in *in = *state;
	struct buf b;

	buf_init(&b, 1 << 20);
	put_request(&b, 50);
	for (size_t n = 0; n < b.len; n++) {
		fcgi_in_clear(in);
		assert_int_equal(fcgi_feed(in, b.s, n), FCGI_MORE);
	}
	buf_release(&b);
}

static enum fcgi_state params_of(struct fcgi_in *in, const char *data,
    size_t len)
{
	struct buf b;
	enum fcgi_state state;

	buf_init(&b, 1 << 20);
	put(&b, FCGI_BEGIN, ID, begin, sizeof(begin), 0);
	put(&b, FCGI_PARAMS, ID, data, len, 0);
	put(&b, FCGI_PARAMS, ID, "", 0, 0);
	fcgi_in_clear(in);
	state = fcgi_feed(in, b.s, b.len);
	buf_release(&b);
	return state;
}

static void lengths_that_lie_are_bad(void **state)
{
#define BAD(text) \
	assert_int_equal(params_of(*state, text, sizeof(text) - 1), FCGI_BAD)
	BAD("\xff\xff\xff\xfe\xff\xff\xff\xfe" "ab");
	BAD("\x01\xff\xff\xff\xfe" "ab");
	BAD("\x01\x02" "ab");
	BAD("\x80\x00\x00");
	BAD("\x01\x80\x00\x00");
	BAD("\x01");
	BAD("\x01\x03" "na\0b");	/* a zero inside of a value */
	BAD("\x0e\x02" "CONTENT_LENGTH" "1x");
	BAD("\x0e\x02" "CONTENT_LENGTH" "-1");
#undef BAD
	assert_int_equal(params_of(*state, "\x01\x02" "nab", 5), FCGI_MORE);
	assert_int_equal(params_of(*state, "", 0), FCGI_MORE);
}

static void a_length_beyond_all_bounds_is_too_big(void **state)
{
	static const char told[] = "\x0e\x1e" "CONTENT_LENGTH"
	    "999999999999999999999999999999";
	struct fcgi_in *in = *state;

	assert_int_equal(params_of(in, told, sizeof(told) - 1), FCGI_READY);
	assert_true(in->too_big);
}

static void more_fields_than_the_cap_are_told(void **state)
{
	struct fcgi_in *in = *state;
	struct http_request r = { .method = "" };
	struct buf p;

	buf_init(&p, 1 << 20);
	put_pair(&p, "REQUEST_METHOD", "GET");
	for (int i = 1; i < FCGI_FIELDS_MAX; i++)
		put_pair(&p, "HTTP_X", "1");
	params_of(in, p.s, p.len);
	fcgi_request(in, &r);
	assert_false(r.too_many);
	assert_int_equal(r.nfields, FCGI_FIELDS_MAX);
	put_pair(&p, "HTTP_X", "1");
	params_of(in, p.s, p.len);
	fcgi_request(in, &r);
	assert_true(r.too_many);
	assert_string_equal(r.method, "GET");
	assert_string_equal(r.fields[FCGI_FIELDS_MAX - 1].value, "1");
	buf_release(&p);
}

static void questions_about_us_are_answered_and_a_request_follows(void **state)
{
	static const char answer[] = "\x01\x0a\0\0\0\x12\0\0"
	    "\x0f\x01" "FCGI_MPXS_CONNS" "0";
	struct fcgi_in *in = *state;
	struct buf b;

	buf_init(&b, 1 << 20);
	put(&b, FCGI_GET_VALUES, 0, "\x0f\0" "FCGI_MPXS_CONNS\4\0what", 23, 0);
	assert_int_equal(fcgi_feed(in, b.s, b.len), FCGI_MORE);
	assert_int_equal(in->reply.len, sizeof(answer) - 1);
	assert_memory_equal(in->reply.s, answer, sizeof(answer) - 1);
	buf_clear(&in->reply);
	buf_clear(&b);
	put(&b, 77, 0, "x", 1, 0);
	assert_int_equal(fcgi_feed(in, b.s, b.len), FCGI_MORE);
	assert_int_equal(in->reply.len, 16);
	assert_int_equal(in->reply.s[1], FCGI_UNKNOWN_TYPE);
	assert_int_equal(in->reply.s[8], 77);
	buf_clear(&b);
	put_request(&b, 100);
	fcgi_feed(in, b.s, b.len);
	is_whole(in);
	buf_release(&b);
}

static void questions_without_end_are_bad(void **state)
{
	struct fcgi_in *in = *state;
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 500; i++)
		put(&b, 77, 0, "", 0, 0);
	assert_int_equal(fcgi_feed(in, b.s, b.len), FCGI_BAD);
	assert_true(in->reply.len <= in->reply.max);
	buf_release(&b);
}

/* Begins with role and id after what b holds; expects the end that is said. */
static void refused(struct fcgi_in *in, struct buf *b, const char role[8],
    unsigned int id, enum fcgi_status status)
{
	put(b, FCGI_BEGIN, id, role, 8, 0);
	fcgi_in_clear(in);
	assert_int_equal(fcgi_feed(in, b->s, b->len), FCGI_REFUSED);
	assert_int_equal(in->reply.len, 16);
	assert_int_equal(in->reply.s[1], FCGI_END);
	assert_int_equal(in->reply.s[3], id & 0xff);
	assert_int_equal(in->reply.s[12], status);
}

static void what_we_cannot_do_is_refused_in_words_of_the_protocol(void **state)
{
	static const char filter[8] = { 0, 3, 0 };
	struct buf b;

	buf_init(&b, 4096);
	refused(*state, &b, filter, ID, FCGI_UNKNOWN_ROLE);
	buf_clear(&b);
	put(&b, FCGI_BEGIN, ID, begin, sizeof(begin), 0);
	refused(*state, &b, begin, ID + 1, FCGI_CANT_MPX);
	buf_release(&b);
}

static void a_body_over_the_cap_is_not_kept(void **state)
{
	struct fcgi_in *in = *state;
	static char much[BODY_MAX + 1];
	struct http_request r = { .method = "" };
	struct buf b;

	buf_init(&b, 1 << 20);
	put(&b, FCGI_BEGIN, ID, begin, sizeof(begin), 0);
	put(&b, FCGI_PARAMS, ID, "", 0, 0);
	put(&b, FCGI_STDIN, ID, much, BODY_MAX, 0);
	assert_int_equal(fcgi_feed(in, b.s, b.len), FCGI_MORE);
	buf_clear(&b);
	put(&b, FCGI_STDIN, ID, much, 1, 0);
	assert_int_equal(fcgi_feed(in, b.s, b.len), FCGI_READY);
	fcgi_request(in, &r);
	assert_true(r.too_big && !r.cut_short);
	assert_int_equal(r.len, 0);
	buf_release(&b);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_request_is_the_same_however_it_is_cut),
		T(a_request_cut_anywhere_is_not_whole),
		T(lengths_that_lie_are_bad),
		T(a_length_beyond_all_bounds_is_too_big),
		T(more_fields_than_the_cap_are_told),
		T(questions_about_us_are_answered_and_a_request_follows),
		T(questions_without_end_are_bad),
		T(what_we_cannot_do_is_refused_in_words_of_the_protocol),
		T(a_body_over_the_cap_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
