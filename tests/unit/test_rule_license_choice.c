/* rules/license_choice: every row of its table, from the file and from a peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/license_choice.h"

#define DAY 86400000LL
#define NOW (10000 * DAY)

static const struct license_facts good = {.present = true,
                                          .verdict = STATUS_OK,
                                          .not_before_ms = NOW - DAY,
                                          .expires_at_ms = NOW + 100 * DAY};
static const struct license_facts expired = {
    .present = true, .verdict = STATUS_OK, .not_before_ms = NOW - 9 * DAY, .expires_at_ms = NOW};
static const struct license_facts in_grace = {.present = true,
                                              .verdict = STATUS_OK,
                                              .not_before_ms = NOW - 9 * DAY,
                                              .expires_at_ms = NOW - DAY,
                                              .grace_ms = 2 * DAY};
static const struct license_facts revoked = {.present = true,
                                             .verdict = STATUS_OK,
                                             .revoked = true,
                                             .not_before_ms = NOW - DAY,
                                             .expires_at_ms = NOW + 100 * DAY};
static const struct license_facts future = {.present = true,
                                            .verdict = STATUS_OK,
                                            .not_before_ms = NOW + 5 * DAY,
                                            .expires_at_ms = NOW + 100 * DAY};
static const struct license_facts forged = {
    .present = true, .verdict = STATUS_BAD_SIGNATURE, .expires_at_ms = NOW + 100 * DAY};
static const struct license_facts empty = {.present = false};

struct row {
    const char *title;
    const struct license_facts *candidate;
    const char *line;
    int64_t serial;
    const char *digest;
    enum license_origin origin;
    const struct license_facts *present; /* of line A, serial 5, digest "five"; NULL: none */
    int64_t mark;                        /* of the candidate's line; -1: none */
    enum license_decision decision;
    enum status_code code;
};

#define FILE_ LICENSE_FROM_FILE
#define PEER_ LICENSE_FROM_PEER

static const struct row rows[] = {
    {"nothing in the file", &empty, "A", 6, "six", FILE_, &good, 5, LICENSE_REFUSE,
     STATUS_NOT_FOUND},
    {"forged, none in force", &forged, "A", 6, "six", FILE_, NULL, -1, LICENSE_REFUSE,
     STATUS_BAD_SIGNATURE},
    {"forged, one in force", &forged, "A", 6, "six", FILE_, &good, 5, LICENSE_REFUSE,
     STATUS_BAD_SIGNATURE},
    {"forged, a dead one in force", &forged, "A", 6, "six", PEER_, &expired, 5, LICENSE_REFUSE,
     STATUS_BAD_SIGNATURE},

    {"the first", &good, "A", 1, "one", FILE_, NULL, -1, LICENSE_TAKE, STATUS_OK},
    {"the first, from a peer", &good, "A", 1, "one", PEER_, NULL, -1, LICENSE_TAKE, STATUS_OK},
    {"the first, though expired", &expired, "A", 1, "one", FILE_, NULL, -1, LICENSE_TAKE,
     STATUS_OK},
    {"the first, though revoked", &revoked, "A", 1, "one", FILE_, NULL, -1, LICENSE_TAKE,
     STATUS_OK},
    {"the first, though not yet valid", &future, "A", 1, "one", FILE_, NULL, -1, LICENSE_TAKE,
     STATUS_OK},

    {"the same token", &good, "A", 5, "five", FILE_, &good, 5, LICENSE_KEEP, STATUS_OK},
    {"the same token, expired", &expired, "A", 5, "five", FILE_, &expired, 5, LICENSE_KEEP,
     STATUS_OK},
    {"the same token from a peer", &good, "A", 5, "five", PEER_, &good, 5, LICENSE_KEEP, STATUS_OK},

    {"higher serial", &good, "A", 6, "six", FILE_, &good, 5, LICENSE_TAKE, STATUS_OK},
    {"higher serial from a peer", &good, "A", 6, "six", PEER_, &good, 5, LICENSE_TAKE, STATUS_OK},
    {"lower serial", &good, "A", 4, "four", FILE_, &good, 5, LICENSE_REFUSE, STATUS_OLD_SERIAL},
    {"lower serial from a peer", &good, "A", 4, "four", PEER_, &good, 5, LICENSE_REFUSE,
     STATUS_OLD_SERIAL},
    {"lower serial, the present one expired", &good, "A", 4, "four", FILE_, &expired, 5,
     LICENSE_REFUSE, STATUS_OLD_SERIAL},
    {"lower serial after a restart", &good, "A", 4, "four", FILE_, NULL, 5, LICENSE_REFUSE,
     STATUS_OLD_SERIAL},
    {"the mark's serial after a restart", &good, "A", 5, "five", FILE_, NULL, 5, LICENSE_TAKE,
     STATUS_OK},
    {"above the present one, below the mark", &good, "A", 6, "six", FILE_, &good, 7, LICENSE_REFUSE,
     STATUS_OLD_SERIAL},
    {"same serial, another token", &good, "A", 5, "5b", FILE_, &good, 5, LICENSE_TAKE, STATUS_OK},
    {"same serial, another token from a peer", &good, "A", 5, "5b", PEER_, &good, 5, LICENSE_KEEP,
     STATUS_OK},

    {"another line in the file", &good, "B", 1, "one", FILE_, &good, -1, LICENSE_TAKE, STATUS_OK},
    {"another line from a peer", &good, "B", 9, "nine", PEER_, &good, -1, LICENSE_REFUSE,
     STATUS_WRONG_DEPLOYMENT},
    {"another line, older than its mark", &good, "B", 1, "one", FILE_, &good, 2, LICENSE_REFUSE,
     STATUS_OLD_SERIAL},
    {"another line, expired", &expired, "B", 1, "one", FILE_, &good, -1, LICENSE_REFUSE,
     STATUS_EXPIRED},

    {"higher, expired, present valid", &expired, "A", 6, "six", FILE_, &good, 5, LICENSE_REFUSE,
     STATUS_EXPIRED},
    {"higher, expired, present in grace", &expired, "A", 6, "six", FILE_, &in_grace, 5,
     LICENSE_REFUSE, STATUS_EXPIRED},
    {"higher, expired, present expired", &expired, "A", 6, "six", FILE_, &expired, 5, LICENSE_TAKE,
     STATUS_OK},
    {"higher, in grace, present valid", &in_grace, "A", 6, "six", FILE_, &good, 5, LICENSE_TAKE,
     STATUS_OK},
    {"higher, revoked, present valid", &revoked, "A", 6, "six", PEER_, &good, 5, LICENSE_REFUSE,
     STATUS_REVOKED},
    {"higher, revoked, present revoked", &revoked, "A", 6, "six", FILE_, &revoked, 5, LICENSE_TAKE,
     STATUS_OK},
    {"higher, good, present revoked", &good, "A", 6, "six", FILE_, &revoked, 5, LICENSE_TAKE,
     STATUS_OK},
    {"higher, not yet valid", &future, "A", 6, "six", FILE_, &good, 5, LICENSE_WAIT, STATUS_OK},
    {"higher, not yet valid, present expired", &future, "A", 6, "six", FILE_, &expired, 5,
     LICENSE_WAIT, STATUS_OK},
};

