#include "bus/bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "bus/bus_private.h"
#include "bus/openssl_private.h"
#include "bus/server_list.h"
#include "bus/thread.h"
#include "verifier/nkey.h"

struct bus_subscription {
    struct list link;
    struct bus *bus;
    uint64_t number;
    bus_message_callback *callback;
    void *context;
};

/* ---- Ending ---- */

static void free_subscriptions(struct bus *bus) {
    while (!list_is_empty(&bus->subscriptions)) {
        struct bus_subscription *subscription =
            LIST_ENTRY(bus->subscriptions.next, struct bus_subscription, link);
        list_remove(&subscription->link);
        free(subscription);
    }
}

/* Ends the bus, with the thread ended or, past the limit, left to itself. */
static void finish(struct bus *bus, bool thread_ended) {
    if (bus->closed) return;
    bus->closed = true;
    bus_link_abandon(bus->link);
    if (thread_ended) {
        pthread_join(bus->thread, NULL);
    } else {
        pthread_detach(bus->thread);
        log_event(LOG_INFO, "bus", "a NATS server did not let go in time; left behind", "server",
                  bus->condition.server, NULL);
    }
    wakeup_close(bus->wakeup);
    timer_close(bus->stop_timer);
    bus_requests_end(bus, STATUS_CANCELLED, "stopped");
    free_subscriptions(bus);
    bus_link_release(bus->link);
    if (bus->callbacks.on_closed != NULL) bus->callbacks.on_closed(bus->context);
    free(bus);
}

static void on_stop_timer(void *context) {
    finish(context, false);
}

void bus_stop(struct bus *bus) {
    if (bus == NULL || bus->stopping) return;
    bus->stopping = true;
    timer_start(bus->stop_timer, BUS_STOP_LIMIT_MS);
    bus_link_stop(bus->link);
}

/* ---- What comes from the thread ---- */

static struct bus_subscription *find_subscription(struct bus *bus, uint64_t number) {
    for (struct list *at = bus->subscriptions.next; at != &bus->subscriptions; at = at->next) {
        struct bus_subscription *subscription = LIST_ENTRY(at, struct bus_subscription, link);
        if (subscription->number == number) return subscription;
    }
    return NULL;
}

static void deliver(struct bus *bus, const struct bus_delivery *delivery) {
    struct bus_subscription *subscription = find_subscription(bus, delivery->subscription);
    if (subscription == NULL) return;
    if (subscription == bus->inbox_subscription)
        bus_requests_deliver(bus, delivery);
    else if (!delivery->no_responders)
        subscription->callback(subscription->context, &delivery->message);
}

static void deliver_all(struct bus *bus, struct list *deliveries) {
    while (!list_is_empty(deliveries)) {
        struct bus_delivery *delivery = LIST_ENTRY(deliveries->next, struct bus_delivery, link);
        list_remove(&delivery->link);
        if (!bus->stopping) deliver(bus, delivery);
        free(delivery);
    }
}

static void report_condition(struct bus *bus, uint64_t connects_before) {
    bool lost = bus->condition.condition.state == BUS_CONNECTING ||
                bus->condition.condition.connects != connects_before;
    if (lost && connects_before > 0)
        bus_requests_end(bus, STATUS_UNAVAILABLE, "the connection to NATS was lost");
    if (bus->callbacks.on_state != NULL && !bus->stopping)
        bus->callbacks.on_state(bus->context, &bus->condition.condition);
}

static void on_wakeup(void *context) {
    struct bus *bus = context;
    uint64_t connects_before = bus->condition.condition.connects;
    struct bus_news news;
    bus_link_collect(bus->link, &news, &bus->condition);
    if (news.complaints > 0) {
        char count[24];
        snprintf(count, sizeof count, "%llu", (unsigned long long)news.complaints);
        log_event(LOG_WARNING, "bus", "the NATS server refuses something", "server",
                  bus->condition.server, "why", news.complaint, "times", count, NULL);
    }
    deliver_all(bus, &news.deliveries);
    if (news.condition_changed && !bus->stopping) report_condition(bus, connects_before);
    if (news.ended && bus->stopping) finish(bus, true);
}

const struct bus_condition *bus_condition(const struct bus *bus) {
    return &bus->condition.condition;
}

void bus_counters(const struct bus *bus, struct bus_counters *counters) {
    bus_link_counters(bus->link, counters);
}

/* ---- Beginning ---- */

static bool check_options(const struct bus_options *options, struct status *status) {
    int ways = (options->user != NULL) + (options->token != NULL) + (options->credentials != NULL) +
               (options->nkey_seed != NULL);
    if (ways > 1) {
        return status_fail(status, STATUS_CONFIG,
                           "more than one way to log in to NATS is given; use one of user and "
                           "password, token, credentials, or NKey");
    }
    char public_key[NKEY_PUBLIC_TEXT_BYTES];
    if (options->nkey_seed != NULL &&
        !nkey_public_of_seed(bytes_of_text(options->nkey_seed), public_key, NULL))
        return status_fail(status, STATUS_CONFIG, "the NKey for NATS is not a seed (\"SU...\")");
    return true;
}

