/* DER: what the writer makes the reader reads, and every second way of writing a value is
 * refused. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/der.h"
#include "codec/hex.h"

#define ROW_BYTES 64

/* The bytes of a hexadecimal text, in a block of their own so that ASan sees each overrun. */
static struct bytes unhex(const char *hex) {
    size_t length = strlen(hex) / 2;
    uint8_t *bytes = malloc(length ? length : 1);
    assert_non_null(bytes);
    assert_true(hex_decode_exact(bytes_of_text(hex), bytes, length));
    return bytes_of(bytes, length);
}

static struct der_reader reader_of(struct bytes bytes) {
    struct der_reader reader;
    der_reader_init(&reader, bytes);
    return reader;
}

/* Each way of reading one value, and whether it was done with nothing left. */
static bool reads_any(struct der_reader *reader) {
    uint8_t tag;
    struct bytes content;
    der_read_any(reader, &tag, &content);
    return der_is_done(reader);
}

static bool reads_boolean(struct der_reader *reader) {
    der_read_boolean(reader);
    return der_is_done(reader);
}

static bool reads_integer(struct der_reader *reader) {
    der_read_integer(reader);
    return der_is_done(reader);
}

static bool reads_small(struct der_reader *reader) {
    der_read_small(reader);
    return der_is_done(reader);
}

static bool reads_octets_in_bits(struct der_reader *reader) {
    der_read_octets_in_bits(reader);
    return der_is_done(reader);
}

static bool reads_named_bits(struct der_reader *reader) {
    der_read_named_bits(reader);
    return der_is_done(reader);
}

static bool reads_oid(struct der_reader *reader) {
    der_read_oid(reader);
    return der_is_done(reader);
}

static bool reads_time(struct der_reader *reader) {
    der_read_time_ms(reader);
    return der_is_done(reader);
}

static const struct {
    const char *hex;
    bool (*read)(struct der_reader *reader);
    bool accepted;
} form_rows[] = {
    {"0500", reads_any, true},
    {"", reads_any, false},
    {"05", reads_any, false},
    {"0501", reads_any, false},             /* content missing */
    {"050000", reads_any, false},           /* something follows */
    {"048000", reads_any, false},           /* indefinite length */
    {"04810141", reads_any, false},         /* a length that needs no second byte */
    {"0482000141", reads_any, false},       /* leading zero in the length */
    {"0485000000000141", reads_any, false}, /* five bytes of length */
    {"04847fffffff41", reads_any, false},
    {"04ff", reads_any, false},
    {"0482", reads_any, false},
    {"1f810100", reads_any, false}, /* a tag number above 30 */
    {"0101ff", reads_boolean, true},
    {"010100", reads_boolean, true},
    {"010101", reads_boolean, false}, /* BER's other trues */
    {"0100", reads_boolean, false},
    {"0102ffff", reads_boolean, false},
    {"0201ff", reads_boolean, false}, /* another type */
    {"020100", reads_integer, true},
    {"0201ff", reads_integer, true},
    {"02020080", reads_integer, true},
    {"0202ff7f", reads_integer, true},
    {"0200", reads_integer, false},
    {"0202007f", reads_integer, false}, /* not shortest */
    {"0202ff80", reads_integer, false},
    {"02047fffffff", reads_small, true},
    {"02050080000000", reads_small, false}, /* 2^31 */
    {"0201ff", reads_small, false},         /* -1 */
    {"03020041", reads_octets_in_bits, true},
    {"030100", reads_octets_in_bits, true},
    {"03020141", reads_octets_in_bits, false}, /* not whole bytes */
    {"0300", reads_octets_in_bits, false},
    {"03020780", reads_named_bits, true},
    {"030100", reads_named_bits, true},
    {"030307ff80", reads_named_bits, true},
    {"03020680", reads_named_bits, true},  /* a trailing zero bit */
    {"030207ff", reads_named_bits, false}, /* unused bits that are set */
    {"03020880", reads_named_bits, false}, /* eight unused bits */
    {"030107", reads_named_bits, false},   /* unused bits of nothing */
    {"03060000000001ff", reads_named_bits, false},
    {"0603551d25", reads_oid, true},
    {"0600", reads_oid, false},
    {"0602558f", reads_oid, false},   /* ends inside a number */
    {"0603558001", reads_oid, false}, /* a number with a leading zero */
    {"170d3439313233313233353935395a", reads_time, true},
    {"180f32303530303130313030303030305a", reads_time, true},
    {"170b343931323331323335395a", reads_time, false},         /* without seconds */
    {"170d3439313333313233353935395a", reads_time, false},     /* month 13 */
    {"170d3439303233303233353935395a", reads_time, false},     /* February 30 */
    {"170d34393132333132333539353930", reads_time, false},     /* no Z */
    {"170d0000000000000000000000005a", reads_time, false},     /* NUL */
    {"180f323035303031303130303030303000", reads_time, false}, /* NUL for Z */
    {"180d3439313233313233353935395a", reads_time, false},     /* two digits of year */
    {"0c0d3439313233313233353935395a", reads_time, false},     /* another type */
};

static void each_form_is_judged(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(form_rows); i++) {
        struct bytes bytes = unhex(form_rows[i].hex);
        struct der_reader reader = reader_of(bytes);
        if (form_rows[i].read(&reader) != form_rows[i].accepted)
            fail_msg("%s is %s", form_rows[i].hex, form_rows[i].accepted ? "refused" : "accepted");
        free((void *)(uintptr_t)bytes.data);
    }
}

