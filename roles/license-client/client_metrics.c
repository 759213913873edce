#include "roles/license-client/client_metrics.h"

#include <stdlib.h>

#include "base/memory.h"
#include "bus/bus.h"

struct client_metrics {
    struct metrics *metrics;
    const struct follower *follower;
    const struct bus *bus;
    struct metric *licensed;
    struct metric *status[LICENSE_STATUS_COUNT];
    struct metric *live_servers;
    struct metric *pinned_keys;
    struct metric *expires_at;
    struct metric *silence;
    struct metric *clock_behind;
    struct metric *connected;
    struct metric *bus_dropped;
};

static void refresh_bus(const struct client_metrics *metrics) {
    struct bus_counters counters;
    if (!metrics->bus) return;
    bus_counters(metrics->bus, &counters);
    metric_set(metrics->connected, bus_condition(metrics->bus)->state == BUS_CONNECTED);
    metric_set(metrics->bus_dropped, (double)counters.dropped_in);
}

static void refresh(void *owner) {
    const struct client_metrics *metrics = owner;
    struct follower_view view;
    follower_look(metrics->follower, &view);
    metric_set(metrics->licensed, view.licensed);
    for (int i = 0; i < LICENSE_STATUS_COUNT; i++)
        metric_set(metrics->status[i], (enum license_status)i == view.status);
    metric_set(metrics->live_servers,
               (double)client_state_live_servers(view.state, view.now_monotonic_ms));
    metric_set(metrics->pinned_keys, (double)view.pins->count);
    metric_set(metrics->expires_at,
               view.license ? (double)view.license->expires_at_ms / 1000.0 : 0);
    metric_set(metrics->silence,
               view.state->heard_ever
                   ? (double)(view.now_monotonic_ms - view.state->last_good_ms) / 1000.0
                   : -1);
    metric_set(metrics->clock_behind, (double)view.clock.behind_ms / 1000.0);
    refresh_bus(metrics);
}

static void register_gauges(struct client_metrics *out) {
    struct metrics *metrics = out->metrics;
    out->licensed = metrics_gauge(metrics, "lsys_client_licensed",
                                  "1 while a license is in force, 0 in community.", NULL);
    for (int i = 0; i < LICENSE_STATUS_COUNT; i++)
        out->status[i] = metrics_gauge(metrics, "lsys_client_status",
                                       "1 for the status in force, 0 for the others.", "status",
                                       license_status_word((enum license_status)i), NULL);
    out->live_servers = metrics_gauge(metrics, "lsys_client_live_servers",
                                      "License servers heard within the timeout.", NULL);
    out->pinned_keys = metrics_gauge(metrics, "lsys_client_pinned_keys",
                                     "License servers' keys that are pinned.", NULL);
    out->expires_at =
        metrics_gauge(metrics, "lsys_client_license_expires_timestamp_seconds",
                      "When the license in force expires, seconds since 1970; 0: none.", NULL);
    out->silence = metrics_gauge(metrics, "lsys_client_silence_seconds",
                                 "Time since the last good message; -1 before the first.", NULL);
    out->clock_behind =
        metrics_gauge(metrics, "lsys_client_clock_behind_seconds",
                      "How far the wall clock is behind the time already reached.", NULL);
}

struct client_metrics *client_metrics_open(struct metrics *metrics,
                                           const struct follower *follower) {
    struct client_metrics *out = memory_new(sizeof *out);
    out->metrics = metrics;
    out->follower = follower;
    register_gauges(out);
    out->connected = metrics_gauge(metrics, "lsys_client_nats_connected",
                                   "1 while there is a connection to NATS.", NULL);
    out->bus_dropped = metrics_counter(metrics, "lsys_client_nats_dropped_messages_total",
                                       "Messages lost because the client did not keep up.", NULL);
    metrics_add_refresh(metrics, refresh, out);
    return out;
}

void client_metrics_watch_bus(struct client_metrics *metrics, const struct bus *bus) {
    metrics->bus = bus;
}

void client_metrics_changed(struct client_metrics *metrics, enum client_cause cause) {
    metric_increment(metrics_counter(metrics->metrics, "lsys_client_changes_total",
                                     "Changes of the state by their cause.", "cause",
                                     client_cause_name(cause), NULL));
}

void client_metrics_asked(struct client_metrics *metrics, enum client_nonce_reason reason) {
    metric_increment(metrics_counter(metrics->metrics, "lsys_client_nonces_total",
                                     "Nonces sent to the license servers by reason.", "reason",
                                     client_nonce_reason_name(reason), NULL));
}

void client_metrics_close(struct client_metrics *metrics) {
    if (!metrics) return;
    metrics_remove_refresh(metrics->metrics, metrics);
    free(metrics);
}
