/* When certificates are renewed: each edge, one millisecond on both sides. */
#include "tests/lib/unit.h"

#include "rules/certificate_renewal.h"

#define DAY INT64_C(86400000)

/* 90 days, whose last second is part of them. */
static const struct certificate_life life = {.not_before_ms = 1000 * DAY,
                                             .not_after_ms = 1090 * DAY - 1000};

static const struct {
    int64_t now_ms;
    enum certificate_phase phase;
} rows[] = {
    {INT64_MIN / 2, CERTIFICATE_NOT_YET_VALID},
    {1000 * DAY - 1, CERTIFICATE_NOT_YET_VALID},
    {1000 * DAY, CERTIFICATE_FRESH},
    {1045 * DAY - 1, CERTIFICATE_FRESH},
    {1045 * DAY, CERTIFICATE_DUE},
    {1060 * DAY - 1, CERTIFICATE_DUE},
    {1060 * DAY, CERTIFICATE_OVERDUE},
    {1090 * DAY - 1, CERTIFICATE_OVERDUE},
    {1090 * DAY, CERTIFICATE_EXPIRED},
    {INT64_MAX / 2, CERTIFICATE_EXPIRED},
};

static void each_moment_has_its_phase(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(certificate_phase_at(life, rows[i].now_ms), rows[i].phase);
}

static void renewal_lies_between_due_and_overdue(void **state) {
    (void)state;
    static const uint32_t chances[] = {0, 1, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    assert_true(certificate_renewal_ms(life, 0) == certificate_due_ms(life));
    for (size_t i = 0; i < COUNT_OF(chances); i++) {
        int64_t at_ms = certificate_renewal_ms(life, chances[i]);
        assert_int_equal(certificate_phase_at(life, at_ms), CERTIFICATE_DUE);
    }
    assert_true(certificate_renewal_ms(life, UINT32_MAX) > certificate_overdue_ms(life) - DAY);
}

static void strange_lives_do_no_harm(void **state) {
    (void)state;
    struct certificate_life backward = {.not_before_ms = DAY, .not_after_ms = 0};
    struct certificate_life endless = {.not_before_ms = INT64_C(-62167219200000),
                                       .not_after_ms = INT64_C(253402300799000)};
    assert_int_equal(certificate_phase_at(backward, DAY), CERTIFICATE_EXPIRED);
    assert_int_equal(certificate_phase_at(backward, 0), CERTIFICATE_NOT_YET_VALID);
    assert_true(certificate_renewal_ms(backward, 5) == 1000);
    assert_int_equal(certificate_phase_at(endless, certificate_renewal_ms(endless, UINT32_MAX)),
                     CERTIFICATE_DUE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_moment_has_its_phase),
        cmocka_unit_test(renewal_lies_between_due_and_overdue),
        cmocka_unit_test(strange_lives_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
