#include "roles/license-client/follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "roles/license-client/follower_state.h"

/* A flood of refused messages becomes one line in this time. */
#define REFUSAL_LOG_INTERVAL_MS 10000

/* The guard's mark moves with monotonic time by itself; a minute may be lost in a crash. */
#define CLOCK_KEEP_INTERVAL_MS 60000

#define NONCE_RANDOM_BYTES 16

/* ---- time ---- */

static void alert_clock(struct follower *follower) {
    const struct clock_reading *reading = &follower->reading;
    char text[STATUS_TEXT_BYTES];
    if (reading->turned_back == follower->clock_alerted) return;
    follower->clock_alerted = reading->turned_back;
    if (!reading->turned_back) {
        log_event(LOG_INFO, LICENSE_CLIENT_NAME, "the clock is right again", NULL);
        return;
    }
    snprintf(
        text, sizeof text,
        "this machine's clock is %lld s behind the time that was already reached; licenses are "
        "judged by the later time",
        (long long)(reading->behind_ms / 1000));
    alerts_raise(follower->alerts, ALERT_WARNING, LICENSE_CLIENT_NAME, "clock_turned_back", text);
}

static void observe(struct follower *follower, struct moment at) {
    follower->reading = clock_guard_observe(&follower->clock, at.wall_ms, at.monotonic_ms);
    follower->now_ms = at.monotonic_ms;
    alert_clock(follower);
    if (at.monotonic_ms - follower->clock_kept_ms >= CLOCK_KEEP_INTERVAL_MS) {
        follower->clock_kept_ms = at.monotonic_ms;
        ledger_keep_clock(follower->ledger, &follower->clock);
    }
}

/* ---- the license followed last ---- */

const struct license *follower_last_license(const struct follower *follower) {
    return follower->shelf.kept ? follower->shelf.kept->license : NULL;
}

/* Deployment and fingerprint are for the server to check: it knows its machine. */
static struct license_facts facts_of(const struct follower *follower,
                                     const struct license *license) {
    struct license_circumstances place = {.now_ms = follower->reading.now_ms};
    return authority_license_facts(follower->authority, license, &place, NULL);
}

struct license_judgement follower_judge(const struct follower *follower,
                                        const struct license *license) {
    struct license_facts facts = facts_of(follower, license);
    return license_status_judge(&facts, follower->reading.now_ms);
}

/* After each change of the state: the license that is followed now is the one to be remembered. */
static void remember_license(struct follower *follower) {
    const struct client_server *followed = client_state_followed(&follower->state);
    if (!followed) return;
    struct shelf_item *item = shelf_find(&follower->shelf, followed->token_sha256);
    if (!item) return;
    follower->shelf.kept = item;
    follower->license_unsaved = true;
}

/* Written a moment after everybody was told: only its serial has to be on the disk before it is
 * used. */
static void save_license(struct follower *follower) {
    const struct shelf_item *item = follower->shelf.kept;
    if (!follower->license_unsaved || !item) return;
    follower->license_unsaved = false;
    ledger_keep_document(follower->ledger, LEDGER_LICENSE, item->license->serial,
                         bytes_of_text(item->token));
}

static void restore_license(struct follower *follower) {
    struct bytes token = ledger_document_token(follower->ledger, LEDGER_LICENSE);
    struct status status = STATUS_INIT;
    if (token.length == 0) return;
    struct license *license = authority_verify_license(follower->authority, token, &status);
    if (license)
        follower->shelf.kept = shelf_put(&follower->shelf, license, token);
    else
        log_event(LOG_WARNING, LICENSE_CLIENT_NAME, "the license followed last is left out", "why",
                  status.text, NULL);
}

/* The disk gave back what could not be read at the start: higher serials, newer lists and a later
 * clock count. A server with an older license is refused at its next message. */
static void follow_merge(struct follower *follower, struct moment at) {
    const struct shelf_item *kept = follower->shelf.kept;
    authority_follow_merge(follower->authority);
    clock_guard_merge(&follower->clock, ledger_clock(follower->ledger), at.wall_ms,
                      at.monotonic_ms);
    ledger_keep_clock(follower->ledger, &follower->clock);
    follower->license_unsaved =
        kept && serial_guard_check(ledger_mark(follower->ledger, kept->line), kept->license->serial,
                                   kept->license->token_sha256) != SERIAL_OLDER;
    if (!follower->license_unsaved) restore_license(follower);
}

