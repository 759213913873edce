/* Walks any bytes as DER, every value by its type. A value that was accepted is written again and
 * must give the same bytes: that is what "one encoding for each value" means. */
#include <stdlib.h>

#include "base/buffer.h"
#include "codec/der.h"

#define DEPTH_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes the next value of `reader`, read as its type, to `out`. False when it is not such a
 * value. */
static bool rewrite(struct der_reader *reader, uint8_t tag, struct buffer *out) {
    switch (tag) {
    case DER_BOOLEAN:
        if (der_read_boolean(reader))
            der_write_true(out);
        else
            der_write(out, DER_BOOLEAN, bytes_of("", 1));
        break;
    case DER_INTEGER: der_write_unsigned(out, der_read_unsigned(reader)); break;
    case DER_BIT_STRING: der_write_octets_in_bits(out, der_read_octets_in_bits(reader)); break;
    case DER_OID: der_write(out, DER_OID, der_read_oid(reader)); break;
    default: der_write(out, tag, der_read(reader, tag)); break;
    }
    return !reader->failed;
}

static void check_value(struct der_reader reader, uint8_t tag) {
    struct buffer out;
    struct bytes before = reader.rest;
    buffer_init(&out, 1 << 20);
    if (rewrite(&reader, tag, &out)) {
        struct bytes taken = bytes_of(before.data, before.length - reader.rest.length);
        if (!bytes_equal(buffer_bytes(&out), taken)) abort();
    }
    buffer_free(&out);
}

static void check_other_readings(struct der_reader reader, uint8_t tag) {
    struct der_reader copy = reader;
    char text[DER_OID_TEXT_BYTES];
    if (tag == DER_BIT_STRING) {
        struct buffer out;
        uint32_t bits = der_read_named_bits(&copy);
        buffer_init(&out, 64);
        der_write_named_bits(&out, bits);
        struct der_reader again;
        der_reader_init(&again, buffer_bytes(&out));
        if (!copy.failed && (der_read_named_bits(&again) != bits || !der_is_done(&again))) abort();
        buffer_free(&out);
    }
    copy = reader;
    der_read_time_ms(&copy);
    copy = reader;
    der_read_small(&copy);
    copy = reader;
    der_format_oid(der_read_oid(&copy), text);
}

static void walk(struct der_reader reader, int depth) {
    while (der_has_more(&reader)) {
        uint8_t tag = reader.rest.data[0];
        struct bytes content;
        check_value(reader, tag);
        check_other_readings(reader, tag);
        if (!der_read_any(&reader, &tag, &content)) return;
        if (depth < DEPTH_MAX && tag & 0x20) {
            struct der_reader inner;
            der_reader_init(&inner, content);
            walk(inner, depth + 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct der_reader reader;
    der_reader_init(&reader, bytes_of(data, size));
    walk(reader, 0);
    return 0;
}
