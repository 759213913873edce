/* TLS engines joined in memory: every way to cut the bytes, every reason to refuse, hostile
 * records. */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/tls_engine.h"
#include "tests/lib/tls_pair.h"
#include "tests/lib/tls_peers.h"

#define MESSAGE_BYTES 100000

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

/* ---- in order ---- */

/* A client that starts early (RFC 7918) sends data right behind its Finished, and a server reads
 * both at once: the data must wait until the server's own Finished has left. */
static void test_data_behind_the_finished_waits(void **state) {
    (void)state;
    static const uint8_t data[] = {0x17, 3, 3, 0, 40, 1, 2, 3};
    uint8_t flight[4096];
    struct tls_pair pair;
    tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                   tls_peers_client(&peers, TLS_ROLES), "edge-7");
    while (tls_pair_carry(&pair, pair.client, pair.server) > 0)
        continue;
    while (tls_pair_carry(&pair, pair.server, pair.client) > 0)
        continue;
    size_t length = 0;
    for (struct bytes out; (out = tls_engine_output(pair.client)).length > 0;) {
        assert_true(length + out.length + sizeof data <= sizeof flight);
        memcpy(flight + length, out.data, out.length);
        length += out.length;
        tls_engine_output_sent(pair.client, out.length);
    }
    memcpy(flight + length, data, sizeof data);
    size_t taken = 0;
    while (taken < length) {
        size_t part = tls_engine_take(pair.server, flight + taken, length + sizeof data - taken);
        assert_true(part > 0);
        taken += part;
    }
    assert_int_equal(taken, length);
    assert_int_equal(tls_engine_take(pair.server, data, sizeof data), 0);
    tls_pair_pump(&pair);
    tls_pair_assert_open(&pair);
    tls_pair_end(&pair);
}

static void exchange(size_t piece_bytes, size_t message_bytes) {
    struct tls_pair pair;
    uint8_t *message = memory_new(message_bytes);
    for (size_t i = 0; i < message_bytes; i++)
        message[i] = (uint8_t)(i * 7 + i / 256);
    tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                   tls_peers_client(&peers, TLS_ROLES), "edge-7");
    pair.piece_bytes = piece_bytes;
    tls_pair_pump(&pair);
    tls_pair_assert_open(&pair);
    tls_pair_send(&pair, pair.client, message, message_bytes);
    tls_pair_send(&pair, pair.server, message, message_bytes);
    assert_int_equal(pair.to_server.length, message_bytes);
    assert_int_equal(pair.to_client.length, message_bytes);
    assert_memory_equal(pair.to_server.data, message, message_bytes);
    assert_memory_equal(pair.to_client.data, message, message_bytes);
    assert_null(tls_engine_peer_fingerprint(pair.server));
    assert_non_null(tls_engine_peer_fingerprint(pair.client));
    tls_engine_close(pair.client);
    tls_pair_pump(&pair);
    assert_int_equal(tls_engine_state(pair.client), TLS_CLOSED);
    assert_int_equal(tls_engine_state(pair.server), TLS_CLOSED);
    tls_pair_end(&pair);
    free(message);
}

static void test_any_pieces(void **state) {
    static const size_t pieces[] = {1, 2, 3, 4, 5, 6, 7, 13, 64, 251, 1000, 1460, 16384, SIZE_MAX};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        exchange(pieces[i], pieces[i] < 64 ? 20000 : MESSAGE_BYTES);
}

/* Carries the client's first `cut` bytes, then the rest, for each cut of the handshake. */
static void test_every_cut_of_the_first_flight(void **state) {
    (void)state;
    size_t length = 2;
    for (size_t cut = 1; cut < length; cut++) {
        struct tls_pair pair;
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                       tls_peers_client(&peers, TLS_ROLES), "127.0.0.1");
        length = tls_engine_output(pair.client).length;
        pair.piece_bytes = cut;
        assert_int_equal(tls_pair_carry(&pair, pair.client, pair.server), cut);
        assert_int_equal(tls_engine_state(pair.server), TLS_HANDSHAKING);
        pair.piece_bytes = SIZE_MAX;
        tls_pair_pump(&pair);
        tls_pair_assert_open(&pair);
        tls_pair_end(&pair);
    }
    assert_true(length > 100);
}

