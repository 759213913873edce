/* rules/server_freshness: each row of its table, to the millisecond; replay, delay, restored
 * servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/heartbeat_sequence.h"
#include "rules/server_freshness.h"

#define TIMEOUT 60000
#define NONE    FRESHNESS_NONCE_NONE
#define OURS    FRESHNESS_NONCE_OURS
#define OTHER   FRESHNESS_NONCE_OTHER

/* The server answered a nonce at monotonic 1000, when its clock showed 500000, with seq 100. */
#define HEARD   1000
#define SENT_AT 500000

static struct server_freshness proven_server(void) {
    struct server_freshness server = {0};
    server_freshness_asked(&server, HEARD - 5);
    struct freshness_message answer = {100, SENT_AT, OURS};
    assert_int_equal(server_freshness_check(&server, &answer, TIMEOUT, HEARD), FRESHNESS_OK);
    server_freshness_commit(&server, &answer, HEARD);
    return server;
}

static void expect(const struct server_freshness *server, struct freshness_message message,
                   int64_t now_ms, enum freshness_verdict verdict) {
    enum freshness_verdict got = server_freshness_check(server, &message, TIMEOUT, now_ms);
    if (got != verdict)
        fail_msg("seq %lld sent %lld now %lld: got %s, wanted %s", (long long)message.seq,
                 (long long)message.sent_at_ms, (long long)now_ms, freshness_verdict_name(got),
                 freshness_verdict_name(verdict));
}

static void each_row_for_an_unproven_server(void **state) {
    (void)state;
    struct server_freshness server = {0};
    expect(&server, (struct freshness_message){0, SENT_AT, NONE}, HEARD, FRESHNESS_MALFORMED);
    expect(&server, (struct freshness_message){-1, SENT_AT, OURS}, HEARD, FRESHNESS_MALFORMED);
    expect(&server, (struct freshness_message){HEARTBEAT_SEQUENCE_LIMIT, SENT_AT, NONE}, HEARD,
           FRESHNESS_MALFORMED);
    expect(&server, (struct freshness_message){1, SENT_AT, OURS}, HEARD, FRESHNESS_OK);
    expect(&server, (struct freshness_message){1, SENT_AT, OTHER}, HEARD, FRESHNESS_WRONG_NONCE);
    expect(&server, (struct freshness_message){1, SENT_AT, NONE}, HEARD, FRESHNESS_NEEDS_NONCE);
    expect(&server, (struct freshness_message){1, INT64_MIN, NONE}, HEARD, FRESHNESS_NEEDS_NONCE);
}

