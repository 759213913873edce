#include "net/websocket_frames.h"

#include <string.h>

/* Bits and values of the first two bytes of a frame (RFC 6455, 5.2). */
#define FINAL_BIT       0x80
#define RESERVED_BITS   0x70
#define OPCODE_BITS     0x0f
#define CONTROL_BIT     0x08
#define MASK_BIT        0x80
#define LENGTH_BITS     0x7f
#define LENGTH_IN_TWO   126
#define LENGTH_IN_EIGHT 127

void websocket_reader_init(struct websocket_reader *reader, bool expects_masks,
                           uint64_t message_limit_bytes) {
    *reader = (struct websocket_reader){.expects_masks = expects_masks,
                                        .message_limit_bytes = message_limit_bytes};
}

bool websocket_close_code_is_sendable(unsigned code) {
    if (code >= 3000 && code <= 4999) return true;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

static bool refuse(struct websocket_reader *reader, unsigned close_code, const char *why) {
    reader->is_over = true;
    reader->close_code = close_code;
    reader->refusal = why;
    return false;
}

static bool refuse_protocol(struct websocket_reader *reader, const char *why) {
    return refuse(reader, WEBSOCKET_CLOSE_PROTOCOL_ERROR, why);
}

static bool is_control(enum websocket_opcode opcode) {
    return (opcode & CONTROL_BIT) != 0;
}

/* ---- the header ---- */

/* Looks at the first byte as soon as it is there. */
static bool check_first_byte(struct websocket_reader *reader) {
    uint8_t first = reader->header[0];
    unsigned opcode = first & OPCODE_BITS;
    reader->frame_is_final = (first & FINAL_BIT) != 0;
    reader->opcode = (enum websocket_opcode)opcode;
    if (first & RESERVED_BITS) return refuse_protocol(reader, "a reserved bit is set");
    if ((opcode > WEBSOCKET_BINARY && opcode < WEBSOCKET_CLOSE) || opcode > WEBSOCKET_PONG)
        return refuse_protocol(reader, "an opcode is unknown");
    if (is_control(reader->opcode)) {
        if (!reader->frame_is_final)
            return refuse_protocol(reader, "a control frame is fragmented");
        return true;
    }
    if (opcode == WEBSOCKET_CONTINUATION && !reader->is_inside_message)
        return refuse_protocol(reader, "there is nothing to continue");
    if (opcode != WEBSOCKET_CONTINUATION && reader->is_inside_message)
        return refuse_protocol(reader, "a message begins within another one");
    return true;
}

static bool check_second_byte(struct websocket_reader *reader) {
    bool is_masked = (reader->header[1] & MASK_BIT) != 0;
    if (is_masked != reader->expects_masks)
        return refuse_protocol(reader, is_masked ? "a frame of a server is masked"
                                                 : "a frame of a client is not masked");
    if (is_control(reader->opcode) &&
        (reader->header[1] & LENGTH_BITS) > WEBSOCKET_CONTROL_BYTES_MAX)
        return refuse_protocol(reader, "a control frame is longer than 125 bytes");
    return true;
}

/* How long the header is, as far as its bytes tell. */
static size_t header_needed(const struct websocket_reader *reader) {
    if (reader->header_length < 2) return 2;
    unsigned length = reader->header[1] & LENGTH_BITS;
    size_t length_bytes = length == LENGTH_IN_EIGHT ? 8 : length == LENGTH_IN_TWO ? 2 : 0;
    return 2 + length_bytes + (reader->expects_masks ? WEBSOCKET_MASK_BYTES : 0);
}

static uint64_t read_big_endian(const uint8_t *bytes, size_t length) {
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool read_length(struct websocket_reader *reader) {
    unsigned length = reader->header[1] & LENGTH_BITS;
    reader->frame_left_bytes = length;
    if (length < LENGTH_IN_TWO) return true;
    size_t length_bytes = length == LENGTH_IN_EIGHT ? 8 : 2;
    uint64_t value = read_big_endian(reader->header + 2, length_bytes);
    reader->frame_left_bytes = value;
    bool is_shortest = length_bytes == 2 ? value >= LENGTH_IN_TWO : value > UINT16_MAX;
    if (!is_shortest) return refuse_protocol(reader, "a length is not in its shortest form");
    if (value > INT64_MAX) return refuse_protocol(reader, "a length has its highest bit set");
    return true;
}

/* The frame is part of a message: is there room for it? */
static bool begin_data_frame(struct websocket_reader *reader) {
    if (reader->opcode != WEBSOCKET_CONTINUATION) {
        reader->is_inside_message = true;
        reader->is_text = reader->opcode == WEBSOCKET_TEXT;
        reader->message_bytes = 0;
        websocket_text_begin(&reader->text);
    }
    if (reader->frame_left_bytes > reader->message_limit_bytes - reader->message_bytes)
        return refuse(reader, WEBSOCKET_CLOSE_TOO_LARGE, "a message is too large");
    reader->message_bytes += reader->frame_left_bytes;
    return true;
}

static bool begin_frame(struct websocket_reader *reader) {
    if (!read_length(reader)) return false;
    if (reader->expects_masks)
        memcpy(reader->mask, reader->header + reader->header_length - WEBSOCKET_MASK_BYTES,
               WEBSOCKET_MASK_BYTES);
    reader->mask_at = 0;
    reader->header_is_complete = true;
    if (!is_control(reader->opcode)) return begin_data_frame(reader);
    reader->control_length = 0;
    return true;
}

/* Takes bytes of the header; byte by byte, since each one may be the first wrong one. */
static bool read_header(struct websocket_reader *reader, struct bytes *input) {
    while (input->length > 0 && !reader->header_is_complete) {
        reader->header[reader->header_length++] = input->data[0];
        *input = bytes_of(input->data + 1, input->length - 1);
        if (reader->header_length == 1 && !check_first_byte(reader)) return false;
        if (reader->header_length == 2 && !check_second_byte(reader)) return false;
        if (reader->header_length == header_needed(reader) && !begin_frame(reader)) return false;
    }
    return true;
}

/* ---- the payload ---- */

static void unmask(struct websocket_reader *reader, uint8_t *out, struct bytes piece) {
    if (reader->expects_masks)
        reader->mask_at =
            websocket_apply_mask(out, piece.data, piece.length, reader->mask, reader->mask_at);
    else
        memcpy(out, piece.data, piece.length);
}

static bool add_to_message(struct websocket_reader *reader, struct bytes piece,
                           struct buffer *message) {
    uint8_t *place = buffer_reserve(message, piece.length);
    if (!place)
        return refuse(reader, WEBSOCKET_CLOSE_TOO_LARGE, "there is no memory for a message");
    unmask(reader, place, piece);
    if (reader->is_text && !websocket_text_add(&reader->text, bytes_of(place, piece.length)))
        return refuse(reader, WEBSOCKET_CLOSE_BAD_TEXT, "a text message is not UTF-8");
    buffer_added(message, piece.length);
    return true;
}

static bool read_payload(struct websocket_reader *reader, struct bytes *input,
                         struct buffer *message) {
    struct bytes piece = *input;
    if (piece.length > reader->frame_left_bytes) piece.length = (size_t)reader->frame_left_bytes;
    if (piece.length == 0) return true;
    reader->frame_left_bytes -= piece.length;
    *input = bytes_of(input->data + piece.length, input->length - piece.length);
    if (!is_control(reader->opcode)) return add_to_message(reader, piece, message);
    unmask(reader, reader->control + reader->control_length, piece);
    reader->control_length += piece.length;
    return true;
}

/* ---- what a complete frame means ---- */

static enum websocket_event end_close(struct websocket_reader *reader) {
    reader->is_over = true;
    reader->close_code = WEBSOCKET_CLOSE_NO_CODE;
    if (reader->control_length == 0) return WEBSOCKET_CLOSE_CAME;
    bool has_code = reader->control_length >= 2;
    unsigned code = has_code ? (unsigned)read_big_endian(reader->control, 2) : 0;
    if (!websocket_close_code_is_sendable(code)) {
        refuse_protocol(reader, "a close frame has no valid code");
        return WEBSOCKET_FRAMES_REFUSED;
    }
    reader->control_length -= 2;
    memmove(reader->control, reader->control + 2, reader->control_length);
    if (!bytes_are_utf8(bytes_of(reader->control, reader->control_length))) {
        refuse(reader, WEBSOCKET_CLOSE_BAD_TEXT, "the reason of a close frame is not UTF-8");
        return WEBSOCKET_FRAMES_REFUSED;
    }
    reader->close_code = code;
    return WEBSOCKET_CLOSE_CAME;
}

static enum websocket_event end_data_frame(struct websocket_reader *reader) {
    if (!reader->frame_is_final) return WEBSOCKET_NEEDS_MORE;
    reader->is_inside_message = false;
    if (!reader->is_text || websocket_text_may_end(&reader->text)) return WEBSOCKET_MESSAGE_CAME;
    refuse(reader, WEBSOCKET_CLOSE_BAD_TEXT, "a text message ends within a character");
    return WEBSOCKET_FRAMES_REFUSED;
}

static enum websocket_event end_frame(struct websocket_reader *reader) {
    reader->header_length = 0;
    reader->header_is_complete = false;
    switch (reader->opcode) {
    case WEBSOCKET_CLOSE: return end_close(reader);
    case WEBSOCKET_PING: return WEBSOCKET_PING_CAME;
    case WEBSOCKET_PONG: return WEBSOCKET_PONG_CAME;
    default: return end_data_frame(reader);
    }
}

enum websocket_event websocket_reader_next(struct websocket_reader *reader, struct bytes *input,
                                           struct buffer *message) {
    while (!reader->is_over) {
        if (!read_header(reader, input)) return WEBSOCKET_FRAMES_REFUSED;
        if (!reader->header_is_complete) return WEBSOCKET_NEEDS_MORE;
        if (!read_payload(reader, input, message)) return WEBSOCKET_FRAMES_REFUSED;
        if (reader->frame_left_bytes > 0) return WEBSOCKET_NEEDS_MORE;
        enum websocket_event event = end_frame(reader);
        if (event != WEBSOCKET_NEEDS_MORE) return event;
    }
    *input = bytes_of(NULL, 0);
    return WEBSOCKET_NEEDS_MORE;
}
