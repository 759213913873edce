/* Sessions that a client resumes, and everything that must keep it from doing so. The clocks are
 * the test's own. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "net/tls_sessions.h"
#include "tests/lib/tls_pair.h"
#include "tests/lib/tls_peers.h"

#define HOUR_MS INT64_C(3600000)

/* How far the clocks are ahead. */
static int64_t wall_shift_ms;
static int64_t monotonic_shift_ms;

static int64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void) {
    return read_clock(CLOCK_REALTIME) + wall_shift_ms;
}

int64_t clock_monotonic_ms(void) {
    return read_clock(CLOCK_BOOTTIME) + monotonic_shift_ms;
}

void clock_boot_id(char boot_id[CLOCK_BOOT_ID_BYTES]) {
    boot_id[0] = '\0';
}

static struct tls_peers peers;

static int make_peers(void **state) {
    (void)state;
    tls_peers_make(&peers);
    return 0;
}

static int free_peers(void **state) {
    (void)state;
    tls_peers_free(&peers);
    return 0;
}

/* A server and a client that meet more than once. */
struct site {
    struct tls_server_context *server;
    struct tls_client_context *client;
};

static int open_site(void **state) {
    static struct site site;
    wall_shift_ms = monotonic_shift_ms = 0;
    site.server = tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED);
    site.client = tls_peers_client(&peers, TLS_ROLES);
    *state = &site;
    return 0;
}

static int close_site(void **state) {
    struct site *site = *state;
    tls_server_context_release(site->server);
    tls_client_context_release(site->client);
    return 0;
}

/* Connects a client with a server, says something both ways, ends. Returns whether the session was
 * resumed. */
static bool meet_with(struct tls_server_context *server, struct tls_client_context *client,
                      const struct tls_target *target) {
    struct tls_pair pair;
    struct status status = STATUS_INIT;
    tls_pair_begin(&pair, tls_server_context_retain(server), tls_client_context_retain(client),
                   "edge-7");
    tls_engine_free(pair.client);
    pair.client = tls_engine_create_client(client, target, &status);
    assert_non_null(pair.client);
    tls_pair_pump(&pair);
    tls_pair_assert_open(&pair);
    tls_pair_send(&pair, pair.client, (const uint8_t *)"ping", 4);
    tls_pair_send(&pair, pair.server, (const uint8_t *)"pong", 4);
    assert_int_equal(pair.to_server.length, 4);
    assert_int_equal(pair.to_client.length, 4);
    assert_non_null(tls_engine_peer_fingerprint(pair.client));
    bool is_resumed = tls_engine_is_resumed(pair.client);
    tls_pair_end(&pair);
    return is_resumed;
}

static const struct tls_target edge_7 = {.host = "edge-7", .port = 443};

static bool meet(const struct site *site) {
    return meet_with(site->server, site->client, &edge_7);
}

/* ---- it resumes ---- */

static void the_second_connection_resumes(void **state) {
    const struct site *site = *state;
    assert_false(meet(site));
    for (int i = 0; i < 3; i++)
        assert_true(meet(site));
}

static void a_resumed_peer_is_the_one_that_was_verified(void **state) {
    const struct site *site = *state;
    uint8_t fingerprints[2][SHA256_BYTES];
    for (int i = 0; i < 2; i++) {
        struct tls_pair pair;
        tls_pair_begin(&pair, tls_server_context_retain(site->server),
                       tls_client_context_retain(site->client), "edge-7");
        tls_pair_pump(&pair);
        assert_int_equal(tls_engine_is_resumed(pair.client), i == 1);
        memcpy(fingerprints[i], tls_engine_peer_fingerprint(pair.client), SHA256_BYTES);
        tls_pair_end(&pair);
    }
    assert_memory_equal(fingerprints[0], fingerprints[1], SHA256_BYTES);
}

static void a_session_with_our_certificate_is_asked_for_it_again(void **state) {
    struct tls_server_context *strict = tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_REQUIRED);
    struct tls_client_context *known = tls_peers_client(&peers, TLS_CLIENT);
    (void)state;
    assert_false(meet_with(strict, known, &edge_7));
    assert_false(meet_with(strict, known, &edge_7));
    tls_server_context_release(strict);
    tls_client_context_release(known);
}

