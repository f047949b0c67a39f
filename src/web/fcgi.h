/*
 * fcgi.h - the FastCGI transport: sockets, time-outs and signals; what the
 * bytes mean is in fcgi_parse.h.
 *
 * One process answers one request at a time, one a connection, and takes only
 * whole ones: a peer that is slow, or breaks the protocol, loses its connection
 * and holds up nobody.
 */
#ifndef FAMILYBOT_WEB_FCGI_H
#define FAMILYBOT_WEB_FCGI_H

#include <stdint.h>

#include "utils/err.h"
#include "web/web.h"

/*
 * Serves the listening socket fd (0 under spawn-fcgi) until SIGTERM, SIGINT or
 * SIGQUIT: an idle process leaves at once, a busy one after its answer.  Blocks
 * these signals for good and sets fd non-blocking, which its other holders share.
 * body_max: bytes of a request's body.
 * RC_INVALID: fd is no listening socket.  RC_SYSTEM: accept failed.
 */
MUST_CHECK enum rc fcgi_serve(int fd, struct web *web, int64_t body_max,
    struct err *e);

#endif
