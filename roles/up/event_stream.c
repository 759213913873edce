#include "roles/up/event_stream.h"

#include <stdio.h>
#include <string.h>

void event_stream_init(struct event_stream *stream, event_stream_callback *callback,
                       void *context) {
    *stream = (struct event_stream){.callback = callback, .context = context};
    buffer_init(&stream->line, EVENT_STREAM_BYTES_MAX);
    buffer_init(&stream->data, EVENT_STREAM_BYTES_MAX);
}

void event_stream_reset(struct event_stream *stream) {
    buffer_free(&stream->line);
    buffer_free(&stream->data);
    event_stream_init(stream, stream->callback, stream->context);
}

static void dispatch(struct event_stream *stream) {
    if (stream->has_data)
        stream->callback(stream->context, stream->name[0] ? stream->name : "message",
                         buffer_bytes(&stream->data));
    buffer_clear(&stream->data);
    stream->name[0] = '\0';
    stream->has_data = false;
}

static void take_field(struct event_stream *stream, struct bytes field, struct bytes value) {
    if (bytes_equal_text(field, "event")) {
        snprintf(stream->name, sizeof stream->name, "%.*s", (int)value.length,
                 (const char *)value.data);
    } else if (bytes_equal_text(field, "data")) {
        if (stream->has_data) buffer_append_text(&stream->data, "\n");
        buffer_append(&stream->data, value.data, value.length);
        stream->has_data = true;
    }
}

static void take_line(struct event_stream *stream) {
    struct bytes line = buffer_bytes(&stream->line);
    if (line.length == 0) {
        dispatch(stream);
        return;
    }
    const uint8_t *colon = memchr(line.data, ':', line.length);
    size_t name_length = colon ? (size_t)(colon - line.data) : line.length;
    size_t value_start = colon ? name_length + 1 : line.length;
    if (value_start < line.length && line.data[value_start] == ' ') value_start++;
    take_field(stream, bytes_of(line.data, name_length),
               bytes_of(line.data + value_start, line.length - value_start));
    buffer_clear(&stream->line);
}

bool event_stream_feed(struct event_stream *stream, struct bytes piece) {
    for (size_t i = 0; i < piece.length; i++) {
        uint8_t byte = piece.data[i];
        bool completes_cr_lf = byte == '\n' && stream->after_cr;
        stream->after_cr = byte == '\r';
        if (completes_cr_lf) continue;
        if (byte == '\n' || byte == '\r')
            take_line(stream);
        else if (!buffer_append(&stream->line, &byte, 1))
            return false;
        if (stream->data.failed) return false;
    }
    return true;
}
