/*
 * What the client counts, beside the messages that the follower counts itself. The gauges are read
 * when somebody asks for them.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_CLIENT_METRICS_H
#define LSYS_ROLES_LICENSE_CLIENT_CLIENT_METRICS_H

#include "app/metrics.h"
#include "roles/license-client/follower.h"

struct bus;
struct client_metrics;

/* Registers all series; `follower` is borrowed. Never NULL. */
struct client_metrics *client_metrics_open(struct metrics *metrics,
                                           const struct follower *follower);

/* Also shows the counters of this bus; NULL: no longer. */
void client_metrics_watch_bus(struct client_metrics *metrics, const struct bus *bus);

/* Counts a change of the state, or a nonce. */
void client_metrics_changed(struct client_metrics *metrics, enum client_cause cause);
void client_metrics_asked(struct client_metrics *metrics, enum client_nonce_reason reason);

/* NULL is harmless. */
void client_metrics_close(struct client_metrics *metrics);

#endif