static void make_inbox(struct bus *bus) {
    uint8_t random[16];
    random_bytes(random, sizeof random);
    int length = snprintf(bus->inbox, sizeof bus->inbox, "_INBOX.");
    for (size_t i = 0; i < sizeof random; i++) {
        length +=
            snprintf(bus->inbox + length, sizeof bus->inbox - (size_t)length, "%02x", random[i]);
    }
}

struct bus *bus_create(struct loop *loop, const struct bus_options *options,
                       const struct bus_callbacks *callbacks, void *context,
                       struct status *status) {
    struct bus_server_list servers;
    if (!check_options(options, status) ||
        !openssl_check_files(options->tls_ca_file, options->tls_certificate_file,
                             options->tls_key_file, status) ||
        !bus_server_list_read(&servers, options->urls, status))
        return NULL;
    struct bus *bus = memory_new(sizeof *bus);
    bus->loop = loop;
    bus->callbacks = *callbacks;
    bus->context = context;
    bus->condition.condition.server = bus->condition.server;
    list_init(&bus->subscriptions);
    list_init(&bus->requests);
    make_inbox(bus);
    bus->wakeup = wakeup_open(loop, on_wakeup, bus, status);
    if (bus->wakeup == NULL) goto fail_wakeup;
    bus->link = bus_link_create(bus->wakeup);
    if (!bus_thread_start(bus->link, &servers, options, &bus->thread, status)) goto fail_thread;
    bus->stop_timer = timer_open(loop, on_stop_timer, bus);
    return bus;

fail_thread:
    bus_link_release(bus->link);
    wakeup_close(bus->wakeup);
fail_wakeup:
    bus_server_list_free(&servers);
    free(bus);
    return NULL;
}

/* ---- Messages ---- */

/* One token of a subject: not empty, no blanks or control characters. */
static bool token_is_valid(const char *token, size_t length, bool last, bool wildcards_allowed) {
    if (length == 0) return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char character = (unsigned char)token[i];
        if (character <= ' ' || character == 127) return false;
    }
    if (length == 1 && token[0] == '*') return wildcards_allowed;
    if (length == 1 && token[0] == '>') return wildcards_allowed && last;
    return true;
}

bool bus_check_subject(const char *subject, bool wildcards_allowed, struct status *status) {
    size_t length = strlen(subject);
    if (length > BUS_SUBJECT_BYTES_MAX) {
        return status_fail(status, STATUS_TOO_LARGE, "a NATS subject of %zu bytes; at most %d",
                           length, BUS_SUBJECT_BYTES_MAX);
    }
    const char *token = subject;
    for (;;) {
        size_t token_length = strcspn(token, ".");
        bool last = token[token_length] == '\0';
        if (!token_is_valid(token, token_length, last, wildcards_allowed))
            return status_fail(status, STATUS_MALFORMED, "not a NATS subject: \"%.100s\"", subject);
        if (last) return true;
        token += token_length + 1;
    }
}

bool bus_publish(struct bus *bus, const char *subject, const char *reply, struct bytes data,
                 struct status *status) {
    if (data.length > BUS_MESSAGE_BYTES_MAX) {
        return status_fail(status, STATUS_TOO_LARGE,
                           "a NATS message of %zu bytes; at most %d are sent", data.length,
                           BUS_MESSAGE_BYTES_MAX);
    }
    return bus_check_subject(subject, false, status) &&
           (reply == NULL || bus_check_subject(reply, false, status)) &&
           bus_link_publish(bus->link, subject, reply, data, status);
}

struct bus_subscription *bus_subscribe(struct bus *bus, const char *subject, const char *queue,
                                       bus_message_callback *callback, void *context,
                                       struct status *status) {
    if (!bus_check_subject(subject, true, status) ||
        (queue != NULL && !bus_check_subject(queue, false, status)))
        return NULL;
    if (bus->subscription_count >= BUS_SUBSCRIPTIONS_MAX) {
        status_fail(status, STATUS_TOO_LARGE, "more than %d NATS subscriptions",
                    BUS_SUBSCRIPTIONS_MAX);
        return NULL;
    }
    struct bus_subscription *subscription = memory_new(sizeof *subscription);
    subscription->bus = bus;
    subscription->number = ++bus->last_number;
    subscription->callback = callback;
    subscription->context = context;
    list_append(&bus->subscriptions, &subscription->link);
    bus->subscription_count++;
    bus_link_subscribe(bus->link, subscription->number, subject, queue);
    return subscription;
}

void bus_unsubscribe(struct bus_subscription *subscription) {
    if (subscription == NULL) return;
    struct bus *bus = subscription->bus;
    bus_link_unsubscribe(bus->link, subscription->number);
    ASSERT(bus->subscription_count > 0);
    bus->subscription_count--;
    list_remove(&subscription->link);
    free(subscription);
}
