/* rules/degradation: every combination of status, liveness, entry and mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/degradation.h"

#define F FEATURE_FULL
#define A FEATURE_ADVISE
#define R FEATURE_READONLY
#define D FEATURE_DENIED

struct row {
    enum license_status status;
    bool live;
    enum feature_mode block, advise, readonly;
    const char *code;
};

static const struct row rows[] = {
    {LICENSE_VALID, true, F, F, F, "licensed"},      {LICENSE_EXPIRING, true, F, F, F, "licensed"},
    {LICENSE_GRACE, true, F, F, F, "grace"},         {LICENSE_EXPIRED, true, D, A, R, "expired"},
    {LICENSE_INVALID, true, D, D, D, "invalid"},     {LICENSE_REVOKED, true, D, D, D, "revoked"},
    {LICENSE_MISSING, true, D, D, D, "missing"},     {LICENSE_VALID, false, D, A, R, "no_server"},
    {LICENSE_EXPIRING, false, D, A, R, "no_server"}, {LICENSE_GRACE, false, D, A, R, "no_server"},
    {LICENSE_EXPIRED, false, D, A, R, "expired"},    {LICENSE_INVALID, false, D, D, D, "invalid"},
    {LICENSE_REVOKED, false, D, D, D, "revoked"},    {LICENSE_MISSING, false, D, D, D, "missing"},
};

static void check(const struct row *row, enum license_degrade degrade, enum feature_mode expected) {
    struct degradation_input input = {
        .status = row->status, .server_is_live = row->live, .licensed = true, .degrade = degrade};
    struct feature_answer answer = degradation_answer(&input);
    if (answer.mode != expected || strcmp(answer.code, row->code) != 0)
        fail_msg("%s, live %d, %s: got %s (%s)", license_status_word(row->status), row->live,
                 license_degrade_name(degrade), feature_mode_name(answer.mode), answer.code);
    assert_int_equal(answer.allowed, expected != FEATURE_DENIED);
    assert_int_equal(answer.limit_holds, expected != FEATURE_DENIED);
    assert_true(strlen(answer.reason) > 0);
}

static void every_combination(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i], LICENSE_DEGRADE_BLOCK, rows[i].block);
        check(&rows[i], LICENSE_DEGRADE_ADVISE, rows[i].advise);
        check(&rows[i], LICENSE_DEGRADE_READONLY, rows[i].readonly);
    }
}

static void what_is_not_licensed_is_denied_always(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int degrade = 0; degrade < 3; degrade++) {
            struct degradation_input input = {.status = rows[i].status,
                                              .server_is_live = rows[i].live,
                                              .licensed = false,
                                              .degrade = (enum license_degrade)degrade};
            struct feature_answer answer = degradation_answer(&input);
            assert_false(answer.allowed);
            assert_int_equal(answer.mode, FEATURE_DENIED);
        }
}

static void unknown_values_deny(void **state) {
    (void)state;
    struct degradation_input input = {.status = (enum license_status)77,
                                      .server_is_live = true,
                                      .licensed = true,
                                      .degrade = LICENSE_DEGRADE_ADVISE};
    assert_false(degradation_answer(&input).allowed);
    input.status = LICENSE_EXPIRED;
    input.degrade = (enum license_degrade)77;
    assert_false(degradation_answer(&input).allowed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination),
        cmocka_unit_test(what_is_not_licensed_is_denied_always),
        cmocka_unit_test(unknown_values_deny),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
