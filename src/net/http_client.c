#include "net/http_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "loop/timer.h"
#include "net/connector.h"
#include "net/http_head_check.h"
#include "net/http_response_parser.h"
#include "net/stream_tls.h"

/* Request line and fields that we send; ours are far smaller. */
#define REQUEST_HEAD_BYTES_MAX 16384

struct http_call {
    struct loop *loop;
    struct http_call_options options; /* of these only limits and callbacks are used later */
    struct tls_client_context *tls;   /* held; NULL for http */
    char tls_host[ADDRESS_HOST_BYTES];
    uint16_t tls_port;
    struct http_proxy proxy; /* while `through_proxy` */
    bool through_proxy;
    struct http_tunnel *tunnel; /* while it is opened */
    struct buffer request;      /* head and body, until connected */
    struct timer *timer;
    struct connector *connector; /* while connecting */
    struct stream *stream;       /* while connected */
    struct http_response_parser *parser;
    struct buffer body;
    struct status failure; /* why on_body stopped the parser */
    bool is_over;          /* on_done was called, or will not be */
};

/* ---- the end ---- */

static void free_call(struct http_call *call) {
    http_response_parser_free(call->parser);
    http_tunnel_free(call->tunnel);
    memory_wipe(&call->proxy, sizeof call->proxy);
    tls_client_context_release(call->tls);
    buffer_wipe(&call->request);
    buffer_wipe(&call->body);
    free(call);
}

/* Stops everything. The call is freed at once if nothing of it is open, else when the stream is. */
static void release(struct http_call *call) {
    call->is_over = true;
    timer_close(call->timer);
    if (call->connector) connector_cancel(call->connector);
    call->connector = NULL;
    if (call->stream)
        stream_close(call->stream);
    else
        free_call(call);
}

static void conclude(struct http_call *call, const struct status *status) {
    if (call->is_over) return;
    call->is_over = true;
    struct http_response response = {.status = 0};
    struct status why = *status;
    if (status_is_ok(&why)) {
        response = *http_response_parser_response(call->parser);
        response.body = buffer_bytes(&call->body);
    }
    /* Only a proxy says this, and it says it in the server's place. */
    if (call->through_proxy && response.status == HTTP_PROXY_WANTS_CREDENTIALS)
        http_proxy_explain(&call->proxy, response.status, NULL, &why);
    call->options.on_done(call->options.context, status_is_ok(&why) ? &response : NULL, &why);
    release(call);
}

void http_call_cancel(struct http_call *call) {
    if (!call || call->is_over) return;
    release(call);
}

static void time_is_up(void *context) {
    struct status status = STATUS_INIT;
    status_fail(&status, STATUS_TIMEOUT, "the server did not answer in time");
    conclude(context, &status);
}

/* ---- the response ---- */

static void on_head(void *context, const struct http_response *response) {
    struct http_call *call = context;
    if (call->options.on_body) {
        /* From here on only silence ends the call. */
        timer_stop(call->timer);
        if (call->options.silence_timeout_ms)
            timer_start(call->timer, call->options.silence_timeout_ms);
    }
    if (call->options.on_response) call->options.on_response(call->options.context, response);
}

static bool on_body(void *context, struct bytes piece) {
    struct http_call *call = context;
    if (call->is_over) return false;
    if (call->options.on_body) {
        if (call->options.silence_timeout_ms)
            timer_start(call->timer, call->options.silence_timeout_ms);
        call->options.on_body(call->options.context, piece);
        return !call->is_over;
    }
    if (buffer_append(&call->body, piece.data, piece.length)) return true;
    return status_fail(&call->failure, STATUS_TOO_LARGE,
                       "the server's answer is larger than %zu bytes",
                       call->options.response_limit_bytes);
}

static const struct http_response_sink sink = {.on_head = on_head, .on_body = on_body};

/* ---- the connection ---- */

static void send_request(struct http_call *call) {
    if (call->tls) stream_tls_connect(call->stream, call->tls, call->tls_host, call->tls_port);
    stream_write(call->stream, call->request.data, call->request.length);
    buffer_wipe(&call->request);
}

static void read_tunnel(struct http_call *call, struct bytes bytes) {
    struct status status = STATUS_INIT;
    switch (http_tunnel_feed(call->tunnel, bytes, &status)) {
    case HTTP_TUNNEL_WAITS: return;
    case HTTP_TUNNEL_FAILED: conclude(call, &status); return;
    case HTTP_TUNNEL_IS_OPEN: break;
    }
    http_tunnel_free(call->tunnel);
    call->tunnel = NULL;
    send_request(call);
}

static void on_read(void *context, struct bytes bytes) {
    struct http_call *call = context;
    struct status status = STATUS_INIT;
    if (call->is_over) return;
    if (call->tunnel) {
        read_tunnel(call, bytes);
        return;
    }
    bool is_fine = http_response_parser_feed(call->parser, bytes, &status);
    if (!is_fine && status_is_ok(&status)) status = call->failure;
    if (!is_fine || http_response_parser_is_done(call->parser)) conclude(call, &status);
}