static void test_closing_says_goodbye_behind_the_data(void **state) {
    struct tls_pair pair;
    (void)state;
    tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                   tls_peers_client(&peers, TLS_ROLES), "edge-7");
    tls_engine_close(pair.server); /* harmless: nothing is open */
    tls_pair_pump(&pair);
    tls_pair_assert_open(&pair);
    assert_int_equal(tls_engine_write(pair.server, "bye", 3), 3);
    tls_engine_close(pair.server);
    tls_pair_pump(&pair);
    assert_int_equal(pair.to_client.length, 3);
    assert_int_equal(tls_engine_state(pair.client), TLS_CLOSED);
    assert_int_equal(tls_engine_write(pair.client, "x", 1), 0);
    tls_pair_end(&pair);
}

/* ---- certificates ---- */

struct case_row {
    enum tls_role server;
    const char *host;
    enum status_code code;
    const char *text;
    const char *alert; /* what the server hears of it */
};

static void test_servers_that_must_not_be_believed(void **state) {
    static const struct case_row rows[] = {
        {TLS_SERVER, "edge-9", STATUS_WRONG_NAME, "name edge-9 not in [edge-7", "bad_certificate"},
        {TLS_SERVER, "127.0.0.2", STATUS_WRONG_NAME, "not in", "bad_certificate"},
        {TLS_SERVER, "[::2]", STATUS_WRONG_NAME, "not in", "bad_certificate"},
        {TLS_SERVER_EXPIRED, "edge-7", STATUS_EXPIRED, "certificate expired on 20",
         "certificate_expired"},
        {TLS_SERVER_FUTURE, "edge-7", STATUS_NOT_YET_VALID, "not valid before",
         "certificate_expired"},
        {TLS_SERVER_STRANGER, "edge-7", STATUS_UNKNOWN_ISSUER, "unknown issuer CN=Other CA",
         "unknown_ca"},
        {TLS_CLIENT, "edge-8", STATUS_WRONG_TYPE, "serverAuth", "unsupported_certificate"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tls_pair pair;
        tls_pair_begin(&pair, tls_peers_server(&peers, rows[i].server, TLS_CLIENTS_UNASKED),
                       tls_peers_client(&peers, TLS_ROLES), rows[i].host);
        tls_pair_pump(&pair);
        tls_engine_assert_failed(pair.client, rows[i].code, rows[i].text);
        tls_engine_assert_failed(pair.server, STATUS_TLS, rows[i].alert);
        tls_pair_end(&pair);
    }
}

static void test_names_and_addresses_in_all_spellings(void **state) {
    static const char *const hosts[] = {"edge-7", "EDGE-7", "edge-7.", "127.0.0.1", "::1", "[::1]"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct tls_pair pair;
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                       tls_peers_client(&peers, TLS_ROLES), hosts[i]);
        tls_pair_pump(&pair);
        tls_pair_assert_open(&pair);
        tls_pair_end(&pair);
    }
}

static void test_names_that_cannot_be(void **state) {
    struct tls_client_context *context = tls_peers_client(&peers, TLS_ROLES);
    struct status status = STATUS_INIT;
    char longest[300];
    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_null(
        tls_engine_create_client(context, &(struct tls_target){.host = "", .port = 443}, &status));
    assert_int_equal(status.code, STATUS_USAGE);
    status_clear(&status);
    assert_null(tls_engine_create_client(
        context, &(struct tls_target){.host = longest, .port = 443}, &status));
    assert_int_equal(status.code, STATUS_USAGE);
    tls_client_context_release(context);
}

static void test_pins(void **state) {
    uint8_t pins[2][SHA256_BYTES] = {{1, 2, 3}};
    struct tls_client_options options = {.ca = buffer_bytes(&peers.ca),
                                         .pins = (const uint8_t(*)[SHA256_BYTES])pins,
                                         .pin_count = 1};
    (void)state;
    for (int pinned = 0; pinned <= 1; pinned++) {
        struct tls_pair pair;
        struct status status = STATUS_INIT;
        memcpy(pins[1], peers.server_pin, SHA256_BYTES);
        options.pin_count = pinned ? 2 : 1;
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                       tls_client_context_create(&options, &status), "edge-7");
        tls_pair_pump(&pair);
        if (pinned)
            tls_pair_assert_open(&pair);
        else
            tls_engine_assert_failed(pair.client, STATUS_UNKNOWN_KEY, "pin");
        tls_pair_end(&pair);
    }
}

