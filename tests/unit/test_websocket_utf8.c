/* Text of WebSocket messages: group 6 of the Autobahn test suite cut at every byte, and every
 * sequence of up to three bytes and every code point against another way to say what UTF-8 is. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>

#include "net/websocket_text.h"
#include "tests/lib/utf8_cases.h"
#include "tests/lib/websocket_script.h"

static void check_case(const struct utf8_case *row) {
    struct buffer expected;
    struct bytes text = bytes_of(row->text, row->length);
    const struct script_frame whole = {TEXT, row->text, row->length};
    const struct script_frame binary = {BINARY, row->text, row->length};
    buffer_init(&expected, 1000);
    if (row->is_valid)
        script_note_payload(&expected, "text", text);
    else
        buffer_append_text(&expected, "refused1007");
    script_check(row->number, &whole, 1, buffer_text(&expected));
    for (size_t cut = 0; cut <= row->length; cut++) {
        const struct script_frame parts[] = {{MORE_TEXT, row->text, cut},
                                             {LAST, row->text + cut, row->length - cut}};
        script_check(row->number, parts, 2, buffer_text(&expected));
    }
    buffer_clear(&expected);
    script_note_payload(&expected, "binary", text);
    script_check(row->number, &binary, 1, buffer_text(&expected));
    buffer_free(&expected);
}

static void test_every_case_cut_everywhere(void **state) {
    size_t count;
    struct utf8_case *cases = utf8_cases_make(&count);
    (void)state;
    assert_true(count > 190);
    for (size_t i = 0; i < count; i++)
        check_case(&cases[i]);
    utf8_cases_free(cases, count);
}

static bool is_text(const uint8_t *bytes, size_t length) {
    struct websocket_text text;
    websocket_text_begin(&text);
    return websocket_text_add(&text, bytes_of(bytes, length)) && websocket_text_may_end(&text);
}

/* The character at the start of `bytes`, by what RFC 3629, section 3, says of its bits; its length,
 * or 0. */
static size_t decode(const uint8_t *bytes, size_t length, uint32_t *point) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = bytes[0] < 0x80 ? 1 : bytes[0] >> 5 == 6 ? 2 : bytes[0] >> 4 == 14 ? 3 : 4;
    if (size == 4 && bytes[0] >> 3 != 30) return 0;
    if (size > length) return 0;
    *point = size == 1 ? bytes[0] : bytes[0] & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if (bytes[i] >> 6 != 2) return 0;
        *point = *point << 6 | (bytes[i] & 0x3f);
    }
    bool is_surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < least[size] || *point > 0x10ffff || is_surrogate ? 0 : size;
}

static bool is_text_by_the_rfc(const uint8_t *bytes, size_t length) {
    uint32_t point;
    for (size_t at = 0, size; at < length; at += size) {
        size = decode(bytes + at, length - at, &point);
        if (size == 0) return false;
    }
    return true;
}

static void test_all_of_up_to_three_bytes(void **state) {
    (void)state;
    for (size_t length = 1; length <= 3; length++) {
        for (uint32_t number = 0; number < UINT32_C(1) << (8 * length); number++) {
            const uint8_t bytes[] = {(uint8_t)number, (uint8_t)(number >> 8),
                                     (uint8_t)(number >> 16)};
            if (is_text(bytes, length) != is_text_by_the_rfc(bytes, length))
                fail_msg("%02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2], length);
        }
    }
}

/* The second byte decides, the others are all alike: the ends of their range and one beyond. */
static void test_four_bytes(void **state) {
    static const uint8_t later[] = {0x00, 0x7f, 0x80, 0x9a, 0xbf, 0xc0, 0xff};
    (void)state;
    for (unsigned lead = 0xf0; lead <= 0xff; lead++) {
        for (unsigned second = 0; second <= 0xff; second++) {
            for (size_t i = 0; i < COUNT_OF(later) * COUNT_OF(later); i++) {
                const uint8_t bytes[] = {(uint8_t)lead, (uint8_t)second, later[i / COUNT_OF(later)],
                                         later[i % COUNT_OF(later)]};
                assert_int_equal(is_text(bytes, 4), is_text_by_the_rfc(bytes, 4));
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case_cut_everywhere),
        cmocka_unit_test(test_all_of_up_to_three_bytes),
        cmocka_unit_test(test_four_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
