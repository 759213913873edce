#include "codec/json_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/text.h"
#include "codec/rfc3339.h"

/* What stands for a byte that is not part of UTF-8: U+FFFD, REPLACEMENT CHARACTER. */
#define REPLACEMENT "\xEF\xBF\xBD"

/* Enough for any int64_t and any double of 17 digits. */
#define NUMBER_BYTES 32

static uint64_t level_bit(unsigned depth) {
    return UINT64_C(1) << depth;
}

static bool is_in_object(const struct json_writer *writer) {
    return writer->depth > 0 && (writer->object_bits & level_bit(writer->depth));
}

static void separate(struct json_writer *writer) {
    uint64_t bit = level_bit(writer->depth);
    if (writer->filled_bits & bit) buffer_append(writer->out, ",", 1);
    writer->filled_bits |= bit;
}

/* Everything that is a value goes through here first. */
static void begin_value(struct json_writer *writer) {
    if (is_in_object(writer)) {
        ASSERT(writer->has_name);
        writer->has_name = false;
        return;
    }
    /* A text holds one value at the top. */
    ASSERT(writer->depth > 0 || !(writer->filled_bits & level_bit(0)));
    separate(writer);
}

static void begin_level(struct json_writer *writer, bool is_object) {
    begin_value(writer);
    ASSERT(writer->depth < JSON_WRITER_DEPTH_MAX);
    writer->depth++;
    uint64_t bit = level_bit(writer->depth);
    writer->filled_bits &= ~bit;
    if (is_object)
        writer->object_bits |= bit;
    else
        writer->object_bits &= ~bit;
    buffer_append(writer->out, is_object ? "{" : "[", 1);
}

static void end_level(struct json_writer *writer, bool is_object) {
    ASSERT(writer->depth > 0 && is_in_object(writer) == is_object && !writer->has_name);
    writer->depth--;
    buffer_append(writer->out, is_object ? "}" : "]", 1);
}

/* ASCII that stands for itself. */
static bool is_plain(uint8_t byte) {
    return byte >= ' ' && byte < 0x7F && byte != '"' && byte != '\\' && byte != '<';
}

/* The length of the part at the beginning that needs no escape and is UTF-8. */
static size_t plain_length(struct bytes text) {
    size_t at = 0;
    while (at < text.length) {
        while (at < text.length && is_plain(text.data[at]))
            at++;
        if (at == text.length || text.data[at] < 0x80) break;
        size_t length = bytes_utf8_character_length(bytes_of(text.data + at, text.length - at));
        if (length == 0) break;
        at += length;
    }
    return at;
}

static void append_escape(struct buffer *out, uint8_t byte) {
    switch (byte) {
    case '"': buffer_append(out, "\\\"", 2); break;
    case '\\': buffer_append(out, "\\\\", 2); break;
    case '\n': buffer_append(out, "\\n", 2); break;
    case '\r': buffer_append(out, "\\r", 2); break;
    case '\t': buffer_append(out, "\\t", 2); break;
    default:
        if (byte >= 0x80)
            buffer_append_text(out, REPLACEMENT);
        else
            buffer_append_format(out, "\\u%04x", (unsigned)byte);
    }
}

static void append_quoted(struct buffer *out, struct bytes text) {
    buffer_append(out, "\"", 1);
    while (text.length > 0) {
        size_t plain = plain_length(text);
        buffer_append(out, text.data, plain);
        if (plain < text.length) append_escape(out, text.data[plain++]);
        text = bytes_of(text.data + plain, text.length - plain);
    }
    buffer_append(out, "\"", 1);
}

void json_writer_init(struct json_writer *writer, struct buffer *out) {
    *writer = (struct json_writer){.out = out};
}

void json_writer_go_on(struct json_writer *writer, const struct json_writer *before,
                       struct buffer *out) {
    buffer_append(out, before->out->data, before->out->length);
    *writer = *before;
    writer->out = out;
}

void json_writer_begin_object(struct json_writer *writer) {
    begin_level(writer, true);
}

void json_writer_end_object(struct json_writer *writer) {
    end_level(writer, true);
}

void json_writer_begin_array(struct json_writer *writer) {
    begin_level(writer, false);
}

void json_writer_end_array(struct json_writer *writer) {
    end_level(writer, false);
}

