/* rules/serial_guard: every row of its table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/serial_guard.h"

static void each_row_of_the_table(void **state) {
    (void)state;
    const struct serial_mark none = {0};
    const struct serial_mark seen = {true, 7, "digest-of-7"};
    const struct {
        const struct serial_mark *mark;
        int64_t serial;
        const char *digest;
        enum serial_verdict verdict;
        int64_t mark_after;
    } rows[] = {
        {&none, INT64_MIN, "a", SERIAL_TAKE, INT64_MIN},
        {&none, 0, "a", SERIAL_TAKE, 0},
        {&none, 7, "a", SERIAL_TAKE, 7},
        {&seen, 6, "digest-of-7", SERIAL_OLDER, 7},
        {&seen, INT64_MIN, "a", SERIAL_OLDER, 7},
        {&seen, 7, "digest-of-7", SERIAL_SAME, 7},
        {&seen, 7, "another", SERIAL_CONFLICT, 7},
        {&seen, 8, "another", SERIAL_TAKE, 8},
        {&seen, INT64_MAX, "another", SERIAL_TAKE, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct serial_mark mark = *rows[i].mark;
        enum serial_verdict verdict = serial_guard_check(&mark, rows[i].serial, rows[i].digest);
        assert_string_equal(serial_verdict_name(verdict), serial_verdict_name(rows[i].verdict));
        bool changed = serial_guard_advance(&mark, rows[i].serial, rows[i].digest);
        assert_int_equal(changed, verdict == SERIAL_TAKE || verdict == SERIAL_CONFLICT);
        assert_true(mark.seen && mark.serial == rows[i].mark_after);
        assert_string_equal(mark.digest, changed ? rows[i].digest : "digest-of-7");
    }
}

static void the_mark_never_goes_back(void **state) {
    (void)state;
    const int64_t serials[] = {3, 1, 9, 9, 2, 8, 10, 0};
    struct serial_mark mark = {0};
    int64_t highest = INT64_MIN;
    for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++) {
        serial_guard_advance(&mark, serials[i], "x");
        if (serials[i] > highest) highest = serials[i];
        assert_true(mark.serial == highest);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_the_table),
        cmocka_unit_test(the_mark_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