static void each_row_of_the_table(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct license_candidate present = {.line = "A", .serial = 5, .digest = "five"};
        if (row->present) present.facts = *row->present;
        struct license_candidate candidate = {.facts = *row->candidate,
                                              .line = row->line,
                                              .serial = row->serial,
                                              .digest = row->digest};
        struct serial_mark mark = {.seen = row->mark >= 0, .serial = row->mark};
        struct license_choice choice = license_choice_decide(
            &candidate, row->origin, row->present ? &present : NULL, &mark, NOW);
        if (choice.decision != row->decision || choice.code != row->code)
            fail_msg("%s: got %s (%s), %s", row->title, license_decision_name(choice.decision),
                     status_code_name(choice.code), choice.text);
        bool other_line = row->decision == LICENSE_TAKE && row->present && row->line[0] != 'A';
        assert_int_equal(choice.changes_line, other_line);
        assert_true(choice.again_at_ms ==
                    (row->decision == LICENSE_WAIT ? NOW + 5 * DAY - 60000 : LICENSE_NEVER));
    }
}

static void a_waiting_license_takes_over_when_it_begins(void **state) {
    (void)state;
    struct license_candidate present = {.facts = good, .line = "A", .serial = 5, .digest = "five"};
    struct license_candidate next = {.facts = future, .line = "A", .serial = 6, .digest = "six"};
    struct serial_mark mark = {.seen = true, .serial = 5};
    int64_t begin = NOW + 5 * DAY - 60000;
    assert_int_equal(
        license_choice_decide(&next, LICENSE_FROM_FILE, &present, &mark, begin - 1).decision,
        LICENSE_WAIT);
    assert_int_equal(
        license_choice_decide(&next, LICENSE_FROM_FILE, &present, &mark, begin).decision,
        LICENSE_TAKE);
}

static void a_taken_license_is_called_newer_only_when_it_is(void **state) {
    (void)state;
    struct license_candidate present = {.facts = good, .line = "A", .serial = 5, .digest = "five"};
    struct serial_mark mark = {.seen = true, .serial = 5};
    for (int64_t serial = 5; serial <= 6; serial++) {
        struct license_candidate candidate = {
            .facts = good, .line = "A", .serial = serial, .digest = "other"};
        struct license_choice choice =
            license_choice_decide(&candidate, LICENSE_FROM_FILE, &present, &mark, NOW);
        assert_int_equal(choice.decision, LICENSE_TAKE);
        assert_int_equal(strstr(choice.text, "newer") != NULL, serial == 6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_the_table),
        cmocka_unit_test(a_taken_license_is_called_newer_only_when_it_is),
        cmocka_unit_test(a_waiting_license_takes_over_when_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
