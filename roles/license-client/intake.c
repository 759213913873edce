#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "roles/license-client/follower_state.h"
#include "roles/license-client/message.h"

/* One message on its way through the checks. */
struct intake {
    struct follower *follower;
    struct status_message message;
    struct freshness_message fresh; /* what freshness is judged by */
    struct shelf_item *item;        /* the license it has; NULL: none, or none that verifies */
    bool pin;                       /* the key is to be pinned if everything else is right, too */
    struct status *why;
};

/* The thumbprint of the server's key. */
static const char *key_of(const struct intake *intake) {
    return intake->message.proof.server_key.thumbprint;
}

/* ---- the sender ---- */

static enum freshness_nonce nonce_of(const struct follower *follower,
                                     const struct status_proof *proof) {
    if (proof->nonce[0] == '\0') return FRESHNESS_NONCE_NONE;
    bool ours = follower->nonce[0] != '\0' && strcmp(proof->nonce, follower->nonce) == 0;
    return ours ? FRESHNESS_NONCE_OURS : FRESHNESS_NONCE_OTHER;
}

/* Whose server_jkts count. The license of the message, when it names servers, or when it is the
 * later word of the vendor in the same line; else the license followed last, so that nobody gets
 * around its names with some other license that has none. */
static const struct license *naming_license(const struct follower *follower,
                                            const struct shelf_item *item) {
    const struct license *last = follower_last_license(follower);
    if (!item || !last) return item ? item->license : last;
    if (item->license->server_jkts_count > 0) return item->license;
    char line[SHA256_TEXT_BYTES];
    license_serial_line(last, line);
    bool later = strcmp(line, item->line) == 0 && item->license->serial > last->serial;
    return later ? item->license : last;
}

static enum pinning_verdict judge_key(const struct intake *intake) {
    const struct follower *follower = intake->follower;
    return server_pinning_judge(ledger_pins(follower->ledger),
                                naming_license(follower, intake->item), follower->pinning,
                                key_of(intake), intake->fresh.nonce == FRESHNESS_NONCE_OURS);
}

/* Everything that costs no signature. A message that brings a license of its own may bring the
 * names of its servers with it, so that its key is judged only after the license. */
static enum hearing check_sender(struct intake *intake) {
    struct follower *follower = intake->follower;
    const struct status_proof *proof = &intake->message.proof;
    bool has_license = proof->token_sha256[0] != '\0';
    intake->item = shelf_find(&follower->shelf, proof->token_sha256);
    if (intake->item || !has_license) {
        enum pinning_verdict verdict = judge_key(intake);
        if (verdict != PINNING_ACCEPT && verdict != PINNING_PIN) return hearing_of_pinning(verdict);
    }
    const struct known_server *known = known_servers_find(&follower->servers, key_of(intake));
    const struct server_freshness unknown = {0};
    enum freshness_verdict fresh =
        server_freshness_check(known ? &known->freshness : &unknown, &intake->fresh,
                               follower->state.timeout_ms, follower->now_ms);
    if (fresh != FRESHNESS_OK) return hearing_of_freshness(fresh);
    if (has_license && !intake->item && intake->message.license.length == 0)
        return HEARING_UNKNOWN_LICENSE;
    return HEARING_GOOD;
}

static bool take_budget(struct intake *intake) {
    struct follower *follower = intake->follower;
    bool answer = intake->fresh.nonce == FRESHNESS_NONCE_OURS;
    return rate_limit_take(answer ? &follower->answer_budget : &follower->broadcast_budget,
                           follower->now_ms);
}

static enum hearing verify_proof(struct intake *intake) {
    if (!take_budget(intake)) return HEARING_OVER_BUDGET;
    if (status_proof_verify(intake->message.proof_token, &intake->message.proof, NULL, intake->why))
        return HEARING_GOOD;
    return HEARING_BAD_SIGNATURE;
}

/* ---- what the vendor signed ---- */

static void report_adopted(const struct intake *intake, const char *what, int64_t serial) {
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)serial);
    log_event(LOG_INFO, LICENSE_CLIENT_NAME, "a newer document of the vendor is in force", "what",
              what, "serial", number, "server", intake->message.proof.server_id, NULL);
}

static void report_refused(const struct intake *intake, const char *what,
                           const struct status *why) {
    if (!log_limiter_pass(&intake->follower->refusal_log, intake->follower->now_ms, NULL)) return;
    log_event(LOG_WARNING, LICENSE_CLIENT_NAME, "a document in a message was refused", "what", what,
              "code", status_code_name(why->code), "why", why->text, "server",
              intake->message.proof.server_id, NULL);
}

