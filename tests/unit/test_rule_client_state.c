/* rules/client_state: each transition of its table, the choice among servers, and when it asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/client_state.h"

#define T 60000

static bool hear(struct client_state *client, const char *key, enum license_status status,
                 int64_t serial, const char *token, int64_t now_ms) {
    struct client_heard heard = {
        .key_id = key, .status = status, .serial = serial, .token_sha256 = token};
    return client_state_heard(client, &heard, now_ms);
}

static void expect(const struct client_state *client, enum client_mode mode,
                   enum client_cause cause, const char *followed) {
    if (client->mode != mode || client->cause != cause)
        fail_msg("got %s by %s", client_mode_name(client->mode), client_cause_name(client->cause));
    const struct client_server *server = client_state_followed(client);
    assert_int_equal(server != NULL, followed != NULL);
    if (followed) assert_string_equal(server->key_id, followed);
}

static struct client_state following(void) {
    struct client_state client;
    client_state_init(&client, T, 0, 0);
    client_state_connected(&client);
    client_state_nonce_sent(&client, 0);
    assert_true(hear(&client, "a", LICENSE_VALID, 5, "t5", 0));
    return client;
}

static void community_until_the_first_good_message(void **state) {
    (void)state;
    struct client_state client;
    client_state_init(&client, T, 0, 1000);
    expect(&client, CLIENT_COMMUNITY, CLIENT_NEVER_HEARD, NULL);
    assert_false(client_state_tick(&client, 1000 + 100 * T));
    expect(&client, CLIENT_COMMUNITY, CLIENT_NEVER_HEARD, NULL);
    assert_true(client_state_community_at_ms(&client) == LICENSE_NEVER);
    assert_true(hear(&client, "a", LICENSE_VALID, 5, "t5", 1000 + 100 * T));
    expect(&client, CLIENT_FOLLOWING, CLIENT_FIRST_MESSAGE, "a");
    assert_int_equal(client.since_ms, 1000 + 100 * T);
}

static void silence_for_a_whole_timeout_is_community(void **state) {
    (void)state;
    struct client_state client = following();
    assert_int_equal(client_state_community_at_ms(&client), T);
    assert_false(client_state_tick(&client, T - 1));
    expect(&client, CLIENT_FOLLOWING, CLIENT_FIRST_MESSAGE, "a");
    assert_true(client_state_tick(&client, T));
    expect(&client, CLIENT_COMMUNITY, CLIENT_SILENCE, NULL);
    assert_false(client_state_tick(&client, T + 1));
    assert_true(hear(&client, "a", LICENSE_VALID, 5, "t5", T + 2));
    expect(&client, CLIENT_FOLLOWING, CLIENT_RETURNED, "a");
}

static void heartbeats_change_nothing_and_keep_it_alive(void **state) {
    (void)state;
    struct client_state client = following();
    for (int i = 1; i < 100; i++)
        assert_false(hear(&client, "a", LICENSE_VALID, 5, "t5", i * 30000));
    expect(&client, CLIENT_FOLLOWING, CLIENT_FIRST_MESSAGE, "a");
    assert_int_equal(client.since_ms, 0);
}

static void changes_on_one_server(void **state) {
    (void)state;
    struct client_state client = following();
    assert_true(hear(&client, "a", LICENSE_EXPIRING, 5, "t5", 1));
    expect(&client, CLIENT_FOLLOWING, CLIENT_STATUS_CHANGED, "a");
    assert_true(hear(&client, "a", LICENSE_VALID, 6, "t6", 2));
    expect(&client, CLIENT_FOLLOWING, CLIENT_LICENSE_CHANGED, "a");
    assert_true(hear(&client, "a", LICENSE_MISSING, 0, "", 3));
    expect(&client, CLIENT_FOLLOWING, CLIENT_LICENSE_CHANGED, "a");
    assert_int_equal(client_state_followed(&client)->status, LICENSE_MISSING);
}

static void the_highest_serial_counts(void **state) {
    (void)state;
    struct client_state client = following();
    assert_false(hear(&client, "b", LICENSE_VALID, 4, "t4", 1));
    assert_false(hear(&client, "c", LICENSE_VALID, 5, "t5", 1));
    expect(&client, CLIENT_FOLLOWING, CLIENT_FIRST_MESSAGE, "a");
    assert_true(hear(&client, "b", LICENSE_EXPIRED, 6, "t6", 2));
    expect(&client, CLIENT_FOLLOWING, CLIENT_HIGHER_SERIAL, "b");
    assert_false(hear(&client, "a", LICENSE_VALID, 5, "t5", 3));
    assert_int_equal(client_state_followed(&client)->status, LICENSE_EXPIRED);
    assert_int_equal(client_state_live_servers(&client, 3), 3);
}

static void among_equals_the_best_status_counts(void **state) {
    (void)state;
    struct client_state client = following();
    assert_false(hear(&client, "b", LICENSE_VALID, 5, "t5", 1));
    assert_true(hear(&client, "a", LICENSE_INVALID, 5, "t5", 2));
    expect(&client, CLIENT_FOLLOWING, CLIENT_STATUS_CHANGED, "b");
    assert_int_equal(client_state_followed(&client)->status, LICENSE_VALID);
    assert_false(hear(&client, "a", LICENSE_VALID, 5, "t5", 3));
    expect(&client, CLIENT_FOLLOWING, CLIENT_STATUS_CHANGED, "b");
}

static void one_server_dying_changes_nothing_but_the_source(void **state) {
    (void)state;
    struct client_state client = following();
    hear(&client, "b", LICENSE_VALID, 5, "t5", 30000);
    assert_int_equal(client_state_community_at_ms(&client), 30000 + T);
    assert_true(client_state_tick(&client, T));
    expect(&client, CLIENT_FOLLOWING, CLIENT_SERVER_LOST, "b");
    assert_int_equal(client_state_followed(&client)->status, LICENSE_VALID);
    assert_false(client_state_tick(&client, 30000 + T - 1));
    assert_true(client_state_tick(&client, 30000 + T));
    expect(&client, CLIENT_COMMUNITY, CLIENT_SILENCE, NULL);
}

static void a_silent_high_serial_gives_way_to_a_live_one(void **state) {
    (void)state;
    struct client_state client = following();
    hear(&client, "b", LICENSE_MISSING, 0, "", T - 1);
    assert_true(client_state_tick(&client, T));
    expect(&client, CLIENT_FOLLOWING, CLIENT_SERVER_LOST, "b");
    assert_int_equal(client_state_followed(&client)->status, LICENSE_MISSING);
}

static void a_refused_key_no_longer_counts(void **state) {
    (void)state;
    struct client_state client = following();
    hear(&client, "b", LICENSE_VALID, 5, "t5", 1);
    assert_false(client_state_forget_server(&client, "unknown", 2));
    assert_true(client_state_forget_server(&client, "a", 2));
    expect(&client, CLIENT_FOLLOWING, CLIENT_SERVER_LOST, "b");
    assert_true(client_state_forget_server(&client, "b", 3));
    expect(&client, CLIENT_COMMUNITY, CLIENT_SERVER_REFUSED, NULL);
}

static void own_judgement_only_makes_it_worse(void **state) {
    (void)state;
    struct client_state client = following();
    hear(&client, "b", LICENSE_VALID, 5, "t5", 1);
    assert_false(client_state_judged(&client, "other", LICENSE_EXPIRED, 2));
    assert_true(client_state_judged(&client, "t5", LICENSE_EXPIRED, 2));
    expect(&client, CLIENT_FOLLOWING, CLIENT_STATUS_CHANGED, "a");
    assert_int_equal(client_state_followed(&client)->status, LICENSE_EXPIRED);
    assert_false(client_state_judged(&client, "t5", LICENSE_VALID, 3));
    assert_int_equal(client_state_followed(&client)->status, LICENSE_EXPIRED);
}

static void a_lost_connection_alone_does_not_degrade(void **state) {
    (void)state;
    struct client_state client = following();
    client_state_disconnected(&client);
    assert_false(client_state_tick(&client, T - 1));
    expect(&client, CLIENT_FOLLOWING, CLIENT_FIRST_MESSAGE, "a");
    assert_int_equal(client_state_nonce_due(&client, T - 1), CLIENT_NONCE_NOT_DUE);
    client_state_connected(&client);
    assert_int_equal(client_state_nonce_due(&client, T - 1), CLIENT_NONCE_RECONNECT);
}

static void nonce_at_start_and_then_by_the_clock(void **state) {
    (void)state;
    struct client_state client;
    client_state_init(&client, T, 0, 0);
    assert_int_equal(client_state_nonce_due(&client, T), CLIENT_NONCE_NOT_DUE);
    assert_true(client_state_next_ms(&client, 0) == LICENSE_NEVER);
    client_state_connected(&client);
    assert_int_equal(client_state_nonce_due(&client, 0), CLIENT_NONCE_START);
    client_state_nonce_sent(&client, 0);

    /* Nothing answers: every 3/4 of the timeout. */
    assert_int_equal(client_state_next_ms(&client, 0), 45000);
    assert_int_equal(client_state_nonce_due(&client, 44999), CLIENT_NONCE_NOT_DUE);
    assert_int_equal(client_state_nonce_due(&client, 45000), CLIENT_NONCE_SILENCE);
    client_state_nonce_sent(&client, 45000);
    assert_int_equal(client_state_nonce_due(&client, 89999), CLIENT_NONCE_NOT_DUE);
    assert_int_equal(client_state_nonce_due(&client, 90000), CLIENT_NONCE_SILENCE);
}

