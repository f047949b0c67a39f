/*
 * fuzz_fcgi.c - what a peer of the pool's socket sends: fcgi_feed, whole and
 * in pieces (the first byte says how large), which must read the same.
 */
#include "config.h"

#include "fuzz.h"

#include "web/fcgi_parse.h"

enum { BODY_MAX = 4096 };

/* Each piece ends where its memory ends: one byte too far is seen. */
static void feed(struct fcgi_in *in, const uint8_t *data, size_t size,
    size_t piece)
{
	uint8_t *own = malloc(piece);

	MUST(own != NULL);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		memcpy(own + piece - n, data + at, n);
		fcgi_feed(in, own + piece - n, n);
	}
	free(own);
}

static bool inside(const struct buf *b, const char *s, size_t len)
{
	return s >= b->s && s + len <= b->s + b->len;
}

static void promises_hold(const struct fcgi_in *in)
{
	MUST(in->body.len <= BODY_MAX && in->params.len <= FCGI_PARAMS_MAX);
	MUST(in->nfields <= FCGI_FIELDS_MAX);
	MUST(in->state != FCGI_REFUSED || in->reply.len >= 2 * FCGI_HEAD);
	MUST((in->state == FCGI_BAD) == (*in->why != '\0'));
	MUST(in->state != FCGI_READY || in->phase == FCGI_AT_BODY);
	if (in->phase != FCGI_AT_BODY)
		return;
	for (size_t i = 0; i < in->nfields; i++) {
		const struct http_field *f = &in->fields[i];
		MUST(inside(&in->params, f->name, f->len));
		MUST(inside(&in->params, f->value, f->value_len));
		MUST(strlen(f->value) == f->value_len);
	}
}

static void same(const struct buf *a, const struct buf *b)
{
	MUST(a->len == b->len && memcmp(a->s, b->s, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fcgi_in whole, cut;
	struct http_request r = { .method = "" };

	if (size == 0)
		return 0;
	fcgi_in_init(&whole, BODY_MAX);
	fcgi_in_init(&cut, BODY_MAX);
	feed(&whole, data + 1, size - 1, size);
	feed(&cut, data + 1, size - 1, (size_t)data[0] + 1);
	promises_hold(&whole);
	promises_hold(&cut);
	MUST(whole.state == cut.state && whole.phase == cut.phase);
	MUST(whole.nfields == cut.nfields && whole.id == cut.id);
	same(&whole.reply, &cut.reply);
	same(&whole.params, &cut.params);
	if (!whole.too_big)
		same(&whole.body, &cut.body);
	if (whole.phase == FCGI_AT_BODY) {
		fcgi_request(&whole, &r);
		MUST(r.len <= BODY_MAX && !(r.too_big && r.cut_short));
	}
	fcgi_in_release(&whole);
	fcgi_in_release(&cut);
	return 0;
}
