/* Records: namespace, key, value, and a checksum over the three. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/store_private.h"
#include "verifier/sha256.h"

/* ---- Checksums ---- */

static void add_with_length(struct sha256_stream *stream, struct bytes bytes) {
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)bytes.length >> (56 - 8 * i));
    sha256_stream_add(stream, bytes_of(length, sizeof length));
    sha256_stream_add(stream, bytes);
}

void record_checksum(struct bytes name_space, struct bytes key, struct bytes value,
                     uint8_t checksum[RECORD_CHECKSUM_BYTES]) {
    struct sha256_stream stream;
    uint8_t digest[SHA256_BYTES];
    sha256_stream_init(&stream);
    add_with_length(&stream, name_space);
    add_with_length(&stream, key);
    add_with_length(&stream, value);
    sha256_stream_finish(&stream, digest);
    memcpy(checksum, digest, RECORD_CHECKSUM_BYTES);
}

bool record_is_intact(sqlite3_stmt *row, int first) {
    uint8_t checksum[RECORD_CHECKSUM_BYTES];
    record_checksum(statement_column(row, first), statement_column(row, first + 1),
                    statement_column(row, first + 2), checksum);
    return bytes_equal(statement_column(row, first + 3), bytes_of(checksum, sizeof checksum));
}

/* ---- Damaged records ---- */

