/*
 * The inside of the follower, shared by follower.c (events and time) and intake.c (messages).
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_FOLLOWER_STATE_H
#define LSYS_ROLES_LICENSE_CLIENT_FOLLOWER_STATE_H

#include "app/alerts.h"
#include "app/metrics.h"
#include "base/log.h"
#include "roles/license-client/follower.h"
#include "roles/license-client/shelf.h"
#include "rules/rate_limit.h"

struct follower {
    struct authority *authority;
    struct ledger *ledger;
    struct alerts *alerts;
    enum pinning_policy pinning;

    struct client_state state;
    struct known_servers servers;
    struct shelf shelf;
    bool license_unsaved;                    /* the license followed now is not in the ledger yet */
    char license_problem[STATUS_TEXT_BYTES]; /* why the followed server's license does not verify */

    struct clock_guard clock;
    struct clock_reading reading; /* of the last event */
    int64_t now_ms;               /* monotonic, of the last event */
    int64_t clock_kept_ms;        /* monotonic; when the guard went to the ledger */
    bool clock_alerted;

    char nonce[FOLLOWER_NONCE_BYTES]; /* "" when none is open */
    struct rate_limit broadcast_budget;
    struct rate_limit answer_budget;

    struct metric *heard[HEARING_COUNT];
    struct log_limiter refusal_log;
    struct follower_refusal refusal;
};

/* Judges a message, and if it is good hands it to the client state; `*changed` tells whether that
 * changed. `why` gets the particular reason of a refusal. */
enum hearing intake_message(struct follower *follower, struct bytes text, bool *changed,
                            struct status *why);

/* The license followed last, or NULL. */
const struct license *follower_last_license(const struct follower *follower);

/* Our own judgement of a license at the follower's present; NULL gives LICENSE_MISSING. */
struct license_judgement follower_judge(const struct follower *follower,
                                        const struct license *license);

#endif
