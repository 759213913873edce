#include "roles/broker/broker_websocket.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/listen_policy.h"
#include "base/memory.h"

/* The items of a list, ended by NULL; the texts are the options'. */
static const char **list_of(const struct options *options, const char *key) {
    size_t count = options_count(options, key);
    const char **items = memory_new_array(count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = options_item(options, key, i);
    return items;
}

static bool listen_there(const struct role_context *context, struct broker *broker,
                         const struct address *address, const struct role_tls *tls,
                         struct address *bound, struct status *status) {
    const char **origins = list_of(context->options, "websocket_origin");
    const char **hosts = list_of(context->options, "http_allowed_hosts");
    struct broker_websocket_options options = {
        .allowed_origins = origins,
        .allowed_hosts = hosts,
        .tls = tls != NULL ? role_tls_context(tls) : NULL,
    };
    bool listens = broker_listen_websocket(broker, address, &options, bound, status);
    free(origins);
    free(hosts);
    return listens;
}

bool broker_websocket_listen(struct role_context *context, struct broker *broker,
                             struct role_tls **tls, char url[BROKER_WEBSOCKET_URL_BYTES],
                             struct status *status) {
    struct address address, bound;
    char text[ADDRESS_TEXT_BYTES];
    if (!role_tls_open(context, TLS_PROTOCOL_HTTP, tls, status)) return false;
    struct listen_protection protection = {
        .tls = *tls != NULL,
        .credential =
            broker_has_users(broker) || (*tls != NULL && role_tls_demands_certificates(*tls)),
        .insecure_listen = options_boolean(context->options, "insecure_listen")};
    if (!options_address(context->options, "websocket", &address))
        return status_fail(status, STATUS_CONFIG, "no address is configured");
    if (!listen_policy_check(context->name, "--websocket", &address, protection, status) ||
        !listen_there(context, broker, &address, *tls, &bound, status))
        return false;
    address_format(&bound, text);
    const char *scheme = *tls != NULL ? "wss://" : "ws://";
    snprintf(url, BROKER_WEBSOCKET_URL_BYTES, "%s%s", bound.kind == ADDRESS_TCP ? scheme : "",
             text);
    return true;
}
