/*
 * fcgi_parse.h - the records of FastCGI 1.0 that come from the web server,
 * apart from the socket: bytes go in as they arrive, a request comes out.
 *
 * Source: "FastCGI Specification", Open Market 1996, sections 3, 4 and 5.
 * The parser believes nothing: every length is compared with what is there,
 * everything that grows has a cap, and what breaks a rule is FCGI_BAD, which
 * ends the connection and nothing else.
 */
#ifndef FAMILYBOT_WEB_FCGI_PARSE_H
#define FAMILYBOT_WEB_FCGI_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "utils/buf.h"
#include "web/http.h"

enum {
	FCGI_PARAMS_MAX = 128 << 10,	/* nginx has 32 KiB for a head; each
					 * name grows by "HTTP_" and lengths */
	FCGI_FIELDS_MAX = 128,
	FCGI_HEAD = 8,			/* bytes before each record */
	FCGI_SMALL_MAX = 512		/* of a record read as a whole */
};

enum fcgi_type { FCGI_BEGIN = 1, FCGI_ABORT, FCGI_END, FCGI_PARAMS,
	FCGI_STDIN, FCGI_STDOUT, FCGI_STDERR, FCGI_DATA, FCGI_GET_VALUES,
	FCGI_GET_VALUES_RESULT, FCGI_UNKNOWN_TYPE };

enum fcgi_status { FCGI_COMPLETE, FCGI_CANT_MPX, FCGI_OVERLOADED,
	FCGI_UNKNOWN_ROLE };

enum fcgi_state {
	FCGI_MORE,	/* feed what comes next */
	FCGI_READY,	/* the request is whole, or too big to be taken */
	FCGI_REFUSED,	/* send reply, which says why, and close */
	FCGI_BAD	/* close: see why */
};

enum fcgi_phase { FCGI_AT_BEGIN, FCGI_AT_PARAMS, FCGI_AT_BODY };

struct fcgi_in {
	enum fcgi_state state;
	enum fcgi_phase phase;
	const char *why;	/* of FCGI_BAD */
	unsigned int id;	/* of the request, 0 before its begin */
	bool too_big;		/* the body; it was not kept */
	size_t want;		/* CONTENT_LENGTH */
	/* For the peer: what it asked about us.  Send it when it is not
	 * empty, and clear it. */
	struct buf reply;
	struct buf body;
	/* Valid from FCGI_AT_BODY on; they point into params. */
	struct http_field fields[FCGI_FIELDS_MAX];
	size_t nfields;
	bool too_many;		/* fields; the first ones were kept */

	struct buf params;	/* as they came, then cut into strings */
	unsigned char head[FCGI_HEAD], small[FCGI_SMALL_MAX];
	size_t nhead, nsmall;
	size_t content, padding;	/* left of the record being read */
};

/* body_max: most bytes of a body that are kept. */
void fcgi_in_init(struct fcgi_in *p, size_t body_max);
void fcgi_in_clear(struct fcgi_in *p);	/* for the next connection */
void fcgi_in_release(struct fcgi_in *p);

/* Reads len bytes; what follows the end of the request is dropped.  Returns
 * the state, which stays once it is not FCGI_MORE. */
enum fcgi_state fcgi_feed(struct fcgi_in *p, const void *data, size_t len);

/* Where the web server's words for a request (CGI, RFC 3875) belong; strings
 * stay p's. */
void fcgi_request(const struct fcgi_in *p, struct http_request *r);

/* The next name and value (neither is terminated), or false at the end and
 * when lengths lie; *at is then before the end. */
bool fcgi_pair_take(const unsigned char **at, const unsigned char *end,
    struct http_field *f);
bool fcgi_field_is(const struct http_field *f, const char *name, size_t len);
/* CONTENT_LENGTH: nginx sends it empty when there is no body. */
bool fcgi_number_read(const struct http_field *f, size_t *out);
/* Params becomes fields; false when a length lies or a value holds a zero. */
bool fcgi_fields_cut(struct fcgi_in *p);

/* The head of a record, and the record that ends a request. */
void fcgi_put_head(unsigned char out[FCGI_HEAD], enum fcgi_type type,
    unsigned int id, size_t len);
void fcgi_put_end(struct buf *out, unsigned int id, enum fcgi_status status);

#endif
