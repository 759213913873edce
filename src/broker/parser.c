#include "broker/parser.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Longest name of an operation, "CONNECT", and the bytes around its arguments: blank, CR, LF. */
#define OPERATION_BYTES 10

/* Digits of a size that we read; 1 GB is far above any limit. */
#define SIZE_DIGITS 9

struct operation_name {
    const char *name; /* upper case */
    size_t length;
    enum operation operation;
    bool blank_after; /* arguments must be separated from it */
};

static const struct operation_name OPERATIONS[] = {
    {"PUB", 3, OPERATION_PUB, true},          {"HPUB", 4, OPERATION_PUB, true},
    {"SUB", 3, OPERATION_SUB, true},          {"UNSUB", 5, OPERATION_UNSUB, true},
    {"PING", 4, OPERATION_PING, false},       {"PONG", 4, OPERATION_PONG, false},
    {"CONNECT", 7, OPERATION_CONNECT, false}, {"INFO", 4, OPERATION_INFO, false},
    {"+OK", 3, OPERATION_OK, false},          {"-ERR", 4, OPERATION_ERR, false},
};

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t';
}

static uint8_t upper(uint8_t byte) {
    return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
}

/* How many of the first bytes agree with the name, at most its length. */
static size_t agreeing(struct bytes text, const struct operation_name *name) {
    size_t i = 0;
    while (i < text.length && i < name->length && upper(text.data[i]) == (uint8_t)name->name[i])
        i++;
    return i;
}

/* The operation that the line begins with, or NULL. */
static const struct operation_name *operation_of(struct bytes line) {
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        const struct operation_name *name = &OPERATIONS[i];
        if (agreeing(line, name) != name->length) continue;
        if (name->blank_after &&
            (line.length == name->length || !is_blank(line.data[name->length])))
            return NULL;
        return name;
    }
    return NULL;
}

/* True when an incomplete line can still become one with an operation that we know. */
static bool may_be_operation(struct bytes line) {
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        size_t same = agreeing(line, &OPERATIONS[i]);
        if (same == line.length) return true;
        if (same == OPERATIONS[i].length)
            return !OPERATIONS[i].blank_after || is_blank(line.data[same]);
    }
    return false;
}

/* ---- arguments ---- */

#define ARGUMENTS_MAX 4

/* Splits at runs of blanks; the count is ARGUMENTS_MAX + 1 when there are more than that. A CR
 * inside the line would be passed on to others as the end of theirs, so it counts as too many. */
static size_t split(struct bytes text, struct bytes out[ARGUMENTS_MAX]) {
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.length;
    size_t count = 0;
    for (;;) {
        while (at < end && is_blank(*at))
            at++;
        if (at == end) return count;
        if (count == ARGUMENTS_MAX) return ARGUMENTS_MAX + 1;
        const uint8_t *first = at;
        while (at < end && !is_blank(*at)) {
            if (*at == '\r') return ARGUMENTS_MAX + 1;
            at++;
        }
        out[count++] = bytes_of(first, (size_t)(at - first));
    }
}

static bool read_size(struct bytes digits, size_t *out) {
    if (digits.length == 0 || digits.length > SIZE_DIGITS) return false;
    size_t size = 0;
    for (size_t i = 0; i < digits.length; i++) {
        unsigned digit = (unsigned)digits.data[i] - '0';
        if (digit > 9) return false;
        size = size * 10 + digit;
    }
    *out = size;
    return true;
}

/* PUB subject [reply] size, HPUB subject [reply] header_size size. Leaves the payload's length in
 * the frame, not yet its place. */
static bool read_publish(const struct operation_name *name, struct frame *frame) {
    struct bytes part[ARGUMENTS_MAX];
    size_t count = split(frame->arguments, part);
    size_t sizes = name->length == 4 ? 2 : 1;
    if (count != sizes + 1 && count != sizes + 2) return false;
    frame->has_headers = sizes == 2;
    frame->subject = part[0];
    frame->reply = count == sizes + 2 ? part[1] : bytes_of(NULL, 0);
    if (!read_size(part[count - 1], &frame->payload.length)) return false;
    frame->header_length = 0;
    if (!frame->has_headers) return true;
    return read_size(part[count - 2], &frame->header_length) &&
           frame->header_length <= frame->payload.length;
}

