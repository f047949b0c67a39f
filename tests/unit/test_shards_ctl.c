/*
 * test_shards_ctl.c - shards.conf as familybotctl writes it: what was there
 * stays as it was written, what it means is what was asked for, and a file is
 * replaced whole or not at all.
 */
#include "config.h"

#include "config_place.h"

#include <dirent.h>

#include "config/shards_write.h"

#define OLD_TEXT \
	"# our family\n" \
	"\n" \
	"// two lines\n" \
	"placement = \"modulo\";\n" \
	"shards = (\n" \
	"  { name = \"a\"; uri = \"sqlite:data/a.db\"; timeout_ms = 700; },\n" \
	"  # the second\n" \
	"  { name = \"b\"; uri_file = \"token\"; }\n" \
	");\n" \
	"cluster = { host = \"h1\"; meta = \"b\"; same_machine = true; };\n"

struct fixture {
	struct config_place *p;
	struct config *c;
	struct shards_draft *d;
	struct buf text;
};

static void begin(void **state, struct fixture *f, const char *shards)
{
	struct err e = { .text = "" };

	*f = (struct fixture){ .p = *state };
	write_file(f->p->dir, "token", "mongodb://u:Geheim@db.example/x\n");
	write_file(f->p->dir, "shards.conf", shards);
	f->c = load(f->p);
	if (f->c == NULL)
		fail_msg("%s", f->p->report);
	buf_init(&f->text, 1 << 16);
	if (shards_draft_open(f->c, stderr, &f->d, &e) != RC_OK)
		fail_msg("%s", e.text);
}

/* Removes what was kept beside shards.conf, too. */
static void end(struct fixture *f)
{
	DIR *d = opendir(f->p->dir);
	struct dirent *entry;
	char path[700];

	shards_draft_free(f->d);
	buf_release(&f->text);
	config_free(f->c);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, "shards.conf.", 12) != 0)
			continue;
		str_format(path, sizeof(path), "%s/%s", f->p->dir,
		    entry->d_name);
		remove(path);
	}
	closedir(d);
}

static enum rc text_of(struct fixture *f, const char *const *names, int n,
    const char *const *leaving, int nleaving, struct err *e)
{
	const struct shards_wanted w = {
		.placement = PLACEMENT_MODULO,
		.names = names,
		.nnames = n,
		.leaving = leaving,
		.nleaving = nleaving,
		.note = " for a test",
	};

	buf_clear(&f->text);
	return shards_draft_text(f->d, &w, &f->text, e);
}

static void values_stay_as_they_were_written(void **state)
{
	static const char *const names[] = { "b", "c", "d" },
	    *leaving[] = { "a" };
	struct config *after = NULL;
	struct fixture f;
	struct err e = { .text = "" };

	begin(state, &f, OLD_TEXT);
	assert_int_equal(shards_draft_add(f.d, "c", "sqlite:data/\"c\".db",
	    &e), RC_OK);
	assert_int_equal(shards_draft_add(f.d, "d", "@d.uri", &e), RC_INVALID);
	write_file(f.p->dir, "other.conf", "mongodb://db.example/d\n");
	assert_int_equal(shards_draft_add(f.d, "d", "@other.conf", &e), RC_OK);
	assert_int_equal(text_of(&f, names, 3, leaving, 1, &e), RC_OK);
	assert_string_equal(f.text.s,
	    "# our family\n\n// two lines\n"
	    "# Written by familybotctl for a test\n\n"
	    "placement = \"modulo\";\n"
	    "cluster = { host = \"h1\"; meta = \"b\"; same_machine = true; };\n"
	    "\nshards = (\n"
	    "\t{ name = \"b\"; uri_file = \"token\"; },\n"
	    "\t{ name = \"c\"; uri = \"sqlite:data/\\\"c\\\".db\"; },\n"
	    "\t{ name = \"d\"; uri_file = \"other.conf\"; },\n"
	    "\t{ name = \"a\"; uri = \"sqlite:data/a.db\"; timeout_ms = 700; "
	    "leaving = true; }\n"
	    ");\n");
	assert_int_equal(shards_text_read(f.c, f.text.s, stderr, &after, &e),
	    RC_OK);
	assert_int_equal(after->nshards, 4);
	assert_string_equal(after->shards[0].uri,
	    "mongodb://u:Geheim@db.example/x");
	assert_false(after->shards[1].leaving);
	assert_true(after->shards[3].leaving);
	assert_int_equal(after->shards[3].timeout_ms, 700);
	config_free(after);
	end(&f);
}

static void who_leaves_does_not_count_for_modulo(void **state)
{
	struct config_place *p = *state;
	struct config *c;
	char text[4096];
	struct buf b;

	buf_init(&b, sizeof(text));
	buf_puts(&b, "shards = (");
	for (int i = 0; i < 11; i++)
		buf_printf(&b, "%s{ name = \"s%d\"; uri = \"sqlite:data/%d.db\""
		    "; leaving = %s; }", i ? ",\n" : "", i, i,
		    i == 4 ? "true" : "false");
	buf_puts(&b, ");\n");
	write_file(p->dir, "shards.conf", b.s);
	c = load(p);
	assert_non_null(c);
	config_free(c);
	buf_release(&b);
	refused_shards(state, "shards = ( { name = \"a\"; uri = "
	    "\"sqlite:data/a.db\"; leaving = true; } );\n", "shards.conf:1",
	    "one must stay");
	refused_shards(state, "shards = ( { name = \"a\"; uri = "
	    "\"sqlite:data/a.db\"; leaving = 1; } );\n", "shards.conf:1",
	    "true or false");
}

