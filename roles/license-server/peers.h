/*
 * Other license servers on the same NATS. They need no configuration: each hears the others on
 * `license.status`, asks for their present state when it connects, and takes over a license, key
 * ring or revocation list that is newer than its own. What makes them believable is the vendor's
 * signature inside, not who sent them; so nothing here is worth forging, and a flood costs only its
 * parsing, which is limited.
 *
 *     connected --> ask license.status.get --> answers --+
 *     license.status: status, update --------------------+--> newer than ours? verify --> in force
 *     license.status: heartbeat with a higher serial ----> ask again (every 5 s at most)
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_PEERS_H
#define LSYS_ROLES_LICENSE_SERVER_PEERS_H

#include <stdint.h>

#include "app/metrics.h"
#include "base/log.h"
#include "bus/bus.h"
#include "roles/license-server/keeper.h"
#include "rules/rate_limit.h"

/* Messages of others that are parsed in a second. Two servers send a heartbeat each 30 s; beyond
 * this it is a flood. */
#define PEERS_MESSAGES_PER_SECOND 100

/* Vendor signatures checked in a second: 1 ms each. */
#define PEERS_VERIFICATIONS_PER_SECOND 50

/* Between two questions for what a heartbeat made us curious about. */
#define PEERS_ASK_INTERVAL_MS 5000

struct peers_options {
    struct keeper *keeper; /* borrowed, with its authority */
    struct metrics *metrics;
    const char *server_id; /* ours: our own messages are not heard. Borrowed */
    const char *role;
    void (*on_adopted)(void *context); /* something newer is in force */
    void *context;
};

struct peers {
    struct peers_options options;
    struct bus *bus; /* borrowed; NULL until peers_listen */
    struct bus_subscription *subscription;
    struct bus_request *question; /* open, or NULL */
    int64_t asked_monotonic_ms;
    struct rate_limit messages;
    struct rate_limit verifications;
    struct log_limiter refusals;
    struct metric *heard;
    struct metric *adopted;
    struct metric *refused;
};

void peers_init(struct peers *peers, const struct peers_options *options);

/* Subscribes on a bus that was just created. False with the reason of bus_subscribe. */
bool peers_listen(struct peers *peers, struct bus *bus, struct status *status) MUST_CHECK;

/* A connection is there: asks the others what they have. */
void peers_connected(struct peers *peers);

/* Before bus_stop. */
void peers_close(struct peers *peers);

#endif
