/* The NATS client against nats-server and our broker: messages, requests, and its end. */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "tests/lib/bus_peer.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/nats_server.h"

/* ---- Messages ---- */

static void messages_reach_their_subscribers(void **state) {
    (void)state;
    struct nats_server server;
    struct peer sender;
    struct peer receiver;
    struct peer sibling = {0};
    struct loop *loop = peer_loop();
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_connect_both(&sender, &receiver, loop, server.url);
    struct bus_subscription *wide =
        bus_subscribe(receiver.bus, "license.>", NULL, peer_on_message, &receiver, NULL);
    assert_non_null(wide);
    assert_non_null(bus_subscribe(receiver.bus, "work", "group", peer_on_message, &sibling, NULL));
    assert_non_null(bus_subscribe(sender.bus, "work", "group", peer_on_message, &sibling, NULL));
    peer_settle(&receiver);
    peer_settle(&sender);

    assert_true(
        bus_publish(sender.bus, "license.status", "answer.here", bytes_of_text("hello"), NULL));
    assert_true(loop_wait_count(loop, &receiver.messages, 1));
    assert_string_equal(receiver.last_subject, "license.status");
    assert_string_equal(receiver.last_data, "hello");
    assert_string_equal(receiver.last_reply, "answer.here");

    for (int i = 0; i < 10; i++) {
        assert_true(peer_publish(&sender, "work", "x"));
    }
    assert_true(peer_publish(&sender, "license.end", ""));
    assert_true(loop_wait_count(loop, &receiver.messages, 2));
    assert_true(loop_wait_count(loop, &sibling.messages, 10));
    peer_settle(&sender);
    peer_settle(&receiver);
    assert_int_equal(sibling.messages, 10);

    bus_unsubscribe(wide);
    peer_settle(&receiver);
    assert_true(peer_publish(&sender, "license.status", "nobody"));
    peer_settle(&sender);
    peer_settle(&receiver);
    assert_int_equal(receiver.messages, 2);
    assert_true(peer_stop(&sender) < 1000);
    assert_true(peer_stop(&receiver) < 1000);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static void large_messages_pass_up_to_the_limit(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct loop *loop = peer_loop();
    struct status status = STATUS_INIT;
    uint8_t *data = calloc(1, BUS_MESSAGE_BYTES_MAX + 1);
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_start(&peer, loop, server.url);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    bus_subscribe(peer.bus, "big", NULL, peer_on_message, &peer, NULL);
    assert_true(bus_publish(peer.bus, "big", NULL, bytes_of(data, BUS_MESSAGE_BYTES_MAX), NULL));
    assert_true(loop_wait_count(loop, &peer.messages, 1));
    assert_int_equal(peer.last_length, BUS_MESSAGE_BYTES_MAX);
    assert_false(
        bus_publish(peer.bus, "big", NULL, bytes_of(data, BUS_MESSAGE_BYTES_MAX + 1), &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    free(data);
    peer_stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static void bad_subjects_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "a b", "a\r\nPUB", "a.\t"};
    struct peer peer;
    struct loop *loop = peer_loop();
    struct status status = STATUS_INIT;
    char long_subject[BUS_SUBJECT_BYTES_MAX + 2];
    peer_start(&peer, loop, "nats://127.0.0.1:1");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        status_clear(&status);
        assert_false(bus_publish(peer.bus, bad[i], NULL, bytes_of_text(""), &status));
        assert_int_equal(status.code, STATUS_MALFORMED);
        assert_null(bus_subscribe(peer.bus, bad[i], NULL, peer_on_message, &peer, NULL));
    }
    status_clear(&status);
    assert_false(bus_publish(peer.bus, "a.*", NULL, bytes_of_text(""), &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    assert_null(bus_subscribe(peer.bus, "a.>.b", NULL, peer_on_message, &peer, NULL));
    assert_null(bus_subscribe(peer.bus, "a", "bad queue", peer_on_message, &peer, NULL));
    memset(long_subject, 'a', sizeof(long_subject));
    long_subject[sizeof(long_subject) - 1] = '\0';
    assert_null(bus_subscribe(peer.bus, long_subject, NULL, peer_on_message, &peer, NULL));
    peer_stop(&peer);
    loop_wait_end(loop);
}

/* ---- Requests ---- */

static void requests_are_answered_by_one_or_many(void **state) {
    (void)state;
    struct nats_server server;
    struct peer one;
    struct peer two;
    struct answers answers;
    struct loop *loop = peer_loop();
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_connect_both(&one, &two, loop, server.url);
    bus_subscribe(one.bus, "who", NULL, peer_answer, &one, NULL);
    bus_subscribe(two.bus, "who", NULL, peer_answer, &two, NULL);
    bus_subscribe(two.bus, "mute", NULL, peer_on_message, &two, NULL);
    peer_settle(&one);
    peer_settle(&two);

    peer_ask(&one, "who", 5000, BUS_FIRST_REPLY, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.replies, 1);
    assert_int_equal(answers.status.code, STATUS_OK);
    assert_string_equal(answers.last, "here");

    peer_ask(&one, "who", 300, BUS_ALL_REPLIES, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.replies, 2);
    assert_int_equal(answers.status.code, STATUS_OK);

    peer_ask(&one, "nobody.there", 5000, BUS_ALL_REPLIES, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.status.code, STATUS_UNAVAILABLE);

    peer_ask(&one, "mute", 50, BUS_FIRST_REPLY, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.status.code, STATUS_TIMEOUT);

    answers.cancel = peer_ask(&one, "who", 5000, BUS_FIRST_REPLY, &answers);
    answers.cancel = peer_ask(&one, "who", 5000, BUS_ALL_REPLIES, &answers);
    assert_true(loop_wait_count(loop, &answers.replies, 1));
    peer_settle(&one);
    peer_settle(&two);
    peer_settle(&one);
    assert_null(answers.cancel);

    struct answers open;
    peer_ask(&one, "mute", 60000, BUS_FIRST_REPLY, &open);
    peer_stop(&one);
    assert_int_equal(open.ended, 1);
    assert_int_equal(open.status.code, STATUS_CANCELLED);
    peer_stop(&two);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

/* ---- Ending early ---- */

static void a_bus_may_end_at_once(void **state) {
    (void)state;
    struct peer peer;
    struct loop *loop = peer_loop();
    for (int i = 0; i < 20; i++) {
        peer_start(&peer, loop, "nats://127.0.0.1:1");
        bus_subscribe(peer.bus, "a", NULL, peer_on_message, &peer, NULL);
        assert_true(peer_stop(&peer) < 1000);
        assert_int_equal(peer.reports, 0);
    }
    bus_stop(NULL);
    loop_wait_end(loop);
}

static void stop_in_callback(void *context, const struct bus_message *message) {
    struct peer *peer = context;
    (void)message;
    peer->messages++;
    bus_stop(peer->bus);
}

static void a_bus_may_end_inside_a_callback(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct loop *loop = peer_loop();
    nats_server_init(&server);
    nats_server_start(&server, NULL);
    peer_start(&peer, loop, server.url);
    assert_true(loop_wait(loop, peer_is_connected, &peer));
    bus_subscribe(peer.bus, "a", NULL, stop_in_callback, &peer, NULL);
    assert_true(peer_publish(&peer, "a", "1"));
    assert_true(peer_publish(&peer, "a", "2"));
    assert_true(loop_wait(loop, peer_is_closed, &peer));
    assert_int_equal(peer.messages, 1);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_reach_their_subscribers),
        cmocka_unit_test(large_messages_pass_up_to_the_limit),
        cmocka_unit_test(requests_are_answered_by_one_or_many),
        cmocka_unit_test(a_bus_may_end_inside_a_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest without_server[] = {
        cmocka_unit_test(bad_subjects_are_refused),
        cmocka_unit_test(a_bus_may_end_at_once),
    };
    int failed = cmocka_run_group_tests(without_server, NULL, NULL);
    return failed + nats_server_run_with_each(run) == 0 ? 0 : 1;
}
