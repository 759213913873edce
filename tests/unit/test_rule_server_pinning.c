/* rules/server_pinning: each row of its table, and the list's bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/server_pinning.h"

/* A thumbprint of 43 equal characters. */
static const char *key(char letter) {
    static char texts[128][SHA256_TEXT_BYTES];
    char *text = texts[(unsigned char)letter & 127];
    memset(text, letter, SHA256_TEXT_BYTES - 1);
    return text;
}

static struct server_pins pins_of(const char *letters) {
    struct server_pins pins = {0};
    for (size_t i = 0; letters[i]; i++)
        assert_true(server_pins_add(&pins, key(letters[i]), 1));
    return pins;
}

static void each_row_of_the_table(void **state) {
    (void)state;
    struct license *naming = license_new();
    snprintf(naming->server_jkts[0], SHA256_TEXT_BYTES, "%s", key('N'));
    naming->server_jkts_count = 1;
    struct license *silent = license_new();
    const struct {
        const struct license *license;
        const char *pinned;
        enum pinning_policy policy;
        char key;
        bool answered;
        enum pinning_verdict verdict;
    } rows[] = {
        {naming, "", PINNING_OPEN, 'N', false, PINNING_ACCEPT},
        {naming, "ABCD", PINNING_STRICT, 'N', false, PINNING_ACCEPT},
        {naming, "A", PINNING_OPEN, 'A', true, PINNING_NOT_NAMED},
        {naming, "", PINNING_OPEN, 'X', true, PINNING_NOT_NAMED},
        {silent, "A", PINNING_OPEN, 'A', false, PINNING_ACCEPT},
        {silent, "ABCD", PINNING_STRICT, 'D', false, PINNING_ACCEPT},
        {NULL, "A", PINNING_STRICT, 'A', false, PINNING_ACCEPT},
        {silent, "A", PINNING_STRICT, 'X', true, PINNING_FROZEN},
        {silent, "", PINNING_STRICT, 'X', true, PINNING_FROZEN},
        {silent, "ABCD", PINNING_OPEN, 'X', true, PINNING_FULL},
        {silent, "ABC", PINNING_OPEN, 'X', false, PINNING_ASK},
        {NULL, "", PINNING_OPEN, 'X', false, PINNING_ASK},
        {silent, "ABC", PINNING_OPEN, 'X', true, PINNING_PIN},
        {NULL, "", PINNING_OPEN, 'X', true, PINNING_PIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct server_pins pins = pins_of(rows[i].pinned);
        enum pinning_verdict verdict = server_pinning_judge(&pins, rows[i].license, rows[i].policy,
                                                            key(rows[i].key), rows[i].answered);
        if (verdict != rows[i].verdict)
            fail_msg("row %zu: got %s", i, pinning_verdict_name(verdict));
    }
    license_free(naming);
    license_free(silent);
}

static void pins_are_added_once_and_removed(void **state) {
    (void)state;
    struct server_pins pins = pins_of("ABCD");
    assert_int_equal(pins.count, SERVER_PINS_MAX);
    assert_true(server_pins_add(&pins, key('B'), 2));
    assert_int_equal(pins.count, SERVER_PINS_MAX);
    assert_false(server_pins_add(&pins, key('E'), 2));
    assert_true(server_pins_remove(&pins, key('A')));
    assert_false(server_pins_remove(&pins, key('A')));
    assert_true(server_pins_add(&pins, key('E'), 2));
    const char left[] = "BCDE";
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(server_pinning_judge(&pins, NULL, PINNING_STRICT, key(left[i]), false),
                         PINNING_ACCEPT);
    for (size_t i = 0; i < 4; i++)
        assert_true(server_pins_remove(&pins, key(left[i])));
    assert_int_equal(pins.count, 0);
}

static void only_thumbprints_are_pinned(void **state) {
    (void)state;
    char long_id[SHA256_TEXT_BYTES + 1];
    char bad_id[SHA256_TEXT_BYTES];
    struct server_pins pins = {0};
    memset(long_id, 'A', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    memcpy(bad_id, key('A'), sizeof bad_id);
    bad_id[7] = '/';
    assert_false(server_pins_add(&pins, "", 1));
    assert_false(server_pins_add(&pins, "../../x", 1));
    assert_false(server_pins_add(&pins, long_id, 1));
    assert_false(server_pins_add(&pins, bad_id, 1));
    bad_id[7] = '\0';
    assert_false(server_key_id_is_plausible(bytes_of(bad_id, sizeof bad_id - 1)));
    assert_int_equal(pins.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_the_table),
        cmocka_unit_test(pins_are_added_once_and_removed),
        cmocka_unit_test(only_thumbprints_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
