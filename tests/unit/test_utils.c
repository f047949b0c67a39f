/* test_utils.c - buf, arena, json, clock, validators, keyboards. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "utils/arena.h"
#include "utils/buf.h"
#include "utils/clock.h"
#include "utils/json.h"
#include "utils/keyboards.h"
#include "utils/log.h"
#include "utils/log_who.h"
#include "utils/validators.h"

static void buf_stops_at_its_cap(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_puts(&b, "12345");
	assert_false(buf_over(&b));
	buf_printf(&b, "%s", "67890abc");
	assert_true(buf_over(&b));
	assert_string_equal(b.s, "1234567890");
	buf_clear(&b);
	assert_false(buf_over(&b));
	buf_release(&b);
}

static void buf_prints_long_text(void **state)
{
	char big[1000];
	struct buf b;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	buf_init(&b, 5000);
	buf_printf(&b, "<%s>", big);
	assert_int_equal(b.len, sizeof(big) + 1);
	assert_int_equal(b.s[b.len - 1], '>');
	buf_release(&b);
}

static void copies_cut_between_characters(void **state)
{
	char s[6];

	(void)state;
	assert_false(str_copy(s, sizeof(s), "абв"));
	assert_string_equal(s, "аб");
	assert_true(str_copy(s, sizeof(s), "abcde"));
	assert_false(str_copy(s, sizeof(s), "a😀b"));
	assert_string_equal(s, "a😀");
}

static void arena_gives_memory_again(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	for (int round = 0; round < 3; round++) {
		char *last = NULL;
		for (int i = 0; i < 100; i++) {
			char *p = arena_alloc(&a, 1000);
			assert_int_equal((uintptr_t)p % 16, 0);
			if (last != NULL)
				assert_int_equal(last[999], 7);
			memset(p, 7, 1000);
			last = p;
		}
		arena_reset(&a);
	}
	assert_string_equal(arena_printf(&a, "%d-%s", 5, "x"), "5-x");
	arena_release(&a);
}

static bool parses(const char *s)
{
	struct json_object *j;

	if (json_parse(s, strlen(s), &j, NULL) != RC_OK)
		return false;
	json_free(j);
	return true;
}

static void json_is_strict(void **state)
{
	char deep[200];

	(void)state;
	assert_true(parses("{\"a\":[1,2,{\"b\":null}]} \n"));
	assert_false(parses(""));
	assert_false(parses("{"));
	assert_false(parses("{\"a\":1}x"));
	assert_false(parses("{\"a\":\"\xff\"}"));
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_false(parses("{\"a\":\"\xc0\xbd\"}"));	/* overlong */
	assert_false(parses("{\"a\":\"\xed\xa0\x80\"}"));	/* surrogate */
	assert_true(parses("{\"a\":\"\xf0\x9f\x8d\x8e\"}"));
	assert_false(parses(deep));
}

static void json_getters_check_type_and_range(void **state)
{
	static const char text[] = "{\"n\":12,\"s\":\"12ab\",\"big\":"
	    "99999999999999999999,\"f\":1.5,\"nan\":NaN,\"nul\":\"a\\u0000b\",\"t\":true}";
	struct json_object *j;
	int64_t v = 7;
	bool t = false;

	(void)state;
	assert_int_equal(json_parse(text, sizeof(text) - 1, &j, NULL), RC_OK);
	assert_true(json_i64(j, "n", &v));
	assert_int_equal(v, 12);
	assert_false(json_i64(j, "s", &v));
	assert_false(json_i64(j, "big", &v));
	assert_false(json_i64(j, "f", &v));
	/* the parser lets it pass, no getter does */
	assert_false(json_i64(j, "nan", &v));
	assert_false(json_i64(j, "none", &v));
	assert_int_equal(v, 12);
	assert_null(json_str(j, "n"));
	assert_null(json_str(j, "nul"));
	assert_string_equal(json_str(j, "s"), "12ab");
	assert_true(json_flag(j, "t", &t) && t);
	assert_null(json_obj(j, "n"));
	assert_int_equal(json_len(j), 0);
	json_free(j);
}

