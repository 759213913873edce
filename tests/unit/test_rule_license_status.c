/* rules/license_status: each row of its table, one millisecond either side of each edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/license_status.h"

#define DAY   86400000LL
#define NBF   (1000 * DAY)
#define EXP   (1365 * DAY)
#define GRACE (14 * DAY)

struct row {
    const char *title;
    int64_t now_ms;
    enum license_status status;
    enum license_rule rule;
    int64_t next_change_at_ms;
    enum license_status next_status;
};

static struct license_facts good_facts(int64_t grace_ms) {
    return (struct license_facts){.present = true,
                                  .verdict = STATUS_OK,
                                  .not_before_ms = NBF,
                                  .expires_at_ms = EXP,
                                  .grace_ms = grace_ms};
}

static void check_rows(const struct license_facts *facts, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct license_judgement judged = license_status_judge(facts, rows[i].now_ms);
        if (judged.status != rows[i].status || judged.rule != rows[i].rule ||
            judged.next_change_at_ms != rows[i].next_change_at_ms ||
            judged.next_status != rows[i].next_status)
            fail_msg("%s: got %s by %s, then %s at %lld", rows[i].title,
                     license_status_word(judged.status), license_rule_name(judged.rule),
                     license_status_word(judged.next_status), (long long)judged.next_change_at_ms);
    }
}

static void each_edge_of_time_is_exact(void **state) {
    (void)state;
    const int64_t begin = NBF - 60000;
    const int64_t last_days = EXP - 30 * DAY;
    const struct row rows[] = {
        {"the beginning of time", INT64_MIN, LICENSE_INVALID, LICENSE_RULE_NOT_YET_VALID, begin,
         LICENSE_VALID},
        {"before nbf - 60 s", begin - 1, LICENSE_INVALID, LICENSE_RULE_NOT_YET_VALID, begin,
         LICENSE_VALID},
        {"at nbf - 60 s", begin, LICENSE_VALID, LICENSE_RULE_IN_TERM, last_days, LICENSE_EXPIRING},
        {"before the last 30 days", last_days - 1, LICENSE_VALID, LICENSE_RULE_IN_TERM, last_days,
         LICENSE_EXPIRING},
        {"at 30 days", last_days, LICENSE_EXPIRING, LICENSE_RULE_LAST_DAYS, EXP, LICENSE_GRACE},
        {"before exp", EXP - 1, LICENSE_EXPIRING, LICENSE_RULE_LAST_DAYS, EXP, LICENSE_GRACE},
        {"at exp", EXP, LICENSE_GRACE, LICENSE_RULE_GRACE, EXP + GRACE, LICENSE_EXPIRED},
        {"before the end of grace", EXP + GRACE - 1, LICENSE_GRACE, LICENSE_RULE_GRACE, EXP + GRACE,
         LICENSE_EXPIRED},
        {"at the end of grace", EXP + GRACE, LICENSE_EXPIRED, LICENSE_RULE_EXPIRED, LICENSE_NEVER,
         LICENSE_EXPIRED},
        {"the end of time", INT64_MAX, LICENSE_EXPIRED, LICENSE_RULE_EXPIRED, LICENSE_NEVER,
         LICENSE_EXPIRED},
    };
    struct license_facts facts = good_facts(GRACE);
    check_rows(&facts, rows, sizeof rows / sizeof rows[0]);
}

static void without_grace_exp_is_the_end(void **state) {
    (void)state;
    const struct row rows[] = {
        {"before exp", EXP - 1, LICENSE_EXPIRING, LICENSE_RULE_LAST_DAYS, EXP, LICENSE_EXPIRED},
        {"at exp", EXP, LICENSE_EXPIRED, LICENSE_RULE_EXPIRED, LICENSE_NEVER, LICENSE_EXPIRED},
    };
    struct license_facts facts = good_facts(0);
    check_rows(&facts, rows, 2);
    facts.grace_ms = -DAY;
    check_rows(&facts, rows, 2);
}

static void a_short_license_begins_in_its_last_days(void **state) {
    (void)state;
    struct license_facts facts = good_facts(0);
    facts.not_before_ms = EXP - 10 * DAY;
    int64_t begin = facts.not_before_ms - 60000;
    const struct row rows[] = {
        {"before", begin - 1, LICENSE_INVALID, LICENSE_RULE_NOT_YET_VALID, begin, LICENSE_EXPIRING},
        {"first moment", begin, LICENSE_EXPIRING, LICENSE_RULE_LAST_DAYS, EXP, LICENSE_EXPIRED},
    };
    check_rows(&facts, rows, 2);
}

static void facts_beat_time(void **state) {
    (void)state;
    struct license_facts missing = good_facts(0);
    missing.present = false;
    struct license_facts refused = good_facts(0);
    refused.verdict = STATUS_WRONG_DEPLOYMENT;
    refused.revoked = true;
    struct license_facts revoked = good_facts(0);
    revoked.revoked = true;
    const int64_t moments[] = {INT64_MIN, 0, NBF, EXP - 1, EXP, INT64_MAX};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        const struct row none = {"missing",       moments[i],
                                 LICENSE_MISSING, LICENSE_RULE_MISSING,
                                 LICENSE_NEVER,   LICENSE_MISSING};
        const struct row bad = {"refused",       moments[i],
                                LICENSE_INVALID, LICENSE_RULE_REFUSED,
                                LICENSE_NEVER,   LICENSE_INVALID};
        const struct row taken = {"revoked",       moments[i],
                                  LICENSE_REVOKED, LICENSE_RULE_REVOKED,
                                  LICENSE_NEVER,   LICENSE_REVOKED};
        check_rows(&missing, &none, 1);
        check_rows(&refused, &bad, 1);
        check_rows(&revoked, &taken, 1);
    }
}

static void a_perpetual_license_is_valid_for_ever(void **state) {
    (void)state;
    struct license_facts facts = good_facts(GRACE);
    facts.expires_at_ms = LICENSE_NEVER;
    const struct row rows[] = {
        {"now", NBF, LICENSE_VALID, LICENSE_RULE_PERPETUAL, LICENSE_NEVER, LICENSE_VALID},
        {"at the end", INT64_MAX, LICENSE_VALID, LICENSE_RULE_PERPETUAL, LICENSE_NEVER,
         LICENSE_VALID},
    };
    check_rows(&facts, rows, 2);
}

static void extreme_claims_do_not_wrap(void **state) {
    (void)state;
    struct license_facts facts = good_facts(INT64_MAX);
    facts.not_before_ms = INT64_MIN;
    assert_int_equal(license_status_judge(&facts, EXP).status, LICENSE_GRACE);
    assert_int_equal(license_status_judge(&facts, INT64_MAX - 1).status, LICENSE_GRACE);
    facts.not_before_ms = INT64_MAX;
    assert_int_equal(license_status_judge(&facts, EXP).status, LICENSE_INVALID);
    facts = good_facts(0);
    facts.not_before_ms = INT64_MIN;
    facts.expires_at_ms = INT64_MIN;
    assert_int_equal(license_status_judge(&facts, INT64_MIN).status, LICENSE_EXPIRED);
}

static void words_go_both_ways(void **state) {
    (void)state;
    const char *words[] = {"valid",   "expiring", "grace",  "expired",
                           "invalid", "revoked",  "missing"};
    for (size_t i = 0; i < 7; i++) {
        enum license_status status;
        assert_true(license_status_read(bytes_of_text(words[i]), &status));
        assert_string_equal(license_status_word(status), words[i]);
        assert_int_equal(license_status_grants(status), i < 3);
    }
    enum license_status untouched = LICENSE_GRACE;
    assert_false(license_status_read(bytes_of_text("Valid"), &untouched));
    assert_false(license_status_read(bytes_of_text(""), &untouched));
    assert_false(license_status_read(bytes_of("valid\0", 6), &untouched));
    assert_int_equal(untouched, LICENSE_GRACE);
    assert_string_equal(license_status_word((enum license_status)99), "missing");
}

static void codes_and_sentences_follow_the_rule(void **state) {
    (void)state;
    struct license_facts facts = good_facts(GRACE);
    const struct {
        int64_t now_ms;
        enum status_code code;
        const char *sentence;
    } rows[] = {
        {NBF - DAY, STATUS_NOT_YET_VALID, "the license is not valid yet: it begins in 23h 59m"},
        {NBF, STATUS_OK, "the license is within its term; its last 30 days begin in 335d"},
        {EXP - 2 * DAY, STATUS_OK, "the license is in its last 30 days: it expires in 2d"},
        {EXP + DAY, STATUS_GRACE, "the license expired 1d ago and its grace ends in 13d"},
        {EXP + GRACE, STATUS_EXPIRED, "the license expired 14d ago, and its grace is over"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct license_judgement judged = license_status_judge(&facts, rows[i].now_ms);
        char sentence[LICENSE_STATUS_TEXT_BYTES];
        license_status_explain(&facts, &judged, rows[i].now_ms, sentence);
        assert_string_equal(sentence, rows[i].sentence);
        assert_int_equal(license_status_code(&facts, &judged), rows[i].code);
    }
    facts.verdict = STATUS_WRONG_FINGERPRINT;
    struct license_judgement judged = license_status_judge(&facts, NBF);
    assert_int_equal(license_status_code(&facts, &judged), STATUS_WRONG_FINGERPRINT);
}

static void facts_come_from_the_check(void **state) {
    (void)state;
    struct license *license = license_new();
    license->not_before_ms = NBF;
    license->expires_at_ms = EXP;
    license->grace_days = 14;
    const enum status_code about_time[] = {STATUS_OK, STATUS_EXPIRED, STATUS_GRACE,
                                           STATUS_NOT_YET_VALID};
    for (size_t i = 0; i < 4; i++) {
        struct license_facts facts = license_status_facts(license, about_time[i]);
        assert_true(facts.present && !facts.revoked);
        assert_int_equal(facts.verdict, STATUS_OK);
        assert_true(facts.expires_at_ms == EXP && facts.grace_ms == GRACE);
    }
    struct license_facts revoked = license_status_facts(license, STATUS_REVOKED);
    assert_true(revoked.revoked && revoked.verdict == STATUS_OK);
    struct license_facts elsewhere = license_status_facts(license, STATUS_WRONG_DEPLOYMENT);
    assert_int_equal(license_status_judge(&elsewhere, NBF).status, LICENSE_INVALID);
    license_free(license);

    struct license_facts none = license_status_facts(NULL, STATUS_NOT_FOUND);
    assert_int_equal(license_status_judge(&none, NBF).status, LICENSE_MISSING);
    struct license_facts garbage = license_status_facts(NULL, STATUS_MALFORMED);
    assert_int_equal(license_status_judge(&garbage, NBF).status, LICENSE_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_edge_of_time_is_exact),
        cmocka_unit_test(without_grace_exp_is_the_end),
        cmocka_unit_test(a_short_license_begins_in_its_last_days),
        cmocka_unit_test(facts_beat_time),
        cmocka_unit_test(a_perpetual_license_is_valid_for_ever),
        cmocka_unit_test(extreme_claims_do_not_wrap),
        cmocka_unit_test(words_go_both_ways),
        cmocka_unit_test(codes_and_sentences_follow_the_rule),
        cmocka_unit_test(facts_come_from_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