/* ---- it must not ---- */

static void another_name_address_or_port_is_another_server(void **state) {
    const struct site *site = *state;
    static const struct tls_target others[] = {
        {.host = "localhost", .port = 443},
        {.host = "127.0.0.1", .port = 443},
        {.host = "edge-7", .port = 8443},
        {.host = "edge-7", .server_name = "localhost", .port = 443},
        {.host = "edge-7.", .port = 443},
    };
    assert_false(meet(site));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(meet_with(site->server, site->client, &others[i]));
    assert_true(meet(site));
}

static void another_context_knows_nothing_of_it(void **state) {
    const struct site *site = *state;
    struct tls_client_options options = {.ca = buffer_bytes(&peers.ca),
                                         .pins = (const uint8_t(*)[SHA256_BYTES])peers.server_pin,
                                         .pin_count = 1};
    struct status status = STATUS_INIT;
    struct tls_client_context *pinned = tls_client_context_create(&options, &status);
    struct tls_client_context *named = tls_peers_client(&peers, TLS_CLIENT);
    assert_false(meet(site));
    assert_false(meet_with(site->server, pinned, &edge_7));
    assert_true(meet_with(site->server, pinned, &edge_7));
    assert_false(meet_with(site->server, named, &edge_7));
    tls_client_context_release(pinned);
    tls_client_context_release(named);
}

/* The server still remembers; the client, whose CA or pin is another, refuses it as before. */
static void who_no_longer_trusts_does_not_resume(void **state) {
    const struct site *site = *state;
    static const uint8_t strange_pin[1][SHA256_BYTES] = {{1, 2, 3}};
    const struct {
        struct tls_client_options options;
        enum status_code code;
    } rows[] = {
        {{.ca = buffer_bytes(&peers.stranger)}, STATUS_UNKNOWN_ISSUER},
        {{.ca = buffer_bytes(&peers.ca), .pins = strange_pin, .pin_count = 1}, STATUS_UNKNOWN_KEY},
    };
    assert_false(meet(site));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tls_pair pair;
        struct status status = STATUS_INIT;
        tls_pair_begin(&pair, tls_server_context_retain(site->server),
                       tls_client_context_create(&rows[i].options, &status), "edge-7");
        tls_pair_pump(&pair);
        tls_engine_assert_failed(pair.client, rows[i].code, "");
        tls_pair_end(&pair);
    }
}

static void no_session_outlives_the_certificate(void **state) {
    const struct site *site = *state;
    struct tls_pair pair;
    assert_false(meet(site));
    wall_shift_ms = 25 * HOUR_MS; /* the certificate ends a day from now */
    tls_pair_begin(&pair, tls_server_context_retain(site->server),
                   tls_client_context_retain(site->client), "edge-7");
    tls_pair_pump(&pair);
    tls_engine_assert_failed(pair.client, STATUS_EXPIRED, "certificate expired on");
    tls_pair_end(&pair);
}

static void no_session_precedes_the_certificate(void **state) {
    const struct site *site = *state;
    struct tls_pair pair;
    assert_false(meet(site));
    wall_shift_ms = -25 * HOUR_MS;
    tls_pair_begin(&pair, tls_server_context_retain(site->server),
                   tls_client_context_retain(site->client), "edge-7");
    tls_pair_pump(&pair);
    tls_engine_assert_failed(pair.client, STATUS_NOT_YET_VALID, "not valid before");
    tls_pair_end(&pair);
}

static void no_session_is_used_for_more_than_an_hour(void **state) {
    const struct site *site = *state;
    assert_false(meet(site));
    monotonic_shift_ms = TLS_SESSION_AGE_MAX_MS - 60000;
    assert_true(meet(site));
    monotonic_shift_ms = TLS_SESSION_AGE_MAX_MS;
    assert_false(meet(site));
    assert_true(meet(site));
}

static void a_server_that_forgot_is_verified_again(void **state) {
    const struct site *site = *state;
    struct tls_identity identity = tls_peers_identity(&peers, TLS_SERVER);
    struct tls_server_options options = {.identities = &identity, .identity_count = 1};
    struct status status = STATUS_INIT;
    assert_false(meet(site));
    assert_true(tls_server_context_reload(site->server, &options, &status));
    assert_false(meet(site));
    assert_true(meet(site));
}

