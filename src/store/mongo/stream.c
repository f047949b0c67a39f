/*
 * stream.c - one deadline for all that an operation says and hears.
 *
 * libmongoc gives each read a time-out of its own: an answer that drips byte
 * by byte, a check of an idle connection and a retry add up.  Here each
 * connection is wrapped in a stream that allows what is left until the
 * operation's deadline, and nothing after it.  A wrapper owns what it wraps.
 *
 * What could not be sent in time must not arrive later: a connection that
 * failed is reset, and the kernel gives up what nobody acknowledges, also when
 * this process is killed.
 */
#include "config.h"

#include "store/mongo/mongo.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { STREAM_TYPE = 100 };	/* none of libmongoc's own */

struct limited {
	mongoc_stream_t stream;		/* first: libmongoc knows this alone */
	mongoc_stream_t *base;		/* owned */
	struct mongo_store *ms;
};

/* Exported by libmongoc for those who wrap its streams, but in none of the
 * headers that it installs. */
mongoc_stream_t *mongoc_client_default_stream_initiator(
    const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *client,
    bson_error_t *error);

static struct limited *limited_of(mongoc_stream_t *stream)
{
	return (struct limited *)stream;
}

/* Milliseconds that are left; 0 stays 0, which waits for nothing.  False when
 * the time is over. */
static bool time_left(const struct limited *l, int32_t *timeout_ms)
{
	int64_t left = l->ms->deadline - clock_mono_us();

	if (*timeout_ms == 0)
		return true;
	if (left <= 0) {
		errno = ETIMEDOUT;
		return false;
	}
	left = left / 1000 + 1;
	*timeout_ms = left > INT32_MAX ? INT32_MAX : (int32_t)left;
	return true;
}

/* libmongoc's buffer takes no options, and does not say so: what is under it
 * does. */
static int option_set(const struct limited *l, int level, int name,
    void *value, mongoc_socklen_t len)
{
	mongoc_stream_t *s = l->base;

	while (s->setsockopt == NULL && s->get_base_stream != NULL)
		s = s->get_base_stream(s);
	return mongoc_stream_setsockopt(s, level, name, value, len);
}

/* Closing throws away what the kernel has not sent. */
static void cut(const struct limited *l)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	(void)option_set(l, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void limited_destroy(mongoc_stream_t *stream)
{
	mongoc_stream_destroy(limited_of(stream)->base);
	bson_free(stream);
}

static void limited_failed(mongoc_stream_t *stream)
{
	cut(limited_of(stream));
	mongoc_stream_failed(limited_of(stream)->base);
	bson_free(stream);
}

static int limited_close(mongoc_stream_t *stream)
{
	return mongoc_stream_close(limited_of(stream)->base);
}

static int limited_flush(mongoc_stream_t *stream)
{
	return mongoc_stream_flush(limited_of(stream)->base);
}

static ssize_t limited_writev(mongoc_stream_t *stream, mongoc_iovec_t *iov,
    size_t n, int32_t timeout_ms)
{
	struct limited *l = limited_of(stream);
	ssize_t sent = -1;

	if (time_left(l, &timeout_ms))
		sent = mongoc_stream_writev(l->base, iov, n, timeout_ms);
	if (sent < 0)
		cut(l);
	return sent;
}

static ssize_t limited_readv(mongoc_stream_t *stream, mongoc_iovec_t *iov,
    size_t n, size_t min_bytes, int32_t timeout_ms)
{
	struct limited *l = limited_of(stream);
	ssize_t got = -1;

	if (time_left(l, &timeout_ms))
		got = mongoc_stream_readv(l->base, iov, n, min_bytes,
		    timeout_ms);
	if (got < 0)
		cut(l);
	return got;
}

static int limited_setsockopt(mongoc_stream_t *stream, int level, int name,
    void *value, mongoc_socklen_t len)
{
	return option_set(limited_of(stream), level, name, value, len);
}

static mongoc_stream_t *limited_base(mongoc_stream_t *stream)
{
	return limited_of(stream)->base;
}

static bool limited_check_closed(mongoc_stream_t *stream)
{
	return mongoc_stream_check_closed(limited_of(stream)->base);
}

static bool limited_timed_out(mongoc_stream_t *stream)
{
	return mongoc_stream_timed_out(limited_of(stream)->base);
}

static bool limited_should_retry(mongoc_stream_t *stream)
{
	return mongoc_stream_should_retry(limited_of(stream)->base);
}

static void unsent_limit(const struct limited *l)
{
	unsigned ms = (unsigned)l->ms->timeout_ms;

	(void)option_set(l, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

/*
 * What libmongoc gets where no connection can be made: a socket that is not
 * connected, so that its first use fails.  It must not get NULL: libmongoc 1.23
 * would wait for ever for a lock that it holds itself, when it looks again for
 * a server that it knew (_mongoc_topology_scanner_setup_err_cb).
 */
static mongoc_stream_t *no_connection(void)
{
	mongoc_socket_t *socket = mongoc_socket_new(AF_INET, SOCK_STREAM, 0);

	return socket != NULL ? mongoc_stream_socket_new(socket) : NULL;
}

static mongoc_stream_t *connect_limited(const mongoc_uri_t *uri,
    const mongoc_host_list_t *host, void *ctx, bson_error_t *error)
{
	struct mongo_store *ms = ctx;
	mongoc_stream_t *base = NULL;
	bson_error_t ignored;
	struct limited *l;

	/* libmongoc waits for a hello as long as connect_ms, whatever is left:
	 * what cannot come to an end in time is not begun. */
	if (ms->deadline - clock_mono_us() > ms->connect_ms * INT64_C(500))
		base = mongoc_client_default_stream_initiator(uri, host,
		    ms->client, &ignored);
	if (base == NULL)
		base = no_connection();
	if (base == NULL) {
		bson_set_error(error, MONGOC_ERROR_STREAM,
		    MONGOC_ERROR_STREAM_SOCKET, "no socket");
		return NULL;
	}
	l = bson_malloc0(sizeof(*l));
	l->stream = (mongoc_stream_t){
		.type = STREAM_TYPE,
		.destroy = limited_destroy,
		.close = limited_close,
		.flush = limited_flush,
		.writev = limited_writev,
		.readv = limited_readv,
		.setsockopt = limited_setsockopt,
		.get_base_stream = limited_base,
		.check_closed = limited_check_closed,
		.failed = limited_failed,
		.timed_out = limited_timed_out,
		.should_retry = limited_should_retry,
	};
	l->base = base;
	l->ms = ms;
	unsent_limit(l);
	return &l->stream;
}

void mongo_stream_limit(struct mongo_store *ms)
{
	mongoc_client_set_stream_initiator(ms->client, connect_limited, ms);
}