static void adopt_keyring(struct intake *intake) {
    struct follower *follower = intake->follower;
    struct bytes token = intake->message.keyring;
    struct status why = STATUS_INIT;
    if (token.length == 0 || authority_has_keyring(follower->authority, token)) return;
    if (!take_budget(intake)) return;
    enum adoption adoption = authority_adopt_keyring(follower->authority, token, &why);
    if (adoption == ADOPTION_REFUSED) report_refused(intake, "key ring", &why);
    const struct keyring_token *keyring = follower->authority->keyring;
    if (adoption != ADOPTION_TAKEN || !keyring) return;
    clock_guard_signed(&follower->clock, keyring->issued_at_ms, follower->now_ms);
    report_adopted(intake, "key ring", keyring->serial);
}

static void adopt_revocations(struct intake *intake) {
    struct follower *follower = intake->follower;
    struct bytes token = intake->message.revocations;
    struct status why = STATUS_INIT;
    if (token.length == 0 || authority_has_revocations(follower->authority, token)) return;
    if (!take_budget(intake)) return;
    enum adoption adoption = authority_adopt_revocations(follower->authority, token, &why);
    if (adoption == ADOPTION_REFUSED) report_refused(intake, "revocation list", &why);
    const struct revocations *list = follower->authority->revocations;
    if (adoption != ADOPTION_TAKEN || !list) return;
    clock_guard_signed(&follower->clock, list->issued_at_ms, follower->now_ms);
    report_adopted(intake, "revocation list", list->serial);
}

/* Puts the message's license on the shelf if it verifies; else `why` says what is wrong with it. */
static enum hearing take_license(struct intake *intake) {
    struct follower *follower = intake->follower;
    struct bytes token = intake->message.license;
    if (intake->item || token.length == 0) return HEARING_GOOD;
    if (!take_budget(intake)) return HEARING_OVER_BUDGET;
    struct license *license = authority_verify_license(follower->authority, token, intake->why);
    if (!license) return HEARING_GOOD;
    clock_guard_signed(&follower->clock, license->issued_at_ms, follower->now_ms);
    intake->item = shelf_put(&follower->shelf, license, token);
    return HEARING_GOOD;
}

/* ---- the key, now that the license is known ---- */

static enum hearing accept_key(struct intake *intake) {
    enum pinning_verdict verdict = judge_key(intake);
    if (verdict == PINNING_ACCEPT) return HEARING_GOOD;
    if (verdict != PINNING_PIN) return hearing_of_pinning(verdict);
    if (!intake->item) return HEARING_NO_LICENSE;
    intake->pin = true;
    return HEARING_GOOD;
}

/* ---- the license's serial and line ---- */

static enum hearing check_serial(struct intake *intake) {
    struct follower *follower = intake->follower;
    const struct license *license = intake->item ? intake->item->license : NULL;
    if (!license) return HEARING_GOOD;
    const struct serial_mark *mark = ledger_mark(follower->ledger, intake->item->line);
    if (serial_guard_check(mark, license->serial, license->token_sha256) == SERIAL_OLDER) {
        status_fail(intake->why, STATUS_OLD_SERIAL,
                    "its license has serial %lld, and serial %lld was seen before",
                    (long long)license->serial, (long long)mark->serial);
        return HEARING_OLD_SERIAL;
    }
    return HEARING_GOOD;
}

/* While a server is followed, only that one may go to another product or customer. */
static enum hearing check_line(const struct intake *intake) {
    struct follower *follower = intake->follower;
    const struct client_server *followed = client_state_followed(&follower->state);
    if (!intake->item || !followed || strcmp(followed->key_id, key_of(intake)) == 0)
        return HEARING_GOOD;
    const struct known_server *known = known_servers_find(&follower->servers, followed->key_id);
    if (!known || known->line[0] == '\0' || strcmp(known->line, intake->item->line) == 0)
        return HEARING_GOOD;
    return HEARING_OTHER_LINE;
}

/* ---- a good message ---- */

static void pin_server(struct intake *intake) {
    struct follower *follower = intake->follower;
    struct server_pins pins = *ledger_pins(follower->ledger);
    char text[STATUS_TEXT_BYTES];
    server_pins_add(&pins, key_of(intake), follower->reading.now_ms);
    ledger_keep_pins(follower->ledger, &pins);
    snprintf(text, sizeof text,
             "the license server \"%.200s\" proved itself and its key %s is pinned",
             intake->message.proof.server_id, key_of(intake));
    alerts_raise(follower->alerts, ALERT_WARNING, LICENSE_CLIENT_NAME, "server_key_pinned", text);
}

