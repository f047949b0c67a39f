/*
 * test_watch.c - what the worker does of itself: the menu of commands, and the
 * comparison of its name.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "utils/buf.h"
#include "worker_place.h"

static void the_menu_is_set_for_each_language(void **state)
{
	static const struct worker_command en[] = { { "today", "Today" },
		{ "help", "Help" } };
	static const struct worker_command ru[] = { { "today", "Сегодня" } };
	static const struct worker_commands all[] = { { "", en, 2 },
		{ "ru", ru, 1 } };
	struct worker_place *p = *state;

	p->conf.commands = all;
	p->conf.ncommands = 2;
	worker_place_start(p);
	worker_place_turns(p, 500);
	assert_int_equal(worker_place_saw(p, "setMyCommands"), 2);
	assert_int_equal(worker_place_saw(p, "setMyCommands {\"commands\":[{\"command\""
	    ":\"today\",\"description\":\"Today\"},{\"command\":\"help\","
	    "\"description\":\"Help\"}]}"), 1);
	assert_int_equal(worker_place_saw(p, "Сегодня\"}],\"language_code\":\"ru\"}"),
	    1);
}

/* What the worker logs when it is configured with this name. */
static void log_with_name(struct worker_place *p, const char *name, char *log,
    size_t size)
{
	char path[300];
	ssize_t n;
	int kept = dup(STDERR_FILENO), fd;

	str_format(path, sizeof(path), "%s/log", p->dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(kept >= 0 && fd >= 0);
	p->conf.username = name;
	dup2(fd, STDERR_FILENO);
	worker_place_start(p);
	worker_place_turns(p, 300);
	worker_free(p->worker);
	p->worker = NULL;
	dup2(kept, STDERR_FILENO);
	close(kept);
	n = pread(fd, log, size - 1, 0);
	log[n > 0 ? n : 0] = '\0';
	close(fd);
	unlink(path);
}

static void the_name_of_the_bot_is_asked_once(void **state)
{
	struct worker_place *p = *state;
	char log[4096];

	log_with_name(p, "Place_Bot", log, sizeof(log));
	assert_int_equal(worker_place_saw(p, "getMe"), 1);
	assert_non_null(strstr(log, "level=info event=me "));
}

static void a_wrong_name_of_the_bot_is_warned_of(void **state)
{
	struct worker_place *p = *state;
	char log[4096];

	log_with_name(p, "", log, sizeof(log));
	assert_non_null(strstr(log, "level=warn event=me username=\""
	    PLACE_USERNAME "\""));
}

#define T(f)	cmocka_unit_test_setup_teardown(f, worker_place_setup, worker_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_menu_is_set_for_each_language),
		T(the_name_of_the_bot_is_asked_once),
		T(a_wrong_name_of_the_bot_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
