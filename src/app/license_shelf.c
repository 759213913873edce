#include "app/license_shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/license_shelf_index.h"
#include "app/license_shelf_record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/store.h"

/* Where the entries are. */
#define ENTRY_PREFIX "license/"

bool license_shelf_entry_key(const char *license_id, char out[STORE_KEY_BYTES_MAX]) {
    int length = snprintf(out, STORE_KEY_BYTES_MAX, ENTRY_PREFIX "%s", license_id);
    return length > 0 && length < STORE_KEY_BYTES_MAX;
}

/* ---- opening and closing ---- */

static bool load_entry(void *context, const char *key, struct bytes value) {
    struct license_shelf *shelf = context;
    struct shelf_entry *entry = license_shelf_record_read(value, NULL);
    if (!entry || shelf->count == LICENSE_SHELF_ENTRIES_MAX) {
        license_shelf_entry_free(entry);
        shelf->lost++;
        return true;
    }
    entry->license_id = memory_copy_text(key + sizeof ENTRY_PREFIX - 1);
    license_shelf_index_add(shelf, entry);
    if (entry->change > shelf->sequence) shelf->sequence = entry->change;
    return true;
}

/* Rows that were found damaged, here or when the store was opened, and what the record knows of.
 * The numbers that are gone are never given again: a slave that has them would miss the new
 * ones. */
static void count_missing(struct license_shelf *shelf) {
    char count[24];
    size_t missing = license_shelf_meta_missing(shelf);
    if (missing > shelf->lost) shelf->lost = missing;
    if (shelf->expected.sequence > shelf->sequence) shelf->sequence = shelf->expected.sequence;
    if (shelf->lost == 0) return;
    snprintf(count, sizeof count, "%zu", shelf->lost);
    log_event(LOG_WARNING, shelf->name, "licenses, or changes to them, were lost with damage",
              "count", count, NULL);
}

struct license_shelf *license_shelf_open(struct store *store, const char *name,
                                         struct status *status) {
    struct license_shelf *shelf = memory_new(sizeof *shelf);
    size_t damaged = 0;
    shelf->store = store;
    shelf->generation = store_generation(store);
    shelf->name = name;
    list_init(&shelf->by_change);
    license_shelf_meta_load(shelf);
    if (!store_each(store, name, ENTRY_PREFIX, load_entry, shelf, &damaged, status)) {
        license_shelf_close(shelf);
        return NULL;
    }
    shelf->lost += damaged;
    count_missing(shelf);
    license_shelf_index_order(shelf);
    shelf->memo = jws_memo_new(2 * shelf->count + LICENSE_SHELF_MEMO_MIN);
    return shelf;
}

static bool merge_entry(void *context, const char *key, struct bytes value) {
    struct license_shelf *shelf = context;
    struct shelf_entry *saved = license_shelf_record_read(value, NULL);
    const char *license_id = key + sizeof ENTRY_PREFIX - 1;
    const struct shelf_entry *ours = license_shelf_find(shelf, license_id);
    if (!saved || (ours && ours->serial >= saved->serial) ||
        shelf->count == LICENSE_SHELF_ENTRIES_MAX) {
        license_shelf_entry_free(saved);
        return true;
    }
    struct bytes token = license_shelf_record_token(value);
    saved->license_id = memory_copy_text(license_id);
    saved->change = ++shelf->sequence;
    saved->unsaved = true;
    saved->unsaved_token = memory_copy_bytes(token.data, token.length);
    license_shelf_index_replace(shelf, saved);
    return true;
}

void license_shelf_merge(struct license_shelf *shelf) {
    struct status status = STATUS_INIT;
    if (shelf->generation == store_generation(shelf->store)) return;
    if (!store_each(shelf->store, shelf->name, ENTRY_PREFIX, merge_entry, shelf, NULL, &status))
        log_event(LOG_WARNING, shelf->name, "saved licenses cannot be read", "why", status.text,
                  NULL);
    shelf->generation = store_generation(shelf->store);
    shelf->unsaved = true;
}

void license_shelf_close(struct license_shelf *shelf) {
    if (!shelf) return;
    license_shelf_flush(shelf);
    for (size_t i = 0; i < shelf->count; i++)
        license_shelf_entry_free(shelf->entries[i]);
    jws_memo_free(shelf->memo);
    free(shelf->entries);
    free(shelf);
}

/* ---- looking ---- */

const char *license_shelf_stream(const struct license_shelf *shelf) {
    return shelf->stream;
}

