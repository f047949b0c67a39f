/* fcgi_parse.c - see fcgi_parse.h. */
#include "config.h"

#include "web/fcgi_parse.h"

#include <string.h>

enum { PROTOCOL = 1, RESPONDER = 1, BEGIN_SIZE = 8, REPLY_MAX = 2048,
	KEEP = 65536 };

void fcgi_in_init(struct fcgi_in *p, size_t body_max)
{
	buf_init(&p->params, FCGI_PARAMS_MAX);
	buf_init(&p->body, body_max);
	buf_init(&p->reply, REPLY_MAX);
	fcgi_in_clear(p);
}

/* One large request shall not make the process large for good. */
static void empty(struct buf *b)
{
	size_t max = b->max;

	if (b->cap > KEEP) {
		buf_release(b);
		buf_init(b, max);
	}
	buf_clear(b);
}

void fcgi_in_clear(struct fcgi_in *p)
{
	empty(&p->params);
	empty(&p->body);
	buf_clear(&p->reply);
	p->state = FCGI_MORE;
	p->phase = FCGI_AT_BEGIN;
	p->why = "";
	p->id = 0;
	p->too_big = p->too_many = false;
	p->want = p->nfields = p->nhead = p->nsmall = 0;
	p->content = p->padding = 0;
}

void fcgi_in_release(struct fcgi_in *p)
{
	buf_release(&p->params);
	buf_release(&p->body);
	buf_release(&p->reply);
}

void fcgi_put_head(unsigned char out[FCGI_HEAD], enum fcgi_type type,
    unsigned int id, size_t len)
{
	out[0] = PROTOCOL;
	out[1] = (unsigned char)type;
	out[2] = (unsigned char)(id >> 8);
	out[3] = (unsigned char)id;
	out[4] = (unsigned char)(len >> 8);
	out[5] = (unsigned char)len;
	out[6] = out[7] = 0;
}

static void put_record(struct buf *out, enum fcgi_type type, unsigned int id,
    const void *data, size_t len)
{
	unsigned char head[FCGI_HEAD];

	fcgi_put_head(head, type, id, len);
	buf_add(out, head, sizeof(head));
	buf_add(out, data, len);
}

void fcgi_put_end(struct buf *out, unsigned int id, enum fcgi_status status)
{
	const unsigned char end[8] = { [4] = (unsigned char)status };

	put_record(out, FCGI_END, id, end, sizeof(end));
}

static void bad(struct fcgi_in *p, const char *why)
{
	p->state = FCGI_BAD;
	p->why = why;
}

static void params_end(struct fcgi_in *p)
{
	static const char name[] = "CONTENT_LENGTH";

	if (!fcgi_fields_cut(p)) {
		bad(p, "a parameter's length is not true");
		return;
	}
	for (size_t i = 0; i < p->nfields; i++)
		if (fcgi_field_is(&p->fields[i], name, sizeof(name) - 1) &&
		    !fcgi_number_read(&p->fields[i], &p->want)) {
			bad(p, "CONTENT_LENGTH is no number");
			return;
		}
	p->phase = FCGI_AT_BODY;
	p->too_big = p->want > p->body.max;
	if (p->too_big)
		p->state = FCGI_READY;
}

static void refuse(struct fcgi_in *p, unsigned int id, enum fcgi_status why)
{
	fcgi_put_end(&p->reply, id, why);
	p->state = FCGI_REFUSED;
}

static void begin(struct fcgi_in *p, unsigned int id)
{
	unsigned int role = (unsigned int)p->small[0] << 8 | p->small[1];

	if (p->nsmall != BEGIN_SIZE || id == 0) {
		bad(p, "a request begins in a way that no version knows");
	} else if (p->id != 0) {
		/* two at once on one connection, which we said we cannot do */
		refuse(p, id, FCGI_CANT_MPX);
	} else if (role != RESPONDER) {
		refuse(p, id, FCGI_UNKNOWN_ROLE);
	} else {
		/* FCGI_KEEP_CONN is not looked at: one process serves one
		 * connection, and a kept one would starve all others. */
		p->id = id;
		p->phase = FCGI_AT_PARAMS;
	}
}

