/*
 * http.h - a request and its answer, without any word of FastCGI.
 *
 * A request's strings are borrowed from the transport and live until its
 * answer was sent; the answer's body belongs to the response.
 */
#ifndef FAMILYBOT_WEB_HTTP_H
#define FAMILYBOT_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utils/buf.h"
#include "utils/err.h"
#include "utils/timing.h"
#include "web/method.h"

struct arena;

enum { HTTP_ID_SIZE = 65, HTTP_ALLOW_SIZE = 64, HTTP_ANSWER_MAX = 4 << 20 };

/* A parameter of the request as CGI (RFC 3875) names it: a header has the
 * name "HTTP_" and its own in capitals.  Only the value is terminated. */
struct http_field {
	const char *name;
	size_t len;
	const char *value;
	size_t value_len;
};

/* What a route's row named, and the request said. */
struct http_arg {
	const char *name, *value;
	struct http_arg *next;
};

/* Who asks, when the route wants to know: see struct http_doors in web.h. */
struct http_caller {
	int64_t user_id;	/* 0 nobody known */
	bool admin;
};

struct http_request {
	const char *method;		/* as it was sent */
	const char *path;		/* without the query */
	const char *query;		/* what follows the '?', as it was sent */
	const char *content_type;	/* "" when none was sent */
	const char *secret_token;	/* X-Telegram-Bot-Api-Secret-Token */
	const char *remote_addr;	/* "" not known */
	const char *id;			/* nginx's $request_id, "" none */
	const char *body;
	size_t len;
	const struct http_field *fields;
	size_t nfields;
	bool too_many;			/* fields; only the first were kept */
	struct http_arg *args;		/* see http_arg */
	struct http_caller caller;
	bool too_big;			/* over the cap: body was not kept */
	bool cut_short;			/* the sender went away in the middle */
	struct arena *arena;		/* reset after the answer */
	struct timing timing;
};

/* What the log line and the metrics say beyond the status. */
struct http_note {
	const char *kind;	/* of the update; NULL: the request is none */
	const char *handler;
	int64_t update_id;
	int64_t user_id;	/* 0 nobody's */
	int shard;		/* -1 none */
	struct err err;		/* rc RC_OK: nothing to tell */
};

struct http_response {
	int status;
	int retry_after;		/* seconds, 0: no such header */
	const char *content_type;
	char allow[HTTP_ALLOW_SIZE];	/* of a 405, "" otherwise */
	struct buf body;
	struct http_note note;
};

void http_response_init(struct http_response *r);
void http_response_clear(struct http_response *r);	/* keeps the memory */
void http_response_release(struct http_response *r);

const char *http_status_text(int status);

/* The answer becomes this status with {"ok":false,"error_code":status,
 * "description":why}, the form that Telegram and nginx/ use. */
void http_fail(struct http_response *r, int status, const char *why);

/* The same as RFC 9457 has it: {"type":"about:blank","title":…,"status":…,
 * "detail":why}. */
void http_problem(struct http_response *r, int status, const char *why);

/* args.c: the value of a name in the row's path, or of a parameter that the
 * row wants; NULL none. */
const char *http_arg(const struct http_request *req, const char *name);
/* Any header, for those who check before a row does; NULL none. */
const char *http_header(const struct http_request *req, const char *name);
/* Keeps copies in the request's arena. */
void http_arg_add(struct http_request *req, const char *name, size_t name_len,
    const char *value, size_t len);

/* The whole answer as CGI wants it: Status, headers, empty line, and the body
 * unless the method is HEAD. */
void http_print(const struct http_response *r, enum http_method method,
    const char *id, const struct timing *t, int64_t total_us, struct buf *out);

#endif