static void test_clients_are_asked(void **state) {
    static const struct {
        enum tls_client_certificates clients;
        enum tls_role client;
        enum status_code code; /* of the server; STATUS_OK: open */
        const char *text;
        const char *alert;
    } rows[] = {
        {TLS_CLIENTS_REQUIRED, TLS_CLIENT, STATUS_OK, "", ""},
        {TLS_CLIENTS_REQUIRED, TLS_ROLES, STATUS_TLS, "the client sent no certificate",
         "handshake_failure"},
        {TLS_CLIENTS_REQUIRED, TLS_CLIENT_EXPIRED, STATUS_EXPIRED,
         "the client's certificate: certificate expired on", "certificate_expired"},
        {TLS_CLIENTS_REQUIRED, TLS_CLIENT_STRANGER, STATUS_UNKNOWN_ISSUER, "unknown issuer",
         "unknown_ca"},
        {TLS_CLIENTS_REQUIRED, TLS_SERVER, STATUS_WRONG_TYPE, "clientAuth",
         "unsupported_certificate"},
        {TLS_CLIENTS_OPTIONAL, TLS_CLIENT, STATUS_OK, "", ""},
        {TLS_CLIENTS_OPTIONAL, TLS_ROLES, STATUS_OK, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tls_pair pair;
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, rows[i].clients),
                       tls_peers_client(&peers, rows[i].client), "edge-7");
        tls_pair_pump(&pair);
        if (rows[i].code == STATUS_OK) {
            tls_pair_assert_open(&pair);
            assert_int_equal(tls_engine_peer_fingerprint(pair.server) != NULL,
                             rows[i].client != TLS_ROLES);
        } else {
            tls_engine_assert_failed(pair.server, rows[i].code, rows[i].text);
            tls_engine_assert_failed(pair.client, STATUS_TLS, rows[i].alert);
        }
        tls_pair_end(&pair);
    }
}

/* BearSSL goes on as if the client had sent no certificate; we must not. */
static void test_an_optional_certificate_that_is_bad_lets_nobody_in(void **state) {
    static const enum tls_role roles[] = {TLS_CLIENT_EXPIRED, TLS_CLIENT_STRANGER, TLS_SERVER};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct tls_pair pair;
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_OPTIONAL),
                       tls_peers_client(&peers, roles[i]), "edge-7");
        tls_pair_pump(&pair);
        assert_int_equal(tls_engine_state(pair.server), TLS_FAILED);
        tls_engine_write(pair.client, "secret", 6);
        tls_engine_flush(pair.client);
        tls_pair_pump(&pair);
        assert_int_equal(pair.to_server.length, 0);
        tls_pair_end(&pair);
    }
}

static void test_the_name_chooses_the_certificate(void **state) {
    struct tls_identity identities[] = {tls_peers_identity(&peers, TLS_SERVER),
                                        tls_peers_identity(&peers, TLS_SERVER_OTHER_NAME)};
    struct tls_server_options options = {.identities = identities, .identity_count = 2};
    static const char *const hosts[] = {"edge-7", "edge-8", "127.0.0.1"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct tls_pair pair;
        struct status status = STATUS_INIT;
        tls_pair_begin(&pair, tls_server_context_create(&options, &status),
                       tls_peers_client(&peers, TLS_ROLES), hosts[i]);
        tls_pair_pump(&pair);
        tls_pair_assert_open(&pair);
        tls_pair_end(&pair);
    }
}

static void test_reloading_leaves_connections_alone(void **state) {
    struct tls_pair old, new;
    struct status status = STATUS_INIT;
    struct tls_identity identity = tls_peers_identity(&peers, TLS_SERVER_OTHER_NAME);
    struct tls_server_options options = {.identities = &identity, .identity_count = 1};
    (void)state;
    struct tls_server_context *context = tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED);
    tls_pair_begin(&old, tls_server_context_retain(context), tls_peers_client(&peers, TLS_ROLES),
                   "edge-7");
    assert_true(tls_server_context_reload(context, &options, &status));
    tls_pair_pump(&old); /* its handshake began before */
    tls_pair_assert_open(&old);
    tls_pair_begin(&new, tls_server_context_retain(context), tls_peers_client(&peers, TLS_ROLES),
                   "edge-8");
    tls_pair_pump(&new);
    tls_pair_assert_open(&new);

    /* A bad one changes nothing. */
    identity.key = buffer_bytes(&peers.pems[TLS_SERVER].key);
    assert_false(tls_server_context_reload(context, &options, &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    tls_server_context_release(context);
    tls_pair_send(&old, old.client, (const uint8_t *)"still here", 10);
    assert_int_equal(old.to_server.length, 10);
    tls_pair_end(&old);
    tls_pair_end(&new);
}

static void test_the_system_has_its_own_anchors(void **state) {
    struct tls_client_options options = {0};
    struct status status = STATUS_INIT;
    (void)state;
    struct tls_client_context *context = tls_client_context_create(&options, &status);
    assert_non_null(context);
    assert_false(tls_client_context_is_loaded(context));
    bool is_loaded = tls_client_context_load(context, &status);
    if (!is_loaded) {
        assert_int_equal(status.code, STATUS_NOT_FOUND);
        print_message("not tested: this machine has no CA certificates\n");
    } else {
        struct tls_pair pair;
        assert_true(tls_client_context_is_loaded(context));
        assert_true(tls_client_context_load(context, &status));
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                       tls_client_context_retain(context), "edge-7");
        tls_pair_pump(&pair);
        tls_engine_assert_failed(pair.client, STATUS_UNKNOWN_ISSUER, "unknown issuer CN=Site CA");
        tls_pair_end(&pair);
    }
    tls_client_context_release(context);
}

