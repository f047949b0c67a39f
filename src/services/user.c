/* user.c - see user.h. */
#include "config.h"

#include "services/user.h"

#include <math.h>
#include <string.h>

#include "models/slot.h"
#include "utils/buf.h"
#include "utils/xalloc.h"

struct user_service {
	const struct clock *clock;
	char default_zone[USER_ZONE_SIZE];
};

struct user_service *user_service_new(const struct clock *clock,
    const char *default_zone)
{
	struct user_service *s = xcalloc(1, sizeof(*s));

	s->clock = clock;
	str_copy(s->default_zone, sizeof(s->default_zone),
	    zone_valid(default_zone) ? default_zone : "UTC");
	return s;
}

void user_service_free(struct user_service *s)
{
	free(s);
}

enum rc user_load(struct user_service *s, struct store *st, int64_t user_id,
    struct user *out, struct err *e)
{
	enum rc rc = st->ops->user_get(st, user_id, out, e);

	if (rc != RC_NOTFOUND)
		return rc;
	memset(out, 0, sizeof(*out));
	out->user_id = user_id;
	out->slot = slot_of(user_id);
	str_copy(out->zone, sizeof(out->zone), s->default_zone);
	str_copy(out->zone_before, sizeof(out->zone_before), s->default_zone);
	return RC_OK;
}

enum rc user_save(struct user_service *s, struct store *st, struct user *u,
    struct err *e)
{
	u->updated_at = clock_ms(s->clock);
	if (u->rev == 0)
		u->created_at = u->updated_at;
	return st->ops->user_put(st, u, e);
}

enum rc user_erase(struct user_service *s, struct store *st, int64_t user_id,
    struct err *e)
{
	(void)s;
	return st->ops->erase(st, user_id, e);
}

void user_set_zone(struct user *u, const char *zone, int day_start_min,
    int64_t at)
{
	if (strcmp(u->zone, zone) == 0 && u->day_start_min == day_start_min)
		return;
	str_copy(u->zone_before, sizeof(u->zone_before), u->zone);
	u->day_start_before = u->day_start_min;
	u->zone_since = at;
	str_copy(u->zone, sizeof(u->zone), zone);
	u->day_start_min = day_start_min;
	u->flags |= USER_F_ZONE_CHOSEN;
}

double basal_kcal(enum sex sex, double kg, double cm, int years)
{
	return 10 * kg + 6.25 * cm - 5 * years + (sex == SEX_MALE ? 5 : -161);
}

double activity_factor(enum activity a)
{
	static const double factors[ACTIVITY_COUNT] = {
		1.2, 1.2, 1.375, 1.55, 1.725, 1.9,
	};

	return a < ACTIVITY_COUNT ? factors[a] : factors[0];
}

static int goal_percent(enum goal goal, bool minor)
{
	if (goal == GOAL_LOSE)
		return minor ? 0 : -15;
	return goal == GOAL_GAIN ? 10 : 0;
}

void user_energy(struct user_service *s, const struct user *u,
    struct energy *out)
{
	int32_t day, year = 1970;
	int y = 1970, m, d;

	memset(out, 0, sizeof(*out));
	day = user_day(u, clock_ms(s->clock) / 1000);
	day_to_ymd(day, &y, &m, &d);
	year = y;
	if (u->birth_year != 0)
		out->age = year - u->birth_year;
	out->minor = u->birth_year != 0 && out->age < ADULT_AGE;
	out->known = u->sex != SEX_UNSET && u->birth_year != 0 &&
	    u->height_cm != 0 && u->weight_g != 0;
	if (out->known) {
		out->basal = basal_kcal((enum sex)u->sex, u->weight_g / 1000.0,
		    u->height_cm, out->age);
		out->factor = activity_factor((enum activity)u->activity);
		out->total = out->basal * out->factor;
		out->goal_percent = goal_percent((enum goal)u->goal, out->minor);
		out->target_kcal = (int)lround(out->total *
		    (100 + out->goal_percent) / 100);
		if (out->target_kcal < TARGET_KCAL_MIN)
			out->target_kcal = TARGET_KCAL_MIN;
	}
	/* a figure from before it was known who it is for */
	if (out->known && out->minor && u->target_kcal < out->target_kcal)
		return;
	if (u->target_kcal != 0) {
		out->own = true;
		out->target_kcal = u->target_kcal;
	}
}
