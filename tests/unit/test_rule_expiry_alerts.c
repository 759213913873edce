/* rules/expiry_alerts: each alert once, at its exact moment, also after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/expiry_alerts.h"
#include "rules/license_status.h"

#define DAY   86400000LL
#define EXP   (5000 * DAY)
#define GRACE (3 * DAY)

struct row {
    enum expiry_alert announced;
    int64_t now_ms;
    enum expiry_alert alert;
    int64_t next_at_ms;
};

static void check_rows(const struct row *rows, size_t count, int64_t grace_ms) {
    for (size_t i = 0; i < count; i++) {
        struct expiry_alert_due due =
            expiry_alerts_check(rows[i].announced, EXP, grace_ms, rows[i].now_ms);
        if (due.alert != rows[i].alert || due.next_at_ms != rows[i].next_at_ms)
            fail_msg("row %zu: got %s, next %lld", i, expiry_alert_name(due.alert),
                     (long long)due.next_at_ms);
    }
}

static void each_edge_is_exact(void **state) {
    (void)state;
    const struct row rows[] = {
        {EXPIRY_ALERT_NONE, INT64_MIN, EXPIRY_ALERT_NONE, EXP - 30 * DAY},
        {EXPIRY_ALERT_NONE, EXP - 30 * DAY - 1, EXPIRY_ALERT_NONE, EXP - 30 * DAY},
        {EXPIRY_ALERT_NONE, EXP - 30 * DAY, EXPIRY_ALERT_30_DAYS, EXP - 7 * DAY},
        {EXPIRY_ALERT_30_DAYS, EXP - 30 * DAY, EXPIRY_ALERT_NONE, EXP - 7 * DAY},
        {EXPIRY_ALERT_30_DAYS, EXP - 7 * DAY - 1, EXPIRY_ALERT_NONE, EXP - 7 * DAY},
        {EXPIRY_ALERT_30_DAYS, EXP - 7 * DAY, EXPIRY_ALERT_7_DAYS, EXP - DAY},
        {EXPIRY_ALERT_7_DAYS, EXP - DAY - 1, EXPIRY_ALERT_NONE, EXP - DAY},
        {EXPIRY_ALERT_7_DAYS, EXP - DAY, EXPIRY_ALERT_1_DAY, EXP},
        {EXPIRY_ALERT_1_DAY, EXP - 1, EXPIRY_ALERT_NONE, EXP},
        {EXPIRY_ALERT_1_DAY, EXP, EXPIRY_ALERT_EXPIRED, EXP + GRACE},
        {EXPIRY_ALERT_EXPIRED, EXP + GRACE - 1, EXPIRY_ALERT_NONE, EXP + GRACE},
        {EXPIRY_ALERT_EXPIRED, EXP + GRACE, EXPIRY_ALERT_GRACE_OVER, LICENSE_NEVER},
        {EXPIRY_ALERT_GRACE_OVER, INT64_MAX, EXPIRY_ALERT_NONE, LICENSE_NEVER},
    };
    check_rows(rows, sizeof rows / sizeof rows[0], GRACE);
}

static void a_license_seen_late_is_announced_once(void **state) {
    (void)state;
    const struct row rows[] = {
        {EXPIRY_ALERT_NONE, EXP - 5 * DAY, EXPIRY_ALERT_7_DAYS, EXP - DAY},
        {EXPIRY_ALERT_NONE, EXP - 1, EXPIRY_ALERT_1_DAY, EXP},
        {EXPIRY_ALERT_NONE, EXP + 1, EXPIRY_ALERT_EXPIRED, EXP + GRACE},
        {EXPIRY_ALERT_NONE, EXP + GRACE, EXPIRY_ALERT_GRACE_OVER, LICENSE_NEVER},
    };
    check_rows(rows, sizeof rows / sizeof rows[0], GRACE);
}

static void a_clock_turned_back_repeats_nothing(void **state) {
    (void)state;
    const struct row rows[] = {
        {EXPIRY_ALERT_1_DAY, EXP - 20 * DAY, EXPIRY_ALERT_NONE, EXP - 7 * DAY},
        {EXPIRY_ALERT_EXPIRED, EXP - 40 * DAY, EXPIRY_ALERT_NONE, EXP - 30 * DAY},
    };
    check_rows(rows, sizeof rows / sizeof rows[0], GRACE);
}

static void without_grace_there_is_no_last_alert(void **state) {
    (void)state;
    const struct row rows[] = {
        {EXPIRY_ALERT_1_DAY, EXP, EXPIRY_ALERT_EXPIRED, LICENSE_NEVER},
        {EXPIRY_ALERT_EXPIRED, EXP + 900 * DAY, EXPIRY_ALERT_NONE, LICENSE_NEVER},
    };
    check_rows(rows, 2, 0);
    check_rows(rows, 2, INT64_MAX);
}

static void a_perpetual_license_has_no_alerts(void **state) {
    (void)state;
    struct expiry_alert_due due =
        expiry_alerts_check(EXPIRY_ALERT_NONE, LICENSE_NEVER, GRACE, INT64_MAX - 1);
    assert_int_equal(due.alert, EXPIRY_ALERT_NONE);
    assert_true(due.next_at_ms == LICENSE_NEVER);
}

static void extreme_claims_are_harmless(void **state) {
    (void)state;
    struct expiry_alert_due due = expiry_alerts_check(EXPIRY_ALERT_NONE, INT64_MIN, GRACE, 0);
    assert_int_equal(due.alert, EXPIRY_ALERT_GRACE_OVER);
}

static void names_go_both_ways(void **state) {
    (void)state;
    for (int i = EXPIRY_ALERT_NONE; i <= EXPIRY_ALERT_GRACE_OVER; i++) {
        enum expiry_alert alert;
        const char *name = expiry_alert_name((enum expiry_alert)i);
        assert_true(expiry_alert_read(bytes_of_text(name), &alert));
        assert_int_equal(alert, i);
    }
    enum expiry_alert untouched = EXPIRY_ALERT_1_DAY;
    assert_false(expiry_alert_read(bytes_of_text("soon"), &untouched));
    assert_int_equal(untouched, EXPIRY_ALERT_1_DAY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_edge_is_exact),
        cmocka_unit_test(a_license_seen_late_is_announced_once),
        cmocka_unit_test(a_clock_turned_back_repeats_nothing),
        cmocka_unit_test(without_grace_there_is_no_last_alert),
        cmocka_unit_test(a_perpetual_license_has_no_alerts),
        cmocka_unit_test(extreme_claims_are_harmless),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
