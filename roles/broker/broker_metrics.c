#include "roles/broker/broker_metrics.h"

#include <stdlib.h>

#include "app/metrics.h"
#include "base/memory.h"

struct broker_metrics {
    struct metrics *registry;
    struct broker *broker;
    struct metric *in_messages, *in_bytes, *out_messages, *out_bytes;
    struct metric *connections_total, *slow_consumers, *authentication_failures, *tls_failures;
    struct metric *stale_connections, *stalls;
    struct metric *connections, *subscriptions, *pending_bytes, *lame_duck;
};

static void refresh(void *owner) {
    const struct broker_metrics *metrics = owner;
    struct broker_counters now;
    broker_read_counters(metrics->broker, &now);
    metric_set(metrics->in_messages, (double)now.in_messages);
    metric_set(metrics->in_bytes, (double)now.in_bytes);
    metric_set(metrics->out_messages, (double)now.out_messages);
    metric_set(metrics->out_bytes, (double)now.out_bytes);
    metric_set(metrics->connections_total, (double)now.connections_total);
    metric_set(metrics->slow_consumers, (double)now.slow_consumers);
    metric_set(metrics->authentication_failures, (double)now.authentication_failures);
    metric_set(metrics->tls_failures, (double)now.tls_failures);
    metric_set(metrics->stale_connections, (double)now.stale_connections);
    metric_set(metrics->stalls, (double)now.stalls);
    metric_set(metrics->connections, (double)now.connections);
    metric_set(metrics->subscriptions, (double)now.subscriptions);
    metric_set(metrics->pending_bytes, (double)now.pending_bytes);
    metric_set(metrics->lame_duck, now.lame_duck);
}

struct broker_metrics *broker_metrics_open(struct role_context *context, struct broker *broker) {
    struct broker_metrics *metrics = memory_new(sizeof *metrics);
    struct metrics *registry = context->metrics;
    const char *role = context->name;
    metrics->registry = registry;
    metrics->broker = broker;
    metrics->in_messages = metrics_counter(registry, "lsys_broker_in_messages_total",
                                           "Messages that clients published.", "role", role, NULL);
    metrics->in_bytes = metrics_counter(registry, "lsys_broker_in_bytes_total", "Their payloads.",
                                        "role", role, NULL);
    metrics->out_messages = metrics_counter(registry, "lsys_broker_out_messages_total",
                                            "Messages delivered.", "role", role, NULL);
    metrics->out_bytes = metrics_counter(registry, "lsys_broker_out_bytes_total", "Their payloads.",
                                         "role", role, NULL);
    metrics->connections_total = metrics_counter(registry, "lsys_broker_connections_total",
                                                 "Connections accepted.", "role", role, NULL);
    metrics->slow_consumers = metrics_counter(registry, "lsys_broker_slow_consumers_total",
                                              "Clients cut off as too slow.", "role", role, NULL);
    metrics->authentication_failures =
        metrics_counter(registry, "lsys_broker_authentication_failures_total",
                        "Clients that did not prove who they are.", "role", role, NULL);
    metrics->tls_failures =
        metrics_counter(registry, "lsys_broker_tls_failures_total",
                        "Connections that ended before TLS was agreed on.", "role", role, NULL);
    metrics->stale_connections =
        metrics_counter(registry, "lsys_broker_stale_connections_total",
                        "Clients that did not answer PING.", "role", role, NULL);
    metrics->stalls =
        metrics_counter(registry, "lsys_broker_stalls_total",
                        "Times that a publisher was held back for a consumer.", "role", role, NULL);
    metrics->connections = metrics_gauge(registry, "lsys_broker_connections", "Clients connected.",
                                         "role", role, NULL);
    metrics->subscriptions = metrics_gauge(registry, "lsys_broker_subscriptions",
                                           "Subscriptions of all clients.", "role", role, NULL);
    metrics->pending_bytes =
        metrics_gauge(registry, "lsys_broker_pending_bytes",
                      "Output waiting for clients that are behind.", "role", role, NULL);
    metrics->lame_duck = metrics_gauge(registry, "lsys_broker_lame_duck",
                                       "1 while in lame duck mode.", "role", role, NULL);
    metrics_add_refresh(registry, refresh, metrics);
    return metrics;
}

void broker_metrics_close(struct broker_metrics *metrics) {
    if (metrics == NULL) return;
    metrics_remove_refresh(metrics->registry, metrics);
    free(metrics);
}
