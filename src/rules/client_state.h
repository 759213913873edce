/*
 * The license client's state: which license server it follows, what that grants, when to ask for a
 * sign of life, and when to fall back to the community edition. It hears only messages that were
 * verified, came from an accepted key and are fresh (server_freshness), and whose license is not
 * below the persisted mark of its line (serial_guard). All times are monotonic milliseconds.
 *
 *                           good message
 *     +-----------+ ---------------------------> +-----------+ --+ good message: another status,
 *     | COMMUNITY |                              | FOLLOWING |   | license or server
 *     +-----------+ <--------------------------- +-----------+ <-+
 *      never heard,     no good message from any
 *      or silence       server for a whole timeout
 *
 *    | state     | event                                    | next      | cause                   |
 *    |-----------|------------------------------------------|-----------|-------------------------|
 *    | COMMUNITY | start                                    | COMMUNITY | NEVER_HEARD             |
 *    | COMMUNITY | first good message, or one after silence | FOLLOWING | FIRST_MESSAGE, RETURNED |
 *    | FOLLOWING | good message, nothing differs            | FOLLOWING | (no change)             |
 *    | FOLLOWING | good message, another status             | FOLLOWING | STATUS_CHANGED          |
 *    | FOLLOWING | good message, another license            | FOLLOWING | LICENSE_CHANGED         |
 *    | FOLLOWING | a server with a higher serial is heard   | FOLLOWING | HIGHER_SERIAL           |
 *    | FOLLOWING | the followed server is silent, one lives | FOLLOWING | SERVER_LOST             |
 *    | FOLLOWING | all servers are silent for a timeout     | COMMUNITY | SILENCE                 |
 *    | FOLLOWING | the only server's key is refused by now  | COMMUNITY | SERVER_REFUSED          |
 *    | any       | NATS connection lost                     | unchanged | (no change)             |
 *
 * Which of several live servers counts: the highest serial; among equals the best status; among
 * those the one followed already, so that nothing flaps.
 *
 * A nonce is due while connected, at most one a second. A thousand clients that heard the same
 * message, or missed the same heartbeat, must not ask in the same instant: each waits for its own
 * random part of the spread as well. (Connections are made at different times as it is: src/bus.)
 *
 *    | reason    | when                                                            | spread       |
 *    |-----------|-----------------------------------------------------------------|--------------|
 *    | START     | at the first connection                                         | -            |
 *    | RECONNECT | after every later connection                                    | -            |
 *    | UNPROVEN  | a server was heard that has to prove itself                     | 1 s          |
 *    | SILENCE   | 3/4 of the timeout after the last good message or nonce         | timeout / 16 |
 *    | PERIODIC  | ten timeouts after the last nonce                               | timeout      |
 */
#ifndef LSYS_RULES_CLIENT_STATE_H
#define LSYS_RULES_CLIENT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/license_status.h"
#include "rules/server_pinning.h"

/* Every accepted key may be live: those a license names are the larger number. */
#define CLIENT_SERVERS_MAX LICENSE_SERVERS_MAX

/* Questions are cheap, but a server that must prove itself could make us ask at its own pace. With
 * a short timeout a quarter of that is the least. */
#define CLIENT_NONCE_INTERVAL_MS 1000

/* What SILENCE spreads over is this part of the timeout: 3.75 s of 60, which leaves 11 for an
 * answer before the client falls to community. */
#define CLIENT_SILENCE_SPREAD_PARTS 16

/* Timeouts between two nonces in quiet times. */
#define CLIENT_NONCE_PERIOD_TIMEOUTS 10

/* Room for a reason and its NUL. */
#define CLIENT_REASON_BYTES 256

#define CLIENT_TIMEOUT_DEFAULT_MS 60000

enum client_mode { CLIENT_COMMUNITY, CLIENT_FOLLOWING };

/* Why the view is as it is: the event that changed it last. */
enum client_cause {
    CLIENT_NEVER_HEARD,
    CLIENT_FIRST_MESSAGE,
    CLIENT_RETURNED,
    CLIENT_HIGHER_SERIAL,
    CLIENT_LICENSE_CHANGED,
    CLIENT_STATUS_CHANGED,
    CLIENT_SERVER_LOST,
    CLIENT_SERVER_REFUSED,
    CLIENT_SILENCE,
};

