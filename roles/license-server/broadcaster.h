/*
 * What a license server says on NATS: its messages on `license.status`, its answers to
 * `license.status.get`, its alerts on `license.alert`. Every message is complete in itself,
 * numbered, and proven by the server's own key (verifier/status_proof.h). While there is no
 * connection nothing is said, and nothing is kept but the last alerts: old news about a status
 * would be wrong news.
 *
 *     {"v":1,"type":"status|heartbeat|update","server_id":...,"seq":...,"sent_at":...,
 *      "heartbeat_interval_ms":...,"license":{...},"proof":"<status+jwt>",
 *      "token":...,"keyring":...,"revocations":...}         (the last three not in heartbeats)
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_BROADCASTER_H
#define LSYS_ROLES_LICENSE_SERVER_BROADCASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "app/alerts.h"
#include "app/metrics.h"
#include "base/buffer.h"
#include "bus/bus.h"
#include "roles/license-server/keeper.h"
#include "rules/heartbeat_sequence.h"
#include "store/store.h"
#include "verifier/signer.h"

#define SUBJECT_STATUS     "license.status"
#define SUBJECT_STATUS_GET "license.status.get"
#define SUBJECT_ALERT      "license.alert"

/* Alerts that wait for a connection; the oldest goes when one more comes. */
#define BROADCASTER_ALERTS_MAX 16

enum broadcast_type { BROADCAST_STATUS, BROADCAST_HEARTBEAT, BROADCAST_UPDATE };
#define BROADCAST_TYPES 3

struct broadcaster_options {
    const struct keeper *keeper; /* borrowed: what is told */
    const struct signer *signer; /* borrowed */
    const char *server_id;       /* borrowed */
    struct store *store;         /* borrowed: keeps the count of starts */
    struct metrics *metrics;
    const char *role;
    int64_t heartbeat_interval_ms;
};

struct broadcaster {
    struct broadcaster_options options;
    struct bus *bus; /* borrowed; NULL until there is one */
    struct heartbeat_sequence sequence;
    bool sequence_committed;              /* its start is in the store */
    int64_t spoken_monotonic_ms;          /* the last message on license.status; 0: none yet */
    char *alerts[BROADCASTER_ALERTS_MAX]; /* waiting, oldest first; owned */
    size_t alerts_count;
    struct metric *sent[BROADCAST_TYPES];
    struct metric *answers;
    struct metric *unsent;
};

/* Begins a new start of the sequence. When the store refuses, the sequence goes on from the time of
 * day until broadcaster_commit_start succeeds. False, with STATUS_DAMAGED, when the numbers of this
 * key are used up. */
bool broadcaster_init(struct broadcaster *broadcaster, const struct broadcaster_options *options,
                      struct status *status) MUST_CHECK;

void broadcaster_free(struct broadcaster *broadcaster);

/* Tries again to commit a start that the store refused. Called now and then. */
void broadcaster_commit_start(struct broadcaster *broadcaster);

/* Says what is in force now. */
void broadcaster_tell(struct broadcaster *broadcaster, enum broadcast_type type);

/* The same to one asker, with its nonce ("" when it sent none). */
void broadcaster_answer(struct broadcaster *broadcaster, const char *reply, const char *nonce);

/* Publishes an alert, or keeps it for the next connection. */
void broadcaster_alert(struct broadcaster *broadcaster, const struct alert *alert);

/* A connection is there: publishes the alerts that waited. */
void broadcaster_connected(struct broadcaster *broadcaster);

/* "status", "heartbeat", "update". */
const char *broadcast_type_name(enum broadcast_type type);

#endif
