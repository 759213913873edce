/*
 * A bus in a test, with what its callbacks saw, and the steps that tests of the bus share.
 */
#ifndef LSYS_TESTS_LIB_BUS_PEER_H
#define LSYS_TESTS_LIB_BUS_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"
#include "loop/loop.h"

struct peer {
    struct loop *loop;
    struct bus *bus;
    enum bus_state state;
    uint64_t connects;
    struct status reason; /* the last one that was given */
    int reports;          /* calls of on_state */
    int closed;           /* calls of on_closed */
    int messages;         /* and what the last one was: */
    char last_subject[128];
    char last_data[128];
    size_t last_length;
    char last_reply[128];
};

/* What came of a request. */
struct answers {
    int replies;
    int ended;
    struct status status;
    char last[64];
    struct bus_request *cancel; /* cancelled by the first reply */
};

extern const struct bus_callbacks peer_callbacks;
extern const struct bus_request_callbacks peer_request_callbacks;

/* A new loop. */
struct loop *peer_loop(void);

/* Makes a bus for these servers; the test ends when that fails. */
void peer_start(struct peer *peer, struct loop *loop, const char *urls);
void peer_start_with(struct peer *peer, struct loop *loop, const struct bus_options *options);

/* Makes two buses and waits until both are connected. */
void peer_connect_both(struct peer *one, struct peer *two, struct loop *loop, const char *url);

/* Stops the bus and waits for its end; returns how many milliseconds that took. */
int64_t peer_stop(struct peer *peer);

/* Conditions for loop_wait; `peer` is a struct peer. */
bool peer_is_connected(void *peer);
bool peer_is_connecting(void *peer);
bool peer_has_reason(void *peer);
bool peer_is_closed(void *peer);

/* Publishes a text. */
bool peer_publish(struct peer *peer, const char *subject, const char *text);

/* Waits until the server knows the subscriptions and messages so far: it takes them in order. */
void peer_settle(struct peer *peer);

/* Callbacks of subscriptions; `peer` is a struct peer. The second one answers "here". */
void peer_on_message(void *peer, const struct bus_message *message);
void peer_answer(void *peer, const struct bus_message *message);

/* Sends a request whose outcome goes to `answers`; the test ends when it is refused. */
struct bus_request *peer_ask(struct peer *peer, const char *subject, int64_t timeout_ms,
                             enum bus_replies replies, struct answers *answers);

#endif