void json_writer_name(struct json_writer *writer, const char *name) {
    ASSERT(is_in_object(writer) && !writer->has_name);
    separate(writer);
    append_quoted(writer->out, bytes_of_text(name));
    buffer_append(writer->out, ":", 1);
    writer->has_name = true;
}

void json_writer_text(struct json_writer *writer, const char *text) {
    if (text)
        json_writer_text_bytes(writer, bytes_of_text(text));
    else
        json_writer_null(writer);
}

void json_writer_text_bytes(struct json_writer *writer, struct bytes text) {
    begin_value(writer);
    append_quoted(writer->out, text);
}

void json_writer_integer(struct json_writer *writer, int64_t number) {
    char text[TEXT_INTEGER_BYTES];
    begin_value(writer);
    buffer_append(writer->out, text, text_write_integer(number, text));
}

/* The shortest of 15 to 17 digits that reads back as the same double. */
void json_writer_double(struct json_writer *writer, double number) {
    if (!isfinite(number)) {
        json_writer_null(writer);
        return;
    }
    char text[NUMBER_BYTES];
    if (number == 0) number = 0; /* not -0, which reads back as the integer 0 */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    begin_value(writer);
    buffer_append_text(writer->out, text);
}

void json_writer_boolean(struct json_writer *writer, bool boolean) {
    begin_value(writer);
    buffer_append_text(writer->out, boolean ? "true" : "false");
}

void json_writer_null(struct json_writer *writer) {
    begin_value(writer);
    buffer_append(writer->out, "null", 4);
}

static void write_members(struct json_writer *writer, const struct json_value *object) {
    struct json_member member = {0};
    json_writer_begin_object(writer);
    while (json_value_next_member(object, &member)) {
        json_writer_name(writer, member.name);
        json_writer_value(writer, member.value);
    }
    json_writer_end_object(writer);
}

static void write_items(struct json_writer *writer, const struct json_value *array) {
    json_writer_begin_array(writer);
    for (size_t i = 0; i < json_value_count(array); i++)
        json_writer_value(writer, json_value_item(array, i));
    json_writer_end_array(writer);
}

/* Recursion is bounded by JSON_DEPTH_MAX, which parsed values keep. */
void json_writer_value(struct json_writer *writer, const struct json_value *value) {
    int64_t integer = 0;
    double number = 0;
    bool boolean = false;
    switch (json_value_type(value)) {
    case JSON_TYPE_OBJECT: write_members(writer, value); break;
    case JSON_TYPE_ARRAY: write_items(writer, value); break;
    case JSON_TYPE_TEXT: json_writer_text(writer, json_value_text(value)); break;
    case JSON_TYPE_INTEGER:
        json_value_integer(value, &integer);
        json_writer_integer(writer, integer);
        break;
    case JSON_TYPE_DOUBLE:
        json_value_number(value, &number);
        json_writer_double(writer, number);
        break;
    case JSON_TYPE_BOOLEAN:
        json_value_boolean(value, &boolean);
        json_writer_boolean(writer, boolean);
        break;
    case JSON_TYPE_NULL:
    case JSON_NONE: json_writer_null(writer); break;
    }
}

void json_writer_raw(struct json_writer *writer, struct bytes json) {
    begin_value(writer);
    buffer_append(writer->out, json.data, json.length);
}

void json_writer_member_text(struct json_writer *writer, const char *name, const char *text) {
    json_writer_name(writer, name);
    json_writer_text(writer, text);
}

void json_writer_member_integer(struct json_writer *writer, const char *name, int64_t number) {
    json_writer_name(writer, name);
    json_writer_integer(writer, number);
}

void json_writer_member_double(struct json_writer *writer, const char *name, double number) {
    json_writer_name(writer, name);
    json_writer_double(writer, number);
}

void json_writer_member_boolean(struct json_writer *writer, const char *name, bool boolean) {
    json_writer_name(writer, name);
    json_writer_boolean(writer, boolean);
}

void json_writer_member_null(struct json_writer *writer, const char *name) {
    json_writer_name(writer, name);
    json_writer_null(writer);
}

void json_writer_member_time(struct json_writer *writer, const char *name, int64_t unix_ms) {
    char text[RFC3339_BYTES];
    rfc3339_format(unix_ms, text);
    json_writer_member_text(writer, name, text);
}

bool json_writer_finish(struct json_writer *writer, const char *what, struct status *status) {
    ASSERT(writer->depth == 0 && (writer->filled_bits & level_bit(0)));
    return buffer_check(writer->out, what, status);
}