/* ---- hostile bytes ---- */

static struct tls_engine *new_server(struct tls_server_context **context) {
    *context = tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED);
    return tls_engine_create_server(*context);
}

/* The server answers with this alert (0: with nothing) and nothing more, and says why. */
static void assert_server_refuses(const void *bytes, size_t length, const char *part,
                                  uint8_t alert) {
    const uint8_t wanted[] = {21, 3, 3, 0, 2, 2, alert};
    struct tls_server_context *context;
    struct tls_engine *server = new_server(&context);
    tls_engine_take(server, bytes, length);
    struct bytes out = tls_engine_output(server);
    assert_int_equal(out.length, alert ? sizeof wanted : 0);
    if (alert) assert_memory_equal(out.data, wanted, sizeof wanted);
    tls_engine_output_sent(server, out.length);
    assert_int_equal(tls_engine_output(server).length, 0);
    tls_engine_assert_failed(server, STATUS_TLS, part);
    assert_int_equal(tls_engine_take(server, bytes, length), 0);
    tls_engine_free(server);
    tls_server_context_release(context);
}

static void test_what_is_no_tls(void **state) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char oversized[] = "\x16\x03\x01\xff\xff";
    static const char unknown_type[] = "\x63\x03\x03\x00\x01x";
    static const char early_data[] = "\x17\x03\x03\x00\x05hello";
    static const char alert[] = "\x15\x03\x03\x00\x02\x02\x28";
    static const char ssl3[] = "\x16\x03\x00\x00\x04\x01\x00\x00\x00";
    (void)state;
    assert_server_refuses(request, sizeof request - 1, "speak without it", 10);
    assert_server_refuses(oversized, sizeof oversized - 1, "length", 22);
    assert_server_refuses(unknown_type, sizeof unknown_type - 1, "speak without it", 10);
    assert_server_refuses(early_data, sizeof early_data - 1, "speak without it", 10);
    assert_server_refuses(alert, sizeof alert - 1,
                          "the peer refused the TLS handshake: handshake_failure", 0);
    assert_server_refuses(ssl3, sizeof ssl3 - 1, "malformed", 50);
}

/* The client's first flight with its version lowered: at 9 and 10, behind both headers. */
static void test_older_versions_are_refused(void **state) {
    (void)state;
    for (uint8_t minor = 0; minor <= 2; minor++) {
        struct status status = STATUS_INIT;
        uint8_t hello[2048];
        struct tls_client_context *context = tls_peers_client(&peers, TLS_ROLES);
        struct tls_engine *client = tls_engine_create_client(
            context, &(struct tls_target){.host = "edge-7", .port = 443}, &status);
        struct bytes out = tls_engine_output(client);
        memcpy(hello, out.data, out.length);
        assert_memory_equal(hello + 9, "\x03\x03", 2);
        hello[10] = minor;
        assert_server_refuses(hello, out.length, "protocol_version", 70);
        tls_engine_free(client);
        tls_client_context_release(context);
    }
}

static void test_an_alert_in_the_middle_of_the_handshake(void **state) {
    static const char alert[] = "\x15\x03\x03\x00\x02\x02\x47";
    struct tls_pair pair;
    (void)state;
    tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                   tls_peers_client(&peers, TLS_ROLES), "edge-7");
    pair.piece_bytes = 40;
    tls_pair_carry(&pair, pair.client, pair.server);
    tls_engine_take(pair.client, alert, sizeof alert - 1);
    tls_engine_assert_failed(
        pair.client, STATUS_TLS,
        "the peer refused the TLS handshake: insufficient_security (alert 71)");
    assert_int_equal(tls_engine_output(pair.client).length, 0);
    tls_pair_end(&pair);
}

