/*
 * What a WebSocket connection holds, for its files: websocket.c lives it, websocket_server.c and
 * websocket_client.c make it.
 */
#ifndef LSYS_NET_WEBSOCKET_PRIVATE_H
#define LSYS_NET_WEBSOCKET_PRIVATE_H

#include "base/buffer.h"
#include "loop/timer.h"
#include "net/stream.h"
#include "net/websocket.h"

/* See the diagram in net/websocket.h. */
enum websocket_state {
    WEBSOCKET_CONNECTING,
    WEBSOCKET_OPEN,
    WEBSOCKET_CLOSING,
    WEBSOCKET_ENDING,
};

struct websocket_attempt; /* a client's connect and handshake: websocket_client.c */

struct websocket {
    struct loop *loop;
    struct stream *stream; /* NULL until connected */
    const struct websocket_handlers *handlers;
    void *context;
    struct websocket_settings settings;
    enum websocket_state state;
    bool is_client; /* masks what it sends */
    const char *protocol;
    struct websocket_attempt *attempt; /* of a client, until it is open */

    struct websocket_reader reader;
    struct buffer message;
    struct timer *timer; /* OPEN: keep-alive; CLOSING, ENDING: the deadline */
    int64_t last_read_ms;
    bool ping_is_sent; /* since the last read */

    /* For on_closed. */
    unsigned close_code;
    uint8_t reason[WEBSOCKET_REASON_BYTES_MAX];
    size_t reason_length;
    struct status why;
    struct loop_task gone_task; /* tells the owner when there is no stream that could */
};

/* Makes a connection without a stream, CONNECTING. */
struct websocket *websocket_new(struct loop *loop, bool is_client,
                                const struct websocket_settings *settings,
                                const struct websocket_handlers *handlers, void *context);

/* The handshake is done: starts the keep-alive. */
void websocket_become_open(struct websocket *websocket, const char *protocol);

/* Frames came. */
void websocket_read(struct websocket *websocket, struct bytes bytes);

/* Ends the connection for the reason in `status`, which on_closed will tell unless there is an
 * earlier one. What is pending is dropped. */
void websocket_break(struct websocket *websocket, const struct status *status);

/* ---- the stream's events, once there are only frames ---- */

extern const struct stream_handlers websocket_stream_handlers;

/* ---- websocket_server.c ---- */

/* Checks a request and its origin, and prepares the answer for http_request_upgrade. False when it
 * was refused and is answered. `*protocol` is the one agreed on, or NULL. */
bool websocket_shake_hands(struct http_request *request,
                           const struct websocket_accept_options *options, const char **protocol);

/* ---- websocket_client.c ---- */

/* Stops connecting and frees the attempt; its stream, if there is one, stays. NULL is accepted. */
void websocket_attempt_free(struct websocket_attempt *attempt);

#endif