/* Writes what the disk refused before. */
static void save(struct follower *follower, struct moment at) {
    if (ledger_catch_up(follower->ledger)) follow_merge(follower, at);
    save_license(follower);
}

/* ---- opening and closing ---- */

static void register_metrics(struct follower *follower, struct metrics *metrics) {
    for (size_t i = 0; i < HEARING_COUNT; i++)
        follower->heard[i] =
            metrics_counter(metrics, "lsys_client_messages_total",
                            "Messages of license servers by what became of them.", "role",
                            LICENSE_CLIENT_NAME, "verdict", hearing_name((enum hearing)i), NULL);
}

struct follower *follower_open(struct authority *authority, struct ledger *ledger,
                               struct metrics *metrics, struct alerts *alerts,
                               const struct follower_options *options, struct moment at) {
    struct follower *follower = memory_new(sizeof *follower);
    char boot_id[CLOCK_BOOT_ID_BYTES];
    uint64_t random;
    follower->authority = authority;
    follower->ledger = ledger;
    follower->alerts = alerts;
    follower->pinning = options->pinning;
    follower->refusal_log.interval_ms = REFUSAL_LOG_INTERVAL_MS;
    clock_boot_id(boot_id);
    clock_guard_start(&follower->clock, ledger_clock(ledger), boot_id, at.wall_ms, at.monotonic_ms);
    random_bytes(&random, sizeof random);
    client_state_init(&follower->state, options->timeout_ms, random, at.monotonic_ms);
    rate_limit_init(&follower->answer_budget, FOLLOWER_ANSWER_VERIFICATIONS,
                    FOLLOWER_ANSWER_VERIFICATIONS, at.monotonic_ms);
    rate_limit_init(&follower->broadcast_budget,
                    FRESHNESS_VERIFICATIONS_PER_SECOND - FOLLOWER_ANSWER_VERIFICATIONS,
                    FRESHNESS_VERIFICATIONS_PER_SECOND - FOLLOWER_ANSWER_VERIFICATIONS,
                    at.monotonic_ms);
    register_metrics(follower, metrics);
    restore_license(follower);
    observe(follower, at);
    return follower;
}

void follower_close(struct follower *follower) {
    if (!follower) return;
    save_license(follower);
    ledger_keep_clock(follower->ledger, &follower->clock);
    shelf_clear(&follower->shelf);
    free(follower);
}

/* Judges the licenses of all servers anew: a server that says "valid" does not extend anything. */
static bool judge_licenses(struct follower *follower) {
    bool changed = false;
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++) {
        const struct client_server *server = &follower->state.servers[i];
        if (!server->used) continue;
        struct shelf_item *item = shelf_find(&follower->shelf, server->token_sha256);
        if (!item) continue;
        char token_sha256[SHA256_TEXT_BYTES];
        snprintf(token_sha256, sizeof token_sha256, "%s", server->token_sha256);
        enum license_status own = follower_judge(follower, item->license).status;
        changed |= client_state_judged(&follower->state, token_sha256, own, follower->now_ms);
    }
    return changed;
}

/* ---- messages ---- */

static void note_refusal(struct follower *follower, enum hearing hearing,
                         const struct status *why) {
    struct follower_refusal *refusal = &follower->refusal;
    unsigned long suppressed = 0;
    char withheld[24] = "";
    refusal->any = true;
    refusal->hearing = hearing;
    refusal->at_wall_ms = follower->reading.now_ms;
    snprintf(refusal->why, sizeof refusal->why, "%s",
             why->text[0] ? why->text : hearing_text(hearing));
    enum log_level level = hearing_is_ordinary(hearing) ? LOG_DEBUG : LOG_WARNING;
    if (level == LOG_WARNING &&
        !log_limiter_pass(&follower->refusal_log, follower->now_ms, &suppressed))
        return;
    if (suppressed > 0) snprintf(withheld, sizeof withheld, "%lu", suppressed);
    log_event(level, LICENSE_CLIENT_NAME, "a message was ignored", "verdict", hearing_name(hearing),
              "why", refusal->why, "not_logged", withheld[0] ? withheld : NULL, NULL);
}