static void each_row_for_a_proven_server(void **state) {
    (void)state;
    struct server_freshness server = proven_server();
    const struct {
        struct freshness_message message;
        int64_t now_ms;
        enum freshness_verdict verdict;
    } rows[] = {
        {{0, SENT_AT, NONE}, HEARD, FRESHNESS_MALFORMED},
        {{101, SENT_AT, OTHER}, HEARD, FRESHNESS_WRONG_NONCE},
        {{101, SENT_AT, OURS}, HEARD, FRESHNESS_REPLAYED},
        {{100, SENT_AT, NONE}, HEARD, FRESHNESS_REPLAYED},
        {{99, SENT_AT, NONE}, HEARD, FRESHNESS_OLDER},
        {{101, SENT_AT, NONE}, HEARD, FRESHNESS_OK},
        {{101, SENT_AT + 30000, NONE}, HEARD + 30000, FRESHNESS_OK},
        {{101, SENT_AT, NONE}, HEARD + 10000, FRESHNESS_OK},
        {{101, SENT_AT, NONE}, HEARD + 10001, FRESHNESS_WITHHELD},
        {{101, SENT_AT + 10000, NONE}, HEARD, FRESHNESS_OK},
        {{101, SENT_AT + 10001, NONE}, HEARD, FRESHNESS_AHEAD},
        {{101, INT64_MIN, NONE}, HEARD, FRESHNESS_WITHHELD},
        {{101, INT64_MAX, NONE}, HEARD, FRESHNESS_AHEAD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(&server, rows[i].message, rows[i].now_ms, rows[i].verdict);
}

static void recorded_heartbeats_change_nothing(void **state) {
    (void)state;
    struct server_freshness server = proven_server();
    for (int i = 1; i <= 5; i++) {
        struct freshness_message beat = {100 + i, SENT_AT + i * 30000, NONE};
        expect(&server, beat, HEARD + i * 30000, FRESHNESS_OK);
        server_freshness_commit(&server, &beat, HEARD + i * 30000);
    }
    for (int i = 1; i <= 5; i++)
        expect(&server, (struct freshness_message){100 + i, SENT_AT + i * 30000, NONE},
               HEARD + 5 * 30000 + 1, i < 5 ? FRESHNESS_OLDER : FRESHNESS_REPLAYED);
}

/* Each heartbeat is released a little later than the one before: the measure must not move
 * along. */
static void creeping_delay_is_noticed(void **state) {
    (void)state;
    struct server_freshness server = proven_server();
    for (int i = 1; i <= 11; i++) {
        struct freshness_message beat = {100 + i, SENT_AT + i * 1000, NONE};
        int64_t now = HEARD + i * 1000 + i * 1000;
        expect(&server, beat, now, i <= 10 ? FRESHNESS_OK : FRESHNESS_WITHHELD);
        if (i <= 10) server_freshness_commit(&server, &beat, now);
    }
}

static void no_answer_to_a_nonce_means_unproven(void **state) {
    (void)state;
    struct server_freshness server = proven_server();
    struct freshness_message beat = {101, SENT_AT + 60000, NONE};
    int64_t asked = HEARD + 50000;
    server_freshness_asked(&server, asked);
    server_freshness_asked(&server, asked + 10000); /* asking again extends nothing */
    assert_true(server_freshness_is_proven(&server, TIMEOUT, asked + 14999));
    assert_false(server_freshness_is_proven(&server, TIMEOUT, asked + 15000));
    expect(&server, beat, HEARD + 60000, FRESHNESS_OK);
    expect(&server, beat, asked + 15000, FRESHNESS_NEEDS_NONCE);

    struct freshness_message answer = {102, SENT_AT + 70000, OURS};
    expect(&server, answer, asked + 20000, FRESHNESS_OK);
    server_freshness_commit(&server, &answer, asked + 20000);
    assert_true(server_freshness_is_proven(&server, TIMEOUT, asked + 900000));
    expect(&server, answer, asked + 20001, FRESHNESS_REPLAYED);
    expect(&server, (struct freshness_message){103, SENT_AT + 70010, NONE}, asked + 20010,
           FRESHNESS_OK);
}

static void a_restored_server_is_heard_again(void **state) {
    (void)state;
    struct server_freshness server = proven_server();
    server_freshness_asked(&server, HEARD + 45000);
    struct freshness_message answer = {7, SENT_AT + 45000, OURS};
    expect(&server, answer, HEARD + 45000, FRESHNESS_OK);
    server_freshness_commit(&server, &answer, HEARD + 45000);
    expect(&server, (struct freshness_message){8, SENT_AT + 46000, NONE}, HEARD + 46000,
           FRESHNESS_OK);
    /* A recording from before, with its higher seq, has the wrong time. */
    expect(&server, (struct freshness_message){100, SENT_AT + 30000, NONE}, HEARD + 46000,
           FRESHNESS_WITHHELD);
}

static void a_server_clock_set_forward_heals_with_the_next_nonce(void **state) {
    (void)state;
    struct server_freshness server = proven_server();
    const int64_t hour = 3600000;
    expect(&server, (struct freshness_message){101, SENT_AT + 30000 + hour, NONE}, HEARD + 30000,
           FRESHNESS_AHEAD);
    server_freshness_asked(&server, HEARD + 45000);
    struct freshness_message answer = {102, SENT_AT + 45000 + hour, OURS};
    expect(&server, answer, HEARD + 45000, FRESHNESS_OK);
    server_freshness_commit(&server, &answer, HEARD + 45000);
    expect(&server, (struct freshness_message){103, SENT_AT + 60000 + hour, NONE}, HEARD + 60000,
           FRESHNESS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_for_an_unproven_server),
        cmocka_unit_test(each_row_for_a_proven_server),
        cmocka_unit_test(recorded_heartbeats_change_nothing),
        cmocka_unit_test(creeping_delay_is_noticed),
        cmocka_unit_test(no_answer_to_a_nonce_means_unproven),
        cmocka_unit_test(a_restored_server_is_heard_again),
        cmocka_unit_test(a_server_clock_set_forward_heals_with_the_next_nonce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
