/*
 * test_queue.c - jobs are stored before the worker is woken, waking never
 * blocks, and delays grow as they should.
 */
#include "config.h"

#include "conformance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "queue/queue.h"
#include "utils/buf.h"
#include "utils/clock.h"

/* The worker's socket, bound; path is made. */
static int worker_bind(char *path, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *tmp = getenv("TMPDIR");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)str_format(path, size, "%s/fbq%d.sock", tmp ? tmp : "/tmp",
	    (int)getpid());
	(void)unlink(path);
	assert_true(str_copy(a.sun_path, sizeof(a.sun_path), path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void worker_gets_wakes_and_calls(void **state)
{
	static const char call[] = "{\"method\":\"answerCallbackQuery\"}";
	char path[256], got[QUEUE_DATAGRAM_MAX], big[QUEUE_DATAGRAM_MAX];
	int fd = worker_bind(path, sizeof(path));
	struct queue *q = queue_open(path);

	(void)state;
	queue_wake(q);
	queue_ephemeral(q, call, sizeof(call) - 1);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 1);
	assert_int_equal(got[0], QUEUE_WAKE);
	assert_int_equal(recv(fd, got, sizeof(got), 0), sizeof(call));
	assert_int_equal(got[0], QUEUE_CALL);
	assert_memory_equal(got + 1, call, sizeof(call) - 1);
	/* the largest goes whole, a larger one not at all */
	memset(big, 'x', sizeof(big));
	queue_ephemeral(q, big, QUEUE_DATAGRAM_MAX);
	queue_ephemeral(q, big, QUEUE_DATAGRAM_MAX - 1);
	assert_int_equal(recv(fd, got, sizeof(got), 0), QUEUE_DATAGRAM_MAX);
	assert_int_equal(recv(fd, got, sizeof(got), 0), -1);
	queue_free(q);
	(void)close(fd);
	(void)unlink(path);
}

static void missing_or_full_worker_never_blocks(void **state)
{
	char path[256];
	int fd = worker_bind(path, sizeof(path)), got = 0;
	struct queue *q = queue_open(path);
	struct queue *odd = queue_open("/a/path/that/is/longer/than/any/unix/"
	    "socket/may/be/a/path/that/is/longer/than/any/unix/socket/may/be");
	int64_t start = clock_mono_us();
	char c;

	(void)state;
	for (int i = 0; i < 5000; i++)
		queue_wake(q);
	while (recv(fd, &c, 1, 0) == 1)
		got++;
	assert_in_range(got, 1, 4999);	/* it was full, and said nothing */
	(void)close(fd);
	(void)unlink(path);
	queue_wake(q);
	queue_wake(odd);
	assert_true(clock_mono_us() - start < 2000000);
	/* a worker that comes later is found */
	fd = worker_bind(path, sizeof(path));
	queue_wake(q);
	assert_int_equal(recv(fd, &c, 1, 0), 1);
	(void)close(fd);
	(void)unlink(path);
	queue_free(q);
	queue_free(odd);
	queue_free(NULL);
}

static enum rc job_add_full(struct store *s, const struct job *jobs, size_t n,
    struct err *e)
{
	(void)s;
	(void)jobs;
	(void)n;
	return err_set(e, RC_FULL, "full");
}

static void jobs_are_stored_then_the_worker_is_woken(void **state)
{
	static const struct store_ops full_ops = { .job_add = job_add_full };
	struct store full = { .ops = &full_ops };
	struct store_place *p = *state;
	char path[256], c = 0;
	int fd = worker_bind(path, sizeof(path));
	struct queue *q = queue_open(path);
	struct job *j = calloc(2, sizeof(*j));
	size_t n = 0;
	struct err e;

	OK(queue_send_job(&j[0], -42, "tap:7", "{\"x\":1}", 7, 1234));
	assert_string_equal(j[0].id, "send:-42:tap:7");
	assert_string_equal(j[0].kind, "send");
	OK(queue_add(q, p->s, j, 1, &e));
	assert_int_equal(recv(fd, &c, 1, 0), 1);
	OK(p->s->ops->job_lease(p->s, 1234, 2000, 9, 1, NULL, &j[1], &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(j[1].payload, "{\"x\":1}");
	assert_true(j[1].user_id == -42);
	assert_true(j[1].run_at == 1234);
	/* what cannot be stored wakes nobody */
	assert_int_equal(queue_add(q, &full, j, 1, &e), RC_FULL);
	assert_int_equal(recv(fd, &c, 1, 0), -1);
	queue_free(q);
	free(j);
	(void)close(fd);
	(void)unlink(path);
}

static void what_does_not_fit_is_refused(void **state)
{
	static char big[JOB_PAYLOAD_SIZE + 1];
	struct job *j = calloc(1, sizeof(*j));

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(queue_send_job(j, 1, "k", big, JOB_PAYLOAD_SIZE, 1),
	    RC_TOOBIG);
	OK(queue_send_job(j, 1, "k", big, JOB_PAYLOAD_SIZE - 1, 1));
	assert_int_equal(strlen(j->payload), JOB_PAYLOAD_SIZE - 1);
	big[JOB_ID_SIZE] = '\0';
	assert_int_equal(queue_send_job(j, 1, big, "{}", 2, 1), RC_TOOBIG);
	free(j);
}

static void delays_double_to_an_hour(void **state)
{
	(void)state;
	for (int tries = 0; tries < 70; tries++) {
		int64_t want = tries < 12 ? (INT64_C(1) << tries) * 1000 : 3600000;
		int64_t low = queue_backoff_ms(tries, 0);
		int64_t high = queue_backoff_ms(tries, UINT32_MAX);

		assert_true(low == want * 8 / 10);
		assert_true(high >= want * 119 / 100);
		assert_true(high <= want * 12 / 10);
		assert_true(queue_backoff_ms(tries, UINT32_MAX / 2) > low);
	}
	assert_true(queue_backoff_ms(-1, 0) == 800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker_gets_wakes_and_calls),
		cmocka_unit_test(missing_or_full_worker_never_blocks),
		CASE(jobs_are_stored_then_the_worker_is_woken),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(delays_double_to_an_hour),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
