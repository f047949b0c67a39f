/* progress.c - a change as it goes, for people. */
#include "config.h"

#include "tools/shards/move.h"

#include <unistd.h>

#include "tools/shards/show.h"
#include "utils/buf.h"
#include "utils/clock.h"

enum { BAR_COLUMNS = 24, LINE_EACH_US = 5 * 1000 * 1000,
	BAR_EACH_US = 200 * 1000 };

void progress_init(struct progress *p, const struct ctl *c)
{
	*p = (struct progress){ .f = c->json ? stderr : c->out };
	p->terminal = isatty(fileno(p->f)) == 1;
	p->last_us = p->terminal ? 0 : clock_mono_us();
}

static void tail_put(struct buf *b, const struct reshard_progress *r)
{
	char age[32], fence[FIGURE_SIZE], people[FIGURE_SIZE];

	buf_printf(b, "%d of %d slots, %s", r->slots_done, r->slots,
	    figure_people(r->users, people));
	if (r->users_per_second > 0)
		buf_printf(b, ", %.0f/s", r->users_per_second);
	if (r->fence_p99_us > 0)
		buf_printf(b, ", fence p99 %s", figure_us(r->fence_p99_us,
		    fence));
	if (r->words != NULL && *r->words != '\0') {
		buf_printf(b, ", waits: %s", r->words);
	} else if (r->remaining_s >= 0) {
		ctl_age(r->remaining_s, age, sizeof(age));
		buf_printf(b, ", %s left", age);
	}
}

void progress_show(void *ctx, const struct reshard_progress *r)
{
	struct progress *p = ctx;
	int64_t now = clock_mono_us();
	int percent = r->slots > 0 ? 100 * r->slots_done / r->slots : 100;
	struct buf b;

	if (now - p->last_us <
	    (p->terminal ? BAR_EACH_US : LINE_EACH_US))
		return;
	p->last_us = now;
	buf_init(&b, 400);
	if (p->terminal) {
		buf_puts(&b, "\r[");
		for (int i = 0; i < BAR_COLUMNS; i++)
			buf_putc(&b, i * 100 < percent * BAR_COLUMNS ? '#' :
			    '-');
		buf_puts(&b, "] ");
	}
	buf_printf(&b, "%3d %%: ", percent);
	tail_put(&b, r);
	fprintf(p->f, p->terminal ? "%s\033[K" : "%s\n", b.s);
	fflush(p->f);
	p->shown = p->terminal;
	buf_release(&b);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputc('\n', p->f);
	p->shown = false;
}
