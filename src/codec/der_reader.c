#include "codec/der.h"

#include <stdio.h>
#include <string.h>

#include "codec/rfc3339.h"

/* Four bytes of length reach 4 GiB; nothing we read is near that. */
#define LENGTH_BYTES_MAX 4

static const struct bytes nothing = {.data = (const uint8_t *)"", .length = 0};

void der_reader_init(struct der_reader *reader, struct bytes der) {
    *reader = (struct der_reader){.rest = der.length ? der : nothing};
}

bool der_is_done(const struct der_reader *reader) {
    return !reader->failed && reader->rest.length == 0;
}

bool der_has_more(const struct der_reader *reader) {
    return !reader->failed && reader->rest.length > 0;
}

bool der_next_is(const struct der_reader *reader, uint8_t tag) {
    return der_has_more(reader) && reader->rest.data[0] == tag;
}

void der_fail(struct der_reader *reader) {
    reader->failed = true;
    reader->rest = nothing;
}

/* The size of the header and of the content that it announces (X.690, section 8.1.3; 10.1: the
 * shortest form). False when the header is not proper. */
static bool measure(struct bytes bytes, size_t *header, size_t *content) {
    if (bytes.length < 2 || (bytes.data[0] & 0x1F) == 0x1F) return false;
    size_t first = bytes.data[1];
    *header = 2;
    *content = first;
    if (first < 0x80) return true;
    size_t count = first & 0x7F;
    if (count == 0 || count > LENGTH_BYTES_MAX || bytes.length < 2 + count) return false;
    *header = 2 + count;
    *content = 0;
    for (size_t i = 0; i < count; i++)
        *content = *content << 8 | bytes.data[2 + i];
    return *content >= 0x80 && bytes.data[2] != 0;
}

/* Takes one value off, with its header. */
static bool take(struct der_reader *reader, size_t *header, struct bytes *whole) {
    size_t content = 0;
    if (reader->failed || !measure(reader->rest, header, &content) ||
        content > reader->rest.length - *header) {
        der_fail(reader);
        *whole = nothing;
        return false;
    }
    *whole = bytes_of(reader->rest.data, *header + content);
    reader->rest = bytes_of(reader->rest.data + whole->length, reader->rest.length - whole->length);
    return true;
}

bool der_read_any(struct der_reader *reader, uint8_t *tag, struct bytes *content) {
    size_t header = 0;
    struct bytes whole;
    bool taken = take(reader, &header, &whole);
    *tag = taken ? whole.data[0] : 0;
    *content = taken ? bytes_of(whole.data + header, whole.length - header) : nothing;
    return taken;
}

struct bytes der_read(struct der_reader *reader, uint8_t tag) {
    uint8_t found;
    struct bytes content;
    if (!der_next_is(reader, tag)) der_fail(reader);
    return der_read_any(reader, &found, &content) ? content : nothing;
}

struct bytes der_read_whole(struct der_reader *reader, uint8_t tag) {
    size_t header;
    struct bytes whole;
    if (!der_next_is(reader, tag)) der_fail(reader);
    return take(reader, &header, &whole) ? whole : nothing;
}

struct der_reader der_enter(struct der_reader *reader, uint8_t tag) {
    struct der_reader inner;
    der_reader_init(&inner, der_read(reader, tag));
    inner.failed = reader->failed;
    return inner;
}

void der_leave(struct der_reader *reader, const struct der_reader *inner) {
    if (!der_is_done(inner)) der_fail(reader);
}

bool der_read_boolean(struct der_reader *reader) {
    struct bytes content = der_read(reader, DER_BOOLEAN);
    bool proper = content.length == 1 && (content.data[0] == 0x00 || content.data[0] == 0xFF);
    if (!proper) der_fail(reader);
    return proper && content.data[0] == 0xFF;
}

struct bytes der_read_integer(struct der_reader *reader) {
    struct bytes content = der_read(reader, DER_INTEGER);
    bool shortest = content.length == 1;
    if (content.length > 1) {
        bool sign = content.data[1] & 0x80;
        shortest = content.data[0] != (sign ? 0xFF : 0x00);
    }
    if (shortest) return content;
    der_fail(reader);
    return nothing;
}