static void nonce_at_three_quarters_of_the_timeout(void **state) {
    (void)state;
    struct client_state client = following();
    hear(&client, "a", LICENSE_VALID, 5, "t5", 30000);
    assert_int_equal(client_state_next_ms(&client, 30000), 75000);
    assert_int_equal(client_state_nonce_due(&client, 74999), CLIENT_NONCE_NOT_DUE);
    assert_int_equal(client_state_nonce_due(&client, 75000), CLIENT_NONCE_SILENCE);
    client_state_nonce_sent(&client, 75000);
    assert_int_equal(client_state_next_ms(&client, 75000), 90000);
}

static void nonce_every_tenth_timeout(void **state) {
    (void)state;
    struct client_state client = following();
    for (int64_t now = 30000; now < 10 * T; now += 30000) {
        hear(&client, "a", LICENSE_VALID, 5, "t5", now);
        assert_int_equal(client_state_nonce_due(&client, now), CLIENT_NONCE_NOT_DUE);
    }
    assert_int_equal(client_state_next_ms(&client, 10 * T - 30000), 10 * T);
    assert_int_equal(client_state_nonce_due(&client, 10 * T - 1), CLIENT_NONCE_NOT_DUE);
    assert_int_equal(client_state_nonce_due(&client, 10 * T), CLIENT_NONCE_PERIODIC);
}

