#include "app/change_hints.h"

#include <stdlib.h>

#include "app/metrics.h"
#include "app/nats_login.h"
#include "base/log.h"
#include "base/memory.h"
#include "codec/json.h"
#include "codec/json_writer.h"

/* A hint has some 250 bytes. */
#define HINT_BYTES_MAX 1024

const struct option change_hints_options[] = {
    {.key = "nats.urls",
     .flag = "nats",
     .type = OPTION_LIST,
     .value_name = "URL",
     .help = "Exchange hints at changes over this NATS server, too; may be repeated"},
    {0},
};

struct change_hints {
    struct role_context *context;
    const struct change_hints_callbacks *callbacks;
    void *owner;
    struct bus *bus;
    uint64_t connects;
    struct metric *connected;
    struct metric *hints; /* told or heard */
    void (*on_closed)(void *context);
    void *closed_context;
};

/* ---- hearing ---- */

static void on_message(void *context, const struct bus_message *message) {
    struct change_hints *hints = context;
    struct status ignored = STATUS_INIT;
    metric_increment(hints->hints);
    struct json_document *document = json_document_parse(message->data, HINT_BYTES_MAX, &ignored);
    const char *etag = document ? json_member_text(json_document_root(document), "etag") : NULL;
    if (etag) hints->callbacks->on_hint(hints->owner, etag);
    json_document_free(document);
}

/* ---- telling ---- */

static bool write_hint(const struct license_shelf *shelf, const struct authority *authority,
                       struct buffer *out) {
    char etag[LICENSE_FEED_ETAG_BYTES];
    struct json_writer json;
    struct status ignored = STATUS_INIT;
    license_feed_etag(shelf, authority, etag);
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "v", 1);
    json_writer_member_text(&json, "stream", license_shelf_stream(shelf));
    json_writer_member_integer(&json, "sequence", (int64_t)license_shelf_sequence(shelf));
    json_writer_member_text(&json, "etag", etag);
    json_writer_end_object(&json);
    return json_writer_finish(&json, "a hint", &ignored);
}

void change_hints_tell(struct change_hints *hints, const struct license_shelf *shelf,
                       const struct authority *authority) {
    struct buffer text;
    struct status ignored = STATUS_INIT;
    if (!hints) return;
    buffer_init(&text, HINT_BYTES_MAX);
    if (write_hint(shelf, authority, &text) &&
        bus_publish(hints->bus, CHANGE_HINTS_SUBJECT, NULL, buffer_bytes(&text), &ignored))
        metric_increment(hints->hints);
    buffer_free(&text);
}

/* ---- the connection ---- */

/* Without NATS everything goes on, so it is not a matter of readiness. */
static void on_state(void *context, const struct bus_condition *condition) {
    struct change_hints *hints = context;
    const char *role = hints->context->name;
    bool connected = condition->state == BUS_CONNECTED;
    bool was_connected = hints->connected->value != 0;
    metric_set(hints->connected, connected);
    if (!connected && (was_connected || condition->connects == 0))
        log_event(was_connected ? LOG_WARNING : LOG_INFO, role,
                  "no connection to NATS for hints; syncs go on without", "server",
                  condition->server, "why",
                  status_is_ok(&condition->reason) ? NULL : condition->reason.text, NULL);
    if (!connected || condition->connects == hints->connects) return;
    hints->connects = condition->connects;
    log_event(LOG_INFO, role, "connected to NATS", "server", condition->server, NULL);
    if (hints->callbacks->on_connected) hints->callbacks->on_connected(hints->owner);
}

static void on_bus_closed(void *context) {
    struct change_hints *hints = context;
    void (*on_closed)(void *context) = hints->on_closed;
    void *closed_context = hints->closed_context;
    free(hints);
    if (on_closed) on_closed(closed_context);
}

static bool connect_bus(struct change_hints *hints, struct status *status) {
    static const struct bus_callbacks callbacks = {.on_state = on_state,
                                                   .on_closed = on_bus_closed};
    const struct role_context *context = hints->context;
    struct nats_login login;
    if (nats_login_read(context->options, context->name, context->embedded_nats_url, &login,
                        status))
        hints->bus = bus_create(context->loop, &login.bus, &callbacks, hints, status);
    nats_login_wipe(&login);
    return hints->bus != NULL;
}

static void register_metrics(struct change_hints *hints) {
    struct metrics *metrics = hints->context->metrics;
    const char *role = hints->context->name;
    hints->connected = metrics_gauge(metrics, "lsys_cache_nats_connected",
                                     "1 while hints can be told or heard.", "role", role, NULL);
    hints->hints = metrics_counter(metrics, "lsys_cache_hints_total",
                                   "Hints at changes that were told or heard.", "role", role, NULL);
}

bool change_hints_open(struct role_context *context, const struct change_hints_callbacks *callbacks,
                       void *owner, struct change_hints **out, struct status *status) {
    *out = NULL;
    if (options_count(context->options, "nats.urls") == 0) return true;
    struct change_hints *hints = memory_new(sizeof *hints);
    hints->context = context;
    hints->callbacks = callbacks;
    hints->owner = owner;
    register_metrics(hints);
    if (!connect_bus(hints, status)) {
        free(hints);
        return false;
    }
    *out = hints;
    return !callbacks->on_hint ||
           bus_subscribe(hints->bus, CHANGE_HINTS_SUBJECT, NULL, on_message, hints, status);
}

bool change_hints_is_connected(const struct change_hints *hints) {
    return hints && bus_condition(hints->bus)->state == BUS_CONNECTED;
}

void change_hints_close(struct change_hints *hints, void (*on_closed)(void *context),
                        void *context) {
    if (!hints) {
        if (on_closed) on_closed(context);
        return;
    }
    hints->on_closed = on_closed;
    hints->closed_context = context;
    bus_stop(hints->bus);
}
