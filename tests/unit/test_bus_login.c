/* How the NATS client is told where to connect, how it logs in, and what it never shows. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "tests/lib/bus_peer.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/nats_server.h"
#include "verifier/nkey.h"

/* ---- Logging in, and TLS ---- */

static void assert_login(const char *urls, struct bus_options options, enum status_code expected) {
    struct peer peer;
    struct loop *loop = peer_loop();
    options.urls = urls;
    options.name = "test";
    peer_start_with(&peer, loop, &options);
    if (expected == STATUS_OK) {
        assert_true(loop_wait(loop, peer_is_connected, &peer));
    } else {
        assert_true(loop_wait(loop, peer_has_reason, &peer));
        assert_int_equal(peer.reason.code, expected);
        assert_null(strstr(peer.reason.text, "secret"));
        assert_null(strstr(bus_condition(peer.bus)->server, "secret"));
    }
    peer_stop(&peer);
    loop_wait_end(loop);
}

static void credentials_are_used_and_never_shown(void **state) {
    (void)state;
    struct nats_server server;
    char url[128];
    const struct nats_server_options wants_user = {.user = "ann", .password = "secret:@,1"};
    const struct nats_server_options wants_token = {.token = "secret-token"};
    nats_server_init(&server);
    nats_server_start(&server, &wants_user);
    assert_login(server.url, (struct bus_options){0}, STATUS_UNAUTHORIZED);
    assert_login(server.url, (struct bus_options){.user = "ann", .password = "secret-wrong"},
                 STATUS_UNAUTHORIZED);
    assert_login(server.url, (struct bus_options){.user = "ann", .password = "secret:@,1"},
                 STATUS_OK);
    snprintf(url, sizeof(url), "nats://ann:secret%%3a%%40%%2C1@127.0.0.1:%d/", server.port);
    assert_login(url, (struct bus_options){0}, STATUS_OK);
    snprintf(url, sizeof(url), "nats://ann:secret-wrong@127.0.0.1:%d", server.port);
    assert_login(url, (struct bus_options){0}, STATUS_UNAUTHORIZED);
    nats_server_kill(&server);

    nats_server_start(&server, &wants_token);
    assert_login(server.url, (struct bus_options){.token = "secret-token"}, STATUS_OK);
    assert_login(server.url, (struct bus_options){.token = "secret-other"}, STATUS_UNAUTHORIZED);
    snprintf(url, sizeof(url), "nats://secret-token@127.0.0.1:%d", server.port);
    assert_login(url, (struct bus_options){0}, STATUS_OK);
    nats_server_kill(&server);
}

/* The server's nonce is signed with the seed; the seed itself never leaves. */
static void an_nkey_logs_in(void **state) {
    (void)state;
    char seed[NKEY_SEED_TEXT_BYTES];
    char other_seed[NKEY_SEED_TEXT_BYTES];
    char key[NKEY_PUBLIC_TEXT_BYTES];
    char other_key[NKEY_PUBLIC_TEXT_BYTES];
    struct nats_server server;
    nkey_generate(NKEY_USER, seed, key);
    nkey_generate(NKEY_USER, other_seed, other_key);
    nats_server_init(&server);
    nats_server_start(&server, &(struct nats_server_options){.nkey = key});
    assert_login(server.url, (struct bus_options){.nkey_seed = seed}, STATUS_OK);
    assert_login(server.url, (struct bus_options){.nkey_seed = other_seed}, STATUS_UNAUTHORIZED);
    nats_server_kill(&server);
}

static void wrong_options_are_named(void **state) {
    (void)state;
    static const struct {
        const char *urls;
        enum status_code code;
    } cases[] = {
        {"", STATUS_CONFIG},
        {" , ", STATUS_CONFIG},
        {NULL, STATUS_CONFIG},
        {"tls://127.0.0.1:0", STATUS_CONFIG},
        {"nats://a,tls://ann:secret@b:4222x", STATUS_CONFIG},
        {"ws://127.0.0.1", STATUS_CONFIG},
        {"nats://127.0.0.1:0", STATUS_CONFIG},
        {"nats://127.0.0.1:65536", STATUS_CONFIG},
        {"nats://127.0.0.1:", STATUS_CONFIG},
        {"nats://127.0.0.1:4x", STATUS_CONFIG},
        {"nats://ann:secret@", STATUS_CONFIG},
        {"nats://ann:secret@:4222", STATUS_CONFIG},
        {"nats://ho st", STATUS_CONFIG},
        {"nats://host/path", STATUS_CONFIG},
        {"nats://::1:4222", STATUS_CONFIG},
        {"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", STATUS_CONFIG},
    };
    struct loop *loop = peer_loop();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct bus_options options = {.urls = cases[i].urls};
        struct status status = STATUS_INIT;
        assert_null(bus_create(loop, &options, &peer_callbacks, NULL, &status));
        if (status.code != cases[i].code) {
            fail_msg("%s: %s", cases[i].urls, status.text);
        }
        assert_null(strstr(status.text, "secret"));
    }
    const struct bus_options two_ways = {.urls = "nats://a", .user = "ann", .token = "t"};
    assert_null(bus_create(loop, &two_ways, &peer_callbacks, NULL, NULL));
    struct status status = STATUS_INIT;
    const struct bus_options no_seed = {.urls = "nats://a", .nkey_seed = "UABC-secret"};
    assert_null(bus_create(loop, &no_seed, &peer_callbacks, NULL, &status));
    assert_int_equal(status.code, STATUS_CONFIG);
    assert_null(strstr(status.text, "secret"));
    loop_wait_end(loop);
}

static void an_ipv6_address_is_understood(void **state) {
    (void)state;
    struct nats_server server;
    char url[64];
    struct peer peer;
    struct loop *loop = peer_loop();
    nats_server_init(&server);
    snprintf(url, sizeof(url), "nats://[::1]:%d", server.port);
    peer_start(&peer, loop, url);
    assert_true(loop_wait(loop, peer_has_reason, &peer));
    assert_int_equal(peer.reason.code, STATUS_UNAVAILABLE);
    assert_non_null(strstr(bus_condition(peer.bus)->server, "[::1]:"));
    peer_stop(&peer);
    loop_wait_end(loop);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_used_and_never_shown),
        cmocka_unit_test(an_nkey_logs_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest without_server[] = {
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(an_ipv6_address_is_understood),
    };
    int failed = cmocka_run_group_tests(without_server, NULL, NULL);
    return failed + nats_server_run_with_each(run) == 0 ? 0 : 1;
}
