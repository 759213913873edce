/*
 * Leaving HTTP (RFC 9110, 7.8): a request is answered with 101, and from then on its connection
 * speaks another protocol. It stays one of the server's connections: it counts for the server's
 * limits, and ends with the server. Deadlines are from now on the new owner's.
 */
#ifndef LSYS_NET_HTTP_UPGRADE_H
#define LSYS_NET_HTTP_UPGRADE_H

#include "net/http_request.h"
#include "net/stream.h"

/* Answers 101 with `Upgrade: protocol` and the fields that http_response_header added; the request
 * pointer is invalid afterwards. Returns the stream, to write to and to close like one's own. What
 * it tells goes to `handlers` (constant) as after stream_start, from a later moment on: first the
 * bytes that the client sent right behind its request, in the end on_closed, once. */
struct stream *http_request_upgrade(struct http_request *request, const char *protocol,
                                    const struct stream_handlers *handlers, void *context);

#endif
