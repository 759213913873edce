#include "net/http_connection.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "net/http_server_private.h"
#include "net/stream_tls.h"

/* One read may come on top of what waits already. */
#define WAITING_INPUT_LIMIT (HTTP_PIPELINE_BYTES_MAX + 65536)

static struct loop *loop_of(const struct http_connection *connection) {
    return connection->server->loop;
}

static void finish(struct http_connection *connection) {
    connection->state = HTTP_CONNECTION_FINISHING;
    buffer_free(&connection->waiting_input);
    stream_finish(connection->stream, HTTP_FINISH_MS);
}

/* ---- requests out of bytes ---- */

static void call_handler(struct http_connection *connection) {
    struct http_request *request = &connection->request;
    const struct http_route *route = request->match.route;
    connection->state = HTTP_CONNECTION_ANSWERING;
    connection->server->counters.requests++;
    route->handle(request->match.context, request);
    bool is_answered_or_deferred =
        connection->state != HTTP_CONNECTION_ANSWERING || request->is_deferred;
    ASSERT(is_answered_or_deferred);
}

/* The head is complete: either a handler will get the request, or it is answered at once. A request
 * whose body is not read is the last one on its connection. */
static void begin_request(struct http_connection *connection) {
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct http_head *head = http_parser_head(connection->parser);
    struct http_request *request = &connection->request;
    connection->is_fresh = false;
    connection->since_ms = loop_now_ms(loop_of(connection));
    connection->must_close = !head->keep_alive || head->has_body || connection->server->is_closing;
    connection->state = HTTP_CONNECTION_ANSWERING;
    if (!http_request_begin(request, connection)) return;

    connection->state = HTTP_CONNECTION_READING;
    connection->must_close = !head->keep_alive || connection->server->is_closing;
    size_t limit_bytes = request->match.route->body_limit_bytes;
    http_parser_accept_body(connection->parser,
                            limit_bytes ? limit_bytes : HTTP_BODY_BYTES_DEFAULT);
    if (http_parser_state(connection->parser) == HTTP_PARSER_BODY && head->expects_continue)
        stream_write(connection->stream, go_on, sizeof go_on - 1);
}

/* Acts on the parser's state after it was fed. */
static void follow_parser(struct http_connection *connection) {
    if (http_parser_state(connection->parser) == HTTP_PARSER_READY) begin_request(connection);
    if (connection->state != HTTP_CONNECTION_READING) return;
    if (http_parser_state(connection->parser) == HTTP_PARSER_DONE)
        call_handler(connection);
    else if (http_parser_state(connection->parser) == HTTP_PARSER_FAILED)
        http_response_refuse(connection, http_parser_failure(connection->parser));
}

static bool takes_input(const struct http_connection *connection) {
    return connection->state == HTTP_CONNECTION_READING && !stream_is_closing(connection->stream) &&
           stream_pending_bytes(connection->stream) < HTTP_UNSENT_BYTES_MAX;
}

/* Keeps bytes of requests whose turn has not come; with many of them, stops reading. */
static void keep_for_later(struct http_connection *connection, struct bytes bytes) {
    if (connection->state == HTTP_CONNECTION_FINISHING ||
        connection->state == HTTP_CONNECTION_EVENTS || stream_is_closing(connection->stream))
        return;
    if (!buffer_append(&connection->waiting_input, bytes.data, bytes.length)) {
        stream_abort(connection->stream); /* no memory */
        return;
    }
    bool is_much = connection->waiting_input.length >= HTTP_PIPELINE_BYTES_MAX;
    if (is_much && connection->state != HTTP_CONNECTION_UPGRADED)
        stream_pause_reading(connection->stream);
}

static void process(struct http_connection *connection, struct bytes bytes) {
    connection->is_processing = true;
    while (bytes.length > 0 && takes_input(connection)) {
        bool was_waiting = http_parser_state(connection->parser) == HTTP_PARSER_HEAD &&
                           !http_parser_is_inside_head(connection->parser);
        if (was_waiting && !connection->is_fresh)
            connection->since_ms = loop_now_ms(loop_of(connection));
        size_t consumed = http_parser_feed(connection->parser, bytes);
        bytes = bytes_of(bytes.data + consumed, bytes.length - consumed);
        follow_parser(connection);
    }
    connection->is_processing = false;
    if (bytes.length > 0) keep_for_later(connection, bytes);
    if (connection->server->is_closing) http_connection_server_closes(connection);
}

