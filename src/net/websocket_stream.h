/*
 * WebSocket as a stream of bytes, for protocols that bring their own messages, as NATS does: what
 * the owner writes goes out in binary frames, what comes in text or binary messages is read as
 * bytes, and where messages begin and end means nothing. The owner has a `struct stream` like any
 * other.
 */
#ifndef LSYS_NET_WEBSOCKET_STREAM_H
#define LSYS_NET_WEBSOCKET_STREAM_H

#include "net/stream.h"
#include "net/websocket.h"

/* In a handler of a GET route: makes a stream of the request, which is answered either way and
 * invalid afterwards; of `options` the settings are not used. NULL when it was refused, as with
 * websocket_accept. As from a listener, the callee owns the stream now: stream_start or
 * stream_close, before it returns to the loop.
 *
 * Pings are answered. on_end comes for the peer's close frame, which is answered, and for frames
 * that break the rules; stream_close, stream_finish and stream_shutdown send a close frame with
 * 1001. One read may hold more than LOOP_READ_BUFFER_BYTES. */
struct stream *websocket_accept_stream(struct http_request *request,
                                       const struct websocket_accept_options *options);

#endif
