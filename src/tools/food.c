/*
 * food.c - familybotctl food: what words are read as, so that somebody who
 * wonders about an answer, or works on the reader, can see it.  Reads foods.db
 * only: no shard, nobody's own foods, and nothing is written down.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "services/nutrition/nutrition.h"
#include "tools/ctl.h"
#include "utils/buf.h"
#include "utils/json.h"
#include "utils/xalloc.h"

enum { LINE_SIZE = 4200 };

static enum lang language(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p >= 0xd0 && (unsigned char)*p <= 0xd3)
			return LANG_RU;
	return LANG_EN;
}

static const char *verdict_word(enum parse_verdict v)
{
	switch (v) {
	case PARSE_FOOD:
		return "food";
	case PARSE_UNKNOWN:
		return "unknown";
	case PARSE_SAME_AS_YESTERDAY:
		return "same as yesterday";
	default:
		return "no food";
	}
}

/* An object a line. */
static void tell_json(FILE *out, const struct parsed *p)
{
	struct buf b;

	buf_init(&b, 64 << 10);
	buf_printf(&b, "{\"verdict\":\"%s\",\"days_back\":%d,\"items\":[",
	    verdict_word(p->verdict), p->days_back);
	for (int i = 0; i < p->nitems; i++) {
		const struct food_item *it = &p->items[i];

		buf_printf(&b, "%s{\"name\":", i > 0 ? "," : "");
		json_put_str(&b, it->name);
		buf_printf(&b, ",\"food\":%d,\"grams\":%.1f,\"kcal\":%.1f,"
		    "\"carbohydrate\":%.1f,\"guessed\":%s}", (int)it->food_id,
		    (double)it->mg / 1000, (double)it->n.cal / 1000,
		    (double)it->n.carb / 1000, it->guessed ? "true" : "false");
	}
	buf_puts(&b, "],\"unknown\":[");
	for (int i = 0; i < p->nunknown; i++) {
		buf_puts(&b, i > 0 ? "," : "");
		json_put_str(&b, p->unknown[i].name);
	}
	fprintf(out, "%s]}\n", b.s);
	buf_release(&b);
}

static void tell(FILE *out, const char *text, const struct parsed *p)
{
	fprintf(out, "%s\n  %s%s%s\n", text, verdict_word(p->verdict),
	    p->days_back == 1 ? ", of yesterday" : p->days_back > 1 ?
	    ", longer ago than can be written down" : "",
	    p->bad_amount ? ", with an amount that cannot be" : "");
	for (int i = 0; i < p->nitems; i++)
		fprintf(out, "  %s%.4g g %s: %.0f kcal, protein %.1f, fat %.1f, "
		    "carbohydrate %.1f (\"%s\", food %d)\n",
		    p->items[i].guessed ? "about " : "",
		    (double)p->items[i].mg / 1000, p->items[i].name,
		    (double)p->items[i].n.cal / 1000,
		    (double)p->items[i].n.protein / 1000,
		    (double)p->items[i].n.fat / 1000,
		    (double)p->items[i].n.carb / 1000, p->items[i].query,
		    (int)p->items[i].food_id);
	for (int i = 0; i < p->nunknown; i++)
		fprintf(out, "  not known: %s\n", p->unknown[i].name);
}

static enum rc read_one(struct ctl *c, struct nutrition *n, const char *text,
    struct parsed *p, struct err *e)
{
	enum rc rc = nutrition_parse(n, language(text), text, NULL, 0, p, e);

	if (rc == RC_OK && c->json)
		tell_json(c->out, p);
	else if (rc == RC_OK)
		tell(c->out, text, p);
	return rc;
}

static enum rc food_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct parsed *p = xmalloc(sizeof(*p));
	struct nutrition *n = NULL;
	char line[LINE_SIZE];
	enum rc rc = ctl_config(c, e);

	if (rc == RC_OK)
		rc = nutrition_open(c->conf->foods_db, &n, e);
	for (int i = 1; rc == RC_OK && i < argc; i++)
		rc = read_one(c, n, argv[i], p, e);
	while (rc == RC_OK && argc < 2 && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		rc = read_one(c, n, line, p, e);
	}
	if (n != NULL)
		nutrition_free(n);
	free(p);
	return rc;
}

const struct subcommand sub_food = {
	.name = "food",
	.usage = "  familybotctl food [PHRASE...]\n",
	.help = "what words are read as; without a phrase, each line of the input",
	.run = food_run,
};
