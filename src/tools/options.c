/* options.c - familybotctl options: what familybot.conf may hold. */
#include "config.h"

#include "tools/ctl.h"

#include <string.h>

#include "utils/buf.h"
#include "utils/json.h"

enum { OUT_MAX = 65536 };

/* A line "name\ttype\tdefault\tvariable\thelp" as an object. */
static void line_json(char *line, struct buf *b)
{
	static const char *const names[] = { "name", "type", "default",
		"environment", "help" };
	char *rest = line;

	buf_putc(b, '{');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = strsep(&rest, "\t");
		buf_printf(b, "%s\"%s\":", i > 0 ? "," : "", names[i]);
		json_put_str(b, value != NULL ? value : "");
	}
	buf_putc(b, '}');
}

static enum rc print_json(struct ctl *c, struct err *e)
{
	char *text = NULL, *rest, *line;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct buf b;
	bool first = true;

	if (f == NULL)
		return err_set(e, RC_SYSTEM, "no memory");
	config_print_options(f);
	fclose(f);
	buf_init(&b, OUT_MAX);
	buf_putc(&b, '[');
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		if (*line == '\0')
			continue;
		buf_puts(&b, first ? "\n" : ",\n");
		first = false;
		line_json(line, &b);
	}
	buf_puts(&b, "\n]\n");
	fputs(b.s, c->out);
	buf_release(&b);
	free(text);
	return RC_OK;
}

static enum rc options_run(struct ctl *c, int argc, char **argv,
    struct err *e)
{
	if (argc > 1)
		return ctl_usage(c, e, "%s: unknown argument", argv[1]);
	if (c->json)
		return print_json(c, e);
	config_print_options(c->out);
	return RC_OK;
}

const struct subcommand sub_options = {
	.name = "options",
	.usage = "  familybotctl options\n",
	.help = "every option: name, type, default, variable, help",
	.run = options_run,
};