static void an_unproven_server_is_asked_at_most_once_a_second(void **state) {
    (void)state;
    struct client_state client = following();
    client_state_needs_nonce(&client, 500);
    assert_int_equal(client_state_nonce_due(&client, 999), CLIENT_NONCE_NOT_DUE);
    assert_int_equal(client_state_next_ms(&client, 500), 1000);
    assert_int_equal(client_state_nonce_due(&client, 1000), CLIENT_NONCE_UNPROVEN);
    client_state_nonce_sent(&client, 1000);
    assert_int_equal(client_state_nonce_due(&client, 2000), CLIENT_NONCE_NOT_DUE);
    client_state_set_timeout(&client, 1000);
    client_state_needs_nonce(&client, 1000);
    assert_int_equal(client_state_nonce_due(&client, 1249), CLIENT_NONCE_NOT_DUE);
    assert_int_equal(client_state_nonce_due(&client, 1250), CLIENT_NONCE_UNPROVEN);
}

#define CLIENTS 1000

/* What makes a thousand clients ask at once, and when they do. */
static const struct {
    enum client_nonce_reason reason;
    int64_t first_ms, last_ms;
} CROWDS[] = {
    {CLIENT_NONCE_UNPROVEN, 30000, 31000},
    {CLIENT_NONCE_SILENCE, 45000, 48750},
    {CLIENT_NONCE_PERIODIC, 10 * T, 11 * T},
};

/* When a client of the crowd asks; all of them heard and sent the same at the same time. */
static int64_t asks_at_ms(enum client_nonce_reason reason, uint64_t random) {
    struct client_state client;
    client_state_init(&client, T, random, 0);
    client_state_connected(&client);
    client_state_nonce_sent(&client, 0);
    hear(&client, "a", LICENSE_VALID, 5, "t5", 0);
    int64_t heard_ms = 0;
    if (reason == CLIENT_NONCE_UNPROVEN) client_state_needs_nonce(&client, 30000);
    for (; reason == CLIENT_NONCE_PERIODIC && heard_ms < 12 * T; heard_ms += 30000) {
        hear(&client, "a", LICENSE_VALID, 5, "t5", heard_ms);
        if (client_state_next_ms(&client, heard_ms) < heard_ms + 30000) break;
    }
    int64_t next_ms = client_state_next_ms(&client, heard_ms);
    assert_int_equal(client_state_nonce_due(&client, next_ms - 1), CLIENT_NONCE_NOT_DUE);
    assert_int_equal(client_state_nonce_due(&client, next_ms), reason);
    return next_ms;
}

