#include "rules/client_state.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Below this the quarters of a timeout are no longer different moments. */
#define TIMEOUT_MIN_MS 4

/* A day without a sign of life; longer ones only overflow. */
#define TIMEOUT_MAX_MS (1000LL * 86400000)

static int64_t clamp_timeout(int64_t timeout_ms) {
    if (timeout_ms < TIMEOUT_MIN_MS) return TIMEOUT_MIN_MS;
    return timeout_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS : timeout_ms;
}

static bool is_live(const struct client_state *state, const struct client_server *server,
                    int64_t now_ms) {
    return server->used && now_ms - server->last_good_ms < state->timeout_ms;
}

static bool is_better(const struct client_server *candidate, const struct client_server *best) {
    if (candidate->serial != best->serial) return candidate->serial > best->serial;
    return candidate->status > best->status;
}

/* The live server that counts, starting from the one followed so that equals change nothing. NULL
 * when none is live. */
static struct client_server *choose_server(struct client_state *state, int64_t now_ms) {
    struct client_server *best = NULL;
    if (state->mode == CLIENT_FOLLOWING && is_live(state, &state->servers[state->followed], now_ms))
        best = &state->servers[state->followed];
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++) {
        struct client_server *server = &state->servers[i];
        if (is_live(state, server, now_ms) && (!best || is_better(server, best))) best = server;
    }
    return best;
}

static void set_cause(struct client_state *state, enum client_cause cause, int64_t now_ms) {
    state->cause = cause;
    state->since_ms = now_ms;
}

/* Why following `next` differs from what was followed before; the caller knows that it differs. */
static enum client_cause cause_of_change(const struct client_state *state,
                                         const struct client_server *before,
                                         const struct client_server *next, int64_t now_ms) {
    if (state->mode == CLIENT_COMMUNITY)
        return state->cause == CLIENT_NEVER_HEARD ? CLIENT_FIRST_MESSAGE : CLIENT_RETURNED;
    if (next != &state->servers[state->followed]) {
        if (next->serial > before->serial) return CLIENT_HIGHER_SERIAL;
        if (!is_live(state, &state->servers[state->followed], now_ms)) return CLIENT_SERVER_LOST;
    }
    return strcmp(next->token_sha256, before->token_sha256) != 0 ? CLIENT_LICENSE_CHANGED
                                                                 : CLIENT_STATUS_CHANGED;
}

static bool is_same(const struct client_server *left, const struct client_server *right) {
    return strcmp(left->key_id, right->key_id) == 0 && left->status == right->status &&
           left->serial == right->serial && strcmp(left->token_sha256, right->token_sha256) == 0;
}

/* Chooses anew after an event. `before` is a copy of the followed server's record before the event;
 * `why_lost` is the cause if no server is left. True when the view changed. */
static bool settle(struct client_state *state, const struct client_server *before,
                   enum client_cause why_lost, int64_t now_ms) {
    struct client_server *next = choose_server(state, now_ms);
    if (!next) {
        if (state->mode == CLIENT_COMMUNITY) return false;
        state->mode = CLIENT_COMMUNITY;
        set_cause(state, why_lost, now_ms);
        return true;
    }
    if (state->mode == CLIENT_FOLLOWING && is_same(next, before)) return false;
    set_cause(state, cause_of_change(state, before, next, now_ms), now_ms);
    state->mode = CLIENT_FOLLOWING;
    state->followed = (size_t)(next - state->servers);
    return true;
}

void client_state_init(struct client_state *state, int64_t timeout_ms, uint64_t random,
                       int64_t now_ms) {
    memset(state, 0, sizeof *state);
    state->spread_per_mille = (int)(random % 1000);
    state->timeout_ms = clamp_timeout(timeout_ms);
    state->mode = CLIENT_COMMUNITY;
    set_cause(state, CLIENT_NEVER_HEARD, now_ms);
    state->nonce_sent_ms = now_ms;
}

void client_state_set_timeout(struct client_state *state, int64_t timeout_ms) {
    state->timeout_ms = clamp_timeout(timeout_ms);
}

void client_state_connected(struct client_state *state) {
    if (state->connected) return;
    state->connected = true;
    state->nonce_wanted = state->nonce_sent_ever ? CLIENT_NONCE_RECONNECT : CLIENT_NONCE_START;
}

void client_state_disconnected(struct client_state *state) {
    state->connected = false;
}

/* The record of a key: its own, a free one, or that of a server that is silent. NULL when all are
 * live. */
static struct client_server *place_for(struct client_state *state, const char *key_id,
                                       int64_t now_ms) {
    struct client_server *free_place = NULL;
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++) {
        struct client_server *server = &state->servers[i];
        if (server->used && strcmp(server->key_id, key_id) == 0) return server;
        bool is_followed = state->mode == CLIENT_FOLLOWING && i == state->followed;
        if (!free_place && !is_followed && !is_live(state, server, now_ms)) free_place = server;
    }
    return free_place;
}