/* What a web server may ask about us before it sends requests. */
static void values_tell(struct fcgi_in *p)
{
	static const struct {
		const char *name;
		char value;
	} known[] = {
		{ "FCGI_MAX_CONNS", '1' },
		{ "FCGI_MAX_REQS", '1' },
		{ "FCGI_MPXS_CONNS", '0' },
	};
	const unsigned char *at = p->small, *end = at + p->nsmall;
	char text[FCGI_SMALL_MAX];
	struct http_field f;
	size_t n = 0;

	while (fcgi_pair_take(&at, end, &f)) {
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			size_t len = strlen(known[i].name);
			if (!fcgi_field_is(&f, known[i].name, len) ||
			    n + len + 3 > sizeof(text))
				continue;
			text[n++] = (char)len;
			text[n++] = 1;
			memcpy(text + n, known[i].name, len);
			n += len;
			text[n++] = known[i].value;
		}
	}
	if (at != end)
		bad(p, "a value is asked by a length that is not true");
	put_record(&p->reply, FCGI_GET_VALUES_RESULT, 0, text, n);
}

/* Records of request 0 are about us, not about a request. */
static void management(struct fcgi_in *p)
{
	unsigned char unknown[8] = { p->head[1] };

	if (p->head[1] == FCGI_GET_VALUES)
		values_tell(p);
	else
		put_record(&p->reply, FCGI_UNKNOWN_TYPE, 0, unknown,
		    sizeof(unknown));
	/* nobody has that much to ask: such a peer keeps us busy */
	if (buf_over(&p->reply))
		bad(p, "too many questions before a request");
}

static unsigned int record_id(const struct fcgi_in *p)
{
	return (unsigned int)p->head[2] << 8 | p->head[3];
}

static bool is_whole(const struct fcgi_in *p)
{
	return p->head[1] == FCGI_BEGIN || p->head[1] == FCGI_GET_VALUES;
}

static void record_start(struct fcgi_in *p)
{
	p->content = (size_t)p->head[4] << 8 | p->head[5];
	p->padding = p->head[6];
	p->nsmall = 0;
	if (p->head[0] != PROTOCOL)
		bad(p, "this is no FastCGI of version 1");
	else if (is_whole(p) && p->content > FCGI_SMALL_MAX)
		bad(p, "a record is too large for what it is");
}

/* A part of the record's content. */
static void record_data(struct fcgi_in *p, const void *data, size_t len)
{
	bool ours = p->id != 0 && record_id(p) == p->id;

	if (is_whole(p)) {
		memcpy(p->small + p->nsmall, data, len);
		p->nsmall += len;
	} else if (!ours) {
		return;		/* of a request that never began: ignored */
	} else if (p->head[1] == FCGI_PARAMS && p->phase == FCGI_AT_PARAMS) {
		buf_add(&p->params, data, len);
		if (buf_over(&p->params))
			bad(p, "the parameters are too large");
	} else if (p->head[1] == FCGI_STDIN && p->phase == FCGI_AT_BODY) {
		buf_add(&p->body, data, len);
		p->too_big = buf_over(&p->body);
		if (p->too_big)
			p->state = FCGI_READY;
	} else if (p->head[1] == FCGI_PARAMS || p->head[1] == FCGI_STDIN) {
		bad(p, "parameters and body come in the wrong order");
	}
}

/* The record was read whole; an empty one ends its stream. */
static void record_end(struct fcgi_in *p)
{
	unsigned int type = p->head[1], id = record_id(p);
	bool is_empty = p->head[4] == 0 && p->head[5] == 0;

	p->nhead = 0;
	if (type == FCGI_BEGIN) {
		begin(p, id);
	} else if (id == 0) {
		management(p);
	} else if (id != p->id) {
		return;
	} else if (type == FCGI_ABORT) {
		refuse(p, id, FCGI_COMPLETE);
	} else if (type == FCGI_PARAMS && is_empty &&
	    p->phase == FCGI_AT_PARAMS) {
		params_end(p);
	} else if (type == FCGI_STDIN && is_empty) {
		if (p->phase == FCGI_AT_BODY)
			p->state = FCGI_READY;
		else
			bad(p, "the body ends before the parameters");
	}
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

enum fcgi_state fcgi_feed(struct fcgi_in *p, const void *data, size_t len)
{
	const unsigned char *s = data, *end = s + len;

	while (s < end && p->state == FCGI_MORE) {
		size_t left = (size_t)(end - s), n;
		if (p->nhead < FCGI_HEAD) {
			n = least(left, FCGI_HEAD - p->nhead);
			memcpy(p->head + p->nhead, s, n);
			p->nhead += n;
			if (p->nhead == FCGI_HEAD)
				record_start(p);
		} else if (p->content > 0) {
			n = least(left, p->content);
			record_data(p, s, n);
			p->content -= n;
		} else {
			n = least(left, p->padding);
			p->padding -= n;
		}
		s += n;
		if (p->state == FCGI_MORE && p->nhead == FCGI_HEAD &&
		    p->content == 0 && p->padding == 0)
			record_end(p);
	}
	return p->state;
}
