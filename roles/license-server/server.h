/*
 * The running role: its parts, and the one place (server_settle) where every event ends, be it a
 * changed file, a peer's license, the passing of time or a reload.
 *
 *     sources (files) --+                                  +--> broadcaster --> NATS
 *     peers (NATS) -----+--> keeper --> server_settle -----+--> log, alerts, metrics, readiness
 *     timer ------------+      |                           +--> timer for the next change
 *                              +--> http_answers
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_SERVER_H
#define LSYS_ROLES_LICENSE_SERVER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "app/authority.h"
#include "app/ledger.h"
#include "app/role.h"
#include "app/role_http.h"
#include "bus/bus.h"
#include "loop/timer.h"
#include "roles/license-server/broadcaster.h"
#include "roles/license-server/embedded_broker.h"
#include "roles/license-server/keeper.h"
#include "roles/license-server/peers.h"
#include "roles/license-server/sources.h"
#include "rules/expiry_alerts.h"
#include "rules/rate_limit.h"
#include "verifier/private_key.h"

/* Answers to license.status.get: some 0.1 ms each, so a flood costs half a processor at most, and
 * all clients of a large site that reconnect in the same second get theirs. */
#define SERVER_ANSWERS_PER_SECOND 5000
#define SERVER_ANSWERS_BURST      (2 * SERVER_ANSWERS_PER_SECOND)

/* Longest request on license.status.get: {"nonce":"..."} and a little room. */
#define SERVER_REQUEST_BYTES_MAX 1024

/* What was told last, to see what is new. */
struct server_told {
    bool anything;
    enum license_status status;
    char license[SHA256_TEXT_BYTES]; /* digests; "" for none */
    char keyring[SHA256_TEXT_BYTES];
    char revocations[SHA256_TEXT_BYTES];
    bool turned_back; /* the clock */
    bool jumped_forward;
    bool other_key;                      /* the disk has another key than the one in force */
    char old_keyring[SHA256_TEXT_BYTES]; /* the documents that were said to be old */
    char old_revocations[SHA256_TEXT_BYTES];
};

struct server_meters {
    struct metric *status[LICENSE_STATUS_COUNT]; /* 1 for the present one */
    struct metric *expires_at_seconds;
    struct metric *serial;
    struct metric *clock_behind_seconds;
    struct metric *changes;
    struct metric *connected;
};

struct license_server {
    struct role_context *context;
    char server_id[CLAIM_TEXT_BYTES_MAX + 1];
    struct private_key key;
    struct signer signer;
    bool key_unsaved; /* the disk has not taken it yet */

    struct ledger *ledger;
    struct authority *authority;
    struct keeper keeper;
    struct sources *sources;
    struct broadcaster broadcaster;
    struct peers peers;
    struct server_told told;
    struct server_meters meters;
    struct rate_limit answer_limit;

    struct timer *tick;      /* the next change of status, at most a second ahead */
    struct timer *heartbeat; /* repeating */

    struct embedded_broker *broker; /* NULL: somebody else's */
    struct bus *bus;
    struct bus_subscription *requests;
    uint64_t connects; /* as of the last state of the bus */
    struct role_http *http;

    bool stopping;
    bool started; /* start succeeded: `stopped` is owed */
    int closing;  /* parts that are still closing */
};

/* Looks at everything anew and tells what has changed to whom it concerns. */
void server_settle(struct license_server *server);

/* server_link.c: the connection to NATS. False with the reason; on true the bus ends by bus_stop
 * and then calls server_part_closed. */
bool server_connect(struct license_server *server, struct status *status) MUST_CHECK;

/* Ends subscriptions and the bus; calls server_part_closed at once when there is none. */
void server_disconnect(struct license_server *server);

/* One of the parts that close by themselves is closed. */
void server_part_closed(void *server);

/* server_reports.c: what people and machines are told besides NATS. */
void server_register_meters(struct license_server *server);
void server_report_status(struct license_server *server, enum license_status before);

/* Appends the change to the audit log. */
void server_audit_change(struct license_server *server, enum license_status before);
void server_report_alerts(struct license_server *server);
void server_update_health(struct license_server *server);
void server_describe(const struct role_context *context, struct role_view *view);

/* http_answers.c: the routes of this role. */
void server_add_routes(struct license_server *server);

/* The role's life, for its record. */
bool server_start(struct role_context *context, struct status *status);
void server_stop(struct role_context *context);
bool server_reload(struct role_context *context, const struct options *fresh,
                   struct status *status);

#endif
