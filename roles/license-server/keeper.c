#include "roles/license-server/keeper.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* The guard's mark moves with monotonic time by itself; in a crash a minute may be lost. */
#define CLOCK_KEEP_INTERVAL_MS 60000

/* ---- opening, closing, time ---- */

void keeper_init(struct keeper *keeper, struct ledger *ledger, struct authority *authority,
                 const char *deployment_id, const struct fingerprint *fingerprint) {
    char boot_id[CLOCK_BOOT_ID_BYTES];
    memset(keeper, 0, sizeof *keeper);
    keeper->ledger = ledger;
    keeper->authority = authority;
    keeper->deployment_id = deployment_id;
    keeper->fingerprint = *fingerprint;
    buffer_init(&keeper->token, JWS_TOKEN_BYTES_MAX);
    clock_boot_id(boot_id);
    keeper->monotonic_ms = clock_monotonic_ms();
    clock_guard_start(&keeper->clock, ledger_clock(ledger), boot_id, clock_wall_ms(),
                      keeper->monotonic_ms);
    keeper->clock_kept_ms = keeper->monotonic_ms - CLOCK_KEEP_INTERVAL_MS;
    keeper_observe(keeper);
    keeper_judge(keeper);
}

void keeper_free(struct keeper *keeper) {
    ledger_keep_clock(keeper->ledger, &keeper->clock);
    license_free(keeper->license);
    buffer_free(&keeper->token);
}

void keeper_observe(struct keeper *keeper) {
    keeper->monotonic_ms = clock_monotonic_ms();
    keeper->reading = clock_guard_observe(&keeper->clock, clock_wall_ms(), keeper->monotonic_ms);
    if (keeper->monotonic_ms - keeper->clock_kept_ms < CLOCK_KEEP_INTERVAL_MS) return;
    keeper->clock_kept_ms = keeper->monotonic_ms;
    ledger_keep_clock(keeper->ledger, &keeper->clock);
}

/* ---- the disk ---- */

static void leave_license(struct keeper *keeper) {
    license_free(keeper->license);
    keeper->license = NULL;
    keeper->source = KEEPER_NONE;
    buffer_clear(&keeper->token);
}

/* The disk gave back what could not be read at the start. A license in force that is older than
 * what was in force before gives way to that one. */
static void follow_merge(struct keeper *keeper) {
    const struct license *license = keeper->license;
    authority_follow_merge(keeper->authority);
    clock_guard_merge(&keeper->clock, ledger_clock(keeper->ledger), clock_wall_ms(),
                      keeper->monotonic_ms);
    ledger_keep_clock(keeper->ledger, &keeper->clock);
    if (license && serial_guard_check(ledger_mark(keeper->ledger, keeper->line), license->serial,
                                      license->token_sha256) == SERIAL_OLDER)
        leave_license(keeper);
    else if (license)
        ledger_keep_document(keeper->ledger, LEDGER_LICENSE, license->serial,
                             buffer_bytes(&keeper->token));
    keeper_restore(keeper);
}

void keeper_save(struct keeper *keeper) {
    if (ledger_catch_up(keeper->ledger)) follow_merge(keeper);
}

/* Takes a time that the vendor signed: it may move `now`. */
static void learn_time(struct keeper *keeper, int64_t signed_ms) {
    clock_guard_signed(&keeper->clock, signed_ms, keeper->monotonic_ms);
    keeper_observe(keeper);
}

/* ---- what is in force ---- */

static struct license_facts look_up_facts(const struct keeper *keeper,
                                          const struct license *license, struct status *status) {
    struct license_circumstances place = {
        .deployment_id = keeper->deployment_id,
        .fingerprint = &keeper->fingerprint,
        .now_ms = keeper->reading.now_ms,
    };
    return authority_license_facts(keeper->authority, license, &place, status);
}

void keeper_judge(struct keeper *keeper) {
    status_clear(&keeper->check);
    if (keeper->license)
        keeper->facts = look_up_facts(keeper, keeper->license, &keeper->check);
    else
        keeper->facts = license_status_facts(NULL, keeper->file_problem.code);
    keeper->judgement = license_status_judge(&keeper->facts, keeper->reading.now_ms);
}

/* Puts a verified license in force; it belongs to the keeper from now on. What must survive goes to
 * the ledger first. */
static void put_in_force(struct keeper *keeper, struct license *license, struct bytes token,
                         enum keeper_source source) {
    license_serial_line(license, keeper->line);
    ledger_advance(keeper->ledger, keeper->line, license->serial, license->token_sha256);
    ledger_keep_document(keeper->ledger, LEDGER_LICENSE, license->serial, token);
    license_free(keeper->license);
    keeper->license = license;
    keeper->source = source;
    buffer_clear(&keeper->token);
    buffer_append(&keeper->token, token.data, token.length);
}