static bool read_subscribe(struct frame *frame) {
    struct bytes part[ARGUMENTS_MAX];
    size_t count = split(frame->arguments, part);
    if (count != 2 && count != 3) return false;
    frame->subject = part[0];
    frame->queue = count == 3 ? part[1] : bytes_of(NULL, 0);
    frame->sid = part[count - 1];
    return true;
}

static bool read_unsubscribe(struct frame *frame) {
    struct bytes part[ARGUMENTS_MAX];
    size_t count = split(frame->arguments, part);
    if (count != 1 && count != 2) return false;
    frame->sid = part[0];
    size_t maximum = 0;
    if (count == 2 && !read_size(part[1], &maximum)) maximum = 0;
    frame->maximum = (int64_t)maximum;
    return true;
}

/* ---- frames ---- */

/* Reads a complete line without its LF. Fills the frame but for the payload's place. */
static enum parser_result read_line(const struct parser *parser, struct bytes line,
                                    struct frame *frame) {
    if (line.length > 0 && line.data[line.length - 1] == '\r') line.length--;
    const struct operation_name *name = operation_of(line);
    if (name == NULL) return PARSER_UNKNOWN_OPERATION;
    frame->operation = name->operation;
    frame->arguments = bytes_trim(bytes_of(line.data + name->length, line.length - name->length));
    frame->payload = bytes_of(NULL, 0);
    if (frame->arguments.length > parser->max_line_bytes) return PARSER_LINE_TOO_LONG;
    bool good = true;
    if (frame->operation == OPERATION_PUB)
        good = read_publish(name, frame);
    else if (frame->operation == OPERATION_SUB)
        good = read_subscribe(frame);
    else if (frame->operation == OPERATION_UNSUB)
        good = read_unsubscribe(frame);
    if (!good) return PARSER_BAD_ARGUMENTS;
    if (frame->payload.length > parser->max_payload_bytes) return PARSER_PAYLOAD_TOO_LARGE;
    return PARSER_FRAME;
}

/* The commonest frame, "PUB subject size", read in one pass. False when it is anything but a plain
 * one that lies in `input` whole; then the general way finds out what it is. */
static bool read_plain_publish(const struct parser *parser, struct bytes input, struct frame *frame,
                               size_t *size) {
    const uint8_t *at = input.data + 4;
    const uint8_t *end = input.data + input.length;
    const uint8_t *subject = at;
    while (at<end && * at> ' ')
        at++;
    size_t subject_length = (size_t)(at - subject);
    if (at == end || *at++ != ' ' || subject_length == 0) return false;
    const uint8_t *digits = at;
    size_t length = 0;
    while (at < end && *at >= '0' && *at <= '9' && at - digits < SIZE_DIGITS)
        length = length * 10 + (size_t)(*at++ - '0');
    size_t left = (size_t)(end - at);
    if (at == digits || left < length + 4 || at[0] != '\r' || at[1] != '\n' ||
        length > parser->max_payload_bytes || (size_t)(at - subject) > parser->max_line_bytes)
        return false;
    at += 2;
    if (at[length] != '\r' || at[length + 1] != '\n') return false;
    frame->operation = OPERATION_PUB;
    frame->has_headers = false;
    frame->header_length = 0;
    frame->subject = bytes_of(subject, subject_length);
    frame->reply = bytes_of(NULL, 0);
    frame->payload = bytes_of(at, length);
    *size = (size_t)(at - input.data) + length + 2;
    return true;
}

/* Reads the frame at the front of the bytes. On PARSER_NEED_MORE `*size` is the length of the whole
 * frame when that is known already, else 0; on PARSER_FRAME it is the frame's length. */