static void json_writer_mends_bad_text(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	json_put_str(&b, "a\"\\\n\x01\xff" "я");
	assert_string_equal(b.s, "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbdя\"");
	buf_clear(&b);
	json_put_str(&b, "\xed\xa0\x80");	/* a lone surrogate */
	assert_true(parses("{}"));
	assert_null(strstr(b.s, "\xed\xa0"));
	buf_release(&b);
}

static void days_follow_the_zone(void **state)
{
	int y, m, d;

	(void)state;
	/* 2026-11-22 23:30 UTC is the 23rd in Moscow */
	assert_int_equal(zone_day("UTC", 0, 1795390200), 20779);
	assert_int_equal(zone_day("Europe/Moscow", 0, 1795390200), 20780);
	/* with a day that starts at 04:00 it is still the 22nd there */
	assert_int_equal(zone_day("Europe/Moscow", 240, 1795390200), 20779);
	assert_int_equal(zone_day("America/New_York", 0, 1795390200), 20779);
	assert_int_equal(zone_day("UTC", 0, -1), -1);
	for (int32_t day = -800000; day < 800000; day += 37) {
		day_to_ymd(day, &y, &m, &d);
		assert_int_equal(day_from_ymd(y, m, d), day);
	}
	day_to_ymd(20780, &y, &m, &d);
	assert_true(y == 2026 && m == 11 && d == 23);
	assert_int_equal(day_weekday(20780), 0);
	assert_int_equal(day_weekday(-4), 6);
}

static void zones_are_checked(void **state)
{
	(void)state;
	assert_true(zone_valid("UTC"));
	assert_true(zone_valid("Europe/Moscow"));
	assert_false(zone_valid("Europe/Moskva"));
	assert_false(zone_valid("../../etc/passwd"));
	assert_false(zone_valid("Europe/"));
	assert_false(zone_valid(""));
	assert_false(zone_valid("Europe"));
}

static void figures_are_read(void **state)
{
	static const char *const kg[] = { "кг", "kg", NULL };
	const char *rest;
	double v;

	(void)state;
	assert_true(figure_parse(" 72,5 кг", &v, &rest));
	assert_true(v > 72.49 && v < 72.51 && unit_is(rest, kg));
	assert_true(figure_parse("80", &v, &rest) && unit_is(rest, kg));
	assert_true(figure_parse("80 kg.", &v, &rest) && unit_is(rest, kg));
	assert_true(figure_parse("80 яиц", &v, &rest) && !unit_is(rest, kg));
	assert_false(figure_parse("кг", &v, &rest));
	assert_false(figure_parse("99999999999999", &v, &rest));
	assert_false(figure_parse("-5", &v, &rest));
}

static void integers_between_colons(void **state)
{
	int64_t v[3];

	(void)state;
	assert_int_equal(ints_parse("1:-2:3", v, 3), 3);
	assert_int_equal(v[1], -2);
	assert_int_equal(ints_parse("", v, 3), 0);
	assert_int_equal(ints_parse("1:2:3:4", v, 3), -1);
	assert_int_equal(ints_parse("1x", v, 3), -1);
	assert_int_equal(ints_parse("99999999999999999999", v, 3), -1);
	assert_int_equal(ints_parse("-", v, 3), -1);
	assert_true(payload_valid("ref_A-9"));
	assert_false(payload_valid(""));
	assert_false(payload_valid("a b"));
}

static void keyboards_stay_within_limits(void **state)
{
	struct keyboard k;
	struct buf out;

	(void)state;
	keyboard_init(&k);
	buf_init(&out, 65536);
	for (int i = 0; i < 105; i++)
		assert_int_equal(keyboard_button(&k, "x", "d%d", i), i < 100);
	keyboard_write(&k, &out);
	assert_true(parses(out.s));
	assert_int_equal(k.total, 100);
	keyboard_clear(&k);
	assert_false(keyboard_button(&k, "x", "%065d", 1));
	assert_true(keyboard_button(&k, "x", "%064d", 1));
	keyboard_row(&k);
	assert_true(keyboard_button(&k, "\"", "q"));
	buf_clear(&out);
	keyboard_write(&k, &out);
	assert_true(parses(out.s));
	keyboard_release(&k);
	buf_release(&out);
}

