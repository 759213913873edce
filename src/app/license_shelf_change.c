/* Changing a license shelf: what each change makes of an entry, and all of them in one
 * transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/license_shelf_index.h"
#include "app/license_shelf_record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "codec/json_writer.h"
#include "store/audit.h"

/* One change worked out: the entry as it will be, and its token. */
struct step {
    struct shelf_entry *next; /* owned; NULL: the change changes nothing */
    struct buffer token;
    enum shelf_act act;
};

struct plan {
    struct step *steps;
    size_t count;
    uint64_t sequence; /* of the last change planned */
    size_t entries;    /* on the shelf afterwards */
};

static void plan_free(struct plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        license_shelf_entry_free(plan->steps[i].next);
        buffer_free(&plan->steps[i].token);
    }
    free(plan->steps);
}

/* ---- working out ---- */

/* The step of this plan that changes the license last, or NULL. */
static const struct step *planned(const struct plan *plan, const char *license_id) {
    for (size_t i = plan->count; i > 0; i--) {
        const struct step *step = &plan->steps[i - 1];
        if (step->next && strcmp(step->next->license_id, license_id) == 0) return step;
    }
    return NULL;
}

/* Appends the token that the license has now; nothing when it cannot be read. */
static void present_token(struct license_shelf *shelf, const struct plan *plan,
                          const char *license_id, struct buffer *token) {
    const struct step *step = planned(plan, license_id);
    const struct shelf_entry *entry = license_shelf_find(shelf, license_id);
    struct status ignored = STATUS_INIT;
    struct buffer record;
    char key[STORE_KEY_BYTES_MAX];
    if (step) {
        buffer_append(token, step->token.data, step->token.length);
    } else if (entry && entry->unsaved_token) {
        buffer_append_text(token, entry->unsaved_token);
    } else if (entry && license_shelf_entry_key(license_id, key)) {
        buffer_init(&record, LICENSE_SHELF_RECORD_BYTES_MAX);
        if (store_get(shelf->store, shelf->name, key, &record, &ignored)) {
            struct bytes found = license_shelf_record_token(buffer_bytes(&record));
            buffer_append(token, found.data, found.length);
        }
        buffer_free(&record);
    }
}

static const struct shelf_entry *present_entry(struct license_shelf *shelf, const struct plan *plan,
                                               const char *license_id) {
    const struct step *step = planned(plan, license_id);
    return step ? step->next : license_shelf_find(shelf, license_id);
}

static bool plan_put(struct license_shelf *shelf, struct plan *plan, struct step *step,
                     const struct shelf_change *change, struct status *status) {
    const struct license *license = change->license;
    const struct shelf_entry *present = present_entry(shelf, plan, license->license_id);
    if (present && license->serial < present->serial)
        return status_fail(
            status, STATUS_OLD_SERIAL, "license %s with serial %lld does not replace serial %lld",
            license->license_id, (long long)license->serial, (long long)present->serial);
    if (present && !present->deleted && license->serial == present->serial) {
        present_token(shelf, plan, license->license_id, &step->token);
        bool same = bytes_equal(buffer_bytes(&step->token), change->token);
        buffer_clear(&step->token);
        if (same) return true;
    }
    if (!present && ++plan->entries > LICENSE_SHELF_ENTRIES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "the shelf holds its %d licenses already",
                           LICENSE_SHELF_ENTRIES_MAX);
    step->next = memory_new(sizeof *step->next);
    list_init(&step->next->by_change);
    step->next->license_id = memory_copy_text(license->license_id);
    step->next->deployment_id = memory_copy_text(license->deployment_id);
    step->next->serial = license->serial;
    step->next->proof = SHELF_PROVEN;
    buffer_append(&step->token, change->token.data, change->token.length);
    return buffer_check(&step->token, "the token", status);
}