/* Takes up what waits, after an answer or when the client has read enough of the answers. */
static void continue_processing(struct loop_task *task) {
    struct http_connection *connection = LIST_ENTRY(task, struct http_connection, continue_task);
    if (connection->state == HTTP_CONNECTION_UPGRADED)
        http_upgrade_read(connection, bytes_of(NULL, 0));
    if (!takes_input(connection)) return;
    struct buffer waiting = connection->waiting_input;
    buffer_init(&connection->waiting_input, WAITING_INPUT_LIMIT);
    process(connection, buffer_bytes(&waiting));
    buffer_free(&waiting);
    if (connection->waiting_input.length < HTTP_PIPELINE_BYTES_MAX)
        stream_resume_reading(connection->stream);
}

void http_connection_answered(struct http_connection *connection) {
    ASSERT(connection->state == HTTP_CONNECTION_ANSWERING);
    http_request_clear(&connection->request);
    if (connection->must_close || connection->server->is_closing) {
        finish(connection);
        return;
    }
    /* An answer may come before the body was accepted, when there is none. */
    if (http_parser_state(connection->parser) == HTTP_PARSER_READY)
        http_parser_accept_body(connection->parser, 0);
    http_parser_next(connection->parser);
    connection->state = HTTP_CONNECTION_READING;
    connection->since_ms = loop_now_ms(loop_of(connection));
    if (!connection->is_processing) loop_schedule(loop_of(connection), &connection->continue_task);
}

/* ---- what the stream tells ---- */

static void on_read(void *context, struct bytes bytes) {
    struct http_connection *connection = context;
    if (connection->state == HTTP_CONNECTION_UPGRADED)
        http_upgrade_read(connection, bytes);
    else if (connection->waiting_input.length > 0)
        keep_for_later(connection, bytes);
    else
        process(connection, bytes);
    /* What was answered goes out now, out of memory that is still in the processor's cache. */
    if (connection->state != HTTP_CONNECTION_UPGRADED) stream_flush(connection->stream);
}

/* The client will send no more. What it asked for and got is still delivered; who waits for a late
 * answer or for events has left. */
static void on_end(void *context) {
    struct http_connection *connection = context;
    if (connection->state == HTTP_CONNECTION_UPGRADED) {
        http_upgrade_ended(connection);
        return;
    }
    bool is_waiting = connection->state == HTTP_CONNECTION_ANSWERING ||
                      connection->state == HTTP_CONNECTION_EVENTS;
    if (is_waiting)
        stream_close(connection->stream);
    else
        finish(connection);
}

static void on_drain(void *context) {
    struct http_connection *connection = context;
    if (connection->state == HTTP_CONNECTION_UPGRADED) {
        if (connection->upgraded->on_drain)
            connection->upgraded->on_drain(connection->upgraded_context);
        return;
    }
    if (connection->waiting_input.length > 0)
        loop_schedule(loop_of(connection), &connection->continue_task);
}

/* True when it ended before TLS was agreed on; later on, a connection that breaks is an ordinary
 * end. */
static bool tls_has_failed(const struct http_connection *connection, const struct status *status) {
    return connection->is_fresh && !status_is_ok(status) && stream_is_tls(connection->stream) &&
           !stream_tls_is_open(connection->stream);
}

static void on_closed(void *context, const struct status *status) {
    struct http_connection *connection = context;
    struct http_server *server = connection->server;
    struct http_request *request = &connection->request;
    if (tls_has_failed(connection, status))
        http_server_tls_failed(server, &connection->peer, status);
    list_remove(&connection->link);
    loop_unschedule(&connection->continue_task);
    if (connection->events) http_events_gone(connection->events);
    if (connection->upgraded) connection->upgraded->on_closed(connection->upgraded_context, status);
    if (connection->state == HTTP_CONNECTION_ANSWERING && request->is_deferred)
        request->on_gone(request->gone_context);
    http_request_clear(request);
    buffer_free(&connection->waiting_input);
    http_parser_free(connection->parser);
    free(connection);
    http_server_connection_closed(server);
}