struct bytes der_read_unsigned(struct der_reader *reader) {
    struct bytes content = der_read_integer(reader);
    if (content.length > 0 && content.data[0] & 0x80) {
        der_fail(reader);
        return nothing;
    }
    if (content.length > 0 && content.data[0] == 0)
        return bytes_of(content.data + 1, content.length - 1);
    return content;
}

uint32_t der_read_small(struct der_reader *reader) {
    struct bytes number = der_read_unsigned(reader);
    uint32_t value = 0;
    if (number.length > 4 || (number.length == 4 && number.data[0] & 0x80)) {
        der_fail(reader);
        return 0;
    }
    for (size_t i = 0; i < number.length; i++)
        value = value << 8 | number.data[i];
    return value;
}

struct bytes der_read_octets_in_bits(struct der_reader *reader) {
    struct bytes content = der_read(reader, DER_BIT_STRING);
    if (content.length >= 1 && content.data[0] == 0)
        return bytes_of(content.data + 1, content.length - 1);
    der_fail(reader);
    return nothing;
}

uint32_t der_read_named_bits(struct der_reader *reader) {
    struct bytes content = der_read(reader, DER_BIT_STRING);
    uint32_t bits = 0;
    bool proper = content.length >= 1 && content.length <= 5 && content.data[0] < 8;
    if (proper) {
        unsigned last = content.length > 1 ? content.data[content.length - 1] : 0;
        unsigned unused = content.data[0];
        proper = (content.length > 1 || unused == 0) && (last & ((1U << unused) - 1)) == 0;
    }
    if (!proper) {
        der_fail(reader);
        return 0;
    }
    for (size_t i = 0; i < 8 * (content.length - 1); i++)
        if (content.data[1 + i / 8] & (0x80 >> i % 8)) bits |= UINT32_C(1) << i;
    return bits;
}

struct bytes der_read_oid(struct der_reader *reader) {
    struct bytes oid = der_read(reader, DER_OID);
    /* The last byte ends a number; no number begins with a zero digit (X.690, section 8.19.2). */
    bool proper = oid.length > 0 && !(oid.data[oid.length - 1] & 0x80);
    for (size_t i = 0; proper && i < oid.length; i++)
        if (oid.data[i] == 0x80 && (i == 0 || !(oid.data[i - 1] & 0x80))) proper = false;
    if (proper) return oid;
    der_fail(reader);
    return nothing;
}

/* Times are spelled out again in the form of RFC 3339, whose reader knows the calendar. */
int64_t der_read_time_ms(struct der_reader *reader) {
    uint8_t tag;
    struct bytes text;
    char full[sizeof "YYYYMMDDhhmmssZ"] = "";
    char spelled[RFC3339_BYTES];
    int64_t unix_ms = 0;
    der_read_any(reader, &tag, &text);
    bool short_year = tag == DER_UTC_TIME && text.length == strlen("YYMMDDhhmmssZ");
    bool long_year = tag == DER_GENERALIZED_TIME && text.length == strlen("YYYYMMDDhhmmssZ");
    if (!short_year && !long_year) {
        der_fail(reader);
        return 0;
    }
    const char *century = !short_year ? "" : text.data[0] >= '5' ? "19" : "20";
    snprintf(full, sizeof full, "%s%.*s", century, (int)text.length, (const char *)text.data);
    snprintf(spelled, sizeof spelled, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s%.1s", full, full + 4, full + 6,
             full + 8, full + 10, full + 12, full + 14);
    if (full[14] != 'Z' || !rfc3339_parse(bytes_of_text(spelled), &unix_ms)) der_fail(reader);
    return unix_ms;
}

void der_format_oid(struct bytes oid, char out[DER_OID_TEXT_BYTES]) {
    uint64_t number = 0;
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < oid.length && length < DER_OID_TEXT_BYTES - 1; i++) {
        number = number << 7 | (oid.data[i] & 0x7F);
        if (oid.data[i] & 0x80) continue;
        size_t room = DER_OID_TEXT_BYTES - length;
        uint64_t root = number < 80 ? number / 40 : 2;
        int written = length == 0
                          ? snprintf(out, room, "%llu.%llu", (unsigned long long)root,
                                     (unsigned long long)(number - 40 * root))
                          : snprintf(out + length, room, ".%llu", (unsigned long long)number);
        length += (size_t)written;
        number = 0;
    }
}