static void mistakes_are_refused_before_anything_is_written(void **state)
{
	static const char *const ab[] = { "a", "b" }, *ax[] = { "a", "x" };
	struct fixture f;
	struct config *there = NULL;
	struct err e = { .text = "" };
	char path[400];
	FILE *nobody = fopen("/dev/null", "w");

	begin(state, &f, OLD_TEXT);
	shards_draft_free(f.d);
	assert_int_equal(shards_draft_open(f.c, nobody, &f.d, &e), RC_OK);
	assert_int_equal(shards_draft_add(f.d, "a", "sqlite:data/z.db", &e),
	    RC_CONFLICT);
	assert_int_equal(shards_draft_add(f.d, "c", "file:data/z.db", &e),
	    RC_INVALID);
	assert_int_equal(shards_draft_add(f.d, "c", "sqlite:none/z.db", &e),
	    RC_INVALID);
	assert_int_equal(text_of(&f, ax, 2, NULL, 0, &e), RC_NOTFOUND);
	/* Another file that has another place under a known name. */
	write_file(f.p->dir, "other.conf", "shards = ( { name = \"a\"; uri = "
	    "\"sqlite:data/b.db\"; } );\n");
	str_format(path, sizeof(path), "%s/other.conf", f.p->dir);
	assert_int_equal(shards_draft_take(f.d, path, &there, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "another place needs another name"));
	write_file(f.p->dir, "other.conf", "shards = ( { name = \"z\"; uri = "
	    "\"sqlite:data/a.db\"; } );\n");
	assert_int_equal(shards_draft_take(f.d, path, &there, &e), RC_INVALID);
	assert_non_null(strstr(e.text, "a place keeps its name"));
	assert_int_equal(text_of(&f, ab, 2, NULL, 0, &e), RC_OK);
	fclose(nobody);
	end(&f);
}

static void file_is(const struct config_place *p, const char *name, mode_t mode,
    const char *begins)
{
	char path[700], text[64] = "";
	struct stat st;
	FILE *f;

	str_format(path, sizeof(path), "%s/%s", p->dir, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, begins);
}

static void the_file_before_is_kept(void **state)
{
	static const char *const names[] = { "a", "b" };
	struct fixture f;
	struct err e = { .text = "" };
	char kept[700] = "x", path[700];

	begin(state, &f, OLD_TEXT);
	str_format(path, sizeof(path), "%s/shards.conf", f.p->dir);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(text_of(&f, names, 1, names + 1, 1, &e), RC_OK);
	assert_int_equal(shards_text_prepare(f.c, &f.text, &e), RC_OK);
	file_is(f.p, "shards.conf.next", 0640, "# our family\n");
	shards_text_forget(f.c);
	/* Nothing is ready: nothing happens. */
	assert_int_equal(shards_text_install(f.c, 0, kept, sizeof(kept), &e),
	    RC_OK);
	assert_string_equal(kept, "");
	for (int i = 0; i < 2; i++) {
		buf_printf(&f.text, "# %d\n", i);
		assert_int_equal(shards_text_prepare(f.c, &f.text, &e), RC_OK);
		assert_int_equal(shards_text_install(f.c, 1000LL * 86400, kept,
		    sizeof(kept), &e), RC_OK);
	}
	file_is(f.p, "shards.conf", 0640, "# our family\n");
	file_is(f.p, "shards.conf.19700102T000000Z", 0640, "# our family\n");
	assert_non_null(strstr(kept, "shards.conf.19700102T000000Z-1"));
	/* The same but for the line that says who wrote it. */
	buf_clear(&f.text);
	assert_int_equal(text_of(&f, names, 1, names + 1, 1, &e), RC_OK);
	assert_int_equal(shards_text_prepare(f.c, &f.text, &e), RC_OK);
	assert_int_equal(shards_text_install(f.c, 0, kept, sizeof(kept), &e),
	    RC_OK);
	assert_string_not_equal(kept, "");
	assert_int_equal(shards_text_prepare(f.c, &f.text, &e), RC_OK);
	assert_int_equal(shards_text_install(f.c, 0, kept, sizeof(kept), &e),
	    RC_OK);
	assert_string_equal(kept, "");
	end(&f);
}

static void a_shard_of_mongo_url_must_be_written_down_first(void **state)
{
	struct config_place *p = *state;
	struct shards_draft *d = NULL;
	struct err e = { .text = "" };
	struct config *c;
	char path[400];

	str_format(path, sizeof(path), "%s/shards.conf", p->dir);
	assert_int_equal(remove(path), 0);
	conf_with(p, "mongo_url = \"mongodb://u:Geheim@127.0.0.1/x\";\n");
	c = load(p);
	assert_non_null(c);
	assert_int_equal(shards_draft_open(c, stderr, &d, &e), RC_NOTFOUND);
	assert_non_null(strstr(e.text, "shards = ("));
	assert_null(strstr(e.text, "Geheim"));
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(values_stay_as_they_were_written),
		T(who_leaves_does_not_count_for_modulo),
		T(mistakes_are_refused_before_anything_is_written),
		T(the_file_before_is_kept),
		T(a_shard_of_mongo_url_must_be_written_down_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
