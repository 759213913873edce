#include "app/role_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/health.h"
#include "app/listen_policy.h"
#include "app/metrics.h"
#include "app/role_tls.h"
#include "app/version.h"
#include "base/log.h"
#include "base/memory.h"
#include "codec/json_writer.h"

struct role_http {
    struct role_context *context;
    struct http_server *server;
    bool api_keys;
    struct role_tls *tls; /* NULL: plain http */
    char url[ROLE_HTTP_URL_BYTES];
    struct metric *requests;
    struct metric *refused_requests;
    struct metric *refused_connections;
    struct metric *displaced_connections;
    struct metric *tls_failures;
    struct metric *connections;
    void (*on_closed)(void *context);
    void *closed_context;
};

void role_http_respond_json(struct http_request *request, int status, const struct buffer *json) {
    if (json->failed)
        http_respond_problem(request, 500, "answer_too_large", "The answer could not be made",
                             "it would be larger than the server allows");
    else
        http_respond(request, status, "application/json", buffer_bytes(json));
}

static void answer_healthz(void *context, struct http_request *request) {
    const struct role_http *http = context;
    struct buffer body;
    struct json_writer json;
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    json_writer_init(&json, &body);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "status", "ok");
    json_writer_member_text(&json, "role", http->context->name);
    json_writer_member_text(&json, "version", lsys_version());
    json_writer_end_object(&json);
    role_http_respond_json(request, 200, &body);
    buffer_free(&body);
}

static void answer_readyz(void *context, struct http_request *request) {
    const struct role_http *http = context;
    struct buffer body;
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    health_write_json(http->context->health, &body);
    role_http_respond_json(request, health_is_ready(http->context->health) ? 200 : 503, &body);
    buffer_free(&body);
}

static void answer_metrics(void *context, struct http_request *request) {
    const struct role_http *http = context;
    struct buffer body;
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    metrics_write(http->context->metrics, &body);
    http_respond(request, body.failed ? 500 : 200, "text/plain; version=0.0.4; charset=utf-8",
                 buffer_bytes(&body));
    buffer_free(&body);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/healthz", .handle = answer_healthz},
    {.method = "GET", .pattern = "/readyz", .handle = answer_readyz},
    {.method = "GET", .pattern = "/metrics", .handle = answer_metrics},
};

static void refresh_metrics(void *owner) {
    const struct role_http *http = owner;
    struct http_server_counters counters;
    http_server_read_counters(http->server, &counters);
    metric_set(http->requests, (double)counters.requests);
    metric_set(http->refused_requests, (double)counters.refused_requests);
    metric_set(http->refused_connections, (double)counters.refused_connections);
    metric_set(http->displaced_connections, (double)counters.displaced_connections);
    metric_set(http->tls_failures, (double)counters.tls_failures);
    metric_set(http->connections, (double)counters.open_connections);
}

static void register_metrics(struct role_http *http) {
    struct metrics *metrics = http->context->metrics;
    const char *role = http->context->name;
    http->requests = metrics_counter(metrics, "lsys_http_requests_total",
                                     "HTTP requests that were answered.", "role", role, NULL);
    http->refused_requests =
        metrics_counter(metrics, "lsys_http_refused_requests_total",
                        "HTTP requests refused as malformed or by host.", "role", role, NULL);
    http->refused_connections =
        metrics_counter(metrics, "lsys_http_refused_connections_total",
                        "HTTP connections refused over a limit.", "role", role, NULL);
    http->displaced_connections = metrics_counter(
        metrics, "lsys_http_displaced_connections_total",
        "HTTP connections without a request, closed for a new one.", "role", role, NULL);
    http->tls_failures = metrics_counter(metrics, "lsys_http_tls_failures_total",
                                         "HTTPS connections that ended before TLS was agreed on.",
                                         "role", role, NULL);
    http->connections = metrics_gauge(metrics, "lsys_http_connections",
                                      "HTTP connections now open.", "role", role, NULL);
    metrics_add_refresh(metrics, refresh_metrics, http);
}