bool client_state_heard(struct client_state *state, const struct client_heard *heard,
                        int64_t now_ms) {
    struct client_server *server = place_for(state, heard->key_id, now_ms);
    if (!server) return false;
    struct client_server before = state->servers[state->followed];
    memset(server, 0, sizeof *server);
    server->used = true;
    snprintf(server->key_id, sizeof server->key_id, "%s", heard->key_id);
    snprintf(server->token_sha256, sizeof server->token_sha256, "%s", heard->token_sha256);
    server->last_good_ms = now_ms;
    server->status = heard->status;
    server->serial = heard->serial;
    state->heard_ever = true;
    state->last_good_ms = now_ms;
    return settle(state, &before, CLIENT_SILENCE, now_ms);
}

bool client_state_judged(struct client_state *state, const char *token_sha256,
                         enum license_status status, int64_t now_ms) {
    struct client_server before = state->servers[state->followed];
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++) {
        struct client_server *server = &state->servers[i];
        if (server->used && strcmp(server->token_sha256, token_sha256) == 0 &&
            status < server->status)
            server->status = status;
    }
    return settle(state, &before, CLIENT_SILENCE, now_ms);
}

bool client_state_forget_server(struct client_state *state, const char *key_id, int64_t now_ms) {
    struct client_server before = state->servers[state->followed];
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
        if (state->servers[i].used && strcmp(state->servers[i].key_id, key_id) == 0)
            state->servers[i].used = false;
    return settle(state, &before, CLIENT_SERVER_REFUSED, now_ms);
}

bool client_state_tick(struct client_state *state, int64_t now_ms) {
    struct client_server before = state->servers[state->followed];
    return settle(state, &before, CLIENT_SILENCE, now_ms);
}

static int64_t own_part_of(const struct client_state *state, int64_t spread_ms) {
    return spread_ms * state->spread_per_mille / 1000;
}

/* The least time between two nonces. */
static int64_t nonce_interval_ms(const struct client_state *state) {
    int64_t quarter_ms = state->timeout_ms / 4;
    return quarter_ms < CLIENT_NONCE_INTERVAL_MS ? quarter_ms : CLIENT_NONCE_INTERVAL_MS;
}

void client_state_needs_nonce(struct client_state *state, int64_t now_ms) {
    if (state->nonce_wanted != CLIENT_NONCE_NOT_DUE) return;
    state->nonce_wanted = CLIENT_NONCE_UNPROVEN;
    state->unproven_at_ms = now_ms + own_part_of(state, nonce_interval_ms(state));
}

/* When silence asks for a nonce: 3/4 of the timeout after the last sign of life or question. */
static int64_t silence_nonce_at_ms(const struct client_state *state) {
    int64_t from_ms = state->nonce_sent_ms;
    if (state->heard_ever && state->last_good_ms > from_ms) from_ms = state->last_good_ms;
    return from_ms + state->timeout_ms / 4 * 3 +
           own_part_of(state, state->timeout_ms / CLIENT_SILENCE_SPREAD_PARTS);
}

/* Before this no nonce is sent, whatever asks for one. */
static int64_t nonce_allowed_at_ms(const struct client_state *state) {
    int64_t allowed_ms = state->nonce_sent_ms;
    if (state->nonce_sent_ever) allowed_ms += nonce_interval_ms(state);
    bool is_unproven = state->nonce_wanted == CLIENT_NONCE_UNPROVEN;
    return is_unproven && state->unproven_at_ms > allowed_ms ? state->unproven_at_ms : allowed_ms;
}

static int64_t periodic_nonce_at_ms(const struct client_state *state) {
    return state->nonce_sent_ms + state->timeout_ms * CLIENT_NONCE_PERIOD_TIMEOUTS +
           own_part_of(state, state->timeout_ms);
}

enum client_nonce_reason client_state_nonce_due(const struct client_state *state, int64_t now_ms) {
    if (!state->connected) return CLIENT_NONCE_NOT_DUE;
    if (now_ms < nonce_allowed_at_ms(state)) return CLIENT_NONCE_NOT_DUE;
    if (state->nonce_wanted != CLIENT_NONCE_NOT_DUE) return state->nonce_wanted;
    if (now_ms >= silence_nonce_at_ms(state)) return CLIENT_NONCE_SILENCE;
    if (now_ms >= periodic_nonce_at_ms(state)) return CLIENT_NONCE_PERIODIC;
    return CLIENT_NONCE_NOT_DUE;
}

