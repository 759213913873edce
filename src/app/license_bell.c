#include "app/license_bell.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/list.h"
#include "base/memory.h"
#include "codec/json_writer.h"
#include "net/websocket.h"

/* RFC 6455, section 7.4.1: going away, and a policy that is violated. */
#define CLOSE_GOING_AWAY       1001
#define CLOSE_POLICY_VIOLATION 1008

/* A bell has about 80 bytes; slaves send none. */
#define BELL_BYTES_MAX    256
#define PENDING_BYTES_MAX 4096

struct license_bell {
    const struct license_shelf *shelf;
    struct list listeners;
    size_t count;
    struct metric *listening;
    bool closing;
};

struct listener {
    struct list link;
    struct license_bell *bell;
    struct websocket *websocket;
    _Alignas(8) uint8_t badge[LICENSE_BELL_BADGE_BYTES];
    bool owed; /* a change came while bytes were waiting */
};

struct license_bell *license_bell_open(const struct license_shelf *shelf, struct metrics *metrics,
                                       const char *role) {
    struct license_bell *bell = memory_new(sizeof *bell);
    bell->shelf = shelf;
    list_init(&bell->listeners);
    bell->listening = metrics_gauge(metrics, "lsys_cache_push_listeners",
                                    "Slaves that are told of changes at once.", "role", role, NULL);
    return bell;
}

static void send_bell(struct listener *listener) {
    struct buffer text;
    struct json_writer json;
    struct status ignored = STATUS_INIT;
    listener->owed = false;
    buffer_init(&text, BELL_BYTES_MAX);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "v", 1);
    json_writer_member_text(&json, "stream", license_shelf_stream(listener->bell->shelf));
    json_writer_member_integer(&json, "sequence",
                               (int64_t)license_shelf_sequence(listener->bell->shelf));
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "a bell", &ignored))
        websocket_send(listener->websocket, true, buffer_bytes(&text));
    buffer_free(&text);
}

/* Not while bytes wait for a slave that does not read: it is owed one bell then, however many
 * changes there are. */
static void ring(struct listener *listener) {
    if (websocket_pending_bytes(listener->websocket) > 0)
        listener->owed = true;
    else
        send_bell(listener);
}

/* What a slave says is not listened to: there is nothing to say. */
static void on_message(void *context, bool is_text, struct bytes message) {
    (void)context;
    (void)is_text;
    (void)message;
}

static void on_drain(void *context) {
    struct listener *listener = context;
    if (listener->owed && !listener->bell->closing) ring(listener);
}

static void on_closed(void *context, unsigned code, struct bytes reason,
                      const struct status *status) {
    struct listener *listener = context;
    struct license_bell *bell = listener->bell;
    (void)code;
    (void)reason;
    (void)status;
    list_remove(&listener->link);
    free(listener);
    bell->count--;
    if (bell->closing && bell->count == 0)
        free(bell);
    else if (!bell->closing)
        metric_set(bell->listening, (double)bell->count);
}

static const struct websocket_handlers handlers = {
    .on_message = on_message, .on_drain = on_drain, .on_closed = on_closed};

void license_bell_add(struct license_bell *bell, struct http_request *request, struct bytes badge) {
    const struct websocket_accept_options options = {
        .settings = {.message_limit_bytes = BELL_BYTES_MAX,
                     .pending_limit_bytes = PENDING_BYTES_MAX}};
    if (bell->count == LICENSE_BELL_LISTENERS_MAX) {
        http_respond_problem(request, 503, "too_many_listeners", "Too many slaves listen",
                             "polling goes on: GET /api/licenses");
        return;
    }
    struct listener *listener = memory_new(sizeof *listener);
    list_init(&listener->link);
    listener->bell = bell;
    ASSERT(badge.length <= sizeof listener->badge);
    if (badge.length > 0) memcpy(listener->badge, badge.data, badge.length);
    listener->websocket = websocket_accept(request, &options, &handlers, listener);
    if (!listener->websocket) {
        free(listener);
        return;
    }
    list_append(&bell->listeners, &listener->link);
    metric_set(bell->listening, (double)++bell->count);
    send_bell(listener);
}

void license_bell_ring(struct license_bell *bell) {
    for (struct list *link = bell->listeners.next; link != &bell->listeners; link = link->next)
        ring(LIST_ENTRY(link, struct listener, link));
}

void license_bell_end(struct license_bell *bell, license_bell_match *is_over, const void *context) {
    for (struct list *link = bell->listeners.next; link != &bell->listeners; link = link->next) {
        struct listener *listener = LIST_ENTRY(link, struct listener, link);
        if (is_over(context, listener->badge))
            websocket_close(listener->websocket, CLOSE_POLICY_VIOLATION,
                            "the key or session is not good any more");
    }
}

void license_bell_close(struct license_bell *bell) {
    if (!bell) return;
    bell->closing = true;
    for (struct list *link = bell->listeners.next; link != &bell->listeners; link = link->next)
        websocket_close(LIST_ENTRY(link, struct listener, link)->websocket, CLOSE_GOING_AWAY,
                        "the cache stops");
    if (bell->count == 0) free(bell);
}
