/* The store's prepared statements, and running one that writes. */
#include <string.h>

#include "store/store_private.h"

/* Damaged records kept for a look: enough for any inquiry, bounded for a disk that rots. */
#define DAMAGED_RECORDS_KEPT "100"

static const char *const texts[STATEMENTS] = {
    [STATEMENT_GET] = "SELECT name_space, key, value, checksum FROM record"
                      " WHERE name_space=?1 AND key=?2",
    [STATEMENT_PUT] = "INSERT INTO record (name_space, key, value, checksum) VALUES (?1,?2,?3,?4)"
                      " ON CONFLICT (name_space, key)"
                      " DO UPDATE SET value=excluded.value, checksum=excluded.checksum",
    [STATEMENT_DELETE] = "DELETE FROM record WHERE name_space=?1 AND key=?2",
    [STATEMENT_COUNT] = "SELECT count(*) FROM record WHERE name_space=?1",
    [STATEMENT_KEEP_DAMAGED] =
        "INSERT INTO damaged_record (time_ms, name_space, key, value, checksum)"
        " SELECT ?3, name_space, key, value, checksum FROM record WHERE name_space=?1 AND key=?2",
    [STATEMENT_DROP_OLD_DAMAGED] =
        "DELETE FROM damaged_record WHERE number NOT IN"
        " (SELECT number FROM damaged_record ORDER BY number DESC LIMIT " DAMAGED_RECORDS_KEPT ")",
    [STATEMENT_AUDIT_APPEND] = "INSERT INTO audit (number, time_ms, actor, action, detail, hash)"
                               " VALUES (?1,?2,?3,?4,?5,?6)",
    [STATEMENT_AUDIT_PRUNE] = "DELETE FROM audit WHERE number<=?1",
};

bool statement_prepare_all(struct store *store, struct status *status) {
    for (int i = 0; i < STATEMENTS; i++) {
        if (!database_prepare(store->database, texts[i], &store->statements[i], status)) {
            statement_finalize_all(store);
            return false;
        }
    }
    return true;
}

void statement_finalize_all(struct store *store) {
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}

void statement_bind_text(sqlite3_stmt *statement, int place, const char *text) {
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

void statement_bind_bytes(sqlite3_stmt *statement, int place, struct bytes bytes) {
    /* A NULL pointer would bind NULL instead of an empty value. */
    const void *data = bytes.length == 0 ? "" : (const void *)bytes.data;
    sqlite3_bind_blob64(statement, place, data, bytes.length, SQLITE_STATIC);
}

struct bytes statement_column(sqlite3_stmt *statement, int column) {
    const void *data = sqlite3_column_blob(statement, column);
    return bytes_of(data, data == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, column));
}

bool store_write_failed(struct store *store, int code, struct status *status) {
    struct status error = STATUS_INIT;
    bool news = status_is_ok(&store->last_write_error);
    database_fail(store->database, code, "cannot write the state", &error);
    store->failed_writes++;
    store->last_write_error = error;
    /* One wait is enough: the next writes fail at once until one works. */
    database_wait_for_locks(store->database, error.code != STATUS_BUSY);
    if (store->in_transaction)
        store->transaction_failed = true;
    else
        database_roll_back(store->database);
    if (news && store->watcher != NULL) store->watcher(store->watcher_context);
    return status_fail(status, error.code, "%s", error.text);
}

void store_write_worked(struct store *store) {
    if (status_is_ok(&store->last_write_error)) return;
    status_clear(&store->last_write_error);
    database_wait_for_locks(store->database, true);
    if (store->watcher != NULL) store->watcher(store->watcher_context);
}

bool statement_write(struct store *store, sqlite3_stmt *statement, struct status *status) {
    if (store->read_only) {
        sqlite3_clear_bindings(statement);
        return status_fail(status, store->refusal.code, "%s", store->refusal.text);
    }
    /* SQLite may have rolled back by itself after an error; another write would stand alone. */
    if (store->transaction_failed) {
        sqlite3_clear_bindings(statement);
        return status_fail(status, STATUS_IO, "an earlier write of the transaction failed");
    }
    int code = sqlite3_step(statement);
    bool ok = code == SQLITE_DONE;
    if (!ok)
        store_write_failed(store, code, status);
    else if (!store->in_transaction)
        store_write_worked(store);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}