enum client_nonce_reason {
    CLIENT_NONCE_NOT_DUE,
    CLIENT_NONCE_START,
    CLIENT_NONCE_RECONNECT,
    CLIENT_NONCE_UNPROVEN,
    CLIENT_NONCE_SILENCE,
    CLIENT_NONCE_PERIODIC,
};

/* What a good message said. */
struct client_heard {
    const char *key_id;         /* thumbprint of the server's key */
    enum license_status status; /* the worse of the server's word and our own judgement */
    int64_t serial;             /* 0 when the server has no license */
    const char *token_sha256;   /* of the license's token; "" when the server has none */
};

struct client_server {
    bool used;
    char key_id[SHA256_TEXT_BYTES];
    int64_t last_good_ms;
    enum license_status status;
    int64_t serial;
    char token_sha256[SHA256_TEXT_BYTES];
};

struct client_state {
    int64_t timeout_ms;
    struct client_server servers[CLIENT_SERVERS_MAX];

    enum client_mode mode;
    enum client_cause cause;
    size_t followed;  /* index in `servers` while FOLLOWING */
    int64_t since_ms; /* when mode, status or license changed last */
    bool heard_ever;
    int64_t last_good_ms; /* of any server; meaningless before heard_ever */

    bool connected;
    enum client_nonce_reason nonce_wanted; /* by an event; time-driven reasons are computed */
    bool nonce_sent_ever;
    int64_t nonce_sent_ms;
    int64_t unproven_at_ms; /* when the nonce for UNPROVEN may go out */
    int spread_per_mille;   /* this client's place within each spread, below 1000 */
};

/* Begins in community. A timeout below 4 ms is raised to that, so that its parts differ. `random`
 * is any 64 random bits: this client's place among the others when they ask. */
void client_state_init(struct client_state *state, int64_t timeout_ms, uint64_t random,
                       int64_t now_ms);

/* Takes over another timeout (SIGHUP). */
void client_state_set_timeout(struct client_state *state, int64_t timeout_ms);

/* The NATS connection came or went. */
void client_state_connected(struct client_state *state);
void client_state_disconnected(struct client_state *state);

/* A good message. Returns true when the view changed (mode, status, license or server followed);
 * `state->cause` says why. A server beyond CLIENT_SERVERS_MAX live ones is not counted: false. */
bool client_state_heard(struct client_state *state, const struct client_heard *heard,
                        int64_t now_ms);

/* A server was heard that must first prove itself. */
void client_state_needs_nonce(struct client_state *state, int64_t now_ms);

/* Our own judgement of a license became worse by time: it counts for every server that has this
 * license, until their next message. True when the view changed. */
bool client_state_judged(struct client_state *state, const char *token_sha256,
                         enum license_status status, int64_t now_ms);

/* A server's key is no longer accepted (unpinned, or the license names others). True: view
 * changed. */
bool client_state_forget_server(struct client_state *state, const char *key_id, int64_t now_ms);

/* Time passed. True when the view changed. */
bool client_state_tick(struct client_state *state, int64_t now_ms);

/* Whether a nonce is to be sent now, and why. */
enum client_nonce_reason client_state_nonce_due(const struct client_state *state, int64_t now_ms);

/* A nonce was sent. */
void client_state_nonce_sent(struct client_state *state, int64_t now_ms);

/* When client_state_tick or client_state_nonce_due will next have something to say if nothing is
 * heard; never before `now_ms`; LICENSE_NEVER when only an event can. */
int64_t client_state_next_ms(const struct client_state *state, int64_t now_ms);

/* The server followed, or NULL in community. */
const struct client_server *client_state_followed(const struct client_state *state);

/* When the client falls to community if nothing more is heard; LICENSE_NEVER in community. */
int64_t client_state_community_at_ms(const struct client_state *state);

/* How many servers are live at `now_ms`. */
size_t client_state_live_servers(const struct client_state *state, int64_t now_ms);

/* Writes the sentence for `reason` in /v1/license and for `--explain`, without a period. */
void client_state_reason(const struct client_state *state, int64_t now_ms,
                         char out[CLIENT_REASON_BYTES]);

/* Stable names in snake_case. */
const char *client_mode_name(enum client_mode mode);
const char *client_cause_name(enum client_cause cause);
const char *client_nonce_reason_name(enum client_nonce_reason reason);

#endif
