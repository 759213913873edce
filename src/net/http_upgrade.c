#include "net/http_upgrade.h"

#include "base/assertion.h"
#include "net/http_connection.h"
#include "net/http_server_private.h"

static void write_head(struct http_request *request, const char *protocol) {
    struct buffer *head = &request->connection->server->head;
    buffer_clear(head);
    buffer_append_format(head,
                         "HTTP/1.1 101 Switching Protocols\r\n"
                         "Upgrade: %s\r\nConnection: Upgrade\r\n",
                         protocol);
    buffer_append(head, request->extra_fields.data, request->extra_fields.length);
    buffer_append(head, "\r\n", 2);
    ASSERT(!head->failed);
    stream_write(request->connection->stream, head->data, head->length);
}

struct stream *http_request_upgrade(struct http_request *request, const char *protocol,
                                    const struct stream_handlers *handlers, void *context) {
    struct http_connection *connection = request->connection;
    ASSERT(connection->state == HTTP_CONNECTION_ANSWERING && handlers->on_closed);
    write_head(request, protocol);
    http_request_clear(request);
    http_parser_free(connection->parser);
    connection->parser = NULL;
    connection->state = HTTP_CONNECTION_UPGRADED;
    connection->upgraded = handlers;
    connection->upgraded_context = context;
    /* Paused if many requests had come before this one. */
    stream_resume_reading(connection->stream);
    loop_schedule(connection->server->loop, &connection->continue_task);
    return connection->stream;
}

void http_upgrade_read(struct http_connection *connection, struct bytes bytes) {
    struct buffer waiting = connection->waiting_input;
    if (waiting.length == 0) {
        if (bytes.length > 0) connection->upgraded->on_read(connection->upgraded_context, bytes);
        return;
    }
    buffer_init(&connection->waiting_input, waiting.limit);
    if (buffer_append(&waiting, bytes.data, bytes.length))
        connection->upgraded->on_read(connection->upgraded_context, buffer_bytes(&waiting));
    else
        stream_abort(connection->stream); /* no memory */
    buffer_free(&waiting);
}

void http_upgrade_ended(struct http_connection *connection) {
    http_upgrade_read(connection, bytes_of(NULL, 0));
    if (stream_is_closing(connection->stream)) return;
    if (connection->upgraded->on_end)
        connection->upgraded->on_end(connection->upgraded_context);
    else
        stream_finish(connection->stream, HTTP_FINISH_MS);
}
