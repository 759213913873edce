#include "bus/link.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assertion.h"
#include "base/memory.h"

/* Memory that one queued item costs beside its texts and bytes, so that many tiny messages are
 * bounded by what they really take. */
#define ITEM_OVERHEAD_BYTES 128

struct bus_link {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* the thread waits here; CLOCK_MONOTONIC */
    unsigned references;
    struct wakeup *wakeup; /* NULL once the loop's side is gone */

    struct list orders;
    size_t publishes_queued;
    size_t publish_bytes_queued;
    uint64_t lost_session; /* the newest session known to be lost */
    bool stopping;

    struct list deliveries;
    size_t deliveries_queued;
    size_t delivery_bytes_queued;
    struct bus_condition_copy condition;
    bool condition_changed;
    char complaint[256];
    uint64_t complaints;
    bool ended;

    struct bus_counters counters;
};

static void lock(struct bus_link *link) {
    ASSERT(pthread_mutex_lock(&link->mutex) == 0);
}

static void unlock(struct bus_link *link) {
    ASSERT(pthread_mutex_unlock(&link->mutex) == 0);
}

struct bus_link *bus_link_create(struct wakeup *wakeup) {
    struct bus_link *link = memory_new(sizeof *link);
    pthread_condattr_t attributes;
    ASSERT(pthread_mutex_init(&link->mutex, NULL) == 0);
    ASSERT(pthread_condattr_init(&attributes) == 0);
    ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    ASSERT(pthread_cond_init(&link->changed, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    link->references = 1;
    link->wakeup = wakeup;
    list_init(&link->orders);
    list_init(&link->deliveries);
    link->condition.condition.server = link->condition.server;
    return link;
}

void bus_link_retain(struct bus_link *link) {
    lock(link);
    link->references++;
    unlock(link);
}

static void free_orders(struct list *orders) {
    while (!list_is_empty(orders)) {
        struct bus_order *order = LIST_ENTRY(orders->next, struct bus_order, link);
        list_remove(&order->link);
        free(order);
    }
}

static void free_deliveries(struct list *deliveries) {
    while (!list_is_empty(deliveries)) {
        struct bus_delivery *delivery = LIST_ENTRY(deliveries->next, struct bus_delivery, link);
        list_remove(&delivery->link);
        free(delivery);
    }
}

void bus_link_release(struct bus_link *link) {
    lock(link);
    ASSERT(link->references > 0);
    bool last = --link->references == 0;
    unlock(link);
    if (!last) return;
    free_orders(&link->orders);
    free_deliveries(&link->deliveries);
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->mutex);
    free(link);
}

/* Wakes the loop; the lock is held. */
static void wake_loop(struct bus_link *link) {
    if (link->wakeup != NULL) wakeup_send(link->wakeup);
}

/* Copies a text to `*place`, advances it, and returns the copy; NULL stays NULL. */
static const char *place_text(char **place, const char *text) {
    if (text == NULL) return NULL;
    char *copy = *place;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *place += size;
    return copy;
}

static struct bytes place_bytes(char **place, struct bytes data) {
    char *copy = *place;
    if (data.length > 0) memcpy(copy, data.data, data.length);
    *place += data.length;
    return bytes_of(copy, data.length);
}

/* What an item with these texts and bytes takes behind its structure. */
static size_t content_size(const char *subject, const char *other, size_t data_length) {
    return strlen(subject) + 1 + (other == NULL ? 0 : strlen(other) + 1) + data_length;
}

/* An order with its content in the same block of memory, or NULL without memory. */
static struct bus_order *new_order(enum bus_order_kind kind, const char *subject, const char *other,
                                   struct bytes data) {
    struct bus_order *order = memory_try(sizeof *order + content_size(subject, other, data.length));
    if (order == NULL) return NULL;
    char *place = (char *)(order + 1);
    *order = (struct bus_order){.kind = kind};
    order->subject = place_text(&place, subject);
    order->other = place_text(&place, other);
    order->data = place_bytes(&place, data);
    return order;
}

static void queue_order(struct bus_link *link, struct bus_order *order) {
    list_append(&link->orders, &order->link);
    pthread_cond_signal(&link->changed);
}

/* What a publish takes of the queue's limit in bytes. */
static size_t order_cost(const struct bus_order *order) {
    return ITEM_OVERHEAD_BYTES + content_size(order->subject, order->other, order->data.length);
}

bool bus_link_publish(struct bus_link *link, const char *subject, const char *reply,
                      struct bytes data, struct status *status) {
    struct bus_order *order = new_order(BUS_ORDER_PUBLISH, subject, reply, data);
    if (order == NULL) {
        return status_fail(status, STATUS_NO_MEMORY, "no memory for a message of %zu bytes",
                           data.length);
    }
    size_t cost = order_cost(order);
    lock(link);
    bool connected = link->condition.condition.state == BUS_CONNECTED && !link->stopping;
    bool fits = link->publishes_queued < BUS_QUEUE_MESSAGES_MAX &&
                link->publish_bytes_queued + cost <= BUS_QUEUE_BYTES_MAX;
    if (connected && fits) {
        order->session = link->condition.condition.connects;
        link->publishes_queued++;
        link->publish_bytes_queued += cost;
        queue_order(link, order);
        unlock(link);
        return true;
    }
    link->counters.refused_out++;
    unlock(link);
    free(order);
    if (!connected) return status_fail(status, STATUS_UNAVAILABLE, "not connected to NATS");
    return status_fail(status, STATUS_UNAVAILABLE,
                       "the queue to NATS is full: the server takes messages too slowly");
}

void bus_link_subscribe(struct bus_link *link, uint64_t subscription, const char *subject,
                        const char *queue) {
    struct bus_order *order = new_order(BUS_ORDER_SUBSCRIBE, subject, queue, bytes_of(NULL, 0));
    ASSERT(order != NULL);
    order->subscription = subscription;
    lock(link);
    queue_order(link, order);
    unlock(link);
}

void bus_link_unsubscribe(struct bus_link *link, uint64_t subscription) {
    struct bus_order *order = new_order(BUS_ORDER_UNSUBSCRIBE, "", NULL, bytes_of(NULL, 0));
    ASSERT(order != NULL);
    order->subscription = subscription;
    lock(link);
    queue_order(link, order);
    unlock(link);
}

void bus_link_stop(struct bus_link *link) {
    lock(link);
    link->stopping = true;
    pthread_cond_signal(&link->changed);
    unlock(link);
}

/* Moves all elements of `from` to the end of the empty list `to`. */
static void move_list(struct list *from, struct list *to) {
    list_init(to);
    if (list_is_empty(from)) return;
    *to = *from;
    to->next->previous = to;
    to->previous->next = to;
    list_init(from);
}

static void copy_condition(struct bus_condition_copy *to, const struct bus_condition_copy *from) {
    *to = *from;
    to->condition.server = to->server;
}

void bus_link_collect(struct bus_link *link, struct bus_news *news,
                      struct bus_condition_copy *condition) {
    lock(link);
    move_list(&link->deliveries, &news->deliveries);
    link->deliveries_queued = 0;
    link->delivery_bytes_queued = 0;
    news->condition_changed = link->condition_changed;
    news->ended = link->ended;
    news->complaints = link->complaints;
    memcpy(news->complaint, link->complaint, sizeof news->complaint);
    link->condition_changed = false;
    link->complaints = 0;
    link->complaint[0] = '\0';
    copy_condition(condition, &link->condition);
    unlock(link);
}

void bus_link_abandon(struct bus_link *link) {
    lock(link);
    link->wakeup = NULL;
    unlock(link);
}

void bus_link_counters(struct bus_link *link, struct bus_counters *counters) {
    lock(link);
    *counters = link->counters;
    counters->connects = link->condition.condition.connects;
    counters->queued_in = link->deliveries_queued;
    counters->queued_out = link->publishes_queued;
    unlock(link);
}

static struct timespec deadline_after(int64_t timeout_ms) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

/* What there is to do now, or BUS_WAIT_TIMEOUT for nothing; the lock is held. */
static enum bus_wait_result what_to_do(const struct bus_link *link, uint64_t session) {
    if (!list_is_empty(&link->orders)) return BUS_WAIT_ORDERS;
    if (session != 0 && link->lost_session >= session) return BUS_WAIT_LOST;
    return link->stopping ? BUS_WAIT_STOP : BUS_WAIT_TIMEOUT;
}

enum bus_wait_result bus_link_wait(struct bus_link *link, uint64_t session, int64_t timeout_ms,
                                   struct list *orders) {
    struct timespec deadline = deadline_after(timeout_ms < 0 ? 0 : timeout_ms);
    lock(link);
    enum bus_wait_result result = what_to_do(link, session);
    for (int error = 0; result == BUS_WAIT_TIMEOUT && error != ETIMEDOUT;) {
        error = timeout_ms < 0 ? pthread_cond_wait(&link->changed, &link->mutex)
                               : pthread_cond_timedwait(&link->changed, &link->mutex, &deadline);
        result = what_to_do(link, session);
    }
    move_list(&link->orders, orders);
    link->publishes_queued = 0;
    link->publish_bytes_queued = 0;
    unlock(link);
    return result;
}

static void set_condition(struct bus_link *link, enum bus_state state, const char *server,
                          const struct status *reason, int64_t next_try_in_ms) {
    struct bus_condition *condition = &link->condition.condition;
    condition->state = state;
    condition->reason = *reason;
    condition->next_try_in_ms = next_try_in_ms;
    snprintf(link->condition.server, sizeof link->condition.server, "%s", server);
    link->condition_changed = true;
    wake_loop(link);
}

void bus_link_connected(struct bus_link *link, const char *server) {
    const struct status none = STATUS_INIT;
    lock(link);
    link->condition.condition.connects++;
    set_condition(link, BUS_CONNECTED, server, &none, 0);
    unlock(link);
}

void bus_link_disconnected(struct bus_link *link, const char *server, const struct status *reason,
                           int64_t next_try_in_ms, bool attempted) {
    lock(link);
    if (attempted) link->counters.failed_connects++;
    set_condition(link, BUS_CONNECTING, server, reason, next_try_in_ms);
    unlock(link);
}

uint64_t bus_link_session(struct bus_link *link) {
    lock(link);
    uint64_t session = link->condition.condition.connects;
    unlock(link);
    return session;
}

void bus_link_count_publish(struct bus_link *link, bool published) {
    lock(link);
    if (published)
        link->counters.published++;
    else
        link->counters.dropped_out++;
    unlock(link);
}

void bus_link_end(struct bus_link *link) {
    lock(link);
    link->ended = true;
    wake_loop(link);
    unlock(link);
}

void bus_link_deliver(struct bus_link *link, uint64_t subscription,
                      const struct bus_message *message, bool no_responders) {
    size_t content = content_size(message->subject, message->reply, message->data.length);
    struct bus_delivery *delivery = memory_try(sizeof *delivery + content);
    if (delivery != NULL) {
        char *place = (char *)(delivery + 1);
        *delivery =
            (struct bus_delivery){.subscription = subscription, .no_responders = no_responders};
        delivery->message.subject = place_text(&place, message->subject);
        delivery->message.reply = place_text(&place, message->reply);
        delivery->message.data = place_bytes(&place, message->data);
    }
    lock(link);
    bool fits = link->deliveries_queued < BUS_QUEUE_MESSAGES_MAX &&
                link->delivery_bytes_queued + ITEM_OVERHEAD_BYTES + content <= BUS_QUEUE_BYTES_MAX;
    if (delivery == NULL || !fits) {
        link->counters.dropped_in++;
        unlock(link);
        free(delivery);
        return;
    }
    list_append(&link->deliveries, &delivery->link);
    link->deliveries_queued++;
    link->delivery_bytes_queued += ITEM_OVERHEAD_BYTES + content;
    link->counters.received++;
    wake_loop(link);
    unlock(link);
}

void bus_link_lost(struct bus_link *link, uint64_t session) {
    lock(link);
    if (session > link->lost_session) link->lost_session = session;
    pthread_cond_signal(&link->changed);
    unlock(link);
}

void bus_link_complain(struct bus_link *link, const char *text) {
    lock(link);
    snprintf(link->complaint, sizeof link->complaint, "%s", text);
    link->complaints++;
    wake_loop(link);
    unlock(link);
}