static void a_failure_stays(void **state) {
    (void)state;
    struct bytes bytes = unhex("3006020101020102");
    struct der_reader outer = reader_of(bytes);
    struct der_reader inner = der_enter(&outer, DER_SEQUENCE);
    assert_int_equal(der_read_small(&inner), 1);
    assert_false(der_is_done(&inner));
    der_leave(&outer, &inner); /* one value was not read */
    assert_true(outer.failed);
    assert_false(der_has_more(&outer));
    assert_int_equal(der_read_integer(&outer).length, 0);
    struct der_reader deeper = der_enter(&outer, DER_SEQUENCE);
    assert_true(deeper.failed);
    free((void *)(uintptr_t)bytes.data);
}

/* Lengths on both sides of each size of the length field. */
static void lengths_come_back(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        uint8_t *content = calloc(1, lengths[i] + 1);
        struct buffer out;
        buffer_init(&out, 0x20000);
        size_t begun = der_begin(&out, DER_SEQUENCE);
        der_write(&out, DER_OCTET_STRING, bytes_of(content, lengths[i]));
        der_end(&out, begun);
        struct der_reader outer = reader_of(buffer_bytes(&out));
        struct der_reader inner = der_enter(&outer, DER_SEQUENCE);
        assert_int_equal(der_read(&inner, DER_OCTET_STRING).length, lengths[i]);
        der_leave(&outer, &inner);
        assert_true(der_is_done(&outer));
        buffer_free(&out);
        free(content);
    }
}

static void assert_written(const struct buffer *out, const char *hex) {
    char text[2 * ROW_BYTES + 1];
    assert_true(out->length <= ROW_BYTES);
    hex_encode(buffer_bytes(out), text);
    assert_string_equal(text, hex);
}

static void numbers_are_written_shortest(void **state) {
    (void)state;
    static const struct {
        uint32_t number;
        const char *hex;
    } rows[] = {{0, "020100"},     {1, "020101"},         {127, "02017f"},
                {128, "02020080"}, {65535, "020300ffff"}, {UINT32_C(0x7FFFFFFF), "02047fffffff"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer out;
        buffer_init(&out, ROW_BYTES);
        der_write_small(&out, rows[i].number);
        assert_written(&out, rows[i].hex);
        struct der_reader reader = reader_of(buffer_bytes(&out));
        assert_int_equal(der_read_small(&reader), rows[i].number);
        assert_true(der_is_done(&reader));
        buffer_free(&out);
    }
}

static void named_bits_come_back(void **state) {
    (void)state;
    static const uint32_t rows[] = {0, 1, 0x60, 0x80, 0x100, 0x180, 0x80000000, 0xFFFFFFFF};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer out;
        buffer_init(&out, ROW_BYTES);
        der_write_named_bits(&out, rows[i]);
        struct der_reader reader = reader_of(buffer_bytes(&out));
        assert_int_equal(der_read_named_bits(&reader), rows[i]);
        assert_true(der_is_done(&reader));
        buffer_free(&out);
    }
}

static void times_come_back(void **state) {
    (void)state;
    static const struct {
        int64_t unix_ms;
        uint8_t tag;
        const char *text;
    } rows[] = {{INT64_C(-631152000000), DER_UTC_TIME, "500101000000Z"},
                {INT64_C(-631152001000), DER_GENERALIZED_TIME, "19491231235959Z"},
                {0, DER_UTC_TIME, "700101000000Z"},
                {INT64_C(2524607999000), DER_UTC_TIME, "491231235959Z"},
                {INT64_C(2524608000000), DER_GENERALIZED_TIME, "20500101000000Z"},
                {INT64_C(253402300799000), DER_GENERALIZED_TIME, "99991231235959Z"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer out;
        uint8_t tag;
        struct bytes text;
        buffer_init(&out, ROW_BYTES);
        der_write_time_ms(&out, rows[i].unix_ms);
        struct der_reader reader = reader_of(buffer_bytes(&out));
        assert_true(der_read_any(&reader, &tag, &text));
        assert_int_equal(tag, rows[i].tag);
        assert_true(bytes_equal_text(text, rows[i].text));
        reader = reader_of(buffer_bytes(&out));
        assert_true(der_read_time_ms(&reader) == rows[i].unix_ms);
        assert_true(der_is_done(&reader));
        buffer_free(&out);
    }
}

static void oids_are_shown_dotted(void **state) {
    (void)state;
    static const struct {
        const char *hex;
        const char *text;
    } rows[] = {{"551d25", "2.5.29.37"},
                {"2a8648ce3d030107", "1.2.840.10045.3.1.7"},
                {"00", "0.0"},
                {"8837", "2.999"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[DER_OID_TEXT_BYTES];
        struct bytes oid = unhex(rows[i].hex);
        der_format_oid(oid, text);
        assert_string_equal(text, rows[i].text);
        free((void *)(uintptr_t)oid.data);
    }
    uint8_t endless[400];
    char text[DER_OID_TEXT_BYTES];
    memset(endless, 0x7F, sizeof endless);
    der_format_oid(bytes_of(endless, sizeof endless), text);
    assert_int_equal(strlen(text), DER_OID_TEXT_BYTES - 1);
}

static void a_full_buffer_is_noticed(void **state) {
    (void)state;
    struct buffer out;
    struct status status = STATUS_INIT;
    buffer_init(&out, 4);
    size_t begun = der_begin(&out, DER_SEQUENCE);
    der_write_small(&out, 1);
    der_end(&out, begun);
    assert_false(buffer_check(&out, "the value", &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_judged),   cmocka_unit_test(a_failure_stays),
        cmocka_unit_test(lengths_come_back),     cmocka_unit_test(numbers_are_written_shortest),
        cmocka_unit_test(named_bits_come_back),  cmocka_unit_test(times_come_back),
        cmocka_unit_test(oids_are_shown_dotted), cmocka_unit_test(a_full_buffer_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