/* Makes the server; the names in the option http_allowed_hosts are copied by it. */
static struct http_server *create_server(struct role_context *context,
                                         const struct http_limits *limits) {
    size_t count = options_count(context->options, "http_allowed_hosts");
    const char **hosts = memory_new_array(count + 1, sizeof *hosts);
    for (size_t i = 0; i < count; i++)
        hosts[i] = options_item(context->options, "http_allowed_hosts", i);
    struct http_server_options options = {
        .name = context->name, .limits = limits, .allowed_hosts = hosts};
    struct http_server *server = http_server_create(context->loop, &options);
    free(hosts);
    return server;
}

/* Where to listen, if the policy lets us. */
static bool choose_address(const struct role_http *http, const char *key, struct address *out,
                           struct status *status) {
    const struct options *options = http->context->options;
    char flag[64];
    struct listen_protection protection = {
        .tls = http->tls != NULL,
        .credential = http->api_keys || (http->tls && role_tls_demands_certificates(http->tls)),
        .insecure_listen = options_boolean(options, "insecure_listen")};
    snprintf(flag, sizeof flag, "--%s", key);
    if (!options_address(options, key, out))
        return status_fail(status, STATUS_CONFIG, "%s: no address is configured", flag);
    return listen_policy_check(http->context->name, flag, out, protection, status);
}

static bool listen_there(struct role_http *http, const char *key, struct status *status) {
    struct address address, bound;
    char text[ADDRESS_TEXT_BYTES];
    if (!choose_address(http, key, &address, status)) return false;
    bool listens = http->tls ? http_server_listen_tls(http->server, &address,
                                                      role_tls_context(http->tls), &bound, status)
                             : http_server_listen(http->server, &address, &bound, status);
    if (!listens) return status_context(status, "--%s", key);
    const char *scheme = http->tls ? "https://" : "http://";
    address_format(&bound, text);
    snprintf(http->url, sizeof http->url, "%s%s", bound.kind == ADDRESS_TCP ? scheme : "", text);
    return true;
}

struct role_http *role_http_open(struct role_context *context, const char *key,
                                 struct status *status) {
    const struct role_http_service service = {.api_keys = false};
    return role_http_open_service(context, key, &service, status);
}

struct role_http *role_http_open_service(struct role_context *context, const char *key,
                                         const struct role_http_service *service,
                                         struct status *status) {
    struct role_http *http = memory_new(sizeof *http);
    http->context = context;
    http->api_keys = service->api_keys;
    if (!role_tls_open(context, TLS_PROTOCOL_HTTP, &http->tls, status)) {
        free(http);
        return NULL;
    }
    http->server = create_server(context, service->limits);
    http_server_add_routes(http->server, routes, sizeof routes / sizeof routes[0], http);
    if (!listen_there(http, key, status)) {
        role_tls_close(http->tls);
        http_server_close(http->server, free, http);
        return NULL;
    }
    register_metrics(http);
    log_event(LOG_INFO, context->name, "listening", "url", http->url, NULL);
    return http;
}

struct http_server *role_http_server(struct role_http *http) {
    return http->server;
}

const char *role_http_url(const struct role_http *http) {
    return http->url;
}

static void finish_close(void *context) {
    struct role_http *http = context;
    void (*on_closed)(void *context) = http->on_closed;
    void *closed_context = http->closed_context;
    free(http);
    if (on_closed) on_closed(closed_context);
}

void role_http_close(struct role_http *http, void (*on_closed)(void *context), void *context) {
    if (!http) {
        if (on_closed) on_closed(context);
        return;
    }
    http->on_closed = on_closed;
    http->closed_context = context;
    metrics_remove_refresh(http->context->metrics, http);
    role_tls_close(http->tls);
    http_server_close(http->server, finish_close, http);
}
