/* base64, base64url, base32, hex and armour: each byte string has exactly one text. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/armor.h"
#include "codec/base32.h"
#include "codec/base64.h"
#include "codec/base64url.h"
#include "codec/hex.h"

/* RFC 4648, section 10. */
static const struct {
    const char *bytes;
    const char *base64;
    const char *base64url;
    const char *base32;
    const char *hex;
} rfc_rows[] = {
    {"", "", "", "", ""},
    {"f", "Zg==", "Zg", "MY", "66"},
    {"fo", "Zm8=", "Zm8", "MZXQ", "666f"},
    {"foo", "Zm9v", "Zm9v", "MZXW6", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "MZXW6YQ", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "MZXW6YTB", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "MZXW6YTBOI", "666f6f626172"},
    {"\xfb\xff\xfe", "+//+", "-__-", "7P774", "fbfffe"},
};

static void texts_are_those_of_the_rfc(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rfc_rows); i++) {
        struct bytes bytes = bytes_of_text(rfc_rows[i].bytes);
        char text[64];
        base64_encode(bytes, text);
        assert_string_equal(text, rfc_rows[i].base64);
        base64url_encode(bytes, text);
        assert_string_equal(text, rfc_rows[i].base64url);
        base32_encode(bytes, text);
        assert_string_equal(text, rfc_rows[i].base32);
        hex_encode(bytes, text);
        assert_string_equal(text, rfc_rows[i].hex);
    }
}

static void texts_read_back(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rfc_rows); i++) {
        size_t length = strlen(rfc_rows[i].bytes);
        uint8_t out[64];
        struct buffer buffer;
        buffer_init(&buffer, 64);
        assert_true(base64_decode(bytes_of_text(rfc_rows[i].base64), &buffer));
        assert_true(bytes_equal_text(buffer_bytes(&buffer), rfc_rows[i].bytes));
        buffer_clear(&buffer);
        assert_true(base64url_decode(bytes_of_text(rfc_rows[i].base64url), &buffer));
        assert_true(bytes_equal_text(buffer_bytes(&buffer), rfc_rows[i].bytes));
        buffer_free(&buffer);
        assert_true(base64url_decode_exact(bytes_of_text(rfc_rows[i].base64url), out, length));
        assert_memory_equal(out, rfc_rows[i].bytes, length);
        assert_true(base32_decode_exact(bytes_of_text(rfc_rows[i].base32), out, length));
        assert_memory_equal(out, rfc_rows[i].bytes, length);
        assert_true(hex_decode_exact(bytes_of_text(rfc_rows[i].hex), out, length));
        assert_memory_equal(out, rfc_rows[i].bytes, length);
    }
}

static void a_token_has_base64url_and_dots(void **state) {
    (void)state;
    static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    for (int i = 0; i <= UINT8_MAX; i++) {
        const uint8_t text[] = {'a', (uint8_t)i};
        bool is_known = memchr(known, i, sizeof known - 1) != NULL;
        assert_int_equal(base64url_is_token(bytes_of(text, sizeof text)), is_known);
    }
}

static void texts_that_are_not_canonical_are_refused(void **state) {
    (void)state;
    static const char *const bad_base64url[] = {"Z",     "Zg==",   "Zg=",   "Zh",
                                                "Zm9",   "Zm9vY",  "Zm+v",  "Zm/v",
                                                "Zm 9v", "Zm9v\n", " Zm9v", "Zm9v."};
    static const char *const bad_base64[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zm-v", "Zm9v\n", "=m9v", "Zm9vZg==Zg=="};
    static const char *const bad_base32[] = {"M",  "MZ", "my",     "MZX", "MZXW6Y",
                                             "M1", "M0", "MY====", "M Y"};
    static const char *const bad_hex[] = {"6", "6g", "0x66", "66 "};
    struct buffer buffer;
    uint8_t out[64];
    buffer_init(&buffer, 64);
    for (size_t i = 0; i < COUNT_OF(bad_base64url); i++)
        assert_false(base64url_decode(bytes_of_text(bad_base64url[i]), &buffer));
    for (size_t i = 0; i < COUNT_OF(bad_base64); i++)
        assert_false(base64_decode(bytes_of_text(bad_base64[i]), &buffer));
    assert_int_equal(buffer.length, 0);
    assert_false(buffer.failed);
    for (size_t i = 0; i < COUNT_OF(bad_base32); i++)
        for (size_t length = 0; length < 5; length++)
            assert_false(base32_decode_exact(bytes_of_text(bad_base32[i]), out, length));
    for (size_t i = 0; i < COUNT_OF(bad_hex); i++)
        for (size_t length = 0; length < 5; length++)
            assert_false(hex_decode_exact(bytes_of_text(bad_hex[i]), out, length));
    assert_false(base64url_decode_exact(bytes_of_text("Zm9v"), out, 2));
    assert_false(base64url_decode_exact(bytes_of_text("Zm9v"), out, 4));
    buffer_free(&buffer);
}

/* For every length, each single changed bit of the text either is refused or gives other bytes. */
static void no_two_texts_give_the_same_bytes(void **state) {
    (void)state;
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 5);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        char text[64];
        base64url_encode(bytes_of(bytes, length), text);
        size_t text_length = strlen(text);
        for (size_t bit = 0; bit < text_length * 8; bit++) {
            uint8_t out[sizeof bytes];
            text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
            if (base64url_decode_exact(bytes_of(text, text_length), out, length))
                assert_memory_not_equal(out, bytes, length);
            text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        }
    }
}

