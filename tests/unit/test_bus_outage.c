/* The NATS client with servers that come late, die, hang, and come back. */
#include "tests/lib/unit.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "tests/lib/bus_peer.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/nats_server.h"

/* ---- Servers that come and go ---- */

static void a_server_that_comes_late_is_found(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct loop *loop = peer_loop();
    struct status status = STATUS_INIT;
    nats_server_init(&server);
    peer_start(&peer, loop, server.url);
    bus_subscribe(peer.bus, "early", NULL, peer_on_message, &peer, NULL);
    assert_true(loop_wait(loop, peer_has_reason, &peer));
    assert_int_equal(peer.reason.code, STATUS_UNAVAILABLE);
    assert_non_null(strstr(bus_condition(peer.bus)->server, server.port_text));
    assert_false(bus_publish(peer.bus, "early", NULL, bytes_of_text("x"), &status));
    assert_int_equal(status.code, STATUS_UNAVAILABLE);
    assert_null(bus_request(peer.bus, "early", bytes_of_text(""), 10, BUS_FIRST_REPLY,
                            &peer_request_callbacks, NULL, NULL));

    nats_server_start(&server, NULL);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    assert_true(peer_publish(&peer, "early", "now"));
    assert_true(loop_wait_count(loop, &peer.messages, 1));
    peer_stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static int open_descriptors(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* Each flap within a few seconds doubles the wait before the next connect. */
#define FLAPS 7

/* Subscriptions survive, nothing old is sent, nothing leaks. */
static void a_server_may_flap(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct answers answers;
    struct loop *loop = peer_loop();
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_start(&peer, loop, server.url);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    bus_subscribe(peer.bus, "news", NULL, peer_on_message, &peer, NULL);
    int descriptors = open_descriptors();
    for (int round = 1; round <= FLAPS; round++) {
        peer_ask(&peer, "news", 60000, BUS_FIRST_REPLY, &answers);
        peer.messages = 0;
        nats_server_kill(&server);
        assert_true(loop_wait(loop, peer_is_connecting, &peer));
        assert_true(loop_wait_count(loop, &answers.ended, 1));
        assert_int_equal(answers.status.code, STATUS_UNAVAILABLE);
        assert_false(peer_publish(&peer, "news", "stale"));
        nats_server_start(&server, NULL);
        assert_true(loop_wait(loop, peer_is_connected, &peer));
        assert_int_equal(peer.connects, round + 1);
        peer.messages = 0;
        assert_true(peer_publish(&peer, "news", "fresh"));
        assert_true(loop_wait_count(loop, &peer.messages, 1));
        assert_string_equal(peer.last_data, "fresh");
    }
    assert_in_range(open_descriptors(), 1, descriptors + 1);
    struct bus_counters counters;
    bus_counters(peer.bus, &counters);
    assert_int_equal(counters.connects, FLAPS + 1);
    peer_stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static void another_server_takes_over(void **state) {
    (void)state;
    struct nats_server first;
    struct nats_server second;
    struct peer peer;
    char urls[160];
    struct loop *loop = peer_loop();
    nats_server_init(&first);
    nats_server_init(&second);
    snprintf(urls, sizeof(urls), " %s , 127.0.0.1:%s,", first.url, second.port_text);
    nats_server_start(&second, NULL);
    peer_start(&peer, loop, urls);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    assert_non_null(strstr(bus_condition(peer.bus)->server, second.port_text));
    nats_server_start(&first, NULL);
    nats_server_kill(&second);
    assert_true(loop_wait(loop, peer_is_connecting, &peer));
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    assert_non_null(strstr(bus_condition(peer.bus)->server, first.port_text));
    peer_stop(&peer);
    nats_server_kill(&first);
    loop_wait_end(loop);
}

/* ---- Queues that are full ---- */

static bool queue_is_full(struct peer *peer, struct status *status) {
    static uint8_t block[256 * 1024];
    return !bus_publish(peer->bus, "x", NULL, bytes_of(block, sizeof(block)), status);
}

/* A full queue refuses, memory stays bounded, and the bus is back when the server is. */
static void a_full_queue_refuses_and_recovers(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct status status = STATUS_INIT;
    struct loop *loop = peer_loop();
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_start(&peer, loop, server.url);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    nats_server_freeze(&server);
    int accepted = 0;
    while (!queue_is_full(&peer, &status)) {
        assert_true(++accepted < 1000);
    }
    assert_int_equal(status.code, STATUS_UNAVAILABLE);
    struct bus_counters counters;
    bus_counters(peer.bus, &counters);
    assert_true(counters.refused_out > 0);
    /* The write that nobody takes ends the connection; it is made anew when the server goes on. */
    assert_true(loop_wait(loop, peer_is_connecting, &peer));
    nats_server_thaw(&server);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    bus_counters(peer.bus, &counters);
    assert_true(counters.dropped_out > 0);
    peer_settle(&peer);
    peer_stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static void wait_for_counter(struct peer *peer, uint64_t published, uint64_t arrived) {
    struct bus_counters counters;
    int64_t deadline = clock_monotonic_ms() + LOOP_WAIT_LIMIT_MS;
    do {
        bus_counters(peer->bus, &counters);
        assert_true(clock_monotonic_ms() < deadline);
        poll(NULL, 0, 1);
    } while (counters.published < published || counters.received + counters.dropped_in < arrived);
}

/* A loop that does nothing for a while: the newest messages are dropped and counted. */
static void a_slow_loop_costs_bounded_memory(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct loop *loop = peer_loop();
    const int half = BUS_QUEUE_MESSAGES_MAX - 100;
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_start(&peer, loop, server.url);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    bus_subscribe(peer.bus, "flood", NULL, peer_on_message, &peer, NULL);
    peer_settle(&peer);
    struct bus_counters before;
    bus_counters(peer.bus, &before);
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < half; i++) {
            assert_true(peer_publish(&peer, "flood", "x"));
        }
        wait_for_counter(&peer, before.published + (uint64_t)(round * half),
                         before.received + (uint64_t)(round * half));
    }
    struct bus_counters counters;
    bus_counters(peer.bus, &counters);
    assert_int_equal(counters.dropped_in, 2 * half - BUS_QUEUE_MESSAGES_MAX);
    assert_int_equal(counters.queued_in, BUS_QUEUE_MESSAGES_MAX);
    assert_true(loop_wait_count(loop, &peer.messages, BUS_QUEUE_MESSAGES_MAX));
    peer_settle(&peer);
    peer_stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_comes_late_is_found),
        cmocka_unit_test(a_server_may_flap),
        cmocka_unit_test(another_server_takes_over),
        cmocka_unit_test(a_full_queue_refuses_and_recovers),
        cmocka_unit_test(a_slow_loop_costs_bounded_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return nats_server_run_with_each(run) == 0 ? 0 : 1;
}
