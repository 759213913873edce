#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/connector.h"
#include "net/http_head_check.h"
#include "net/http_response_parser.h"
#include "net/stream_tls.h"
#include "net/websocket_handshake.h"
#include "net/websocket_private.h"

/* Request line and fields that we send; ours are far smaller. */
#define REQUEST_BYTES_MAX 16384

const struct url_scheme websocket_url_schemes[] = {{"ws", 80}, {"wss", 443}, {NULL, 0}};

struct websocket_attempt {
    struct address address;
    struct tls_client_context *tls; /* held; NULL for ws */
    struct http_proxy proxy;        /* while `through_proxy` */
    bool through_proxy;
    struct http_tunnel *tunnel;  /* while it is opened */
    struct connector *connector; /* while connecting */
    struct buffer request;       /* until connected */
    struct http_response_parser *parser;
    char key[WEBSOCKET_KEY_TEXT_BYTES];
    const char *const *protocols;
};

void websocket_attempt_free(struct websocket_attempt *attempt) {
    if (!attempt) return;
    if (attempt->connector) connector_cancel(attempt->connector);
    tls_client_context_release(attempt->tls);
    buffer_wipe(&attempt->request);
    http_response_parser_free(attempt->parser);
    http_tunnel_free(attempt->tunnel);
    memory_wipe(&attempt->proxy, sizeof attempt->proxy);
    free(attempt);
}

/* ---- the way there ---- */

static void send_request(struct websocket *websocket) {
    struct websocket_attempt *attempt = websocket->attempt;
    if (attempt->tls)
        stream_tls_connect(websocket->stream, attempt->tls, attempt->address.host,
                           attempt->address.port);
    stream_write(websocket->stream, attempt->request.data, attempt->request.length);
    buffer_wipe(&attempt->request);
}

static void read_tunnel(struct websocket *websocket, struct bytes bytes) {
    struct websocket_attempt *attempt = websocket->attempt;
    struct status status = STATUS_INIT;
    switch (http_tunnel_feed(attempt->tunnel, bytes, &status)) {
    case HTTP_TUNNEL_WAITS: return;
    case HTTP_TUNNEL_FAILED: websocket_break(websocket, &status); return;
    case HTTP_TUNNEL_IS_OPEN: break;
    }
    http_tunnel_free(attempt->tunnel);
    attempt->tunnel = NULL;
    send_request(websocket);
}

/* ---- the server's answer ---- */

/* The head is complete; what came behind it are frames. */
static void finish_handshake(struct websocket *websocket, struct bytes frames) {
    struct websocket_attempt *attempt = websocket->attempt;
    struct status status = STATUS_INIT;
    const char *protocol;
    if (!websocket_check_response(http_response_parser_response(attempt->parser), attempt->key,
                                  attempt->protocols, &protocol, &status)) {
        websocket_break(websocket, &status);
        return;
    }
    websocket->attempt = NULL;
    websocket_attempt_free(attempt);
    websocket_become_open(websocket, protocol);
    websocket->handlers->on_open(websocket->context);
    if (websocket->state != WEBSOCKET_ENDING) websocket_read(websocket, frames);
}

static void on_read(void *context, struct bytes bytes) {
    struct websocket *websocket = context;
    struct status status = STATUS_INIT;
    if (websocket->state == WEBSOCKET_ENDING) return;
    if (!websocket->attempt) {
        websocket_read(websocket, bytes);
        return;
    }
    if (websocket->attempt->tunnel) {
        read_tunnel(websocket, bytes);
        return;
    }
    struct http_response_parser *parser = websocket->attempt->parser;
    if (!http_response_parser_feed(parser, bytes, &status))
        websocket_break(websocket, &status);
    else if (http_response_parser_response(parser)->status != 0)
        finish_handshake(websocket, http_response_parser_rest(parser));
}

static void on_end(void *context) {
    struct websocket *websocket = context;
    if (websocket->state == WEBSOCKET_CONNECTING)
        status_fail(&websocket->why, STATUS_UNAVAILABLE,
                    "the server ended the connection without an answer");
    websocket_stream_handlers.on_end(context);
}

