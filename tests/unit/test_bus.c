/* The NATS client against real nats-servers: those that refuse, come late, die, hang, and come back. */
#include "tests/lib/unit.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "bus/bus.h"
#include "loop/loop.h"
#include "tests/lib/folder.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/nats_server.h"
#include "verifier/nkey.h"

/* The server that the present round of tests runs against. */
static const char *program;

/* A bus and what its callbacks saw. */
struct peer {
    struct loop *loop;
    struct bus *bus;
    enum bus_state state;
    uint64_t connects;
    struct status reason;
    int reports; /* calls of on_state */
    int closed;
    int messages;
    char last_subject[128];
    char last_data[128];
    size_t last_length;
    char last_reply[128];
};

static void on_state(void *context, const struct bus_condition *condition) {
    struct peer *peer = context;
    peer->state = condition->state;
    peer->connects = condition->connects;
    if (condition->reason.code != STATUS_OK) {
        peer->reason = condition->reason;
    }
    peer->reports++;
}

static void on_closed(void *context) {
    struct peer *peer = context;
    peer->closed++;
    peer->bus = NULL;
}

static const struct bus_callbacks callbacks = {.on_state = on_state, .on_closed = on_closed};

static void on_message(void *context, const struct bus_message *message) {
    struct peer *peer = context;
    peer->messages++;
    peer->last_length = message->data.length;
    snprintf(peer->last_subject, sizeof(peer->last_subject), "%s", message->subject);
    snprintf(peer->last_reply, sizeof(peer->last_reply), "%s",
             message->reply == NULL ? "" : message->reply);
    snprintf(peer->last_data, sizeof(peer->last_data), "%.*s", (int)message->data.length,
             (const char *)message->data.data);
}

static void start_with(struct peer *peer, struct loop *loop, const struct bus_options *options) {
    struct status status = STATUS_INIT;
    *peer = (struct peer){.loop = loop};
    peer->bus = bus_create(loop, options, &callbacks, peer, &status);
    if (peer->bus == NULL) {
        fail_msg("bus_create: %s", status.text);
    }
}

static void start(struct peer *peer, struct loop *loop, const char *urls) {
    const struct bus_options options = {.urls = urls, .name = "test"};
    start_with(peer, loop, &options);
}

static bool is_connected(void *context) {
    const struct peer *peer = context;
    return peer->state == BUS_CONNECTED;
}

static bool has_reason(void *context) {
    const struct peer *peer = context;
    return peer->reason.code != STATUS_OK;
}

static bool is_closed(void *context) {
    const struct peer *peer = context;
    return peer->closed > 0;
}

/* Stops the bus; returns how many milliseconds it took. */
static int64_t stop(struct peer *peer) {
    int64_t begin = clock_monotonic_ms();
    bus_stop(peer->bus);
    bus_stop(peer->bus);
    assert_true(loop_wait(peer->loop, is_closed, peer));
    assert_int_equal(peer->closed, 1);
    return clock_monotonic_ms() - begin;
}

static bool publish(struct peer *peer, const char *subject, const char *text) {
    return bus_publish(peer->bus, subject, NULL, bytes_of_text(text), NULL);
}

/* Waits until the server knows the subscriptions made so far: it answers in order. */
static void settle(struct peer *peer) {
    struct peer probe = {0};
    struct bus_subscription *subscription =
        bus_subscribe(peer->bus, "test.settle", NULL, on_message, &probe, NULL);
    assert_true(publish(peer, "test.settle", ""));
    assert_true(loop_wait_count(peer->loop, &probe.messages, 1));
    bus_unsubscribe(subscription);
}

static struct loop *new_loop(void) {
    struct status status = STATUS_INIT;
    struct loop *loop = loop_create(&status);
    assert_non_null(loop);
    return loop;
}

static void connect_both(struct peer *one, struct peer *two, struct loop *loop, const char *url) {
    start(one, loop, url);
    start(two, loop, url);
    assert_true(loop_wait(loop, is_connected, one));
    assert_true(loop_wait(loop, is_connected, two));
}

/* ---- Messages ---- */

