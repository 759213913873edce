#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/schema.h"
#include "store/store_private.h"

/* ---- Files ---- */

/* Makes an empty file that only its owner may read, so that SQLite never makes it with another
 * mode. */
static bool create_empty(const char *path, bool must_be_new, struct status *status) {
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (must_be_new ? O_EXCL : 0);
    int file = open(path, flags, 0600);
    if (file < 0) return status_fail_errno(status, errno, "cannot open %s", path);
    struct stat information;
    bool ok = fstat(file, &information) == 0 &&
              ((information.st_mode & 077) == 0 || fchmod(file, 0600) == 0);
    if (!ok) status_fail_errno(status, errno, "cannot restrict %s to its owner", path);
    close(file);
    return ok;
}

static void path_with(char out[STORE_PATH_BYTES], const char *path, const char *suffix) {
    snprintf(out, STORE_PATH_BYTES, "%s%s", path, suffix);
}

static bool sync_file(const char *path, struct status *status) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return status_fail_errno(status, errno, "cannot open %s", path);
    bool ok = fsync(file) == 0 || status_fail_errno(status, errno, "cannot sync %s", path);
    close(file);
    return ok;
}

/* Copies the whole database to a file that is there and empty. */
static bool copy_to(sqlite3 *database, const char *path, struct status *status) {
    sqlite3_stmt *statement = NULL;
    if (!database_prepare(database, "VACUUM INTO ?1", &statement, status)) return false;
    statement_bind_text(statement, 1, path);
    int code = sqlite3_step(statement);
    bool ok = code == SQLITE_DONE || database_fail(database, code, "copying the state", status);
    sqlite3_finalize(statement);
    return ok && sync_file(path, status);
}

bool store_backup(struct store *store, const char *path, struct status *status) {
    if (!create_empty(path, true, status)) return false;
    if (copy_to(store->database, path, status)) return true;
    unlink(path);
    return false;
}

/* ---- Opening ---- */

/* What SQLite takes for an empty or a read-only database although it can be neither: we have just
 * opened the file for writing, and a database has at least its first page. */
static bool check_form(const struct store *store, struct status *status) {
    struct stat information;
    if (stat(store->path, &information) != 0)
        return status_fail_errno(status, errno, "cannot open %s", store->path);
    bool cut = information.st_size > 0 && information.st_size < DATABASE_PAGE_BYTES;
    bool marked = !store->read_only && sqlite3_db_readonly(store->database, "main") == 1;
    return !(cut || marked) || status_fail(status, STATUS_DAMAGED, "%s is %s", store->path,
                                           cut ? "cut off" : "marked as read-only in its header");
}

bool store_open_database(struct store *store, enum database_mode mode, enum schema_state *state,
                         int *version, struct status *status) {
    if (!database_open(store->path, mode, &store->database, status)) return false;
    if (schema_examine(store->database, schema_current(), state, version, status) &&
        check_form(store, status) && database_check_integrity(store->database, status) &&
        (*state != SCHEMA_CURRENT || statement_prepare_all(store, status)))
        return true;
    sqlite3_close(store->database);
    store->database = NULL;
    return false;
}

static bool build_fresh(const char *fresh, const char *damaged, struct store_report *report,
                        struct status *status) {
    sqlite3 *database = NULL;
    if (!create_empty(fresh, true, status) ||
        !database_open(fresh, DATABASE_READ_WRITE, &database, status))
        return false;
    bool ok = schema_migrate(database, schema_current(), 0, status) &&
              database_execute(database, "BEGIN IMMEDIATE", status);
    if (ok) {
        salvage_copy(damaged, fresh, database, &report->salvaged_records, &report->lost_records);
        ok = database_execute(database, "COMMIT", status);
    }
    sqlite3_close(database);
    return ok && sync_file(fresh, status);
}

/* Puts a fresh file, with what is intact, in the place of the damaged one. */
static bool replace_damaged(struct store *store, struct store_report *report,
                            struct status *status) {
    char fresh[STORE_PATH_BYTES];
    char journal[STORE_PATH_BYTES];
    path_with(fresh, store->path, ".new");
    path_with(journal, store->path, ".new-journal");
    unlink(fresh); /* both of an attempt that was interrupted */
    unlink(journal);
    report->damaged = true;
    set_aside_name(store->path, report->set_aside);
    return build_fresh(fresh, store->path, report, status) &&
           set_aside_swap(store->path, fresh, report->set_aside, status);
}