static void on_drain(void *context) {
    websocket_stream_handlers.on_drain(context);
}

static void on_closed(void *context, const struct status *status) {
    websocket_stream_handlers.on_closed(context, status);
}

static const struct stream_handlers handlers = {
    .on_read = on_read, .on_end = on_end, .on_drain = on_drain, .on_closed = on_closed};

/* The head of a refusal says all; its body is not read. */
static void head_came(void *context, const struct http_response *response) {
    (void)context;
    (void)response;
}

static bool ignore_body(void *context, struct bytes piece) {
    (void)context;
    (void)piece;
    return true;
}

static const struct http_response_sink sink = {.on_head = head_came, .on_body = ignore_body};

/* ---- the request ---- */

static void connected(void *context, struct stream *stream, const struct status *status) {
    struct websocket *websocket = context;
    struct websocket_attempt *attempt = websocket->attempt;
    attempt->connector = NULL;
    if (websocket->state == WEBSOCKET_ENDING) {
        stream_close(stream); /* given up in the same turn */
        return;
    }
    if (!stream) {
        struct status why = STATUS_INIT;
        if (attempt->through_proxy) http_proxy_unreachable(&attempt->proxy, status, &why);
        websocket_break(websocket, attempt->through_proxy ? &why : status);
        return;
    }
    websocket->stream = stream;
    stream_start(stream, &handlers, websocket);
    if (attempt->tunnel) {
        struct bytes connect = http_tunnel_request(attempt->tunnel);
        stream_write(stream, connect.data, connect.length);
    } else {
        send_request(websocket);
    }
}

static void append_list(struct buffer *out, const char *name, const char *const *words) {
    for (size_t i = 0; words && words[i]; i++)
        buffer_append_format(out, "%s%s", i == 0 ? name : ", ", words[i]);
    if (words && words[0]) buffer_append_text(out, "\r\n");
}

static bool write_request(struct websocket_attempt *attempt,
                          const struct websocket_connect_options *options, struct status *status) {
    struct buffer *out = &attempt->request;
    char host[ADDRESS_TEXT_BYTES];
    url_host_field(options->url, host);
    buffer_append_format(out,
                         "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lsys\r\n"
                         "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
                         options->url->target, host, attempt->key);
    append_list(out, "Sec-WebSocket-Protocol: ", options->protocols);
    if (!http_fields_append(options->fields, options->field_count, out))
        return status_fail(status, STATUS_USAGE,
                           "a header field of the request holds a control character");
    buffer_append_text(out, "\r\n");
    return buffer_check(out, "the request", status);
}

struct websocket *websocket_connect(struct loop *loop,
                                    const struct websocket_connect_options *options,
                                    const struct websocket_handlers *owner_handlers, void *context,
                                    struct status *status) {
    bool is_secure = strcmp(options->url->scheme, "wss") == 0;
    if (is_secure && !options->tls) {
        status_fail(status, STATUS_TLS, "wss is not possible here: nobody said which CAs to trust");
        return NULL;
    }
    struct websocket_attempt *attempt = memory_new(sizeof *attempt);
    attempt->protocols = options->protocols;
    if (is_secure) attempt->tls = tls_client_context_retain(options->tls);
    url_address(options->url, &attempt->address);
    buffer_init(&attempt->request, REQUEST_BYTES_MAX);
    websocket_make_key(attempt->key);
    if (!write_request(attempt, options, status)) {
        websocket_attempt_free(attempt);
        return NULL;
    }
    struct websocket *websocket =
        websocket_new(loop, true, &options->settings, owner_handlers, context);
    attempt->parser = http_response_parser_create(false, &sink, websocket);
    http_response_parser_allow_switch(attempt->parser);
    websocket->attempt = attempt;
    timer_start(websocket->timer, options->timeout_ms);
    if (options->proxy) {
        attempt->proxy = *options->proxy;
        attempt->through_proxy = true;
        attempt->tunnel = http_tunnel_new(options->proxy, options->url);
    }
    const struct address *address =
        attempt->through_proxy ? &attempt->proxy.address : &attempt->address;
    attempt->connector = connector_start(loop, address, options->timeout_ms, connected, websocket);
    return websocket;
}