static void a_failure_is_the_end_of_the_session(void **state) {
    const struct site *site = *state;
    static const uint8_t forged[] = {23, 3,  3,  0,  40, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                     11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                     26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40};
    struct tls_pair pair;
    assert_false(meet(site));
    tls_pair_begin(&pair, tls_server_context_retain(site->server),
                   tls_client_context_retain(site->client), "edge-7");
    tls_pair_pump(&pair);
    assert_true(tls_engine_is_resumed(pair.client));
    tls_engine_take(pair.client, forged, sizeof forged);
    tls_engine_assert_failed(pair.client, STATUS_TLS, "altered");
    tls_pair_end(&pair);
    assert_false(meet(site));
}

/* Whoever answers with our identifier and no knowledge of the secret gets nowhere. */
static void an_identifier_alone_is_worth_nothing(void **state) {
    const struct site *site = *state;
    struct tls_pair pair;
    assert_false(meet(site));
    tls_pair_begin(&pair, tls_server_context_retain(site->server),
                   tls_client_context_retain(site->client), "edge-7");
    while (tls_pair_carry(&pair, pair.client, pair.server) > 0)
        continue;
    /* The server's Finished, encrypted, is the last of its flight: one bit of it turns. */
    uint8_t flight[4096];
    size_t length = 0;
    for (struct bytes out; (out = tls_engine_output(pair.server)).length > 0;) {
        assert_true(length + out.length <= sizeof flight);
        memcpy(flight + length, out.data, out.length);
        length += out.length;
        tls_engine_output_sent(pair.server, out.length);
    }
    flight[length - 1] ^= 1;
    tls_engine_take(pair.client, flight, length);
    tls_engine_assert_failed(pair.client, STATUS_TLS, "");
    tls_pair_end(&pair);
    assert_false(meet(site));
}

/* ---- the set itself ---- */

static void the_least_recently_used_goes_first(void **state) {
    struct tls_sessions *sessions = tls_sessions_new();
    struct tls_session session = {.not_after_ms = INT64_MAX}, found;
    char key[20];
    (void)state;
    for (int i = 0; i < TLS_CLIENT_SESSIONS_MAX; i++) {
        snprintf(key, sizeof key, "server-%d", i);
        session.parameters.cipher_suite = (uint16_t)i;
        tls_sessions_keep(sessions, key, &session, 0);
    }
    assert_true(tls_sessions_find(sessions, "server-0", 0, 0, &found));
    assert_int_equal(found.parameters.cipher_suite, 0);
    tls_sessions_keep(sessions, "one more", &session, 0);
    assert_true(tls_sessions_find(sessions, "server-0", 0, 0, &found));
    assert_false(tls_sessions_find(sessions, "server-1", 0, 0, &found));
    tls_sessions_forget(sessions, "server-0");
    tls_sessions_forget(sessions, "server-0");
    assert_false(tls_sessions_find(sessions, "server-0", 0, 0, &found));
    tls_sessions_free(sessions);
}

#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)

int main(void) {
    const struct CMUnitTest tests[] = {
        SITE_TEST(the_second_connection_resumes),
        SITE_TEST(a_resumed_peer_is_the_one_that_was_verified),
        SITE_TEST(a_session_with_our_certificate_is_asked_for_it_again),
        SITE_TEST(another_name_address_or_port_is_another_server),
        SITE_TEST(another_context_knows_nothing_of_it),
        SITE_TEST(who_no_longer_trusts_does_not_resume),
        SITE_TEST(no_session_outlives_the_certificate),
        SITE_TEST(no_session_precedes_the_certificate),
        SITE_TEST(no_session_is_used_for_more_than_an_hour),
        SITE_TEST(a_server_that_forgot_is_verified_again),
        SITE_TEST(a_failure_is_the_end_of_the_session),
        SITE_TEST(an_identifier_alone_is_worth_nothing),
        cmocka_unit_test(the_least_recently_used_goes_first),
    };
    return cmocka_run_group_tests(tests, make_peers, free_peers);
}
