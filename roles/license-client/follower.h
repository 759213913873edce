/*
 * The heart of the client, without any I/O but the ledger's: messages and moments go in, the state
 * comes out. It joins what the rules decide (server_freshness, server_pinning, serial_guard,
 * client_state, license_status, clock_guard) with what the verifier proves, in the order that costs
 * least:
 *
 *     size, JSON, agreement with the proof --> the key --> freshness --> budget --> the proof's signature
 *        --> key ring, revocations --> the license's signature --> the key again --> serial, line --> state
 *
 * Whatever falls out on the way is counted by its `enum hearing` and changes nothing.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_FOLLOWER_H
#define LSYS_ROLES_LICENSE_CLIENT_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "app/authority.h"
#include "app/ledger.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "roles/license-client/hearing.h"
#include "roles/license-client/name.h"
#include "roles/license-client/servers.h"
#include "rules/client_state.h"
#include "rules/clock_guard.h"
#include "rules/license_status.h"
#include "verifier/license.h"

struct alerts;
struct metrics;

/* Of FRESHNESS_VERIFICATIONS_PER_SECOND this many are kept for answers to our nonces, so that a
 * flood of broadcasts cannot keep a server from proving itself. */
#define FOLLOWER_ANSWER_VERIFICATIONS 10

/* A nonce is 128 random bits as base64url, and a NUL. */
#define FOLLOWER_NONCE_BYTES 23

/* The clock guard wants to see the clocks this often. */
#define FOLLOWER_OBSERVE_MS 1000

/* Both clocks, read together (base/clock.h). */
struct moment {
    int64_t wall_ms;
    int64_t monotonic_ms;
};

/* What an event did. Ordered: the larger tells more. */
enum follower_effect {
    FOLLOWER_NOTHING,
    FOLLOWER_RENEWED, /* a good message: the state holds for longer */
    FOLLOWER_CHANGED, /* edition, status, license or server changed */
};

/* The last message that was refused, for `explain`. */
struct follower_refusal {
    bool any;
    enum hearing hearing;
    char why[STATUS_TEXT_BYTES];
    int64_t at_wall_ms;
};

struct follower_options {
    int64_t timeout_ms; /* heartbeat timeout */
    enum pinning_policy pinning;
};

struct persistence_watch;
struct follower;

/* Begins in community. Authority, ledger, metrics and alerts are borrowed and live longer. Never
 * NULL. */
struct follower *follower_open(struct authority *authority, struct ledger *ledger,
                               struct metrics *metrics, struct alerts *alerts,
                               const struct follower_options *options, struct moment at);

/* Keeps the clock guard in the ledger, and frees. NULL is harmless. */
void follower_close(struct follower *follower);

/* A message arrived, as a broadcast or as an answer to a nonce. */
enum follower_effect follower_hear(struct follower *follower, struct bytes text, struct moment at);

/* The connection to NATS came, also after a short interruption, or went. */
void follower_connected(struct follower *follower);
void follower_disconnected(struct follower *follower);

/* Time passed, or somebody wants to know the exact state. */
enum follower_effect follower_tick(struct follower *follower, struct moment at);

/* The key files were read again (authority_load): judges everything anew. */
enum follower_effect follower_rejudge(struct follower *follower,
                                      const struct follower_options *options, struct moment at);

/* If a nonce is to be sent now, makes one, notes that it went out to all servers, and returns why;
 * CLIENT_NONCE_NOT_DUE otherwise. */
enum client_nonce_reason follower_make_nonce(struct follower *follower,
                                             char nonce[FOLLOWER_NONCE_BYTES], struct moment at);

/* The time for answers to the nonce made last is over. */
void follower_close_nonce(struct follower *follower);

/* Milliseconds until follower_tick or follower_make_nonce has something to do. */
int64_t follower_wait_ms(const struct follower *follower, struct moment at);

/* Everything that answers are made of; pointers are valid until the next call of the follower. */
struct follower_view {
    const struct client_state *state;
    int64_t now_wall_ms; /* by the clock guard */
    int64_t now_monotonic_ms;
    struct clock_reading clock;

    enum license_status status; /* in force; LICENSE_MISSING in community */
    bool licensed;              /* the status grants */

    const struct license *license;     /* of the followed server; NULL: none, or not verified */
    const struct known_server *server; /* followed, or NULL */
    enum license_status server_word;   /* what that server said */
    const char *license_problem;       /* why its license does not verify, or "" */

    const struct license *last_license; /* verified last, also in community; or NULL */
    struct license_facts facts;         /* of last_license, ... */
    struct license_judgement judgement; /* ... judged by ourselves */

    const struct authority *authority;
    const struct server_pins *pins;
    const struct follower_refusal *refusal;
    const struct persistence_watch *persistence; /* of the process, put in by turn_look; or NULL */
};

/* Fills the view as of the last event. */
void follower_look(const struct follower *follower, struct follower_view *view);

#endif
