#include "net/http_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "net/http_connection.h"
#include "net/http_server_private.h"

struct http_events {
    struct http_connection *connection;
    void (*on_gone)(void *context);
    void *context;
    int64_t last_sent_ms;
};

struct http_events *http_request_open_events(struct http_request *request,
                                             void (*on_gone)(void *context), void *context) {
    static const char reconnect_after[] = "retry: 2000\n\n";
    struct http_connection *connection = request->connection;
    ASSERT(connection->state == HTTP_CONNECTION_ANSWERING && on_gone);
    struct http_events *events = memory_new(sizeof *events);
    events->connection = connection;
    events->on_gone = on_gone;
    events->context = context;
    events->last_sent_ms = loop_now_ms(connection->server->loop);

    bool is_head_only = strcmp(request->method, "HEAD") == 0;
    connection->must_close = true; /* the body ends where the connection does */
    http_response_header(request, "X-Accel-Buffering", "no"); /* for proxies that gather */
    http_response_write_head(request, 200, "text/event-stream", -1);
    http_request_clear(request);
    connection->state = HTTP_CONNECTION_EVENTS;
    connection->events = events;
    if (is_head_only || connection->server->is_closing)
        stream_finish(connection->stream, HTTP_FINISH_MS);
    else
        stream_write(connection->stream, reconnect_after, sizeof reconnect_after - 1);
    return events;
}

static void write_text(struct stream *stream, const char *text) {
    stream_write(stream, text, strlen(text));
}

static void write_line(struct stream *stream, const char *name, struct bytes value) {
    write_text(stream, name);
    stream_write(stream, value.data, value.length);
    write_text(stream, "\n");
}

/* Each line of the data gets its own "data:", whichever way lines end. */
static void write_data(struct stream *stream, struct bytes data) {
    size_t start = 0;
    for (size_t i = 0; i < data.length; i++) {
        if (data.data[i] != '\n' && data.data[i] != '\r') continue;
        write_line(stream, "data: ", bytes_of(data.data + start, i - start));
        bool is_pair = data.data[i] == '\r' && i + 1 < data.length && data.data[i + 1] == '\n';
        if (is_pair) i++;
        start = i + 1;
    }
    write_line(stream, "data: ", bytes_of(data.data + start, data.length - start));
}

static void note_sent(struct http_events *events) {
    struct stream *stream = events->connection->stream;
    events->last_sent_ms = loop_now_ms(events->connection->server->loop);
    if (stream_pending_bytes(stream) > HTTP_EVENTS_PENDING_BYTES_MAX) stream_abort(stream);
}

void http_events_send(struct http_events *events, const char *name, const char *id,
                      struct bytes data) {
    struct stream *stream = events->connection->stream;
    if (stream_is_closing(stream)) return;
    ASSERT(!name || !strpbrk(name, "\r\n"));
    ASSERT(!id || !strpbrk(id, "\r\n"));
    if (name) write_line(stream, "event: ", bytes_of_text(name));
    if (id) write_line(stream, "id: ", bytes_of_text(id));
    write_data(stream, data);
    write_text(stream, "\n");
    note_sent(events);
}

void http_events_keep_alive(struct http_events *events, int64_t now_ms) {
    int64_t interval_ms = events->connection->server->limits.events_keepalive_ms;
    if (now_ms - events->last_sent_ms < interval_ms) return;
    write_text(events->connection->stream, ":\n\n");
    note_sent(events);
}

void http_events_close(struct http_events *events) {
    struct http_connection *connection = events->connection;
    connection->events = NULL;
    connection->state = HTTP_CONNECTION_FINISHING;
    stream_finish(connection->stream, HTTP_FINISH_MS);
    free(events);
}

void http_events_gone(struct http_events *events) {
    void (*on_gone)(void *context) = events->on_gone;
    void *context = events->context;
    free(events);
    on_gone(context);
}
