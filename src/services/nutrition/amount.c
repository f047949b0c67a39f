/*
 * amount.c - numbers (digits, words, fractions) with units, and
 * what they weigh of a food.  Pure; owns no memory.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "services/nutrition/impl.h"

static bool is_class(const struct text *t, int i, enum word_class cls)
{
	return i < t->n && t->tok[i].kind == TOKEN_WORD && t->tok[i].cls == cls;
}

static bool is_number(const struct text *t, int i)
{
	if (i >= t->n)
		return false;
	return t->tok[i].kind == TOKEN_NUM || is_class(t, i, CLASS_NUM) ||
	    is_class(t, i, CLASS_MUL);
}

static bool is_part(const struct text *t, int i)
{
	return i < t->n && ((t->tok[i].kind == TOKEN_NUM && t->tok[i].fraction)
	    || (is_class(t, i, CLASS_NUM) && t->tok[i].value < 1));
}

static int skip_small(const struct text *t, int i)
{
	while (is_class(t, i, CLASS_STOP) || is_class(t, i, CLASS_ART))
		i++;
	return i;
}

/* "two and a half", "два с половиной", "1 1/2", "hundred and fifty". */
static int number_tail(const struct text *t, int i, double *v)
{
	int j = i;

	if (is_part(t, j) && t->tok[j].kind == TOKEN_NUM && *v >= 1) {
		*v += t->tok[j].value;
		return j + 1;
	}
	if (is_class(t, j, CLASS_AND) || is_class(t, j, CLASS_WITH)) {
		j = skip_small(t, j + 1);
		if (is_part(t, j) && *v >= 1 && *v < 100 &&
		    !is_class(t, j + 1, CLASS_MEAS)) {
			*v += t->tok[j].value;
			return j + 1;
		}
		if (*v >= 100 && fmod(*v, 100) == 0 &&
		    is_class(t, j, CLASS_NUM) && t->tok[j].value < 100 &&
		    t->tok[j].value > 9) {
			*v += t->tok[j].value;
			return j + 1;
		}
	}
	return i;
}

/* Words one after another: "двести пятьдесят", "twenty five", "две трети",
 * "half a dozen", "two dozen". */
static int number_words(const struct text *t, int i, double *v)
{
	for (;;) {
		int j = skip_small(t, i);
		double w = j < t->n ? t->tok[j].value : 0;

		if (is_class(t, j, CLASS_MUL) && (j == i || *v < 1)) {
			*v *= w;
			i = j + 1;
		} else if (j == i && is_part(t, j) && *v > 1 && *v < 10) {
			*v *= w;
			i = j + 1;
		} else if (j == i && is_class(t, j, CLASS_NUM) && w >= 1 &&
		    *v >= 20 && w < *v && fmod(*v, w < 10 ? 10 : 100) == 0) {
			*v += w;
			i = j + 1;
		} else {
			return i;
		}
	}
}

static int number_parse(const struct text *t, int i, double *v, bool *art)
{
	int start = i;

	*art = false;
	if (is_class(t, i, CLASS_ART)) {
		*art = !is_number(t, i + 1);
		*v = 1;
		if (*art)
			return i + 1;
		i++;
	}
	if (!is_number(t, i))
		return start;
	*v = t->tok[i].value;
	i = number_words(t, i + 1, v);
	return number_tail(t, i, v);
}

static bool is_spoon(const struct token *k)
{
	return k->meas == MEASURE_TBSP || k->meas == MEASURE_TSP;
}

/* A unit at i: sets kind, meas, and multiplies n. */
static int unit_parse(const struct text *t, int i, struct amount *a)
{
	const struct token *k = &t->tok[i];

	if (is_class(t, i, CLASS_MASS))
		a->kind = AMOUNT_MASS;
	else if (is_class(t, i, CLASS_VOL))
		a->kind = AMOUNT_VOLUME;
	else if (is_class(t, i, CLASS_MEAS))
		a->kind = AMOUNT_MEASURE;
	else
		return i;
	a->n *= k->value;
	a->meas = (enum measure)k->meas;
	a->spoon = a->kind == AMOUNT_MEASURE && k->meas == MEASURE_TBSP &&
	    memcmp(t->s + k->start, "лож", 6) == 0 &&
	    !(i > 0 && is_class(t, i - 1, CLASS_STOP));
	i++;
	/* "чайная ложка": the noun says no more than its adjective */
	if (a->kind == AMOUNT_MEASURE && is_spoon(k) &&
	    is_class(t, i, CLASS_MEAS) && is_spoon(&t->tok[i]))
		i++;
	return i;
}

static int adjectives(const struct text *t, int i, double *size)
{
	while (is_class(t, i, CLASS_MOD) || is_class(t, i, CLASS_STOP) ||
	    (is_class(t, i, CLASS_ART) && is_class(t, i + 1, CLASS_MEAS))) {
		if (t->tok[i].cls == CLASS_MOD)
			*size *= t->tok[i].value;
		i++;
	}
	return i;
}

/* "apple slices", "дольки": of how many nothing is said. */
static bool plural_pieces(const struct text *t, const struct token *k)
{
	const char *end = t->s + k->end;

	return (k->meas == MEASURE_SLICE || k->meas == MEASURE_PIECE) &&
	    (end[-1] == 's' || memcmp(end - 2, "и", 2) == 0);
}

