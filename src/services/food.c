/* food.c - see food.h. */
#include "config.h"

#include "services/food.h"

#include <stddef.h>
#include <string.h>

#include "utils/xalloc.h"

enum { ATTEMPTS = 4 };

struct food_service {
	struct nutrition *nutrition;
	const struct clock *clock;
};

struct food_service *food_service_new(struct nutrition *n,
    const struct clock *clock)
{
	struct food_service *s = xcalloc(1, sizeof(*s));

	s->nutrition = n;
	s->clock = clock;
	return s;
}

void food_service_free(struct food_service *s)
{
	free(s);
}

struct nutrition *food_nutrition(struct food_service *s)
{
	return s->nutrition;
}

enum rc food_parse(struct food_service *s, struct store *st,
    const struct user *u, const char *text, struct parsed *out,
    struct err *e)
{
	struct own_food *own = NULL;
	size_t n = 0;
	enum rc rc = RC_OK;

	if (u->own_foods > 0) {
		own = xmalloc(sizeof(*own) * OWN_FOODS_MAX);
		rc = st->ops->own_food_list(st, u->user_id, OWN_FOODS_MAX, own,
		    &n, e);
	}
	if (rc == RC_OK)
		rc = nutrition_parse(s->nutrition, (enum lang)u->lang, text, own,
		    n, out, e);
	free(own);
	return rc;
}

void food_meal_init(const struct user *u, int64_t chat_id, int64_t message_id,
    int64_t at, struct meal *out)
{
	memset(out, 0, offsetof(struct meal, items));
	out->user_id = u->user_id;
	out->slot = u->slot;
	out->day = user_day(u, at);
	out->chat_id = chat_id;
	out->message_id = message_id;
	out->at = at;
}

void food_meal_init_back(const struct user *u, int64_t chat_id,
    int64_t message_id, int64_t at, int days, struct meal *out)
{
	food_meal_init(u, chat_id, message_id, at - days * (int64_t)86400000, out);
	/* that moment may be a day off where clocks changed in between */
	out->day = user_day(u, at) - days;
}

enum rc food_add(struct food_service *s, struct store *st, struct meal *m,
    struct day_sum *day, struct err *e)
{
	enum rc rc;

	(void)s;
	meal_sum(m);
	rc = st->ops->meal_add(st, m, day, e);
	/* already stored: this is a repeated delivery, *m is what it stored */
	return rc == RC_CONFLICT ? RC_OK : rc;
}

static bool scale(struct meal *m, int64_t num, int64_t den)
{
	for (int i = 0; i < m->nitems; i++)
		if (m->items[i].mg * num / den > FOOD_MG_MAX ||
		    m->items[i].mg * num / den < 1)
			return false;
	for (int i = 0; i < m->nitems; i++) {
		struct food_item *it = &m->items[i];
		it->mg = it->mg * num / den;
		it->n.cal = it->n.cal * num / den;
		it->n.protein = it->n.protein * num / den;
		it->n.fat = it->n.fat * num / den;
		it->n.carb = it->n.carb * num / den;
	}
	return true;
}

static bool drop(struct meal *m, int item)
{
	if (item < 0 || item >= m->nitems || m->nitems < 2)
		return false;
	memmove(&m->items[item], &m->items[item + 1],
	    (size_t)(m->nitems - item - 1) * sizeof(m->items[0]));
	m->nitems--;
	return true;
}

enum { SWAPS_MAX = 8 };

static enum rc swap(struct food_service *s, const struct user *u,
    struct meal *m, int item, int32_t food_id, bool *done, struct err *e)
{
	struct food_item found[SWAPS_MAX];
	size_t n;
	enum rc rc;