static const struct stream_handlers handlers = {
    .on_read = on_read, .on_end = on_end, .on_drain = on_drain, .on_closed = on_closed};

void http_connection_open(struct http_server *server, struct stream *stream) {
    struct http_connection *connection = memory_new(sizeof *connection);
    connection->server = server;
    connection->stream = stream;
    connection->parser = http_parser_create();
    connection->state = HTTP_CONNECTION_READING;
    connection->is_fresh = true;
    connection->since_ms = loop_now_ms(server->loop);
    connection->write_progress_ms = connection->since_ms;
    stream_peer(stream, &connection->peer);
    connection->is_local = address_is_loopback(&connection->peer);
    http_request_init(&connection->request);
    buffer_init(&connection->waiting_input, WAITING_INPUT_LIMIT);
    loop_task_init(&connection->continue_task, continue_processing);
    list_append(&server->connections, &connection->link);
    stream_start(stream, &handlers, connection);
}

/* ---- deadlines and the end ---- */

/* A client that takes nothing of what was written to it for too long is cut off. */
static bool writing_is_stuck(struct http_connection *connection, int64_t now_ms) {
    uint64_t written = stream_bytes_written(connection->stream);
    if (stream_pending_bytes(connection->stream) == 0 ||
        written != connection->bytes_written_before) {
        connection->bytes_written_before = written;
        connection->write_progress_ms = now_ms;
    }
    return now_ms - connection->write_progress_ms > connection->server->limits.write_timeout_ms;
}

static void sweep_reading(struct http_connection *connection, int64_t now_ms) {
    static const struct http_failure timed_out = {
        .status = 408, .code = "request_timeout", .detail = "the request took too long to arrive"};
    const struct http_limits *limits = &connection->server->limits;
    bool is_in_body = http_parser_state(connection->parser) == HTTP_PARSER_BODY;
    bool is_in_head = http_parser_is_inside_head(connection->parser);
    int64_t limit_ms = limits->idle_timeout_ms;
    if (is_in_body) limit_ms = limits->body_timeout_ms;
    if (is_in_head || connection->is_fresh) limit_ms = limits->head_timeout_ms;
    if (now_ms - connection->since_ms <= limit_ms) return;
    if (is_in_head || is_in_body) {
        connection->server->counters.timed_out_connections++;
        http_response_refuse(connection, &timed_out);
    }
    /* At once: who is slow on purpose would not close its side either. */
    stream_close(connection->stream);
}

bool http_connection_awaits_request(const struct http_connection *connection) {
    return connection->state == HTTP_CONNECTION_READING && !connection->is_processing &&
           connection->waiting_input.length == 0 && !stream_is_closing(connection->stream) &&
           stream_pending_bytes(connection->stream) == 0;
}

void http_connection_sweep(struct http_connection *connection, int64_t now_ms) {
    if (stream_is_closing(connection->stream) || connection->upgraded) return;
    if (writing_is_stuck(connection, now_ms)) {
        connection->server->counters.timed_out_connections++;
        stream_abort(connection->stream);
        return;
    }
    bool waits_for_input =
        connection->state == HTTP_CONNECTION_READING && connection->waiting_input.length == 0;
    if (waits_for_input) sweep_reading(connection, now_ms);
    if (connection->events) http_events_keep_alive(connection->events, now_ms);
}

void http_connection_server_closes(struct http_connection *connection) {
    if (connection->is_processing || stream_is_closing(connection->stream)) return;
    bool is_waiting = connection->state == HTTP_CONNECTION_ANSWERING ||
                      connection->state == HTTP_CONNECTION_EVENTS || connection->upgraded;
    if (is_waiting)
        stream_close(connection->stream);
    else
        finish(connection);
}