static void secrets_leave_no_line(void **state)
{
	char line[4096] = "";
	int fds[2], saved = dup(STDERR_FILENO);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	log_secret_add("123456:TOKEN_of_the_bot");
	log_info("try", "url=/bot123456:TOKEN_of_the_bot/send again=%s",
	    log_q("x 123456:TOKEN_of_the_bot\nforged level=error"));
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	close(fds[0]);
	close(fds[1]);
	close(saved);
	assert_null(strstr(line, "TOKEN"));
	assert_non_null(strstr(line, "event=try url=/bot"));
	/* one event is one line, whatever stands in it */
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

/* Vectors of the paper's appendix A, and of its authors' vectors.h. */
static void siphash_is_the_published_one(void **state)
{
	unsigned char key[16], data[15];

	(void)state;
	for (unsigned char i = 0; i < 16; i++)
		key[i] = i;
	for (unsigned char i = 0; i < 15; i++)
		data[i] = i;
	assert_true(log_siphash(key, data, 15) == 0xa129ca6149be45e5u);
	assert_true(log_siphash(key, data, 0) == 0x726fdb47dd0e0e31u);
	assert_true(log_siphash(key, data, 8) == 0x93f5f5799a932462u);
}

static void a_person_has_one_name_in_the_log_until_the_secret_changes(
    void **state)
{
	char one[24], other[24];

	(void)state;
	log_who_key("secret-of-the-webhook");
	str_copy(one, sizeof(one), log_who(4711));
	assert_int_equal(strlen(one), 17);
	assert_null(strstr(one, "4711"));
	assert_string_not_equal(log_who(4712), one);
	assert_string_not_equal(log_who(-4711), one);
	log_who_key("another-secret-of-it");
	str_copy(other, sizeof(other), log_who(4711));
	assert_string_not_equal(other, one);
	log_who_key("");	/* random, and not what "" would give twice */
	str_copy(other, sizeof(other), log_who(4711));
	log_who_key("");
	assert_string_not_equal(log_who(4711), other);
	log_who_key("secret-of-the-webhook");
	assert_string_equal(log_who(4711), one);
	assert_string_equal(log_who(0), "0");
	log_level_set(LOG_LVL_DEBUG);
	assert_string_equal(log_who(4711), "4711");
	assert_string_equal(log_who_name(4711), one);
	log_level_set(LOG_LVL_INFO);
}

static void a_key_hides_the_whole_id_and_nothing_else(void **state)
{
	char want[128];

	(void)state;
	str_format(want, sizeof(want), "\"send:%s:u77\"", log_who(42));
	assert_string_equal(log_who_in("send:42:u77", 42), want);
	str_format(want, sizeof(want), "\"send:%s:421\"", log_who(42));
	assert_string_equal(log_who_in("send:42:421", 42), want);
	str_format(want, sizeof(want), "\"420:142:%s\"", log_who(42));
	assert_string_equal(log_who_in("420:142:42", 42), want);
	str_format(want, sizeof(want), "\"user %s is not %s\"", log_who(42),
	    log_who(42));
	assert_string_equal(log_who_in("user 42 is not 42", 42), want);
	assert_string_equal(log_who_in("send:420:u1", 42), "\"send:420:u1\"");
	assert_string_equal(log_who_in("tick:0", 0), "\"tick:0\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_is_the_published_one),
		cmocka_unit_test(
		    a_person_has_one_name_in_the_log_until_the_secret_changes),
		cmocka_unit_test(a_key_hides_the_whole_id_and_nothing_else),
		cmocka_unit_test(buf_stops_at_its_cap),
		cmocka_unit_test(buf_prints_long_text),
		cmocka_unit_test(copies_cut_between_characters),
		cmocka_unit_test(arena_gives_memory_again),
		cmocka_unit_test(json_is_strict),
		cmocka_unit_test(json_getters_check_type_and_range),
		cmocka_unit_test(json_writer_mends_bad_text),
		cmocka_unit_test(days_follow_the_zone),
		cmocka_unit_test(zones_are_checked),
		cmocka_unit_test(figures_are_read),
		cmocka_unit_test(integers_between_colons),
		cmocka_unit_test(keyboards_stay_within_limits),
		cmocka_unit_test(secrets_leave_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
