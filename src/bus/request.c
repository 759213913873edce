#include "bus/bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bus/bus_private.h"

/* "_INBOX.<random>.<number>", and its NUL. */
#define REPLY_SUBJECT_BYTES (INBOX_BYTES + 24)

struct bus_request {
    struct list link;
    struct bus *bus;
    uint64_t number; /* the last token of its reply subject */
    enum bus_replies replies;
    size_t replies_seen;
    struct timer *timer;
    struct bus_request_callbacks callbacks;
    void *context;
    bool ended; /* on_end runs */
};

static void unlink_request(struct bus_request *request) {
    list_remove(&request->link);
    request->bus->request_count--;
    timer_close(request->timer);
    if (request->bus->delivering == request) request->bus->delivering = NULL;
}

/* Ends a request: with success if there was any reply, else for the given reason. */
static void end_request(struct bus_request *request, enum status_code code, const char *why) {
    struct status status = STATUS_INIT;
    if (request->replies_seen == 0) status_fail(&status, code, "%s", why);
    unlink_request(request);
    request->ended = true;
    request->callbacks.on_end(request->context, &status);
    free(request);
}

static void on_timer(void *context) {
    end_request(context, STATUS_TIMEOUT, "nobody answered in time");
}

static struct bus_request *find_request(struct bus *bus, const char *subject) {
    size_t prefix = strlen(bus->inbox);
    if (strncmp(subject, bus->inbox, prefix) != 0 || subject[prefix] != '.') return NULL;
    char *end = NULL;
    unsigned long long number = strtoull(subject + prefix + 1, &end, 10);
    for (struct list *at = bus->requests.next; at != &bus->requests; at = at->next) {
        struct bus_request *request = LIST_ENTRY(at, struct bus_request, link);
        if (request->number == number && *end == '\0') return request;
    }
    return NULL;
}

void bus_requests_deliver(struct bus *bus, const struct bus_delivery *delivery) {
    struct bus_request *request = find_request(bus, delivery->message.subject);
    if (request == NULL) return;
    if (delivery->no_responders) {
        end_request(request, STATUS_UNAVAILABLE, "nobody listens on this subject");
        return;
    }
    request->replies_seen++;
    bus->delivering = request;
    request->callbacks.on_reply(request->context, &delivery->message);
    bool cancelled = bus->delivering == NULL;
    bus->delivering = NULL;
    if (!cancelled && request->replies == BUS_FIRST_REPLY) end_request(request, STATUS_OK, "");
}

void bus_requests_end(struct bus *bus, enum status_code code, const char *why) {
    struct list open = bus->requests;
    if (list_is_empty(&bus->requests)) return;
    open.next->previous = &open;
    open.previous->next = &open;
    list_init(&bus->requests);
    while (!list_is_empty(&open))
        end_request(LIST_ENTRY(open.next, struct bus_request, link), code, why);
}

/* The bus subscribes to its inbox when it first asks something. Its messages come by way of
 * bus_requests_deliver, so it has no callback. */
static bool open_inbox(struct bus *bus, struct status *status) {
    if (bus->inbox_subscription != NULL) return true;
    char subject[REPLY_SUBJECT_BYTES];
    snprintf(subject, sizeof subject, "%s.*", bus->inbox);
    bus->inbox_subscription = bus_subscribe(bus, subject, NULL, NULL, NULL, status);
    return bus->inbox_subscription != NULL;
}

struct bus_request *bus_request(struct bus *bus, const char *subject, struct bytes data,
                                int64_t timeout_ms, enum bus_replies replies,
                                const struct bus_request_callbacks *callbacks, void *context,
                                struct status *status) {
    if (bus->request_count >= BUS_REQUESTS_MAX) {
        status_fail(status, STATUS_UNAVAILABLE, "more than %d open NATS requests",
                    BUS_REQUESTS_MAX);
        return NULL;
    }
    uint64_t number = ++bus->last_number;
    char reply[REPLY_SUBJECT_BYTES];
    snprintf(reply, sizeof reply, "%s.%llu", bus->inbox, (unsigned long long)number);
    if (!open_inbox(bus, status) || !bus_publish(bus, subject, reply, data, status)) return NULL;
    struct bus_request *request = memory_new(sizeof *request);
    request->bus = bus;
    request->number = number;
    request->replies = replies;
    request->callbacks = *callbacks;
    request->context = context;
    request->timer = timer_open(bus->loop, on_timer, request);
    list_append(&bus->requests, &request->link);
    bus->request_count++;
    timer_start(request->timer, timeout_ms);
    return request;
}

void bus_request_cancel(struct bus_request *request) {
    if (request == NULL || request->ended) return;
    unlink_request(request);
    free(request);
}
