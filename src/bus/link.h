/*
 * What the loop and the thread of a bus share: two bounded queues, the state of the connection and
 * the counters, under one mutex that is never held during I/O or a call of nats.c.
 *
 *     loop thread                                       thread of the bus, threads of nats.c
 *     bus_link_publish, _subscribe ...  -- orders -->   bus_link_wait
 *     bus_link_collect  <-- messages, condition, ended  bus_link_deliver, _report, _end
 *
 * nats.c is never called from the loop thread, because its locks are held through TCP connects,
 * writes to a stopped server and its whole reconnect. Its callbacks come on threads of its own at
 * any time, also shortly after its connection was destroyed; so the link is counted, and whoever
 * still may call into it holds a reference.
 */
#ifndef LSYS_BUS_LINK_H
#define LSYS_BUS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/list.h"
#include "base/status.h"
#include "bus/bus.h"
#include "loop/wakeup.h"

struct bus_link;

/* ---- What travels ---- */

enum bus_order_kind { BUS_ORDER_PUBLISH, BUS_ORDER_SUBSCRIBE, BUS_ORDER_UNSUBSCRIBE };

/* From the loop to the thread. Freed with free(). */
struct bus_order {
    struct list link;
    enum bus_order_kind kind;
    uint64_t subscription; /* its number, for subscribe and unsubscribe */
    uint64_t session;      /* the connection a publish was meant for */
    const char *subject;
    const char *other; /* reply of a publish, queue of a subscription, or NULL */
    struct bytes data;
};

/* From nats.c to the loop. Freed with free(). */
struct bus_delivery {
    struct list link;
    uint64_t subscription;
    bool no_responders; /* the server says that nobody listens where the request went */
    struct bus_message message;
};

/* What the loop finds when it was woken. */
struct bus_news {
    struct list deliveries; /* of struct bus_delivery, now the caller's */
    bool condition_changed;
    bool ended;          /* the thread makes no further call */
    char complaint[256]; /* what the server last refused while connected, or "" */
    uint64_t complaints; /* how many there were since the last call */
};

/* The connection's condition with memory of its own. */
struct bus_condition_copy {
    struct bus_condition condition; /* `server` points at the text below */
    char server[BUS_SERVER_TEXT_BYTES];
};

/* ---- Both sides ---- */

/* Makes a link with one reference. `wakeup` is sent to until bus_link_abandon. */
struct bus_link *bus_link_create(struct wakeup *wakeup);

void bus_link_retain(struct bus_link *link);
void bus_link_release(struct bus_link *link);

/* ---- Loop side ---- */

/* Queues a publish for the present connection; errors as bus_publish. */
bool bus_link_publish(struct bus_link *link, const char *subject, const char *reply,
                      struct bytes data, struct status *status);

/* Queue what must not be lost; bounded by BUS_SUBSCRIPTIONS_MAX. */
void bus_link_subscribe(struct bus_link *link, uint64_t subscription, const char *subject,
                        const char *queue);
void bus_link_unsubscribe(struct bus_link *link, uint64_t subscription);

/* Tells the thread to end after the orders given so far. */
void bus_link_stop(struct bus_link *link);

/* Takes everything that waits for the loop; refreshes `condition`. */
void bus_link_collect(struct bus_link *link, struct bus_news *news,
                      struct bus_condition_copy *condition);

/* After this the wakeup is never sent to again. */
void bus_link_abandon(struct bus_link *link);

void bus_link_counters(struct bus_link *link, struct bus_counters *counters);

/* ---- Thread side ---- */

/* Why bus_link_wait returned. */
enum bus_wait_result {
    BUS_WAIT_ORDERS,  /* there are orders */
    BUS_WAIT_TIMEOUT, /* the time is over */
    BUS_WAIT_LOST,    /* the connection of `session` is gone */
    BUS_WAIT_STOP,    /* stop; no order is left */
};

/* Waits up to `timeout_ms` (negative: for ever) and moves all orders to `orders`. Orders come
 * before a loss, a loss before a stop. */
enum bus_wait_result bus_link_wait(struct bus_link *link, uint64_t session, int64_t timeout_ms,
                                   struct list *orders);

/* A connection is made, whose number in `condition->connects` is also its session. */
void bus_link_connected(struct bus_link *link, const char *server);

/* No connection: why, and how long until the next attempt. `attempted` counts a failed connect. */
void bus_link_disconnected(struct bus_link *link, const char *server, const struct status *reason,
                           int64_t next_try_in_ms, bool attempted);

/* The number of the present or last session; 0 before the first. */
uint64_t bus_link_session(struct bus_link *link);

/* Counts what became of a publish order. */
void bus_link_count_publish(struct bus_link *link, bool published);

/* The thread makes no further call; it still holds its reference. */
void bus_link_end(struct bus_link *link);

/* ---- From callbacks of nats.c, on its threads ---- */

/* Copies a message into the queue, or drops and counts it when the queue is full. */
void bus_link_deliver(struct bus_link *link, uint64_t subscription,
                      const struct bus_message *message, bool no_responders);

/* The connection of `session` is closed. */
void bus_link_lost(struct bus_link *link, uint64_t session);

/* The server refused something without closing the connection. */
void bus_link_complain(struct bus_link *link, const char *text);

#endif