/* Brings an older file forward after a copy of it was made. */
static bool migrate(struct store *store, enum schema_state state, int version,
                    struct store_report *report, struct status *status) {
    if (state == SCHEMA_OLDER) {
        char suffix[32];
        char backup[STORE_PATH_BYTES];
        snprintf(suffix, sizeof suffix, ".before-v%d", schema_current()->version);
        path_with(backup, store->path, suffix);
        unlink(backup); /* of an attempt that was interrupted: the file was not migrated then */
        if (!store_backup(store, backup, status))
            return status_context(status, "before migrating the state");
        report->migrated = true;
    }
    return state == SCHEMA_CURRENT ||
           (schema_migrate(store->database, schema_current(), version, status) &&
            statement_prepare_all(store, status));
}

bool store_refuse_newer(const struct store *store, int version, struct status *status) {
    return status_fail(status, STATUS_NEWER_VERSION,
                       "%s was written by a newer lsys (state version %d; this one knows %d); run "
                       "the newer lsys, or give this one another --data-dir",
                       store->path, version, schema_current()->version);
}

bool store_open_for_writing(struct store *store, bool replace, struct store_report *report,
                            struct status *status) {
    enum schema_state state = SCHEMA_EMPTY;
    int version = 0;
    struct status error = STATUS_INIT;
    if (!create_empty(store->path, false, status)) return false;
    bool ok = store_open_database(store, DATABASE_READ_WRITE, &state, &version, &error);
    if (!ok && error.code == STATUS_DAMAGED && replace) {
        ok = replace_damaged(store, report, status) &&
             store_open_database(store, DATABASE_READ_WRITE, &state, &version, status);
    } else if (!ok) {
        status_fail(status, error.code, "%s", error.text);
    }
    if (ok && state == SCHEMA_NEWER) ok = store_refuse_newer(store, version, status);
    report->created = state == SCHEMA_EMPTY;
    size_t damaged_records = 0;
    ok = ok && database_make_durable(store->database, status) &&
         migrate(store, state, version, report, status) &&
         record_set_aside_damaged(store, &damaged_records, status);
    report->lost_records += damaged_records;
    return ok;
}

/* The path is made absolute and free of links: SQLite then takes it as it is, and a later chdir
 * changes nothing. */
bool store_find_folder(struct store *store, const char *folder, struct status *status) {
    char absolute[PATH_MAX];
    if (realpath(folder, absolute) == NULL)
        return status_fail_errno(status, errno, "cannot open the data folder %s", folder);
    if (strlen(absolute) > STORE_PATH_BYTES - 100)
        return status_fail(status, STATUS_TOO_LARGE, "the path of the data folder is too long");
    free(store->folder);
    free(store->path);
    store->folder = memory_copy_text(absolute);
    store->path = file_join(absolute, "state.db");
    return true;
}

struct store *store_new(void) {
    struct store *store = memory_new(sizeof *store);
    store->lock = -1;
    return store;
}

bool store_open(const char *folder, struct store **store, struct store_report *report,
                struct status *status) {
    return store_open_at_least(folder, PERSISTENCE_DURABLE, store, report, status);
}

bool store_open_to_read(const char *folder, struct store **store, struct status *status) {
    enum schema_state state = SCHEMA_EMPTY;
    int version = 0;
    *store = NULL;
    struct store *opened = store_new();
    opened->read_only = true;
    status_fail(&opened->refusal, STATUS_PERMISSION, "the state is open for reading only");
    bool ok = store_find_folder(opened, folder, status);
    if (ok && access(opened->path, F_OK) != 0)
        ok = status_fail_errno(status, errno, "no state in %s", folder);
    ok = ok && store_open_database(opened, DATABASE_READ_ONLY, &state, &version, status);
    if (ok && state == SCHEMA_NEWER) {
        ok = store_refuse_newer(opened, version, status);
    } else if (ok && state != SCHEMA_CURRENT) {
        ok = status_fail(status, STATUS_UNAVAILABLE,
                         "%s has an older form; the role that owns it brings it forward when it "
                         "starts",
                         opened->path);
    }
    if (!ok) {
        store_close(opened);
        return false;
    }
    *store = opened;
    return true;
}

void store_close_database(struct store *store) {
    if (store->database == NULL) return;
    store_rollback(store);
    statement_finalize_all(store);
    /* The last connection writes the WAL back into the file. It refuses to close only while there
     * are statements, which would be our fault. */
    ASSERT(sqlite3_close(store->database) == SQLITE_OK);
    store->database = NULL;
}

void store_close(struct store *store) {
    if (store == NULL) return;
    store_close_database(store);
    if (store->lock >= 0) close(store->lock);
    free(store->path);
    free(store->folder);
    free(store);
}

const char *store_folder(const struct store *store) {
    return store->folder;
}

void store_health(struct store *store, struct store_health *health) {
    struct stat information;
    *health = (struct store_health){
        .writable = !store->read_only && store->last_write_error.code == STATUS_OK,
        .last_write_error = store->last_write_error,
        .failed_writes = store->failed_writes,
        .damaged_records = store->damaged_records,
        .file_bytes = stat(store->path, &information) == 0 ? information.st_size : 0,
    };
}
