/*
 * test_worker_order.c - a chat's messages are sent in the order in which they
 * were to be sent.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"
#include "worker_place.h"

/* Who waits for the chat's second longer than the lease lasts goes back to the
 * shard, and keeps the place before what came later. */
static void a_chat_gets_its_messages_in_order(void **state)
{
	static const char *const keys[] = { "f", "e", "d", "c", "b", "a" };
	struct worker_place *p = *state;
	char words[16];
	int n = 0;

	p->conf.lease_ms = 2000;
	for (int i = 0; i < 6; i++) {
		worker_place_send(p, 10, 10, keys[i]);
		usleep(3000);
	}
	worker_place_start(p);
	assert_true(worker_place_until(p, 10, "a", JOB_DONE));
	assert_true(worker_stats(p->worker)->put_back > 0);
	for (int i = 0; i < p->nseen; i++) {
		if (!strstr(p->seen[i].text, "sendMessage"))
			continue;
		assert_in_range(n, 0, 5);
		str_format(words, sizeof(words), "<b>%s</b>", keys[n++]);
		assert_non_null(strstr(p->seen[i].text, words));
	}
	assert_int_equal(n, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_chat_gets_its_messages_in_order, worker_place_setup,
		    worker_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