enum follower_effect follower_hear(struct follower *follower, struct bytes text, struct moment at) {
    struct status why = STATUS_INIT;
    bool changed = false;
    enum follower_effect effect = follower_tick(follower, at);
    enum hearing hearing = intake_message(follower, text, &changed, &why);
    metric_increment(follower->heard[hearing]);
    if (hearing != HEARING_GOOD) {
        note_refusal(follower, hearing, &why);
        return effect;
    }
    /* What was ignored only until its server had proved itself is not worth telling any more. */
    if (follower->refusal.any && hearing_is_ordinary(follower->refusal.hearing))
        follower->refusal.any = false;
    /* The message may have brought a revocation, of any license. */
    changed |= judge_licenses(follower);
    if (changed) remember_license(follower);
    return changed || effect == FOLLOWER_CHANGED ? FOLLOWER_CHANGED : FOLLOWER_RENEWED;
}

/* ---- the passing of time ---- */

enum follower_effect follower_tick(struct follower *follower, struct moment at) {
    observe(follower, at);
    save(follower, at);
    bool changed = client_state_tick(&follower->state, follower->now_ms);
    changed |= judge_licenses(follower);
    if (changed) remember_license(follower);
    return changed ? FOLLOWER_CHANGED : FOLLOWER_NOTHING;
}

enum follower_effect follower_rejudge(struct follower *follower,
                                      const struct follower_options *options, struct moment at) {
    follower->pinning = options->pinning;
    client_state_set_timeout(&follower->state, options->timeout_ms);
    client_state_needs_nonce(&follower->state, at.monotonic_ms);
    return follower_tick(follower, at);
}

int64_t follower_wait_ms(const struct follower *follower, struct moment at) {
    int64_t wait_ms = client_state_next_ms(&follower->state, at.monotonic_ms) - at.monotonic_ms;
    const struct client_server *followed = client_state_followed(&follower->state);
    if (followed && follower->shelf.kept) {
        struct license_judgement judgement =
            follower_judge(follower, follower_last_license(follower));
        int64_t edge_ms =
            judgement.next_change_at_ms == LICENSE_NEVER
                ? FOLLOWER_OBSERVE_MS
                : clock_guard_wait_ms(&follower->reading, judgement.next_change_at_ms);
        if (edge_ms < wait_ms) wait_ms = edge_ms;
    }
    return wait_ms < FOLLOWER_OBSERVE_MS ? wait_ms : FOLLOWER_OBSERVE_MS;
}

/* ---- connection and nonces ---- */

void follower_connected(struct follower *follower) {
    client_state_disconnected(&follower->state);
    client_state_connected(&follower->state);
}

void follower_disconnected(struct follower *follower) {
    client_state_disconnected(&follower->state);
}

enum client_nonce_reason follower_make_nonce(struct follower *follower,
                                             char nonce[FOLLOWER_NONCE_BYTES], struct moment at) {
    enum client_nonce_reason reason = client_state_nonce_due(&follower->state, at.monotonic_ms);
    if (reason == CLIENT_NONCE_NOT_DUE) return reason;
    uint8_t random[NONCE_RANDOM_BYTES];
    random_bytes(random, sizeof random);
    base64url_encode(bytes_of(random, sizeof random), follower->nonce);
    snprintf(nonce, FOLLOWER_NONCE_BYTES, "%s", follower->nonce);
    client_state_nonce_sent(&follower->state, at.monotonic_ms);
    known_servers_asked(&follower->servers, at.monotonic_ms);
    return reason;
}

void follower_close_nonce(struct follower *follower) {
    follower->nonce[0] = '\0';
}

/* ---- the view ---- */

void follower_look(const struct follower *follower, struct follower_view *view) {
    const struct client_server *followed = client_state_followed(&follower->state);
    const struct license *last = follower_last_license(follower);
    memset(view, 0, sizeof *view);
    view->state = &follower->state;
    view->now_wall_ms = follower->reading.now_ms;
    view->now_monotonic_ms = follower->now_ms;
    view->clock = follower->reading;
    view->license_problem = "";
    view->last_license = last;
    view->facts = facts_of(follower, last);
    view->judgement = license_status_judge(&view->facts, follower->reading.now_ms);
    view->authority = follower->authority;
    view->pins = ledger_pins(follower->ledger);
    view->refusal = &follower->refusal;
    view->status = LICENSE_MISSING;
    if (!followed) return;
    view->status = followed->status;
    view->licensed = license_status_grants(followed->status);
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
        if (strcmp(follower->servers.items[i].key_id, followed->key_id) == 0)
            view->server = &follower->servers.items[i];
    view->server_word = view->server ? view->server->word : followed->status;
    view->license_problem = follower->license_problem;
    if (last && strcmp(last->token_sha256, followed->token_sha256) == 0) view->license = last;
}
