#include "roles/broker/broker_websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/listen_policy.h"
#include "base/memory.h"
#include "net/url.h"

/* The items of a list, ended by NULL; the texts are the options'. */
static const char **list_of(const struct options *options, const char *key) {
    size_t count = options_count(options, key);
    const char **items = memory_new_array(count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = options_item(options, key, i);
    return items;
}

/* An origin that no browser ever sends (a path, a blank, the default port) would open nothing, and
 * nobody would know why. */
static bool check_origin(const char *origin, struct status *status) {
    struct url url;
    char host[ADDRESS_TEXT_BYTES], named[ADDRESS_TEXT_BYTES + URL_SCHEME_BYTES + 4];
    if (strcmp(origin, "*") == 0) return true;
    if (!url_parse(bytes_of_text(origin), url_web_schemes, &url, NULL))
        return status_fail(status, STATUS_CONFIG,
                           "--websocket-origin: %s is not an origin, as https://app.example is",
                           origin);
    url_host_field(&url, host);
    snprintf(named, sizeof named, "%s://%s", url.scheme, host);
    return strcasecmp(origin, named) == 0 ||
           status_fail(status, STATUS_CONFIG,
                       "--websocket-origin: browsers call the origin of %s just %s", origin, named);
}

static bool check_origins(const struct options *options, struct status *status) {
    for (size_t i = 0; i < options_count(options, "websocket_origin"); i++)
        if (!check_origin(options_item(options, "websocket_origin", i), status)) return false;
    return true;
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
    return listens || status_context(status, "--websocket");
}

bool broker_websocket_listen(struct role_context *context, struct broker *broker,
                             struct role_tls **tls, char url[BROKER_WEBSOCKET_URL_BYTES],
                             struct status *status) {
    struct address address, bound;
    char text[ADDRESS_TEXT_BYTES];
    if (!check_origins(context->options, status) ||
        !role_tls_open(context, TLS_PROTOCOL_HTTP, tls, status))
        return false;
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
