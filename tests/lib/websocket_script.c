#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/websocket_script.h"

const uint8_t script_mask[WEBSOCKET_MASK_BYTES] = {0x37, 0xfa, 0x21, 0x3d};

void script_append_header(struct buffer *out, unsigned first, uint64_t length, bool is_masked) {
    uint8_t header[WEBSOCKET_HEADER_BYTES_MAX];
    size_t used = websocket_write_header(header, WEBSOCKET_TEXT, true, length,
                                         is_masked ? script_mask : NULL);
    header[0] = (uint8_t)first;
    assert_true(buffer_append(out, header, used));
}

void script_append_frame(struct buffer *out, unsigned first, struct bytes payload, bool is_masked) {
    script_append_header(out, first, payload.length, is_masked);
    uint8_t *place = buffer_reserve(out, payload.length);
    assert_non_null(place);
    if (is_masked)
        websocket_apply_mask(place, payload.data, payload.length, script_mask, 0);
    else if (payload.length > 0)
        memcpy(place, payload.data, payload.length);
    buffer_added(out, payload.length);
}

void script_note_payload(struct buffer *trace, const char *event, struct bytes payload) {
    bool is_shown = payload.length <= 40;
    for (size_t i = 0; i < payload.length && is_shown; i++)
        is_shown = payload.data[i] > 0x20 && payload.data[i] < 0x7f;
    buffer_append_format(trace, "%s%s", trace->length > 0 ? " " : "", event);
    if (is_shown)
        buffer_append_format(trace, "(%.*s)", (int)payload.length, (const char *)payload.data);
    else
        buffer_append_format(trace, "[%zu]", payload.length);
}

/* Writes the event to the trace; false when nothing follows it. */
static bool note_event(struct buffer *trace, enum websocket_event event,
                       struct websocket_reader *reader, struct buffer *message) {
    struct bytes control = bytes_of(reader->control, reader->control_length);
    char name[16];
    switch (event) {
    case WEBSOCKET_NEEDS_MORE: return false;
    case WEBSOCKET_MESSAGE_CAME:
        script_note_payload(trace, reader->is_text ? "text" : "binary", buffer_bytes(message));
        buffer_clear(message);
        return true;
    case WEBSOCKET_PING_CAME: script_note_payload(trace, "ping", control); return true;
    case WEBSOCKET_PONG_CAME: script_note_payload(trace, "pong", control); return true;
    case WEBSOCKET_CLOSE_CAME:
        snprintf(name, sizeof name, "close%u", reader->close_code);
        script_note_payload(trace, name, control);
        return true;
    case WEBSOCKET_FRAMES_REFUSED:
        assert_non_null(reader->refusal);
        buffer_append_format(trace, "%srefused%u", trace->length > 0 ? " " : "",
                             reader->close_code);
        return true;
    }
    return false;
}

/* Reads the input, at most `step` bytes at a time, into a trace. */
void script_read(struct bytes input, size_t step, bool is_masked, struct buffer *trace) {
    struct websocket_reader reader;
    struct buffer message;
    websocket_reader_init(&reader, is_masked, SCRIPT_MESSAGE_BYTES_MAX);
    buffer_init(&message, SCRIPT_MESSAGE_BYTES_MAX);
    buffer_clear(trace);
    for (size_t at = 0; at < input.length;) {
        size_t length = input.length - at < step ? input.length - at : step;
        /* A copy of just these bytes: reading past them would be seen. */
        uint8_t *copy = malloc(length);
        memcpy(copy, input.data + at, length);
        struct bytes piece = bytes_of(copy, length);
        while (
            note_event(trace, websocket_reader_next(&reader, &piece, &message), &reader, &message))
            continue;
        assert_int_equal(piece.length, 0);
        at += length;
        free(copy);
    }
    buffer_free(&message);
}

void script_check(const char *name, const struct script_frame *frames, size_t count,
                  const char *expected) {
    static const size_t steps[] = {SIZE_MAX, 1, 2, 3, 7, 64, 997};
    struct buffer input, trace;
    buffer_init(&trace, 65536);
    for (int is_masked = 0; is_masked < 2; is_masked++) {
        buffer_init(&input, 4 * SCRIPT_MESSAGE_BYTES_MAX);
        for (size_t i = 0; i < count && frames[i].payload; i++)
            script_append_frame(&input, frames[i].first,
                                bytes_of(frames[i].payload, frames[i].length), is_masked);
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
            script_read(buffer_bytes(&input), steps[i], is_masked, &trace);
            if (strcmp(buffer_text(&trace), expected) != 0)
                fail_msg("%s, %zu bytes at a time: %s instead of %s", name, steps[i],
                         buffer_text(&trace), expected);
        }
        buffer_free(&input);
    }
    buffer_free(&trace);
}

void script_check_table(const struct script *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        script_check(rows[i].name, rows[i].frames, COUNT_OF(rows[i].frames), rows[i].expected);
}