/* Each bit of one record of application data, header included. */
static void test_an_altered_record_is_refused(void **state) {
    (void)state;
    for (size_t at = 0; at < 5 + 8 + 5 + 16; at++) {
        struct tls_pair pair;
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                       tls_peers_client(&peers, TLS_ROLES), "edge-7");
        tls_pair_pump(&pair);
        tls_pair_assert_open(&pair);
        pair.tampered_at = at;
        pair.tampered = (uint8_t)(1u << at % 8);
        assert_int_equal(tls_engine_write(pair.client, "hello", 5), 5);
        tls_engine_flush(pair.client);
        tls_pair_pump(&pair);
        assert_int_equal(pair.to_server.length, 0);
        /* A record made longer is one whose end has not come yet. */
        if (at != 3 && at != 4) assert_int_equal(tls_engine_state(pair.server), TLS_FAILED);
        tls_pair_end(&pair);
    }
}

/* Every byte of the handshake in turn: nobody opens, nobody crashes, both sides agree. */
static void test_an_altered_handshake_is_refused(void **state) {
    (void)state;
    bool is_reached = true;
    for (size_t at = 0; is_reached; at++) {
        struct tls_pair pair;
        if (at == 1 || at == 2)
            continue; /* the first record's version means nothing (RFC 5246, E.1) */
        tls_pair_begin(&pair, tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED),
                       tls_peers_client(&peers, TLS_ROLES), "edge-7");
        pair.tampered_at = at;
        pair.tampered = 0x41;
        tls_pair_pump(&pair);
        is_reached = pair.tampered_at == SIZE_MAX;
        if (is_reached) assert_true(tls_engine_state(pair.client) != TLS_OPEN);
        tls_pair_end(&pair);
    }
}

/* ---- bad contexts ---- */

static void test_contexts_that_cannot_be(void **state) {
    struct tls_identity swapped = {.certificates =
                                       buffer_bytes(&peers.pems[TLS_SERVER].certificate),
                                   .key = buffer_bytes(&peers.pems[TLS_CLIENT].key)};
    struct tls_server_options server = {.identities = &swapped, .identity_count = 1};
    struct tls_client_options client = {.ca = bytes_of_text("nothing")};
    struct status status = STATUS_INIT;
    (void)state;
    assert_null(tls_server_context_create(&server, &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    status_clear(&status);
    assert_null(tls_client_context_create(&client, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    status_clear(&status);
    client.ca = buffer_bytes(&peers.pems[TLS_SERVER].certificate); /* no CA */
    assert_null(tls_client_context_create(&client, &status));
    assert_int_equal(status.code, STATUS_WRONG_TYPE);
    status_clear(&status);
    swapped = tls_peers_identity(&peers, TLS_SERVER);
    server.client_certificates = TLS_CLIENTS_REQUIRED;
    assert_null(tls_server_context_create(&server, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
}

static void test_expired_certificates_are_told(void **state) {
    struct tls_server_context *context =
        tls_peers_server(&peers, TLS_SERVER_EXPIRED, TLS_CLIENTS_UNASKED);
    struct status status = STATUS_INIT;
    (void)state;
    assert_false(tls_server_context_check_period(context, INT64_C(4102444800000), &status));
    assert_int_equal(status.code, STATUS_EXPIRED);
    tls_server_context_release(context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_behind_the_finished_waits),
        cmocka_unit_test(test_any_pieces),
        cmocka_unit_test(test_every_cut_of_the_first_flight),
        cmocka_unit_test(test_closing_says_goodbye_behind_the_data),
        cmocka_unit_test(test_servers_that_must_not_be_believed),
        cmocka_unit_test(test_names_and_addresses_in_all_spellings),
        cmocka_unit_test(test_names_that_cannot_be),
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_clients_are_asked),
        cmocka_unit_test(test_an_optional_certificate_that_is_bad_lets_nobody_in),
        cmocka_unit_test(test_the_name_chooses_the_certificate),
        cmocka_unit_test(test_reloading_leaves_connections_alone),
        cmocka_unit_test(test_the_system_has_its_own_anchors),
        cmocka_unit_test(test_what_is_no_tls),
        cmocka_unit_test(test_older_versions_are_refused),
        cmocka_unit_test(test_an_alert_in_the_middle_of_the_handshake),
        cmocka_unit_test(test_an_altered_record_is_refused),
        cmocka_unit_test(test_an_altered_handshake_is_refused),
        cmocka_unit_test(test_contexts_that_cannot_be),
        cmocka_unit_test(test_expired_certificates_are_told),
    };
    return cmocka_run_group_tests(tests, make_peers, free_peers);
}