/* The followed server went to another line: those that stay behind no longer count. */
static void forget_other_lines(struct follower *follower, const char *key_id, const char *line) {
    const struct client_server *followed = client_state_followed(&follower->state);
    if (!followed || strcmp(followed->key_id, key_id) != 0) return;
    for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++) {
        struct known_server *server = &follower->servers.items[i];
        if (server->key_id[0] && server->line[0] && strcmp(server->line, line) != 0 &&
            strcmp(server->key_id, key_id) != 0)
            client_state_forget_server(&follower->state, server->key_id, follower->now_ms);
    }
}

static void note_server(struct intake *intake, enum license_status word) {
    struct follower *follower = intake->follower;
    struct known_server *server = known_servers_take(&follower->servers, key_of(intake));
    server_freshness_commit(&server->freshness, &intake->fresh, follower->now_ms);
    snprintf(server->server_id, sizeof server->server_id, "%s", intake->message.proof.server_id);
    snprintf(server->line, sizeof server->line, "%s", intake->item ? intake->item->line : "");
    server->word = word;
    server->heard_wall_ms = follower->reading.now_ms;
    server->heard_monotonic_ms = follower->now_ms;
}

/* What counts is the worse of the server's word and our own judgement. A license that does not
 * verify here is invalid, whatever its server says. */
static enum license_status status_in_force(const struct intake *intake, enum license_status word) {
    if (intake->message.proof.token_sha256[0] == '\0')
        return word < LICENSE_INVALID ? word : LICENSE_INVALID;
    if (!intake->item) return LICENSE_INVALID;
    enum license_status own = follower_judge(intake->follower, intake->item->license).status;
    return word < own ? word : own;
}

static bool apply(struct intake *intake, enum license_status word) {
    struct follower *follower = intake->follower;
    const struct shelf_item *item = intake->item;
    struct client_heard heard = {
        .key_id = key_of(intake),
        .status = status_in_force(intake, word),
        .serial = item ? item->license->serial : 0,
        .token_sha256 = intake->message.proof.token_sha256,
    };
    if (intake->pin) pin_server(intake);
    note_server(intake, word);
    if (item) {
        ledger_advance(follower->ledger, item->line, item->license->serial,
                       item->license->token_sha256);
        forget_other_lines(follower, key_of(intake), item->line);
    }
    bool changed = client_state_heard(&follower->state, &heard, follower->now_ms);
    const struct client_server *followed = client_state_followed(&follower->state);
    if (followed && strcmp(followed->key_id, key_of(intake)) == 0)
        snprintf(follower->license_problem, sizeof follower->license_problem, "%s",
                 item ? "" : intake->why->text);
    return changed;
}

/* ---- all of it ---- */

static enum hearing judge(struct intake *intake) {
    enum hearing (*const steps[])(struct intake *) = {check_sender, verify_proof};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        enum hearing hearing = steps[i](intake);
        if (hearing != HEARING_GOOD) return hearing;
    }
    /* The key ring first: it may bring the key that signed the list, or the license. */
    adopt_keyring(intake);
    adopt_revocations(intake);
    enum hearing hearing = take_license(intake);
    if (hearing == HEARING_GOOD) hearing = accept_key(intake);
    if (hearing == HEARING_GOOD) hearing = check_serial(intake);
    if (hearing == HEARING_GOOD) hearing = check_line(intake);
    return hearing;
}

enum hearing intake_message(struct follower *follower, struct bytes text, bool *changed,
                            struct status *why) {
    struct intake intake = {.follower = follower, .why = why};
    enum license_status word;
    *changed = false;
    if (!status_message_read(text, &intake.message, why)) return HEARING_MALFORMED;
    const struct status_proof *proof = &intake.message.proof;
    intake.fresh = (struct freshness_message){
        .seq = proof->seq, .sent_at_ms = proof->sent_at_ms, .nonce = nonce_of(follower, proof)};
    enum hearing hearing = HEARING_MALFORMED;
    if (license_status_read(bytes_of_text(proof->status), &word)) hearing = judge(&intake);
    if (hearing == HEARING_GOOD) *changed = apply(&intake, word);
    if (hearing == HEARING_UNPROVEN || hearing == HEARING_UNKNOWN_LICENSE)
        client_state_needs_nonce(&follower->state, follower->now_ms);
    status_message_free(&intake.message);
    return hearing;
}