/* "г" and "l" alone are no kilogram and no litre of anything. */
static bool unit_stands_alone(const struct text *t, int i)
{
	const struct token *k = &t->tok[i];

	if (is_class(t, i, CLASS_MEAS))
		return !plural_pieces(t, k);
	/* "кг яблок" is a kilogram, as nobody names a unit of a thousand for less */
	return (is_class(t, i, CLASS_MASS) || is_class(t, i, CLASS_VOL)) &&
	    (k->end - k->start > 4 || (k->end - k->start == 4 && k->value >= 1000));
}

/* "2 x 150 г": the number before the cross multiplies what follows. */
static int times_parse(const struct text *t, int i, struct amount *a)
{
	struct amount b = { .n = 1, .size = 1 };
	bool art;
	int j;

	if (!is_class(t, i, CLASS_TIMES))
		return i;
	j = number_parse(t, i + 1, &b.n, &art);
	if (j == i + 1)
		return i + 1;
	i = unit_parse(t, j, &b);
	if (b.kind != AMOUNT_NONE) {
		a->kind = b.kind;
		a->meas = b.meas;
	}
	a->n *= b.n;
	return i;
}

int amount_parse(const struct text *t, int i, struct amount *a)
{
	struct amount r = { .n = 1, .size = 1 };
	bool each = is_class(t, i, CLASS_EACH);
	bool cross = is_class(t, i, CLASS_TIMES);
	int start = i, j;

	if (each || cross)
		i++;
	j = number_parse(t, i, &r.n, &r.article);
	if (j == i) {
		if (cross || i >= t->n || !unit_stands_alone(t, i))
			return start;
	} else {
		r.kind = AMOUNT_COUNT;
		r.decimal = t->tok[i].kind == TOKEN_NUM &&
		    !t->tok[i].fraction && fmod(t->tok[i].value, 1) > 0;
		r.dozens = is_class(t, j - 1, CLASS_MUL);
		r.bad = r.n <= 0 || !isfinite(r.n) ||
		    (t->tok[i].kind == TOKEN_NUM && t->tok[i].negative);
	}
	i = j;
	j = adjectives(t, i, &r.size);
	i = unit_parse(t, j, &r);
	if (r.kind == AMOUNT_COUNT || r.kind == AMOUNT_MASS ||
	    r.kind == AMOUNT_VOLUME)
		i = times_parse(t, i, &r);
	r.each = each || cross;
	*a = r;
	return i;
}

void amount_combine(struct amount *a, const struct amount *b)
{
	bool counts = a->kind == AMOUNT_COUNT || a->kind == AMOUNT_MEASURE;
	bool weighs = b->kind == AMOUNT_MASS || b->kind == AMOUNT_VOLUME;
	struct amount r = *a;

	if (a->kind == AMOUNT_NONE || a->kind == AMOUNT_ENERGY) {
		r = *b;
	} else if (b->each) {
		r.n = a->n * b->n;
		if (counts && b->kind != AMOUNT_COUNT) {
			r.kind = b->kind;
			r.meas = b->meas;
		}
	} else if (counts && weighs) {
		r = *b;
	} else if (a->kind == AMOUNT_COUNT && b->kind == AMOUNT_MEASURE) {
		r = *b;
	}
	r.bad = a->bad || b->bad;
	r.after = a->after;
	*a = r;
}

/* A bare number counts pieces where pieces make sense, else it is grams. */
static double count_mg(const struct amount *a, const struct food *f)
{
	double piece = (double)f->mg[MEASURE_PIECE];
	double n = a->n;

	if (a->decimal && n < 3 && strchr("dbmw", f->group) != NULL)
		return n * 1000 * (double)food_measure(f, MEASURE_ML);
	if (n < 1 && f->mg[MEASURE_WHOLE] > 0)
		return n * (double)f->mg[MEASURE_WHOLE];
	if (piece > 0 && f->group != 'd' && f->group != 'k') {
		if (n < 20 || (a->dozens && n < 100) ||
		    (!a->after && n * piece <= 600000))
			return n * piece * a->size;
		return n * 1000;
	}
	if (n < 10)
		return n * (double)food_measure(f, MEASURE_USUAL) * a->size;
	return n * 1000;
}

int64_t amount_mg(const struct amount *a, const struct food *f)
{
	double mg = 0;

	switch (a->kind) {
	case AMOUNT_NONE:
		mg = (double)food_measure(f, MEASURE_USUAL) *
		    (a->size > 0 ? a->size : 1);
		break;
	case AMOUNT_COUNT:
		mg = count_mg(a, f);
		break;
	case AMOUNT_MASS:
		mg = a->n * 1000;
		break;
	case AMOUNT_ENERGY:
		mg = f->per100.cal > 0 ? a->n * 1e8 / (double)f->per100.cal : 0;
		break;
	case AMOUNT_VOLUME:
		mg = a->n * (double)food_measure(f, MEASURE_ML);
		break;
	case AMOUNT_MEASURE:
		mg = a->n * (double)food_measure(f, a->meas) * a->size;
		break;
	}
	if (a->bad || !(mg >= 1) || mg > FOOD_MG_MAX)
		return -1;
	return llround(mg);
}
