/*
 * WebSocket connections (RFC 6455) on the loop: made by a server from a request for an upgrade, or
 * by a client. Messages come whole and checked; pings are answered, and sent to a peer that is
 * silent; what waits to be sent is bounded. Transport neutral: it works on any stream.
 *
 *                 handshake is done          websocket_close                the peer's close frame
 *   CONNECTING ----------------------> OPEN ------------------> CLOSING ---------------.
 *     | (clients)                       |  our close frame         | deadline          v
 *     |                                 '--------------------------|-------------->  ENDING
 *     | failed          the peer's close frame, answered; refused  |                   |
 *     '-------------------------------------------------------------------------> on_closed
 *
 * The peer's end of the stream leads out of each state.
 */
#ifndef LSYS_NET_WEBSOCKET_H
#define LSYS_NET_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "loop/loop.h"
#include "net/http_parser.h"
#include "net/http_proxy.h"
#include "net/http_request.h"
#include "net/tls_context.h"
#include "net/url.h"
#include "net/websocket_frames.h"

/* Largest message taken: as the largest payload of a NATS broker. Over it: closed with 1009. */
#define WEBSOCKET_MESSAGE_BYTES_DEFAULT 1048576

/* Unsent bytes of one connection: four messages of the largest size. Over it websocket_send
 * refuses. */
#define WEBSOCKET_PENDING_BYTES_DEFAULT (4 * 1048576)

/* A ping is sent after this silence, below the idle timeouts of common proxies (30 s to 60 s)
 * ... */
#define WEBSOCKET_PING_INTERVAL_MS 25000

/* ... and a peer that then sends nothing for so long is gone. */
#define WEBSOCKET_PONG_TIMEOUT_MS 10000

/* From our close frame to the peer's, and from there to the end of the stream: short enough for a
 * process that stops within two seconds. */
#define WEBSOCKET_CLOSE_TIMEOUT_MS 1000

struct websocket;

/* What the owner wants to hear; one constant table for all connections of a kind. */
struct websocket_handlers {
    /* A client's handshake is done. Does not come for a server's connections, which begin open. */
    void (*on_open)(void *context);

    /* A message, valid during the call. Text is UTF-8. */
    void (*on_message)(void *context, bool is_text, struct bytes message);

    /* Bytes were waiting to be sent, and now none are left. May be NULL. */
    void (*on_drain)(void *context);

    /* It is over, and the pointer is invalid afterwards; always comes, once, later than the call
     * that caused it. `code` and `reason` are the peer's, WEBSOCKET_CLOSE_ABNORMAL if it sent no
     * close frame. `status` is OK after an exchange of close frames in order, otherwise says what
     * happened: STATUS_PROTOCOL, STATUS_TOO_LARGE (the peer broke the rules), STATUS_TIMEOUT,
     * STATUS_CANCELLED (websocket_abort), STATUS_UNAVAILABLE (the connection broke or could not be
     * made), and for clients those of net/connector.h, websocket_check_response and, with wss,
     * net/stream_tls.h. */
    void (*on_closed)(void *context, unsigned code, struct bytes reason,
                      const struct status *status);
};

/* Zero means the default above. */
struct websocket_settings {
    size_t message_limit_bytes;
    size_t pending_limit_bytes;
    int64_t ping_interval_ms;
    int64_t pong_timeout_ms;
    int64_t close_timeout_ms;
};

struct websocket_accept_options {
    /* Pages that may connect, as browsers name them ("https://chat.example"), beside pages of this
     * very server. NULL-terminated; may be NULL; "*" allows any. */
    const char *const *allowed_origins;

    const char *const *protocols; /* that are spoken, best first; NULL-terminated; may be NULL */
    struct websocket_settings settings;
};

/* In a handler of a GET route: makes a connection of the request, which is answered either way and
 * invalid afterwards. NULL when it was refused: 426 (no request for WebSocket), 400, or 403 (the
 * page's origin). `handlers` (constant) and `context` must stay valid until on_closed. */
struct websocket *websocket_accept(struct http_request *request,
                                   const struct websocket_accept_options *options,
                                   const struct websocket_handlers *handlers, void *context);

/* ws with 80 and wss with 443, for url_parse. */
extern const struct url_scheme websocket_url_schemes[];

struct websocket_connect_options {
    const struct url *url;          /* ws or wss */
    struct tls_client_context *tls; /* for wss: whom to trust; held until the handshakes are done */
    const char *const *protocols;   /* offered; NULL-terminated; may be NULL. Constant */
    const struct http_field *fields; /* more header fields: Authorization, Origin; may be NULL */
    size_t field_count;
    const struct http_proxy *proxy; /* a tunnel through it leads to the URL's host; NULL: none */
    int64_t timeout_ms;             /* to the end of the handshake */
    struct websocket_settings settings;
};

/* Starts connecting: on_open follows, or on_closed. Everything in `options` is copied, but for the
 * protocols. NULL with STATUS_TLS (wss without `tls`) or STATUS_USAGE (control characters in a
 * field). */
struct websocket *websocket_connect(struct loop *loop,
                                    const struct websocket_connect_options *options,
                                    const struct websocket_handlers *handlers, void *context,
                                    struct status *status) MUST_CHECK;

/* Sends one message. False, and nothing is sent, when the connection is not open, so much is
 * waiting that the message would go over the limit, or a text is not UTF-8. */
bool websocket_send(struct websocket *websocket, bool is_text, struct bytes message);

/* Bytes written and not yet taken by the kernel. */
size_t websocket_pending_bytes(const struct websocket *websocket);

/* True between the handshake and the first close frame in either direction. */
bool websocket_is_open(const struct websocket *websocket);

/* The protocol that both agreed on, or NULL. */
const char *websocket_protocol(const struct websocket *websocket);

/* Closes in order: what was sent goes out, then a close frame, and the peer's answer is awaited for
 * the close timeout. `code` is one that may be sent; `reason` is UTF-8, cut to
 * WEBSOCKET_REASON_BYTES_MAX. Idempotent; NULL is accepted. */
void websocket_close(struct websocket *websocket, unsigned code, const char *reason);

/* Ends it now; what is pending is dropped. Idempotent; NULL is accepted. */
void websocket_abort(struct websocket *websocket);

#endif
