#include "codec/der.h"

#include <stdio.h>
#include <string.h>

#include "base/assertion.h"
#include "codec/rfc3339.h"

/* Three bytes of length: 16 MiB, far above any buffer's limit here. */
#define CONTENT_BYTES_MAX 0xFFFFFF

/* Room for the longest length field. */
#define LENGTH_FIELD_BYTES 4

/* Writes the length field in its shortest form; returns its size. */
static size_t encode_length(size_t length, uint8_t out[LENGTH_FIELD_BYTES]) {
    ASSERT(length <= CONTENT_BYTES_MAX);
    if (length < 0x80) {
        out[0] = (uint8_t)length;
        return 1;
    }
    size_t count = length > 0xFFFF ? 3 : length > 0xFF ? 2 : 1;
    out[0] = (uint8_t)(0x80 | count);
    for (size_t i = 0; i < count; i++)
        out[1 + i] = (uint8_t)(length >> 8 * (count - 1 - i));
    return 1 + count;
}

size_t der_begin(struct buffer *out, uint8_t tag) {
    buffer_append(out, &tag, 1);
    return out->length;
}

/* The length is known only now: it is put between the tag and the content, which moves on. */
void der_end(struct buffer *out, size_t begun) {
    uint8_t field[LENGTH_FIELD_BYTES];
    if (out->failed) return;
    size_t content = out->length - begun;
    size_t field_bytes = encode_length(content, field);
    if (!buffer_append(out, field, field_bytes)) return;
    memmove(out->data + begun + field_bytes, out->data + begun, content);
    memcpy(out->data + begun, field, field_bytes);
}

void der_write(struct buffer *out, uint8_t tag, struct bytes content) {
    uint8_t field[LENGTH_FIELD_BYTES];
    size_t field_bytes = encode_length(content.length, field);
    buffer_append(out, &tag, 1);
    buffer_append(out, field, field_bytes);
    buffer_append(out, content.data, content.length);
}

void der_write_true(struct buffer *out) {
    der_write(out, DER_BOOLEAN, bytes_of("\xFF", 1));
}

void der_write_unsigned(struct buffer *out, struct bytes number) {
    while (number.length > 0 && number.data[0] == 0)
        number = bytes_of(number.data + 1, number.length - 1);
    size_t begun = der_begin(out, DER_INTEGER);
    /* A leading zero keeps the number positive; it is also all there is of 0. */
    if (number.length == 0 || number.data[0] & 0x80) buffer_append(out, "", 1);
    buffer_append(out, number.data, number.length);
    der_end(out, begun);
}

void der_write_small(struct buffer *out, uint32_t number) {
    const uint8_t bytes[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                             (uint8_t)(number >> 8), (uint8_t)number};
    der_write_unsigned(out, bytes_of(bytes, sizeof bytes));
}

void der_write_octets_in_bits(struct buffer *out, struct bytes octets) {
    size_t begun = der_begin(out, DER_BIT_STRING);
    buffer_append(out, "", 1);
    buffer_append(out, octets.data, octets.length);
    der_end(out, begun);
}

void der_write_named_bits(struct buffer *out, uint32_t bits) {
    uint8_t content[1 + sizeof bits] = {0};
    size_t length = 1;
    for (unsigned i = 0; i < 32; i++) {
        if (!(bits >> i & 1)) continue;
        content[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
        content[0] = (uint8_t)(7 - i % 8);
        length = 2 + i / 8;
    }
    der_write(out, DER_BIT_STRING, bytes_of(content, length));
}

void der_write_null(struct buffer *out) {
    der_write(out, DER_NULL, bytes_of("", 0));
}

void der_write_time_ms(struct buffer *out, int64_t unix_ms) {
    char spelled[RFC3339_BYTES];
    char text[sizeof "YYYYMMDDhhmmssZ"];
    rfc3339_format(unix_ms, spelled);
    snprintf(text, sizeof text, "%.4s%.2s%.2s%.2s%.2s%.2sZ", spelled, spelled + 5, spelled + 8,
             spelled + 11, spelled + 14, spelled + 17);
    bool short_year = strncmp(text, "1950", 4) >= 0 && strncmp(text, "2050", 4) < 0;
    if (short_year)
        der_write(out, DER_UTC_TIME, bytes_of_text(text + 2));
    else
        der_write(out, DER_GENERALIZED_TIME, bytes_of_text(text));
}