/* Moves one record to the damaged ones. */
static bool set_aside(struct store *store, struct bytes name_space, struct bytes key,
                      struct status *status) {
    struct store_scope scope;
    if (!store_scope_begin(&scope, store, status)) return false;
    sqlite3_stmt *keep = store->statements[STATEMENT_KEEP_DAMAGED];
    sqlite3_bind_text64(keep, 1, (const char *)name_space.data, name_space.length, SQLITE_STATIC,
                        SQLITE_UTF8);
    sqlite3_bind_text64(keep, 2, (const char *)key.data, key.length, SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_int64(keep, 3, clock_wall_ms());
    bool ok = statement_write(store, keep, status);
    if (ok) {
        sqlite3_stmt *drop = store->statements[STATEMENT_DELETE];
        sqlite3_bind_text64(drop, 1, (const char *)name_space.data, name_space.length,
                            SQLITE_STATIC, SQLITE_UTF8);
        sqlite3_bind_text64(drop, 2, (const char *)key.data, key.length, SQLITE_STATIC,
                            SQLITE_UTF8);
        ok = statement_write(store, drop, status) &&
             statement_write(store, store->statements[STATEMENT_DROP_OLD_DAMAGED], status);
    }
    return store_scope_end(&scope, ok, status);
}

/* Moving it away may fail, as on a read-only disk: then it is found again the next time. */
bool record_found_damaged(struct store *store, struct bytes name_space, struct bytes key,
                          struct status *status) {
    store->damaged_records++;
    bool moved =
        !store->read_only && !store->in_transaction && set_aside(store, name_space, key, NULL);
    return status_fail(status, STATUS_DAMAGED,
                       "the record %.*s/%.*s in the state file is damaged%s",
                       (int)name_space.length, (const char *)name_space.data, (int)key.length,
                       (const char *)key.data, moved ? " and was set aside" : "");
}

bool record_set_aside_damaged(struct store *store, size_t *count, struct status *status) {
    sqlite3_stmt *all = NULL;
    *count = 0;
    if (!database_prepare(store->database, "SELECT name_space, key, value, checksum FROM record",
                          &all, status))
        return false;
    int code;
    bool ok = true;
    while (ok && (code = sqlite3_step(all)) == SQLITE_ROW) {
        if (record_is_intact(all, 0)) continue;
        struct bytes name_space = statement_column(all, 0);
        struct bytes key = statement_column(all, 1);
        char *name_space_copy = memory_copy_bytes(name_space.data, name_space.length);
        char *key_copy = memory_copy_bytes(key.data, key.length);
        ++*count;
        ok = set_aside(store, bytes_of(name_space_copy, name_space.length),
                       bytes_of(key_copy, key.length), status);
        free(name_space_copy);
        free(key_copy);
    }
    if (ok && code != SQLITE_DONE)
        ok = database_fail(store->database, code, "reading the state", status);
    sqlite3_finalize(all);
    store->damaged_records += *count;
    return ok;
}

/* ---- Reading and writing ---- */

bool record_check_name(const char *name_space, const char *key, struct status *status) {
    if (strlen(name_space) > STORE_NAMESPACE_BYTES_MAX || strlen(key) > STORE_KEY_BYTES_MAX) {
        return status_fail(status, STATUS_TOO_LARGE,
                           "the name of a record is too long: %.60s/%.60s", name_space, key);
    }
    return true;
}

bool store_get(struct store *store, const char *name_space, const char *key, struct buffer *value,
               struct status *status) {
    if (!record_check_name(name_space, key, status)) return false;
    sqlite3_stmt *get = store->statements[STATEMENT_GET];
    statement_bind_text(get, 1, name_space);
    statement_bind_text(get, 2, key);
    int code = sqlite3_step(get);
    bool ok = false;
    bool damaged = false;
    if (code == SQLITE_ROW && record_is_intact(get, 0)) {
        struct bytes found = statement_column(get, 2);
        ok = buffer_append(value, found.data, found.length) ||
             status_fail(status, STATUS_TOO_LARGE, "the record %s/%s has %zu bytes", name_space,
                         key, found.length);
    } else if (code == SQLITE_ROW) {
        damaged = true;
    } else if (code == SQLITE_DONE) {
        status_fail(status, STATUS_NOT_FOUND, "no record %s/%s", name_space, key);
    } else {
        database_fail(store->database, code, "reading the state", status);
    }
    sqlite3_reset(get);
    sqlite3_clear_bindings(get);
    return damaged
               ? record_found_damaged(store, bytes_of_text(name_space), bytes_of_text(key), status)
               : ok;
}

bool store_put(struct store *store, const char *name_space, const char *key, struct bytes value,
               struct status *status) {
    if (!record_check_name(name_space, key, status)) return false;
    if (value.length > STORE_VALUE_BYTES_MAX) {
        return status_fail(status, STATUS_TOO_LARGE, "a value of %zu bytes for %s/%s; at most %d",
                           value.length, name_space, key, STORE_VALUE_BYTES_MAX);
    }
    uint8_t checksum[RECORD_CHECKSUM_BYTES];
    record_checksum(bytes_of_text(name_space), bytes_of_text(key), value, checksum);
    sqlite3_stmt *put = store->statements[STATEMENT_PUT];
    statement_bind_text(put, 1, name_space);
    statement_bind_text(put, 2, key);
    statement_bind_bytes(put, 3, value);
    statement_bind_bytes(put, 4, bytes_of(checksum, sizeof checksum));
    return statement_write(store, put, status);
}

bool store_delete(struct store *store, const char *name_space, const char *key,
                  struct status *status) {
    if (!record_check_name(name_space, key, status)) return false;
    sqlite3_stmt *drop = store->statements[STATEMENT_DELETE];
    statement_bind_text(drop, 1, name_space);
    statement_bind_text(drop, 2, key);
    return statement_write(store, drop, status);
}

bool store_put_many(struct store *store, const char *name_space, const struct store_item *items,
                    size_t count, struct status *status) {
    struct store_scope scope;
    if (!store_scope_begin(&scope, store, status)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = store_put(store, name_space, items[i].key, items[i].value, status);
    return store_scope_end(&scope, ok, status);
}

bool store_count(struct store *store, const char *name_space, size_t *count,
                 struct status *status) {
    sqlite3_stmt *statement = store->statements[STATEMENT_COUNT];
    statement_bind_text(statement, 1, name_space);
    int code = sqlite3_step(statement);
    bool ok = code == SQLITE_ROW;
    if (ok)
        *count = (size_t)sqlite3_column_int64(statement, 0);
    else
        database_fail(store->database, code, "reading the state", status);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}
