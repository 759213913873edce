#include "roles/license-server/embedded_broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/listen_policy.h"
#include "app/nats_login.h"
#include "base/log.h"
#include "base/memory.h"
#include "broker/broker.h"

struct embedded_broker {
    struct broker *broker;
    char url[EMBEDDED_BROKER_URL_BYTES];
    void (*on_closed)(void *context);
    void *context;
};

bool embedded_broker_is_wanted(const struct role_context *context) {
    if (context->embedded_nats_url) return false;
    for (size_t i = 0; i < options_count(context->options, "nats.urls"); i++)
        if (strcmp(options_item(context->options, "nats.urls", i), NATS_EMBEDDED) == 0) return true;
    return false;
}

static bool listen_at(struct embedded_broker *embedded, struct role_context *context,
                      struct status *status) {
    static const char flag[] = "--nats-listen";
    struct address address, bound;
    char text[ADDRESS_TEXT_BYTES];
    struct listen_protection protection = {
        .insecure_listen = options_boolean(context->options, "insecure_listen")};
    if (!options_address(context->options, "nats.listen", &address))
        return status_fail(status, STATUS_CONFIG, "%s: no address is configured", flag);
    if (!listen_policy_check(context->name, flag, &address, protection, status)) return false;
    if (!broker_listen(embedded->broker, &address, &bound, status))
        return status_context(status, "%s", flag);
    address_format(&bound, text);
    snprintf(embedded->url, sizeof embedded->url, "nats://%s", text);
    log_event(LOG_INFO, context->name, "listening", "url", embedded->url, NULL);
    return true;
}

struct embedded_broker *embedded_broker_open(struct role_context *context, struct status *status) {
    struct broker_options options = {.role = context->name};
    struct broker *broker = broker_create(context->loop, &options, status);
    if (!broker) return NULL;
    struct embedded_broker *embedded = memory_new(sizeof *embedded);
    embedded->broker = broker;
    if (listen_at(embedded, context, status)) return embedded;
    broker_stop(broker, NULL, NULL);
    free(embedded);
    return NULL;
}

const char *embedded_broker_url(const struct embedded_broker *broker) {
    return broker->url;
}

static void finish_close(void *context) {
    struct embedded_broker *embedded = context;
    void (*on_closed)(void *context) = embedded->on_closed;
    void *closed_context = embedded->context;
    free(embedded);
    on_closed(closed_context);
}

void embedded_broker_close(struct embedded_broker *broker, void (*on_closed)(void *context),
                           void *context) {
    if (!broker) {
        on_closed(context);
        return;
    }
    broker->on_closed = on_closed;
    broker->context = context;
    broker_stop(broker->broker, finish_close, broker);
}