static bool plan_other(struct license_shelf *shelf, struct plan *plan, struct step *step,
                       const struct shelf_change *change, struct status *status) {
    const struct shelf_entry *present = present_entry(shelf, plan, change->license_id);
    if (!present || present->deleted)
        return status_fail(status, STATUS_NOT_FOUND, "there is no license %.200s",
                           change->license_id);
    if (change->act == SHELF_REVOKE && present->revoked_at_ms != 0) return true;
    step->next = license_shelf_entry_copy(present);
    free(step->next->revoked_reason);
    step->next->revoked_reason = NULL;
    step->next->revoked_at_ms = 0;
    if (change->act == SHELF_DELETE) {
        step->next->deleted = true;
        return true;
    }
    const char *reason = change->reason ? change->reason : "";
    step->next->revoked_at_ms = change->revoked_at_ms > 0 ? change->revoked_at_ms : 1;
    step->next->revoked_reason =
        memory_copy_bytes(reason, strnlen(reason, LICENSE_SHELF_REASON_BYTES_MAX));
    present_token(shelf, plan, change->license_id, &step->token);
    return true;
}

static bool plan_changes(struct license_shelf *shelf, const struct shelf_change *changes,
                         size_t count, struct plan *plan, struct status *status) {
    for (size_t i = 0; i < count; i++) {
        struct step *step = &plan->steps[i];
        step->act = changes[i].act;
        buffer_init(&step->token, JWS_TOKEN_BYTES_MAX);
        bool planned_well = changes[i].act == SHELF_PUT
                                ? plan_put(shelf, plan, step, &changes[i], status)
                                : plan_other(shelf, plan, step, &changes[i], status);
        plan->count = i + 1;
        if (!planned_well) return false;
        if (step->next) step->next->change = ++plan->sequence;
    }
    return true;
}

/* ---- saving ---- */

static bool save_entry(struct license_shelf *shelf, const struct shelf_entry *entry,
                       struct bytes token, struct status *status) {
    char key[STORE_KEY_BYTES_MAX];
    struct buffer record;
    if (!license_shelf_entry_key(entry->license_id, key))
        return status_fail(status, STATUS_TOO_LARGE, "the license's id is too long");
    buffer_init(&record, LICENSE_SHELF_RECORD_BYTES_MAX);
    license_shelf_record_write(entry, token, &record);
    bool saved = buffer_check(&record, "the record", status) &&
                 store_put(shelf->store, shelf->name, key, buffer_bytes(&record), status);
    buffer_free(&record);
    return saved;
}

static bool audit_step(struct license_shelf *shelf, const struct step *step, const char *actor,
                       struct status *status) {
    static const char *const actions[] = {
        [SHELF_PUT] = "license_put",
        [SHELF_REVOKE] = "license_revoke",
        [SHELF_DELETE] = "license_delete",
    };
    struct buffer detail;
    struct json_writer json;
    buffer_init(&detail, AUDIT_DETAIL_BYTES_MAX);
    json_writer_init(&json, &detail);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "license_id", step->next->license_id);
    json_writer_member_integer(&json, "serial", step->next->serial);
    json_writer_member_integer(&json, "change", (int64_t)step->next->change);
    if (step->act == SHELF_REVOKE)
        json_writer_member_text(&json, "reason", step->next->revoked_reason);
    json_writer_end_object(&json);
    bool done = json_writer_finish(&json, "the audit entry", status) &&
                audit_append(shelf->store, clock_wall_ms(), actor, actions[step->act],
                             buffer_text(&detail), status);
    buffer_free(&detail);
    return done;
}

/* The record is whole again with the next change: from then on the audit log alone knows that
 * something was lost. */
static bool audit_losses(struct license_shelf *shelf, const char *actor, struct status *status) {
    char detail[32];
    if (shelf->lost == 0 || shelf->lost_is_audited) return true;
    snprintf(detail, sizeof detail, "{\"count\":%zu}", shelf->lost);
    return audit_append(shelf->store, clock_wall_ms(), actor, "licenses_lost", detail, status);
}

static bool save_steps(struct license_shelf *shelf, const struct plan *plan, const char *actor,
                       struct status *status) {
    if (actor && !audit_losses(shelf, actor, status)) return false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct step *step = &plan->steps[i];
        if (!step->next) continue;
        if (!save_entry(shelf, step->next, buffer_bytes(&step->token), status)) return false;
        if (actor && !audit_step(shelf, step, actor, status)) return false;
    }
    return license_shelf_meta_save(shelf, plan->sequence, plan->entries, status);
}