static void messages_reach_their_subscribers(void **state) {
    (void)state;
    struct nats_server server;
    struct peer sender;
    struct peer receiver;
    struct peer sibling = {0};
    struct loop *loop = new_loop();
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    connect_both(&sender, &receiver, loop, server.url);
    struct bus_subscription *wide =
        bus_subscribe(receiver.bus, "license.>", NULL, on_message, &receiver, NULL);
    assert_non_null(wide);
    assert_non_null(bus_subscribe(receiver.bus, "work", "group", on_message, &sibling, NULL));
    assert_non_null(bus_subscribe(sender.bus, "work", "group", on_message, &sibling, NULL));
    settle(&receiver);
    settle(&sender);

    assert_true(
        bus_publish(sender.bus, "license.status", "answer.here", bytes_of_text("hello"), NULL));
    assert_true(loop_wait_count(loop, &receiver.messages, 1));
    assert_string_equal(receiver.last_subject, "license.status");
    assert_string_equal(receiver.last_data, "hello");
    assert_string_equal(receiver.last_reply, "answer.here");

    for (int i = 0; i < 10; i++) {
        assert_true(publish(&sender, "work", "x"));
    }
    assert_true(publish(&sender, "license.end", ""));
    assert_true(loop_wait_count(loop, &receiver.messages, 2));
    assert_true(loop_wait_count(loop, &sibling.messages, 10));
    settle(&sender);
    settle(&receiver);
    assert_int_equal(sibling.messages, 10);

    bus_unsubscribe(wide);
    settle(&receiver);
    assert_true(publish(&sender, "license.status", "nobody"));
    settle(&sender);
    settle(&receiver);
    assert_int_equal(receiver.messages, 2);
    assert_true(stop(&sender) < 1000);
    assert_true(stop(&receiver) < 1000);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static void large_messages_pass_up_to_the_limit(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct loop *loop = new_loop();
    struct status status = STATUS_INIT;
    uint8_t *data = calloc(1, BUS_MESSAGE_BYTES_MAX + 1);
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    start(&peer, loop, server.url);
    assert_true(loop_wait(loop, is_connected, &peer));
    bus_subscribe(peer.bus, "big", NULL, on_message, &peer, NULL);
    assert_true(bus_publish(peer.bus, "big", NULL, bytes_of(data, BUS_MESSAGE_BYTES_MAX), NULL));
    assert_true(loop_wait_count(loop, &peer.messages, 1));
    assert_int_equal(peer.last_length, BUS_MESSAGE_BYTES_MAX);
    assert_false(
        bus_publish(peer.bus, "big", NULL, bytes_of(data, BUS_MESSAGE_BYTES_MAX + 1), &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    free(data);
    stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static void bad_subjects_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "a b", "a\r\nPUB", "a.\t"};
    struct peer peer;
    struct loop *loop = new_loop();
    struct status status = STATUS_INIT;
    char long_subject[BUS_SUBJECT_BYTES_MAX + 2];
    start(&peer, loop, "nats://127.0.0.1:1");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        status_clear(&status);
        assert_false(bus_publish(peer.bus, bad[i], NULL, bytes_of_text(""), &status));
        assert_int_equal(status.code, STATUS_MALFORMED);
        assert_null(bus_subscribe(peer.bus, bad[i], NULL, on_message, &peer, NULL));
    }
    status_clear(&status);
    assert_false(bus_publish(peer.bus, "a.*", NULL, bytes_of_text(""), &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    assert_null(bus_subscribe(peer.bus, "a.>.b", NULL, on_message, &peer, NULL));
    assert_null(bus_subscribe(peer.bus, "a", "bad queue", on_message, &peer, NULL));
    memset(long_subject, 'a', sizeof(long_subject));
    long_subject[sizeof(long_subject) - 1] = '\0';
    assert_null(bus_subscribe(peer.bus, long_subject, NULL, on_message, &peer, NULL));
    stop(&peer);
    loop_wait_end(loop);
}

/* ---- Requests ---- */

struct answers {
    int replies;
    int ended;
    struct status status;
    char last[64];
    struct bus_request *cancel; /* cancelled by the first reply */
};

static void on_reply(void *context, const struct bus_message *message) {
    struct answers *answers = context;
    answers->replies++;
    snprintf(answers->last, sizeof(answers->last), "%.*s", (int)message->data.length,
             (const char *)message->data.data);
    if (answers->cancel != NULL) {
        bus_request_cancel(answers->cancel);
        answers->cancel = NULL;
    }
}

static void on_end(void *context, const struct status *status) {
    struct answers *answers = context;
    answers->ended++;
    answers->status = *status;
}

static const struct bus_request_callbacks request_callbacks = {on_reply, on_end};

static void answer(void *context, const struct bus_message *message) {
    struct peer *peer = context;
    peer->messages++;
    if (message->reply != NULL) {
        assert_true(bus_publish(peer->bus, message->reply, NULL, bytes_of_text("here"), NULL));
    }
}

static struct bus_request *ask(struct peer *peer, const char *subject, int64_t timeout_ms,
                               enum bus_replies replies, struct answers *answers) {
    *answers = (struct answers){0};
    struct status status = STATUS_INIT;
    struct bus_request *request = bus_request(peer->bus, subject, bytes_of_text("?"), timeout_ms,
                                              replies, &request_callbacks, answers, &status);
    if (request == NULL) {
        fail_msg("bus_request: %s", status.text);
    }
    return request;
}

static void requests_are_answered_by_one_or_many(void **state) {
    (void)state;
    struct nats_server server;
    struct peer one;
    struct peer two;
    struct answers answers;
    struct loop *loop = new_loop();
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    connect_both(&one, &two, loop, server.url);
    bus_subscribe(one.bus, "who", NULL, answer, &one, NULL);
    bus_subscribe(two.bus, "who", NULL, answer, &two, NULL);
    bus_subscribe(two.bus, "mute", NULL, on_message, &two, NULL);
    settle(&one);
    settle(&two);

    ask(&one, "who", 5000, BUS_FIRST_REPLY, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.replies, 1);
    assert_int_equal(answers.status.code, STATUS_OK);
    assert_string_equal(answers.last, "here");

    ask(&one, "who", 300, BUS_ALL_REPLIES, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.replies, 2);
    assert_int_equal(answers.status.code, STATUS_OK);

    ask(&one, "nobody.there", 5000, BUS_ALL_REPLIES, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.status.code, STATUS_UNAVAILABLE);

    ask(&one, "mute", 50, BUS_FIRST_REPLY, &answers);
    assert_true(loop_wait_count(loop, &answers.ended, 1));
    assert_int_equal(answers.status.code, STATUS_TIMEOUT);

    answers.cancel = ask(&one, "who", 5000, BUS_FIRST_REPLY, &answers);
    answers.cancel = ask(&one, "who", 5000, BUS_ALL_REPLIES, &answers);
    assert_true(loop_wait_count(loop, &answers.replies, 1));
    settle(&one);
    settle(&two);
    settle(&one);
    assert_null(answers.cancel);

    struct answers open;
    ask(&one, "mute", 60000, BUS_FIRST_REPLY, &open);
    stop(&one);
    assert_int_equal(open.ended, 1);
    assert_int_equal(open.status.code, STATUS_CANCELLED);
    stop(&two);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

/* ---- Servers that come and go ---- */

static void a_server_that_comes_late_is_found(void **state) {
    (void)state;
    struct nats_server server;
    struct peer peer;
    struct loop *loop = new_loop();
    struct status status = STATUS_INIT;
    nats_server_init(&server, program);
    start(&peer, loop, server.url);
    bus_subscribe(peer.bus, "early", NULL, on_message, &peer, NULL);
    assert_true(loop_wait(loop, has_reason, &peer));
    assert_int_equal(peer.reason.code, STATUS_UNAVAILABLE);
    assert_non_null(strstr(bus_condition(peer.bus)->server, server.port_text));
    assert_false(bus_publish(peer.bus, "early", NULL, bytes_of_text("x"), &status));
    assert_int_equal(status.code, STATUS_UNAVAILABLE);
    assert_null(bus_request(peer.bus, "early", bytes_of_text(""), 10, BUS_FIRST_REPLY,
                            &request_callbacks, NULL, NULL));

    nats_server_start(&server, NULL);
    assert_true(loop_wait(loop, is_connected, &peer));
    assert_true(publish(&peer, "early", "now"));
    assert_true(loop_wait_count(loop, &peer.messages, 1));
    stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static bool is_connecting(void *context) {
    const struct peer *peer = context;
    return peer->state == BUS_CONNECTING;
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
    struct loop *loop = new_loop();
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    start(&peer, loop, server.url);
    assert_true(loop_wait(loop, is_connected, &peer));
    bus_subscribe(peer.bus, "news", NULL, on_message, &peer, NULL);
    int descriptors = open_descriptors();
    for (int round = 1; round <= FLAPS; round++) {
        ask(&peer, "news", 60000, BUS_FIRST_REPLY, &answers);
        peer.messages = 0;
        nats_server_kill(&server);
        assert_true(loop_wait(loop, is_connecting, &peer));
        assert_true(loop_wait_count(loop, &answers.ended, 1));
        assert_int_equal(answers.status.code, STATUS_UNAVAILABLE);
        assert_false(publish(&peer, "news", "stale"));
        nats_server_start(&server, NULL);
        assert_true(loop_wait(loop, is_connected, &peer));
        assert_int_equal(peer.connects, round + 1);
        peer.messages = 0;
        assert_true(publish(&peer, "news", "fresh"));
        assert_true(loop_wait_count(loop, &peer.messages, 1));
        assert_string_equal(peer.last_data, "fresh");
    }
    assert_in_range(open_descriptors(), 1, descriptors + 1);
    struct bus_counters counters;
    bus_counters(peer.bus, &counters);
    assert_int_equal(counters.connects, FLAPS + 1);
    stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static void another_server_takes_over(void **state) {
    (void)state;
    struct nats_server first;
    struct nats_server second;
    struct peer peer;
    char urls[160];
    struct loop *loop = new_loop();
    nats_server_init(&first, program);
    nats_server_init(&second, program);
    snprintf(urls, sizeof(urls), " %s , 127.0.0.1:%s,", first.url, second.port_text);
    nats_server_start(&second, NULL);
    start(&peer, loop, urls);
    assert_true(loop_wait(loop, is_connected, &peer));
    assert_non_null(strstr(bus_condition(peer.bus)->server, second.port_text));
    nats_server_start(&first, NULL);
    nats_server_kill(&second);
    assert_true(loop_wait(loop, is_connecting, &peer));
    assert_true(loop_wait(loop, is_connected, &peer));
    assert_non_null(strstr(bus_condition(peer.bus)->server, first.port_text));
    stop(&peer);
    nats_server_kill(&first);
    loop_wait_end(loop);
}

/* ---- Servers that hang ---- */

static void a_hanging_server_does_not_hold_up_the_end(void **state) {
    (void)state;
    struct nats_server server;
    struct peer connected;
    struct peer connecting;
    struct peer writing;
    struct loop *loop = new_loop();
    static uint8_t block[512 * 1024];
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    connect_both(&connected, &writing, loop, server.url);
    nats_server_freeze(&server);
    start(&connecting, loop, server.url);
    while (bus_publish(writing.bus, "x", NULL, bytes_of(block, sizeof(block)), NULL)) {
        loop_wait_ms(loop, 1);
    }
    assert_true(stop(&connected) < 1000);
    assert_true(stop(&writing) < 1000);
    assert_true(stop(&connecting) < 1000);
    nats_server_thaw(&server);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

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
    struct loop *loop = new_loop();
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    start(&peer, loop, server.url);
    assert_true(loop_wait(loop, is_connected, &peer));
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
    assert_true(loop_wait(loop, is_connecting, &peer));
    nats_server_thaw(&server);
    assert_true(loop_wait(loop, is_connected, &peer));
    bus_counters(peer.bus, &counters);
    assert_true(counters.dropped_out > 0);
    settle(&peer);
    stop(&peer);
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
    struct loop *loop = new_loop();
    const int half = BUS_QUEUE_MESSAGES_MAX - 100;
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    start(&peer, loop, server.url);
    assert_true(loop_wait(loop, is_connected, &peer));
    bus_subscribe(peer.bus, "flood", NULL, on_message, &peer, NULL);
    settle(&peer);
    struct bus_counters before;
    bus_counters(peer.bus, &before);
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < half; i++) {
            assert_true(publish(&peer, "flood", "x"));
        }
        wait_for_counter(&peer, before.published + (uint64_t)(round * half),
                         before.received + (uint64_t)(round * half));
    }
    struct bus_counters counters;
    bus_counters(peer.bus, &counters);
    assert_int_equal(counters.dropped_in, 2 * half - BUS_QUEUE_MESSAGES_MAX);
    assert_int_equal(counters.queued_in, BUS_QUEUE_MESSAGES_MAX);
    assert_true(loop_wait_count(loop, &peer.messages, BUS_QUEUE_MESSAGES_MAX));
    settle(&peer);
    stop(&peer);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

/* ---- Logging in, and TLS ---- */

static void assert_login(const char *urls, struct bus_options options, enum status_code expected) {
    struct peer peer;
    struct loop *loop = new_loop();
    options.urls = urls;
    options.name = "test";
    start_with(&peer, loop, &options);
    if (expected == STATUS_OK) {
        assert_true(loop_wait(loop, is_connected, &peer));
    } else {
        assert_true(loop_wait(loop, has_reason, &peer));
        assert_int_equal(peer.reason.code, expected);
        assert_null(strstr(peer.reason.text, "secret"));
        assert_null(strstr(bus_condition(peer.bus)->server, "secret"));
    }
    stop(&peer);
    loop_wait_end(loop);
}

static void credentials_are_used_and_never_shown(void **state) {
    (void)state;
    struct nats_server server;
    char url[128];
    const char *const user_arguments[] = {"--user", "ann", "--pass", "secret:@,1", NULL};
    const char *const token_arguments[] = {"--auth", "secret-token", NULL};
    nats_server_init(&server, program);
    nats_server_start(&server, user_arguments);
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

    nats_server_start(&server, token_arguments);
    assert_login(server.url, (struct bus_options){.token = "secret-token"}, STATUS_OK);
    assert_login(server.url, (struct bus_options){.token = "secret-other"}, STATUS_UNAUTHORIZED);
    snprintf(url, sizeof(url), "nats://secret-token@127.0.0.1:%d", server.port);
    assert_login(url, (struct bus_options){0}, STATUS_OK);
    nats_server_kill(&server);
}

/* The server's nonce is signed with the seed; the seed itself never leaves. */
static void an_nkey_logs_in(void **state) {
    (void)state;
    char folder[TEST_FOLDER_BYTES];
    char seed[NKEY_SEED_TEXT_BYTES];
    char other_seed[NKEY_SEED_TEXT_BYTES];
    char key[NKEY_PUBLIC_TEXT_BYTES];
    char other_key[NKEY_PUBLIC_TEXT_BYTES];
    char config[200];
    struct nats_server server;
    test_folder_make(folder);
    nkey_generate(NKEY_USER, seed, key);
    nkey_generate(NKEY_USER, other_seed, other_key);
    snprintf(config, sizeof(config), "authorization { users: [ { nkey: %s } ] }\n", key);
    char *path = file_join(folder, "server.conf");
    assert_true(file_replace(path, bytes_of_text(config), 0600, NULL));
    const char *const arguments[] = {"-c", path, NULL};
    nats_server_init(&server, program);
    nats_server_start(&server, arguments);
    assert_login(server.url, (struct bus_options){.nkey_seed = seed}, STATUS_OK);
    assert_login(server.url, (struct bus_options){.nkey_seed = other_seed}, STATUS_UNAUTHORIZED);
    nats_server_kill(&server);
    free(path);
    test_folder_remove(folder);
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
        {"tls://127.0.0.1:4222", STATUS_TLS},
        {"nats://a,tls://ann:secret@b:4222", STATUS_TLS},
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
    struct loop *loop = new_loop();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct bus_options options = {.urls = cases[i].urls};
        struct status status = STATUS_INIT;
        assert_null(bus_create(loop, &options, &callbacks, NULL, &status));
        if (status.code != cases[i].code) {
            fail_msg("%s: %s", cases[i].urls, status.text);
        }
        assert_null(strstr(status.text, "secret"));
    }
    const struct bus_options two_ways = {.urls = "nats://a", .user = "ann", .token = "t"};
    assert_null(bus_create(loop, &two_ways, &callbacks, NULL, NULL));
    struct status status = STATUS_INIT;
    const struct bus_options no_seed = {.urls = "nats://a", .nkey_seed = "UABC-secret"};
    assert_null(bus_create(loop, &no_seed, &callbacks, NULL, &status));
    assert_int_equal(status.code, STATUS_CONFIG);
    assert_null(strstr(status.text, "secret"));
    loop_wait_end(loop);
}

static void an_ipv6_address_is_understood(void **state) {
    (void)state;
    struct nats_server server;
    char url[64];
    struct peer peer;
    struct loop *loop = new_loop();
    nats_server_init(&server, program);
    snprintf(url, sizeof(url), "nats://[::1]:%d", server.port);
    start(&peer, loop, url);
    assert_true(loop_wait(loop, has_reason, &peer));
    assert_int_equal(peer.reason.code, STATUS_UNAVAILABLE);
    assert_non_null(strstr(bus_condition(peer.bus)->server, "[::1]:"));
    stop(&peer);
    loop_wait_end(loop);
}

/* A server that insists on TLS is refused with the reason, and nothing is sent in clear. */
static void a_server_that_wants_tls_is_refused_with_the_reason(void **state) {
    (void)state;
    char folder[TEST_FOLDER_BYTES];
    char command[900];
    struct nats_server server;
    test_folder_make(folder);
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
             " -subj /CN=localhost -keyout %s/key.pem -out %s/cert.pem >/dev/null 2>&1",
             folder, folder);
    if (system(command) != 0) {
        print_message("not tested: openssl is not installed\n");
        test_folder_remove(folder);
        return;
    }
    char *key = file_join(folder, "key.pem");
    char *certificate = file_join(folder, "cert.pem");
    const char *const arguments[] = {"--tls", "--tlscert", certificate, "--tlskey", key, NULL};
    nats_server_init(&server, program);
    nats_server_start(&server, arguments);
    struct peer peer;
    struct loop *loop = new_loop();
    start(&peer, loop, server.url);
    assert_true(loop_wait(loop, has_reason, &peer));
    assert_int_equal(peer.reason.code, STATUS_TLS);
    assert_non_null(strstr(peer.reason.text, "this lsys has no TLS for NATS yet; use nats://"));
    assert_int_equal(peer.connects, 0);
    stop(&peer);
    loop_wait_end(loop);
    nats_server_kill(&server);
    free(key);
    free(certificate);
    test_folder_remove(folder);
}

/* ---- Ending early ---- */

static void a_bus_may_end_at_once(void **state) {
    (void)state;
    struct peer peer;
    struct loop *loop = new_loop();
    for (int i = 0; i < 20; i++) {
        start(&peer, loop, "nats://127.0.0.1:1");
        bus_subscribe(peer.bus, "a", NULL, on_message, &peer, NULL);
        assert_true(stop(&peer) < 1000);
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
    struct loop *loop = new_loop();
    nats_server_init(&server, program);
    nats_server_start(&server, NULL);
    start(&peer, loop, server.url);
    assert_true(loop_wait(loop, is_connected, &peer));
    bus_subscribe(peer.bus, "a", NULL, stop_in_callback, &peer, NULL);
    assert_true(publish(&peer, "a", "1"));
    assert_true(publish(&peer, "a", "2"));
    assert_true(loop_wait(loop, is_closed, &peer));
    assert_int_equal(peer.messages, 1);
    nats_server_kill(&server);
    loop_wait_end(loop);
}

static int run_against_server(const char *server_program) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_reach_their_subscribers),
        cmocka_unit_test(large_messages_pass_up_to_the_limit),
        cmocka_unit_test(requests_are_answered_by_one_or_many),
        cmocka_unit_test(a_server_that_comes_late_is_found),
        cmocka_unit_test(a_server_may_flap),
        cmocka_unit_test(another_server_takes_over),
        cmocka_unit_test(a_hanging_server_does_not_hold_up_the_end),
        cmocka_unit_test(a_full_queue_refuses_and_recovers),
        cmocka_unit_test(a_slow_loop_costs_bounded_memory),
        cmocka_unit_test(credentials_are_used_and_never_shown),
        cmocka_unit_test(an_nkey_logs_in),
        cmocka_unit_test(a_server_that_wants_tls_is_refused_with_the_reason),
        cmocka_unit_test(a_bus_may_end_inside_a_callback),
    };
    program = server_program;
    print_message("with %s\n", server_program);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(bad_subjects_are_refused),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(an_ipv6_address_is_understood),
        cmocka_unit_test(a_bus_may_end_at_once),
    };
    int failed = cmocka_run_group_tests(alone, NULL, NULL);
    for (const char *const *server = nats_server_programs(); *server != NULL; server++) {
        failed += run_against_server(*server);
    }
    return failed == 0 ? 0 : 1;
}