void client_state_nonce_sent(struct client_state *state, int64_t now_ms) {
    state->nonce_wanted = CLIENT_NONCE_NOT_DUE;
    state->nonce_sent_ever = true;
    state->nonce_sent_ms = now_ms;
}

static int64_t earlier(int64_t left_ms, int64_t right_ms) {
    return left_ms < right_ms ? left_ms : right_ms;
}

static int64_t later(int64_t left_ms, int64_t right_ms) {
    return left_ms > right_ms ? left_ms : right_ms;
}

int64_t client_state_next_ms(const struct client_state *state, int64_t now_ms) {
    int64_t next_ms = LICENSE_NEVER;
    if (state->mode == CLIENT_FOLLOWING)
        next_ms = state->servers[state->followed].last_good_ms + state->timeout_ms;
    if (state->connected) {
        int64_t nonce_ms = earlier(silence_nonce_at_ms(state), periodic_nonce_at_ms(state));
        if (state->nonce_wanted != CLIENT_NONCE_NOT_DUE) nonce_ms = now_ms;
        next_ms = earlier(next_ms, later(nonce_ms, nonce_allowed_at_ms(state)));
    }
    return later(next_ms, now_ms);
}

const struct client_server *client_state_followed(const struct client_state *state) {
    return state->mode == CLIENT_FOLLOWING ? &state->servers[state->followed] : NULL;
}

int64_t client_state_community_at_ms(const struct client_state *state) {
    if (state->mode == CLIENT_COMMUNITY) return LICENSE_NEVER;
    int64_t last_ms = state->servers[state->followed].last_good_ms;
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
        if (state->servers[i].used) last_ms = later(last_ms, state->servers[i].last_good_ms);
    return last_ms + state->timeout_ms;
}

size_t client_state_live_servers(const struct client_state *state, int64_t now_ms) {
    size_t count = 0;
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
        count += is_live(state, &state->servers[i], now_ms);
    return count;
}

static void describe_community(const struct client_state *state, int64_t now_ms,
                               char out[CLIENT_REASON_BYTES]) {
    char timeout[TEXT_DURATION_BYTES];
    char silence[TEXT_DURATION_BYTES];
    const char *connection = state->connected ? "" : "; there is no connection to NATS";
    text_format_duration(state->timeout_ms, timeout);
    text_format_duration(now_ms - state->last_good_ms, silence);
    if (state->cause == CLIENT_SERVER_REFUSED)
        snprintf(out, CLIENT_REASON_BYTES, "the license server's key is no longer accepted%s",
                 connection);
    else if (state->cause == CLIENT_SILENCE)
        snprintf(out, CLIENT_REASON_BYTES,
                 "no good heartbeat within %s: the last one came %s ago%s", timeout, silence,
                 connection);
    else if (state->connected)
        snprintf(out, CLIENT_REASON_BYTES, "no license server has answered yet");
    else
        snprintf(out, CLIENT_REASON_BYTES,
                 "no license server was heard yet: waiting for the connection to NATS");
}

void client_state_reason(const struct client_state *state, int64_t now_ms,
                         char out[CLIENT_REASON_BYTES]) {
    const struct client_server *followed = client_state_followed(state);
    if (!followed) {
        describe_community(state, now_ms, out);
        return;
    }
    snprintf(out, CLIENT_REASON_BYTES, "license server %.8s says: %s%s", followed->key_id,
             license_status_word(followed->status),
             state->connected ? "" : "; the connection to NATS is lost");
}

const char *client_mode_name(enum client_mode mode) {
    return mode == CLIENT_FOLLOWING ? "following" : "community";
}

const char *client_cause_name(enum client_cause cause) {
    switch (cause) {
    case CLIENT_FIRST_MESSAGE: return "first_message";
    case CLIENT_RETURNED: return "returned";
    case CLIENT_HIGHER_SERIAL: return "higher_serial";
    case CLIENT_LICENSE_CHANGED: return "license_changed";
    case CLIENT_STATUS_CHANGED: return "status_changed";
    case CLIENT_SERVER_LOST: return "server_lost";
    case CLIENT_SERVER_REFUSED: return "server_refused";
    case CLIENT_SILENCE: return "silence";
    case CLIENT_NEVER_HEARD: break;
    }
    return "never_heard";
}

const char *client_nonce_reason_name(enum client_nonce_reason reason) {
    switch (reason) {
    case CLIENT_NONCE_START: return "start";
    case CLIENT_NONCE_RECONNECT: return "reconnect";
    case CLIENT_NONCE_UNPROVEN: return "unproven_server";
    case CLIENT_NONCE_SILENCE: return "silence";
    case CLIENT_NONCE_PERIODIC: return "periodic";
    case CLIENT_NONCE_NOT_DUE: break;
    }
    return "not_due";
}
