#include "tests/lib/bus_peer.h"

#include <stdio.h>

#include "base/clock.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/unit.h"

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

const struct bus_callbacks peer_callbacks = {.on_state = on_state, .on_closed = on_closed};

void peer_on_message(void *context, const struct bus_message *message) {
    struct peer *peer = context;
    peer->messages++;
    peer->last_length = message->data.length;
    snprintf(peer->last_subject, sizeof(peer->last_subject), "%s", message->subject);
    snprintf(peer->last_reply, sizeof(peer->last_reply), "%s",
             message->reply == NULL ? "" : message->reply);
    snprintf(peer->last_data, sizeof(peer->last_data), "%.*s", (int)message->data.length,
             (const char *)message->data.data);
}

void peer_start_with(struct peer *peer, struct loop *loop, const struct bus_options *options) {
    struct status status = STATUS_INIT;
    *peer = (struct peer){.loop = loop};
    peer->bus = bus_create(loop, options, &peer_callbacks, peer, &status);
    if (peer->bus == NULL) {
        fail_msg("bus_create: %s", status.text);
    }
}

void peer_start(struct peer *peer, struct loop *loop, const char *urls) {
    const struct bus_options options = {.urls = urls, .name = "test"};
    peer_start_with(peer, loop, &options);
}

bool peer_is_connected(void *context) {
    const struct peer *peer = context;
    return peer->state == BUS_CONNECTED;
}

bool peer_is_connecting(void *context) {
    const struct peer *peer = context;
    return peer->state == BUS_CONNECTING;
}

bool peer_has_reason(void *context) {
    const struct peer *peer = context;
    return peer->reason.code != STATUS_OK;
}

bool peer_is_closed(void *context) {
    const struct peer *peer = context;
    return peer->closed > 0;
}

int64_t peer_stop(struct peer *peer) {
    int64_t begin = clock_monotonic_ms();
    bus_stop(peer->bus);
    bus_stop(peer->bus);
    assert_true(loop_wait(peer->loop, peer_is_closed, peer));
    assert_int_equal(peer->closed, 1);
    return clock_monotonic_ms() - begin;
}

bool peer_publish(struct peer *peer, const char *subject, const char *text) {
    return bus_publish(peer->bus, subject, NULL, bytes_of_text(text), NULL);
}

void peer_settle(struct peer *peer) {
    struct peer probe = {0};
    struct bus_subscription *subscription =
        bus_subscribe(peer->bus, "test.settle", NULL, peer_on_message, &probe, NULL);
    assert_true(peer_publish(peer, "test.settle", ""));
    assert_true(loop_wait_count(peer->loop, &probe.messages, 1));
    bus_unsubscribe(subscription);
}

struct loop *peer_loop(void) {
    struct status status = STATUS_INIT;
    struct loop *loop = loop_create(&status);
    assert_non_null(loop);
    return loop;
}

void peer_connect_both(struct peer *one, struct peer *two, struct loop *loop, const char *url) {
    peer_start(one, loop, url);
    peer_start(two, loop, url);
    assert_true(loop_wait(loop, peer_is_connected, one));
    assert_true(loop_wait(loop, peer_is_connected, two));
}

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

const struct bus_request_callbacks peer_request_callbacks = {on_reply, on_end};

void peer_answer(void *context, const struct bus_message *message) {
    struct peer *peer = context;
    peer->messages++;
    if (message->reply != NULL) {
        assert_true(bus_publish(peer->bus, message->reply, NULL, bytes_of_text("here"), NULL));
    }
}

struct bus_request *peer_ask(struct peer *peer, const char *subject, int64_t timeout_ms,
                             enum bus_replies replies, struct answers *answers) {
    *answers = (struct answers){0};
    struct status status = STATUS_INIT;
    struct bus_request *request = bus_request(peer->bus, subject, bytes_of_text("?"), timeout_ms,
                                              replies, &peer_request_callbacks, answers, &status);
    if (request == NULL) {
        fail_msg("bus_request: %s", status.text);
    }
    return request;
}