	*done = false;
	if (item < 0 || item >= m->nitems)
		return RC_OK;
	rc = nutrition_alternatives(s->nutrition, (enum lang)u->lang,
	    &m->items[item], SWAPS_MAX, found, &n, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (found[i].food_id == food_id) {
			m->items[item] = found[i];
			*done = true;
			break;
		}
	return rc;
}

static enum rc apply(struct food_service *s, const struct user *u,
    struct meal *m, enum meal_change what, int item, int32_t food_id,
    bool *changed, struct err *e)
{
	bool was = m->deleted != 0;

	*changed = false;
	if (what == MEAL_RESTORE || what == MEAL_UNDO) {
		m->deleted = what == MEAL_UNDO;
		*changed = was != (m->deleted != 0);
		return RC_OK;
	}
	if (was)
		return RC_OK;
	switch (what) {
	case MEAL_HALF:
		*changed = scale(m, 1, 2);
		return RC_OK;
	case MEAL_DOUBLE:
		*changed = scale(m, 2, 1);
		return RC_OK;
	case MEAL_DROP_ITEM:
		*changed = drop(m, item);
		return RC_OK;
	default:
		return swap(s, u, m, item, food_id, changed, e);
	}
}

static enum rc day_of(struct store *st, const struct meal *m,
    struct day_sum *day, struct err *e)
{
	return st->ops->day_sums(st, m->user_id, m->day, m->day, day, e);
}

/* The meal of key's message.  A person who changed zones since may have it on
 * the day beside. */
static enum rc meal_find(struct store *st, const struct meal *key,
    struct meal *out, struct err *e)
{
	static const int32_t beside[] = { 0, -1, 1 };
	enum rc rc = RC_NOTFOUND;

	for (size_t i = 0; i < 3 && rc == RC_NOTFOUND; i++)
		rc = st->ops->meal_get(st, key->user_id, key->day + beside[i],
		    key->chat_id, key->message_id, out, e);
	return rc;
}

enum rc food_get(struct food_service *s, struct store *st, struct meal *m,
    struct day_sum *day, struct err *e)
{
	enum rc rc;

	(void)s;
	rc = meal_find(st, m, m, e);
	return rc == RC_OK ? day_of(st, m, day, e) : rc;
}

enum rc food_days(struct food_service *s, struct store *st, int64_t user_id,
    int32_t first, int32_t last, struct day_sum *out, struct err *e)
{
	(void)s;
	return st->ops->day_sums(st, user_id, first, last, out, e);
}

enum rc food_day(struct food_service *s, struct store *st, int64_t user_id,
    int32_t day, size_t max, struct meal *out, size_t *n, struct err *e)
{
	(void)s;
	return st->ops->meal_day(st, user_id, day, max, out, n, e);
}

enum rc food_page(struct food_service *s, struct store *st, int64_t user_id,
    const struct meal_cursor *from, size_t max, struct meal *out, size_t *n,
    struct err *e)
{
	(void)s;
	return st->ops->meal_page(st, user_id, from, max, out, n, e);
}

enum rc food_change(struct food_service *s, struct store *st,
    const struct user *u, struct meal *m, int32_t rev, enum meal_change what,
    int item, int32_t food_id, bool *applied, struct day_sum *day,
    struct err *e)
{
	struct meal *now = xmalloc(sizeof(*now));
	bool changed = false;
	enum rc rc;

	rc = st->ops->meal_get(st, m->user_id, m->day, m->chat_id,
	    m->message_id, now, e);
	if (rc != RC_OK)
		goto out;
	/* undo and restore name their end; others count from what was seen */
	if (now->rev == rev || what == MEAL_UNDO || what == MEAL_RESTORE)
		rc = apply(s, u, now, what, item, food_id, &changed, e);
	if (rc != RC_OK)
		goto out;
	if (changed) {
		meal_sum(now);
		rc = st->ops->meal_replace(st, now, day, e);
	} else {
		rc = day_of(st, now, day, e);
	}
	if (rc == RC_OK) {
		*m = *now;
		*applied = changed;
	}
out:
	free(now);
	return rc;
}

/* Replaces what is stored by edited's items; RC_CONFLICT: try again. */
static enum rc edit_once(struct store *st, struct meal *edited,
    struct day_sum *day, struct err *e)
{
	struct meal *now = xmalloc(sizeof(*now));
	enum rc rc = meal_find(st, edited, now, e);