static void a_full_buffer_is_told_apart(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 2);
    assert_false(base64url_decode(bytes_of_text("Zm9v"), &buffer));
    assert_true(buffer.failed);
    buffer_free(&buffer);
}

static void armour_is_cut_at_64_columns_and_reads_back(void **state) {
    (void)state;
    char token[200];
    for (size_t length = 1; length < sizeof token; length++) {
        memset(token, 'x', length);
        struct buffer armored, back;
        buffer_init(&armored, 1024);
        buffer_init(&back, 1024);
        assert_true(armor_write(ARMOR_LICENSE, bytes_of(token, length), &armored));
        assert_true(armor_read(ARMOR_LICENSE, buffer_bytes(&armored), &back, NULL));
        assert_int_equal(back.length, length);
        const char *line = buffer_text(&armored);
        for (const char *end; (end = strchr(line, '\n')); line = end + 1)
            assert_true(end - line <= ARMOR_COLUMNS);
        buffer_free(&armored);
        buffer_free(&back);
    }
}

static void armour_is_forgiving_about_blanks_only(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *token; /* NULL: refused */
        enum status_code code;
    } rows[] = {
        {"abc.def", "abc.def", STATUS_OK},
        {" \r\nabc.def\r\n\n", "abc.def", STATUS_OK},
        {"\xEF\xBB\xBF"
         "abc.def\n",
         "abc.def", STATUS_OK},
        {"-----BEGIN LSYS LICENSE-----\nab\ncd\n-----END LSYS LICENSE-----\n", "abcd", STATUS_OK},
        {"-----BEGIN LSYS LICENSE-----\r\nab \r\ncd\t\r\n-----END LSYS LICENSE-----\r\n\r\n",
         "abcd", STATUS_OK},
        {"-----BEGIN LSYS LICENSE-----\nab\n-----END LSYS LICENSE-----", "ab", STATUS_OK},
        {"", NULL, STATUS_MALFORMED},
        {" \n", NULL, STATUS_MALFORMED},
        {"abc def", NULL, STATUS_MALFORMED},
        {"abc\ndef", NULL, STATUS_MALFORMED},
        {"abc=", NULL, STATUS_MALFORMED},
        {"Dear customer,\n-----BEGIN LSYS LICENSE-----\nab\n-----END LSYS LICENSE-----\n", NULL,
         STATUS_MALFORMED},
        {"-----BEGIN LSYS LICENSE-----\nab\n-----END LSYS LICENSE-----\nregards", NULL,
         STATUS_TRAILING_BYTES},
        {"-----BEGIN LSYS LICENSE-----\nab\n", NULL, STATUS_MALFORMED},
        {"-----BEGIN LSYS LICENSE-----\n-----END LSYS LICENSE-----\n", NULL, STATUS_MALFORMED},
        {"-----BEGIN LSYS LICENSE-----\na b\n-----END LSYS LICENSE-----\n", NULL, STATUS_MALFORMED},
        {"-----BEGIN LSYS LICENSE-----\nComment: x\n\nab\n-----END LSYS LICENSE-----\n", NULL,
         STATUS_MALFORMED},
        {"-----BEGIN LSYS KEYRING-----\nab\n-----END LSYS KEYRING-----\n", NULL, STATUS_MALFORMED},
        {"-----BEGIN LSYS LICENSE-----\nab\n-----END LSYS KEYRING-----\n", NULL, STATUS_MALFORMED},
        {"-----BEGIN LSYS LICENSE----- ab -----END LSYS LICENSE-----", NULL, STATUS_MALFORMED},
        {"\xFF\xFE\x01", NULL, STATUS_MALFORMED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer token;
        struct status status = STATUS_INIT;
        buffer_init(&token, 64);
        bool read = armor_read(ARMOR_LICENSE, bytes_of_text(rows[i].text), &token, &status);
        if (read != (rows[i].token != NULL) || status.code != rows[i].code)
            fail_msg("row %zu: %s (%s)", i, status_code_name(status.code), status.text);
        assert_string_equal(buffer_text(&token), read ? rows[i].token : "");
        buffer_free(&token);
    }
}

static void a_token_over_the_limit_is_refused(void **state) {
    (void)state;
    struct buffer token;
    struct status status = STATUS_INIT;
    buffer_init(&token, 4);
    assert_false(armor_read(ARMOR_LICENSE, bytes_of_text("abcde"), &token, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    buffer_free(&token);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_those_of_the_rfc),
        cmocka_unit_test(texts_read_back),
        cmocka_unit_test(a_token_has_base64url_and_dots),
        cmocka_unit_test(texts_that_are_not_canonical_are_refused),
        cmocka_unit_test(no_two_texts_give_the_same_bytes),
        cmocka_unit_test(a_full_buffer_is_told_apart),
        cmocka_unit_test(armour_is_cut_at_64_columns_and_reads_back),
        cmocka_unit_test(armour_is_forgiving_about_blanks_only),
        cmocka_unit_test(a_token_over_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
