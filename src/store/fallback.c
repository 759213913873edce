/*
 * Going on when the disk does not let the state file be opened for writing: with the file as it
 * lies there, or with what of it could be salvaged into memory; and coming back to it.
 *
 * Nothing is written in that time. A connection that reads the file locks nothing, so that the
 * locks of one that is opened for writing are never dropped with it (fcntl locks belong to the
 * process): the one is closed before the other is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/folder_lock.h"
#include "store/store_private.h"

/* What a disk must take before the file is opened again: the index of the WAL and a first write
 * into it need about as much. */
#define PROBE_BYTES (64 * 1024)

/* The record that is written to try an open file. */
#define PROBE_NAMESPACE "store"
#define PROBE_KEY       "probe"

/* ---- opening ---- */

/* A read that failed can look like damage to SQLite: only what is found twice is replaced. */
static bool open_file(struct store *store, struct store_report *report, struct status *status) {
    struct status why = STATUS_INIT;
    bool ok = store_open_for_writing(store, false, report, &why);
    if (!ok) store_close_database(store);
    if (!ok && why.code == STATUS_DAMAGED) {
        *report = (struct store_report){0};
        return store_open_for_writing(store, true, report, status);
    }
    return ok || status_fail(status, why.code, "%s", why.text);
}

/* Makes and locks the folder, and opens the file for writing. */
static bool open_durably(struct store *store, const char *folder, struct store_report *report,
                         struct status *status) {
    if (!file_make_folder(folder, 0700, status) || !store_find_folder(store, folder, status))
        return false;
    if (store->lock < 0) store->lock = folder_lock_take(store->folder, status);
    if (store->lock < 0 || !open_file(store, report, status)) {
        store_close_database(store);
        return false;
    }
    store->as_opened = PERSISTENCE_DURABLE;
    store->read_only = false;
    return true;
}

static bool is_readable_by_us(const char *path, int mode) {
    return access(path, mode) == 0 || errno != EACCES;
}

/* True for what the disk will not put right by itself, so that a person has to be told. */
static bool is_for_a_person(const struct store *store, const char *folder,
                            const struct status *why) {
    struct stat information;
    if (why->code == STATUS_BUSY || why->code == STATUS_NEWER_VERSION ||
        why->code == STATUS_TOO_LARGE)
        return true;
    if (stat(folder, &information) != 0) {
        return errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG || errno == EACCES ||
               why->code == STATUS_PERMISSION;
    }
    if (!S_ISDIR(information.st_mode) || !is_readable_by_us(folder, R_OK | X_OK)) return true;
    if (store->path == NULL || stat(store->path, &information) != 0) return false;
    bool exposed = (information.st_mode & 077) != 0 && information.st_uid != geteuid();
    return exposed || !S_ISREG(information.st_mode) || !is_readable_by_us(store->path, R_OK);
}

static bool open_as_it_is(struct store *store, struct status *status) {
    enum schema_state state = SCHEMA_EMPTY;
    int version = 0;
    if (!store_open_database(store, DATABASE_UNWRITABLE, &state, &version, status)) return false;
    if (state == SCHEMA_CURRENT) {
        store->as_opened = PERSISTENCE_READ_ONLY;
        return true;
    }
    store_close_database(store);
    return state == SCHEMA_NEWER ? store_refuse_newer(store, version, status)
                                 : status_fail(status, STATUS_UNAVAILABLE,
                                               "%s has an older form, or none yet", store->path);
}

/* An empty state, with what can be salvaged from the file if there is one. Never fails but for want
 * of a few pages of memory, without which nothing else would go on either. */
static void open_in_memory(struct store *store) {
    struct status status = STATUS_INIT;
    size_t salvaged, lost;
    bool opened =
        database_open("the state in memory", DATABASE_IN_MEMORY, &store->database, &status) &&
        schema_migrate(store->database, schema_current(), 0, &status) &&
        database_execute(store->database, "BEGIN IMMEDIATE", &status);
    ASSERT(opened);
    if (access(store->path, F_OK) == 0)
        salvage_copy(store->path, NULL, store->database, &salvaged, &lost);
    opened = database_execute(store->database, "COMMIT", &status) &&
             statement_prepare_all(store, &status);
    ASSERT(opened);
    store->as_opened = PERSISTENCE_MEMORY;
}