static void a_thousand_clients_do_not_ask_in_the_same_instant(void **state) {
    (void)state;
    for (size_t row = 0; row < sizeof CROWDS / sizeof CROWDS[0]; row++) {
        int64_t spread_ms = CROWDS[row].last_ms - CROWDS[row].first_ms;
        int in_each_tenth[10] = {0};
        for (uint64_t i = 0; i < CLIENTS; i++) {
            int64_t at_ms = asks_at_ms(CROWDS[row].reason, i * UINT64_C(2654435761));
            assert_true(at_ms >= CROWDS[row].first_ms && at_ms < CROWDS[row].last_ms);
            in_each_tenth[(at_ms - CROWDS[row].first_ms) * 10 / spread_ms]++;
        }
        for (int tenth = 0; tenth < 10; tenth++)
            assert_in_range(in_each_tenth[tenth], CLIENTS / 20, CLIENTS / 5);
    }
}

static void more_servers_than_places(void **state) {
    (void)state;
    struct client_state client;
    client_state_init(&client, T, 0, 0);
    char key[8];
    for (int i = 0; i < CLIENT_SERVERS_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        hear(&client, key, LICENSE_VALID, 5, "t5", i);
    }
    assert_false(hear(&client, "late", LICENSE_VALID, 9, "t9", 10));
    expect(&client, CLIENT_FOLLOWING, CLIENT_FIRST_MESSAGE, "k0");
    hear(&client, "k0", LICENSE_VALID, 5, "t5", T);
    assert_true(hear(&client, "late", LICENSE_VALID, 9, "t9", T + 1)); /* in k1's place */
    expect(&client, CLIENT_FOLLOWING, CLIENT_HIGHER_SERIAL, "late");
}

static void timeouts_are_kept_sane(void **state) {
    (void)state;
    struct client_state client;
    client_state_init(&client, -1, 0, 0);
    assert_int_equal(client.timeout_ms, 4);
    client_state_set_timeout(&client, INT64_MAX);
    hear(&client, "a", LICENSE_VALID, 5, "t5", INT32_MAX);
    assert_true(client_state_next_ms(&client, INT32_MAX) > INT32_MAX);
}

static void reasons_say_what_happened(void **state) {
    (void)state;
    struct client_state client;
    char reason[CLIENT_REASON_BYTES];
    client_state_init(&client, T, 0, 0);
    client_state_reason(&client, 0, reason);
    assert_string_equal(reason,
                        "no license server was heard yet: waiting for the connection to NATS");
    client_state_connected(&client);
    client_state_reason(&client, 0, reason);
    assert_string_equal(reason, "no license server has answered yet");
    hear(&client, "abcdefghijkl", LICENSE_GRACE, 5, "t5", 1000);
    client_state_reason(&client, 4000, reason);
    assert_string_equal(reason, "license server abcdefgh says: grace");
    client_state_disconnected(&client);
    client_state_tick(&client, 1000 + T);
    client_state_reason(&client, 6000 + T, reason);
    assert_string_equal(reason,
                        "no good heartbeat within 1m: the last one came 1m 5s ago; there is "
                        "no connection to NATS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(community_until_the_first_good_message),
        cmocka_unit_test(silence_for_a_whole_timeout_is_community),
        cmocka_unit_test(heartbeats_change_nothing_and_keep_it_alive),
        cmocka_unit_test(changes_on_one_server),
        cmocka_unit_test(the_highest_serial_counts),
        cmocka_unit_test(among_equals_the_best_status_counts),
        cmocka_unit_test(one_server_dying_changes_nothing_but_the_source),
        cmocka_unit_test(a_silent_high_serial_gives_way_to_a_live_one),
        cmocka_unit_test(a_refused_key_no_longer_counts),
        cmocka_unit_test(own_judgement_only_makes_it_worse),
        cmocka_unit_test(a_lost_connection_alone_does_not_degrade),
        cmocka_unit_test(nonce_at_start_and_then_by_the_clock),
        cmocka_unit_test(nonce_at_three_quarters_of_the_timeout),
        cmocka_unit_test(nonce_every_tenth_timeout),
        cmocka_unit_test(an_unproven_server_is_asked_at_most_once_a_second),
        cmocka_unit_test(a_thousand_clients_do_not_ask_in_the_same_instant),
        cmocka_unit_test(more_servers_than_places),
        cmocka_unit_test(timeouts_are_kept_sane),
        cmocka_unit_test(reasons_say_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