void keeper_restore(struct keeper *keeper) {
    struct status status = STATUS_INIT;
    struct bytes token = ledger_document_token(keeper->ledger, LEDGER_LICENSE);
    char line[SHA256_TEXT_BYTES];
    if (keeper->license || token.length == 0) return;
    struct license *license = authority_verify_license(keeper->authority, token, &status);
    if (!license) {
        log_event(LOG_WARNING, ledger_role(keeper->ledger),
                  "the saved license is left out: the configured keys do not verify it", "why",
                  status.text, NULL);
        return;
    }
    license_serial_line(license, line);
    if (serial_guard_check(ledger_mark(keeper->ledger, line), license->serial,
                           license->token_sha256) == SERIAL_OLDER) {
        license_free(license);
        return;
    }
    learn_time(keeper, license->issued_at_ms);
    put_in_force(keeper, license, token, KEEPER_SAVED);
    keeper_judge(keeper);
}

/* ---- offers ---- */

static struct license_candidate candidate_of(const struct license *license, const char *line,
                                             const struct license_facts *facts) {
    return (struct license_candidate){
        .facts = *facts,
        .line = line,
        .serial = license->serial,
        .digest = license->token_sha256,
    };
}

static struct license_choice choose(struct keeper *keeper, const struct license *license,
                                    const char *line, const struct license_facts *facts,
                                    enum license_origin origin) {
    struct license_candidate candidate = candidate_of(license, line, facts);
    struct license_candidate present;
    if (keeper->license) {
        keeper_judge(keeper);
        present = candidate_of(keeper->license, keeper->line, &keeper->facts);
    }
    return license_choice_decide(&candidate, origin, keeper->license ? &present : NULL,
                                 ledger_mark(keeper->ledger, line), keeper->reading.now_ms);
}

/* A sentence for people: what license_check found is more particular than the rule. */
static void explain_refusal(const struct license_choice *choice, const struct license *license,
                            const struct serial_mark *mark, struct status *status) {
    if (choice->code == STATUS_OLD_SERIAL) {
        status_clear(status);
        status_fail(status, choice->code,
                    "its serial is %lld, and serial %lld of the same line was in force before",
                    (long long)license->serial, (long long)mark->serial);
    } else if (status->code != choice->code) {
        status_clear(status);
        status_fail(status, choice->code, "%s", choice->text);
    }
}

struct keeper_answer keeper_offer(struct keeper *keeper, struct bytes token,
                                  enum license_origin origin) {
    struct keeper_answer answer = {.decision = LICENSE_REFUSE,
                                   .again_at_ms = LICENSE_NEVER,
                                   .text = "verification refused it"};
    char line[SHA256_TEXT_BYTES];
    struct license *license = authority_verify_license(keeper->authority, token, &answer.status);
    if (!license) return answer;

    learn_time(keeper, license->issued_at_ms);
    license_serial_line(license, line);
    struct license_facts facts = look_up_facts(keeper, license, &answer.status);
    struct license_choice choice = choose(keeper, license, line, &facts, origin);
    answer.decision = choice.decision;
    answer.changes_line = choice.changes_line;
    answer.again_at_ms = choice.again_at_ms;
    answer.text = choice.text;
    if (choice.decision == LICENSE_REFUSE)
        explain_refusal(&choice, license, ledger_mark(keeper->ledger, line), &answer.status);
    else
        status_clear(&answer.status);

    if (choice.decision == LICENSE_TAKE)
        put_in_force(keeper, license, token,
                     origin == LICENSE_FROM_FILE ? KEEPER_FILE : KEEPER_PEER);
    else
        license_free(license);
    if (choice.decision == LICENSE_KEEP && origin == LICENSE_FROM_FILE)
        keeper->source = KEEPER_FILE;
    keeper_judge(keeper);
    return answer;
}

/* ---- looking at it ---- */

int64_t keeper_wait_ms(const struct keeper *keeper) {
    int64_t next_ms = keeper->judgement.next_change_at_ms;
    if (next_ms == LICENSE_NEVER) return KEEPER_OBSERVE_MS;
    int64_t wait_ms = clock_guard_wait_ms(&keeper->reading, next_ms);
    return wait_ms < KEEPER_OBSERVE_MS ? wait_ms : KEEPER_OBSERVE_MS;
}

bool keeper_grants(const struct keeper *keeper) {
    return keeper->license && license_status_grants(keeper->judgement.status);
}

const char *keeper_edition(const struct keeper *keeper) {
    return keeper_grants(keeper) ? keeper->license->edition : "community";
}

void keeper_explain(const struct keeper *keeper, char out[STATUS_TEXT_BYTES]) {
    bool refused = keeper->judgement.rule == LICENSE_RULE_REFUSED;
    if (!keeper->license && !status_is_ok(&keeper->file_problem))
        snprintf(out, STATUS_TEXT_BYTES, "%s", keeper->file_problem.text);
    else if (refused && !status_is_ok(&keeper->check))
        snprintf(out, STATUS_TEXT_BYTES, "%s", keeper->check.text);
    else
        license_status_explain(&keeper->facts, &keeper->judgement, keeper->reading.now_ms, out);
}

const char *keeper_source_name(enum keeper_source source) {
    static const char *const names[] = {"none", "file", "peer", "saved"};
    return names[source];
}