static bool save_plan(struct license_shelf *shelf, const struct plan *plan, const char *actor,
                      struct status *status) {
    if (!store_begin(shelf->store, status)) return false;
    if (save_steps(shelf, plan, actor, status) && store_commit(shelf->store, status)) {
        shelf->lost_is_audited |= actor != NULL;
        return true;
    }
    store_rollback(shelf->store);
    return false;
}

/* Keeps in memory what the disk refused. */
static void keep_unsaved(struct license_shelf *shelf, struct plan *plan,
                         const struct status *status) {
    if (!shelf->unsaved)
        log_event(LOG_ERROR, shelf->name,
                  "licenses cannot be saved; they count until the next restart and are tried again",
                  "why", status->text, NULL);
    shelf->unsaved = true;
    for (size_t i = 0; i < plan->count; i++) {
        struct step *step = &plan->steps[i];
        if (!step->next) continue;
        step->next->unsaved = true;
        free(step->next->unsaved_token);
        step->next->unsaved_token = memory_copy_bytes(step->token.data, step->token.length);
    }
}

static void enter_in_index(struct license_shelf *shelf, struct plan *plan) {
    shelf->sequence = plan->sequence;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].next) license_shelf_index_replace(shelf, plan->steps[i].next);
        plan->steps[i].next = NULL;
    }
}

bool license_shelf_apply(struct license_shelf *shelf, const struct shelf_change *changes,
                         size_t count, enum shelf_promise promise, const char *actor,
                         struct status *status) {
    license_shelf_merge(shelf);
    struct plan plan = {.steps = memory_new_array(count ? count : 1, sizeof(struct step)),
                        .sequence = shelf->sequence,
                        .entries = shelf->count};
    struct status disk = STATUS_INIT;
    bool applied = plan_changes(shelf, changes, count, &plan, status);
    bool changed = plan.sequence != shelf->sequence;
    if (applied && changed && !save_plan(shelf, &plan, actor, &disk)) {
        if (promise == SHELF_BEST_EFFORT)
            keep_unsaved(shelf, &plan, &disk);
        else
            applied = status_fail(status, disk.code, "%s", disk.text);
    }
    if (applied && changed) {
        enter_in_index(shelf, &plan);
        if (status_is_ok(&disk)) license_shelf_twin_save(shelf);
    }
    plan_free(&plan);
    return applied;
}

bool license_shelf_discard(struct license_shelf *shelf, struct shelf_entry *entry,
                           struct status *status) {
    char key[STORE_KEY_BYTES_MAX];
    if (!license_shelf_entry_key(entry->license_id, key) || !store_begin(shelf->store, status))
        return false;
    if (!store_delete(shelf->store, shelf->name, key, status) ||
        !license_shelf_meta_save(shelf, shelf->sequence, shelf->count - 1, status) ||
        !store_commit(shelf->store, status)) {
        store_rollback(shelf->store);
        return false;
    }
    license_shelf_index_remove(shelf, entry);
    license_shelf_twin_save(shelf);
    return true;
}

static bool save_unsaved(struct license_shelf *shelf, struct status *status) {
    for (size_t i = 0; i < shelf->count; i++) {
        const struct shelf_entry *entry = shelf->entries[i];
        const char *token = entry->unsaved_token ? entry->unsaved_token : "";
        if (entry->unsaved && !save_entry(shelf, entry, bytes_of_text(token), status)) return false;
    }
    return license_shelf_meta_save(shelf, shelf->sequence, shelf->count, status) &&
           store_commit(shelf->store, status);
}

bool license_shelf_flush(struct license_shelf *shelf) {
    struct status status = STATUS_INIT;
    license_shelf_merge(shelf);
    if (!shelf->unsaved) return true;
    if (!store_begin(shelf->store, &status)) return false;
    if (!save_unsaved(shelf, &status)) {
        store_rollback(shelf->store);
        return false;
    }
    for (size_t i = 0; i < shelf->count; i++) {
        free(shelf->entries[i]->unsaved_token);
        shelf->entries[i]->unsaved_token = NULL;
        shelf->entries[i]->unsaved = false;
    }
    shelf->unsaved = false;
    license_shelf_twin_save(shelf);
    log_event(LOG_INFO, shelf->name, "the disk takes licenses again, and all are saved", NULL);
    return true;
}