	if (rc == RC_NOTFOUND) {
		*now = *edited;	/* a lost race would overwrite it */
		rc = st->ops->meal_add(st, now, day, e);
		if (rc == RC_OK)
			*edited = *now;
		goto out;
	}
	if (rc != RC_OK)
		goto out;
	if (now->edit_date >= edited->edit_date) {	/* applied already */
		rc = day_of(st, now, day, e);
		*edited = *now;
		goto out;
	}
	edited->day = now->day;
	edited->rev = now->rev;
	edited->deleted = 0;
	rc = st->ops->meal_replace(st, edited, day, e);
out:
	free(now);
	return rc;
}

enum rc food_edit(struct food_service *s, struct store *st,
    struct meal *edited, struct day_sum *day, struct err *e)
{
	enum rc rc = RC_CONFLICT;

	(void)s;
	meal_sum(edited);
	for (int i = 0; i < ATTEMPTS && rc == RC_CONFLICT; i++)
		rc = edit_once(st, edited, day, e);
	return rc;
}

/* Those rows of more that are the person's own food of that name. */
static void add_own(struct meal *m, const struct meal *more, const char *name)
{
	for (int i = 0; i < more->nitems && m->nitems < MEAL_ITEMS_MAX; i++)
		if (more->items[i].source == FOOD_SRC_OWN &&
		    strcmp(more->items[i].name, name) == 0)
			m->items[m->nitems++] = more->items[i];
}

static enum rc reread_once(struct store *st, struct meal *read,
    int64_t text_edit, const char *name, struct day_sum *day, struct err *e)
{
	struct meal *now = xmalloc(sizeof(*now));
	enum rc rc = meal_find(st, read, now, e);

	if (rc == RC_NOTFOUND || (rc == RC_OK && now->edit_date < text_edit)) {
		rc = edit_once(st, read, day, e);
		goto out;
	}
	if (rc != RC_OK)
		goto out;
	if (now->edit_date >= read->edit_date) {	/* applied already */
		rc = day_of(st, now, day, e);
	} else {
		add_own(now, read, name);
		meal_sum(now);
		now->edit_date = read->edit_date;
		rc = st->ops->meal_replace(st, now, day, e);
	}
	if (rc == RC_OK)
		*read = *now;
out:
	free(now);
	return rc;
}

enum rc food_reread(struct food_service *s, struct store *st,
    struct meal *read, int64_t text_edit, const char *name,
    struct day_sum *day, struct err *e)
{
	enum rc rc = RC_CONFLICT;

	(void)s;
	meal_sum(read);
	for (int i = 0; i < ATTEMPTS && rc == RC_CONFLICT; i++)
		rc = reread_once(st, read, text_edit, name, day, e);
	return rc;
}

/* A food of the same name was replaced, or a delivery came again: only what is
 * stored tells how many there are. */
static enum rc own_count(struct store *st, struct user *u, struct err *e)
{
	struct own_food *own = xmalloc(sizeof(*own) * OWN_FOODS_MAX);
	size_t n = 0;
	enum rc rc;

	rc = st->ops->own_food_list(st, u->user_id, OWN_FOODS_MAX, own, &n, e);
	if (rc == RC_OK)
		u->own_foods = (int32_t)n;
	free(own);
	return rc;
}

enum rc food_teach(struct food_service *s, struct store *st, struct user *u,
    const char *key, const char *name, const struct nutrients *per100,
    struct err *e)
{
	struct own_food f;
	enum rc rc;

	memset(&f, 0, sizeof(f));
	f.user_id = u->user_id;
	f.slot = u->slot;
	str_copy(f.key, sizeof(f.key), key);
	str_copy(f.name, sizeof(f.name), name);
	f.per100 = *per100;
	f.updated_at = clock_ms(s->clock);
	rc = st->ops->own_food_put(st, &f, e);
	return rc == RC_OK ? own_count(st, u, e) : rc;
}