uint64_t license_shelf_sequence(const struct license_shelf *shelf) {
    return shelf->sequence;
}

uint64_t license_shelf_edits(const struct license_shelf *shelf) {
    return shelf->edits;
}

size_t license_shelf_count(const struct license_shelf *shelf) {
    return shelf->count - shelf->deleted;
}

size_t license_shelf_lost(const struct license_shelf *shelf) {
    return shelf->lost;
}

void license_shelf_forget_lost(struct license_shelf *shelf) {
    struct status ignored = STATUS_INIT;
    if (shelf->lost == 0) return;
    shelf->lost = 0;
    if (license_shelf_flush(shelf) &&
        license_shelf_meta_save(shelf, shelf->sequence, shelf->count, &ignored))
        license_shelf_twin_save(shelf);
}

/* ---- taking ---- */

static bool read_token(struct license_shelf *shelf, const struct shelf_entry *entry,
                       struct buffer *token, struct status *status) {
    struct buffer record;
    char key[STORE_KEY_BYTES_MAX];
    if (entry->unsaved_token) return buffer_append_text(token, entry->unsaved_token);
    if (!license_shelf_entry_key(entry->license_id, key))
        return status_fail(status, STATUS_TOO_LARGE, "the license's id is too long");
    buffer_init(&record, LICENSE_SHELF_RECORD_BYTES_MAX);
    bool read = store_get(shelf->store, shelf->name, key, &record, status);
    if (!read && status->code == STATUS_NOT_FOUND) { /* it was there: somebody removed the row */
        status_clear(status);
        status_fail(status, STATUS_DAMAGED, "the record of license %s is gone", entry->license_id);
    }
    if (read) {
        struct bytes found = license_shelf_record_token(buffer_bytes(&record));
        buffer_append(token, found.data, found.length);
    }
    buffer_free(&record);
    return read;
}

/* What the index says must be what was signed: a record that was exchanged for another is
 * damaged. */
static bool is_the_entry(const struct license *license, const struct shelf_entry *entry,
                         struct status *status) {
    if (strcmp(license->license_id, entry->license_id) == 0 && license->serial == entry->serial &&
        strcmp(license->deployment_id, entry->deployment_id) == 0)
        return true;
    return status_fail(status, STATUS_DAMAGED, "the record of license %s holds another license",
                       entry->license_id);
}

static bool keys_changed(enum status_code code) {
    return code == STATUS_UNKNOWN_KEY || code == STATUS_KEY_NOT_VALID;
}

/* A shelf takes nothing that does not verify. When it does not now, either the keys have changed, or
 * its record: a good checksum is nothing that a hand could not have made. */
static void blame_record(const struct shelf_entry *entry, struct status *status) {
    const struct status why = *status;
    if (keys_changed(why.code) || why.code == STATUS_DAMAGED) return;
    status_clear(status);
    status_fail(status, STATUS_DAMAGED, "the record of license %s was changed: %s",
                entry->license_id, why.text);
}

static void note_refusal(struct license_shelf *shelf, struct shelf_entry *entry,
                         const struct status *status) {
    bool says_it = keys_changed(status->code) || status->code == STATUS_DAMAGED;
    if (!says_it || entry->proof == SHELF_REFUSED) return; /* a disk that fails says nothing */
    if (status->code == STATUS_DAMAGED) shelf->lost++;
    entry->proof = SHELF_REFUSED;
    entry->refused_since_ms = clock_wall_ms();
    log_event(LOG_WARNING, shelf->name, "a license on the shelf is not good", "license_id",
              entry->license_id, "code", status_code_name(status->code), "why", status->text, NULL);
}

struct license *license_shelf_take(struct license_shelf *shelf, struct shelf_entry *entry,
                                   const struct key_ring *ring, struct buffer *token,
                                   struct status *status) {
    struct buffer own;
    struct license *license = NULL;
    buffer_init(&own, JWS_TOKEN_BYTES_MAX);
    struct buffer *text = token ? token : &own;
    bool read = read_token(shelf, entry, text, status);
    if (read) license = license_verify(buffer_bytes(text), ring, shelf->memo, status);
    if (license && !is_the_entry(license, entry, status)) {
        license_free(license);
        license = NULL;
    }
    if (license) {
        entry->proof = SHELF_PROVEN;
        entry->refused_since_ms = 0;
    } else {
        if (read) blame_record(entry, status);
        note_refusal(shelf, entry, status);
    }
    buffer_free(&own);
    return license;
}
