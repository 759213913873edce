/*
 * The loop's side of a bus, shared by bus.c (life, messages) and request.c (requests).
 */
#ifndef LSYS_BUS_BUS_PRIVATE_H
#define LSYS_BUS_BUS_PRIVATE_H

#include <pthread.h>

#include "base/list.h"
#include "bus/bus.h"
#include "bus/link.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "loop/wakeup.h"

/* "_INBOX." and 128 random bits in hex. */
#define INBOX_BYTES 64

struct bus {
    struct loop *loop;
    struct bus_callbacks callbacks;
    void *context;

    struct bus_link *link;
    struct wakeup *wakeup;
    pthread_t thread;
    struct bus_condition_copy condition;

    struct list subscriptions; /* of struct bus_subscription */
    size_t subscription_count;
    uint64_t last_number; /* of a subscription or request */

    struct list requests; /* of struct bus_request */
    size_t request_count;
    struct bus_request *delivering; /* whose on_reply runs, unless it was cancelled by it */
    struct bus_subscription *inbox_subscription; /* made with the first request */
    char inbox[INBOX_BYTES];

    struct timer *stop_timer; /* runs from bus_stop on */
    bool stopping;
    bool closed; /* on_closed is due */
};

/* A reply came to the inbox. */
void bus_requests_deliver(struct bus *bus, const struct bus_delivery *delivery);

/* Ends all open requests for this reason. */
void bus_requests_end(struct bus *bus, enum status_code code, const char *why);

/* True for a subject that may be published to, or, with wildcards allowed, subscribed to; records
 * STATUS_MALFORMED otherwise. */
bool bus_check_subject(const char *subject, bool wildcards_allowed, struct status *status);

#endif