static void on_end(void *context) {
    struct http_call *call = context;
    struct status status = STATUS_INIT;
    if (call->is_over) return;
    if (call->tunnel) {
        struct status ended = STATUS_INIT;
        status_fail(&ended, STATUS_UNAVAILABLE, "it ended the connection without an answer");
        http_proxy_unreachable(&call->proxy, &ended, &status);
        conclude(call, &status);
        return;
    }
    bool is_complete = http_response_parser_end(call->parser, &status);
    ASSERT(is_complete == status_is_ok(&status));
    conclude(call, &status);
}

static void on_closed(void *context, const struct status *status) {
    struct http_call *call = context;
    call->stream = NULL;
    if (call->is_over) {
        free_call(call);
        return;
    }
    struct status why = STATUS_INIT;
    if (call->tls && status->code != STATUS_OK && status->code != STATUS_IO)
        status_fail(&why, status->code, "%s: %s", call->tls_host, status->text);
    else
        status_fail(&why, STATUS_UNAVAILABLE, "the connection to the server broke: %s",
                    status->text);
    conclude(call, &why);
}

static const struct stream_handlers handlers = {
    .on_read = on_read, .on_end = on_end, .on_closed = on_closed};

static void connected(void *context, struct stream *stream, const struct status *status) {
    struct http_call *call = context;
    call->connector = NULL;
    if (!stream) {
        struct status why = STATUS_INIT;
        if (call->through_proxy) http_proxy_unreachable(&call->proxy, status, &why);
        conclude(call, call->through_proxy ? &why : status);
        return;
    }
    call->stream = stream;
    stream_start(stream, &handlers, call);
    if (call->tunnel) {
        struct bytes connect = http_tunnel_request(call->tunnel);
        stream_write(stream, connect.data, connect.length);
    } else {
        send_request(call);
    }
}

/* ---- the request ---- */

static bool is_https(const struct http_call_options *options) {
    return !options->unix_path && strcmp(options->url->scheme, "https") == 0;
}

static bool write_request(struct http_call *call, const struct http_call_options *options,
                          struct status *status) {
    struct buffer *out = &call->request;
    char host[ADDRESS_TEXT_BYTES];
    url_host_field(options->url, host);
    bool in_absolute_form = options->proxy && !is_https(options);
    buffer_append_format(out, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lsys\r\n",
                         options->method, in_absolute_form ? "http://" : "",
                         in_absolute_form ? host : "", options->url->target, host);
    if (in_absolute_form) http_proxy_append_field(options->proxy, out);
    bool is_clean = http_is_token(bytes_of_text(options->method)) &&
                    http_fields_append(options->fields, options->field_count, out);
    if (!is_clean)
        return status_fail(status, STATUS_USAGE,
                           "the method or a header field of the call holds a control character");
    bool has_length = options->body.length > 0 || strcmp(options->method, "POST") == 0 ||
                      strcmp(options->method, "PUT") == 0;
    if (has_length) buffer_append_format(out, "Content-Length: %zu\r\n", options->body.length);
    buffer_append_text(out, "Connection: close\r\n\r\n");
    buffer_append(out, options->body.data, options->body.length);
    return buffer_check(out, "the request", status);
}

static bool find_server(const struct http_call_options *options, struct address *address,
                        struct status *status) {
    if (options->unix_path) {
        *address = (struct address){.kind = ADDRESS_UNIX};
        size_t length = strlen(options->unix_path);
        if (length >= sizeof address->host)
            return status_fail(status, STATUS_USAGE, "the path of the unix socket is too long");
        memcpy(address->host, options->unix_path, length + 1);
        return true;
    }
    if (is_https(options) && !options->tls)
        return status_fail(status, STATUS_TLS,
                           "https is not possible here: nobody said which CAs to trust");
    url_address(options->url, address);
    return true;
}

/* What stands between: a tunnel for https, else a proxy that passes on what it is told. */
static void use_proxy(struct http_call *call, const struct http_call_options *options,
                      struct address *address) {
    call->proxy = *options->proxy;
    call->through_proxy = true;
    *address = call->proxy.address;
    if (call->tls) call->tunnel = http_tunnel_new(&call->proxy, options->url);
}

struct http_call *http_call_start(struct loop *loop, const struct http_call_options *options,
                                  struct status *status) {
    struct address address = {.port = 0};
    ASSERT(options->on_done && options->timeout_ms >= 1);
    ASSERT(!options->proxy || !options->unix_path);
    if (!find_server(options, &address, status)) return NULL;
    struct http_call *call = memory_new(sizeof *call);
    call->loop = loop;
    call->options = *options;
    buffer_init(&call->request, REQUEST_HEAD_BYTES_MAX + options->body.length);
    buffer_init(&call->body, options->response_limit_bytes);
    if (!write_request(call, options, status)) {
        free_call(call);
        return NULL;
    }
    if (is_https(options)) {
        call->tls = tls_client_context_retain(options->tls);
        memcpy(call->tls_host, address.host, sizeof call->tls_host);
        call->tls_port = address.port;
    }
    if (options->proxy) use_proxy(call, options, &address);
    call->parser = http_response_parser_create(strcmp(options->method, "HEAD") == 0, &sink, call);
    call->timer = timer_open(loop, time_is_up, call);
    timer_start(call->timer, options->timeout_ms);
    call->connector = connector_start(loop, &address, options->timeout_ms, connected, call);
    return call;
}

struct bytes http_response_field(const struct http_response *response, const char *name) {
    return http_fields_find(response->fields, response->field_count, name);
}