static enum parser_result read_frame(const struct parser *parser, struct bytes input,
                                     struct frame *frame, size_t *size) {
    *size = 0;
    if (input.length == 0) return PARSER_NEED_MORE;
    if (parser->connect_only && upper(input.data[0]) != 'C') return PARSER_NOT_CONNECT;
    if (input.length > 4 && memcmp(input.data, "PUB ", 4) == 0 &&
        read_plain_publish(parser, input, frame, size))
        return PARSER_FRAME;
    size_t longest = parser->max_line_bytes + OPERATION_BYTES;
    size_t searched = input.length < longest ? input.length : longest;
    const uint8_t *line_end = memchr(input.data, '\n', searched);
    if (line_end == NULL) {
        if (!may_be_operation(input)) return PARSER_UNKNOWN_OPERATION;
        return searched == longest ? PARSER_LINE_TOO_LONG : PARSER_NEED_MORE;
    }
    size_t line_size = (size_t)(line_end - input.data) + 1;
    enum parser_result result = read_line(parser, bytes_of(input.data, line_size - 1), frame);
    *size = line_size;
    if (result != PARSER_FRAME || frame->operation != OPERATION_PUB) return result;
    *size = line_size + frame->payload.length + 2;
    if (input.length < *size) return PARSER_NEED_MORE;
    frame->payload.data = input.data + line_size;
    const uint8_t *payload_end = frame->payload.data + frame->payload.length;
    if (payload_end[0] != '\r' || payload_end[1] != '\n') return PARSER_UNKNOWN_OPERATION;
    return PARSER_FRAME;
}

/* ---- frames cut by the end of a read ---- */

/* Moves up to `length` bytes from the input behind what is held. */
static bool hold(struct parser *parser, struct bytes *input, size_t length) {
    if (length > input->length) length = input->length;
    if (parser->held_length + length > parser->held_capacity) {
        size_t capacity = parser->held_length + length;
        if (capacity < parser->wanted) capacity = parser->wanted;
        uint8_t *larger = memory_try_resize(parser->held, capacity);
        if (larger == NULL) return false;
        parser->held = larger;
        parser->held_capacity = capacity;
    }
    memcpy(parser->held + parser->held_length, input->data, length);
    parser->held_length += length;
    *input = bytes_of(input->data + length, input->length - length);
    return true;
}

/* How many bytes of the input belong to the held frame for certain: the rest of it, or up to the
 * end of its line. */
static size_t missing(const struct parser *parser, struct bytes input) {
    if (parser->wanted > 0) return parser->wanted - parser->held_length;
    const uint8_t *line_end = memchr(input.data, '\n', input.length);
    return line_end != NULL ? (size_t)(line_end - input.data) + 1 : input.length;
}

static enum parser_result continue_held(struct parser *parser, struct bytes *input,
                                        struct frame *frame) {
    for (;;) {
        if (!hold(parser, input, missing(parser, *input))) return PARSER_NO_MEMORY;
        size_t size;
        struct bytes held = bytes_of(parser->held, parser->held_length);
        if (parser->wanted > parser->held_length) return PARSER_NEED_MORE;
        enum parser_result result = read_frame(parser, held, frame, &size);
        parser->given = result == PARSER_FRAME;
        if (result != PARSER_NEED_MORE || (parser->wanted = size) == 0 || input->length == 0)
            return result;
    }
}

enum parser_result parser_next(struct parser *parser, struct bytes *input, struct frame *frame) {
    if (parser->given) parser_free(parser);
    if (input->length == 0) return PARSER_NEED_MORE;
    if (parser->held_length > 0) return continue_held(parser, input, frame);
    size_t size;
    enum parser_result result = read_frame(parser, *input, frame, &size);
    if (result == PARSER_FRAME) {
        *input = bytes_of(input->data + size, input->length - size);
    } else if (result == PARSER_NEED_MORE) {
        parser->wanted = size;
        if (!hold(parser, input, input->length)) return PARSER_NO_MEMORY;
    }
    return result;
}

void parser_free(struct parser *parser) {
    free(parser->held);
    parser->held = NULL;
    parser->held_length = parser->held_capacity = parser->wanted = 0;
    parser->given = false;
}