/* Opens less than the file for writing, because of `why`; down to `least`. */
static bool fall_back(struct store *store, const char *folder, enum persistence_state least,
                      const struct status *why, struct status *status) {
    struct status unreadable = STATUS_INIT;
    if (store->path == NULL) { /* there is no folder yet: it is made by a retry */
        store->folder = memory_copy_text(folder);
        store->path = file_join(folder, "state.db");
    }
    store->read_only = true;
    status_clear(&store->refusal);
    status_fail(&store->refusal, STATUS_IO, "%s", why->text);
    if (access(store->path, F_OK) == 0 && open_as_it_is(store, &unreadable)) return true;
    if (unreadable.code == STATUS_NEWER_VERSION)
        return status_fail(status, unreadable.code, "%s", unreadable.text);
    if (least < PERSISTENCE_MEMORY) return status_fail(status, why->code, "%s", why->text);
    open_in_memory(store);
    return true;
}

bool store_open_at_least(const char *folder, enum persistence_state least, struct store **store,
                         struct store_report *report, struct status *status) {
    struct store_report own_report;
    struct status why = STATUS_INIT;
    if (report == NULL) report = &own_report;
    *report = (struct store_report){0};
    *store = NULL;
    struct store *opened = store_new();
    bool ok = open_durably(opened, folder, report, &why);
    if (!ok && (least < PERSISTENCE_READ_ONLY || is_for_a_person(opened, folder, &why)))
        status_fail(status, why.code, "%s", why.text);
    else if (!ok)
        ok = fall_back(opened, folder, least, &why, status);
    if (!ok) {
        store_close(opened);
        return false;
    }
    *store = opened;
    return true;
}

/* ---- what there is, and trying again ---- */

enum persistence_state store_persistence(const struct store *store, struct status *why) {
    enum persistence_state state = store->as_opened;
    if (state == PERSISTENCE_DURABLE && !status_is_ok(&store->last_write_error))
        state = PERSISTENCE_REFUSED;
    if (why != NULL)
        *why = store->as_opened == PERSISTENCE_DURABLE ? store->last_write_error : store->refusal;
    return state;
}

uint64_t store_generation(const struct store *store) {
    return store->generation;
}

void store_watch(struct store *store, store_watcher *changed, void *context) {
    store->watcher = changed;
    store->watcher_context = context;
}

/* Writes and syncs a file of its own: while that fails, what is open stays so. */
static bool disk_takes_files(const struct store *store, struct status *status) {
    static const uint8_t block[PROBE_BYTES];
    char *path = file_join(store->folder, "state.probe");
    bool ok = file_make_folder(store->folder, 0700, status) &&
              file_replace(path, bytes_of(block, sizeof block), 0600, status);
    unlink(path);
    free(path);
    return ok;
}

static bool write_probe(struct store *store, struct status *status) {
    int64_t now_ms = clock_wall_ms();
    return store_put(store, PROBE_NAMESPACE, PROBE_KEY, bytes_of(&now_ms, sizeof now_ms), status);
}

bool store_retry(struct store *store, struct store_report *report, struct status *status) {
    struct status why = STATUS_INIT;
    *report = (struct store_report){0};
    if (store->as_opened == PERSISTENCE_DURABLE) {
        bool works = write_probe(store, &why);
        /* A lock that stays may be our own, stuck since a call failed; and SQLite goes on reading
         * when a file that it wants to write opens to read only. Opening anew cures both. */
        if (works || (why.code != STATUS_BUSY && why.code != STATUS_PERMISSION))
            return works || status_fail(status, why.code, "%s", why.text);
        status_clear(&why);
    }
    if (!disk_takes_files(store, &why)) return status_fail(status, why.code, "%s", why.text);
    char *folder = memory_copy_text(store->folder);
    store_close_database(store);
    status_clear(&store->last_write_error);
    bool durable = open_durably(store, folder, report, &why);
    if (!durable && !fall_back(store, folder, PERSISTENCE_MEMORY, &why, NULL))
        open_in_memory(store); /* by now a newer lsys had the folder: its file is left alone */
    store->generation++;
    free(folder);
    if (durable) {
        status_clear(&store->refusal);
        return true;
    }
    return status_fail(status, why.code, "%s", why.text);
}
