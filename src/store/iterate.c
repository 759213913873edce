/* Visiting the records of a namespace. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/store_private.h"

/* A record copied out, because the visitor may write, which moves what SQLite points to. */
struct copied_record {
    char *key;
    size_t key_length;
    uint8_t *value;
    size_t value_length;
};

static bool copy_record(sqlite3_stmt *row, struct copied_record *copy, struct status *status) {
    struct bytes key = statement_column(row, 1);
    struct bytes value = statement_column(row, 2);
    copy->value = memory_try(value.length + 1);
    if (copy->value == NULL) {
        status_fail(status, STATUS_NO_MEMORY, "no memory for a record of %zu bytes", value.length);
        return false;
    }
    copy->key = memory_copy_bytes(key.data, key.length);
    copy->key_length = key.length;
    copy->value_length = value.length;
    if (value.length > 0) memcpy(copy->value, value.data, value.length);
    return true;
}

/* An iteration under way. */
struct iteration {
    struct store *store;
    const char *name_space;
    const char *prefix;
    store_visitor *visit;
    void *context;
    size_t damaged;
    bool go_on; /* neither the visitor nor the prefix has ended it */
};

static bool visit_row(struct iteration *iteration, sqlite3_stmt *row, struct status *status) {
    bool intact = record_is_intact(row, 0);
    struct copied_record record = {0};
    if (!copy_record(row, &record, status)) return false;
    if (strncmp(record.key, iteration->prefix, strlen(iteration->prefix)) != 0) {
        iteration->go_on = false;
    } else if (intact) {
        iteration->go_on = iteration->visit(iteration->context, record.key,
                                            bytes_of(record.value, record.value_length));
    } else {
        iteration->damaged++;
        record_found_damaged(iteration->store, bytes_of_text(iteration->name_space),
                             bytes_of(record.key, record.key_length), NULL);
    }
    memory_wipe(record.value, record.value_length);
    free(record.value);
    free(record.key);
    return true;
}

bool store_each(struct store *store, const char *name_space, const char *prefix,
                store_visitor *visit, void *context, size_t *damaged, struct status *status) {
    struct iteration iteration = {.store = store,
                                  .name_space = name_space,
                                  .prefix = prefix,
                                  .visit = visit,
                                  .context = context,
                                  .go_on = true};
    sqlite3_stmt *rows = NULL;
    if (!record_check_name(name_space, prefix, status)) return false;
    /* Not one of the kept statements: a visitor may iterate again. */
    if (!database_prepare(store->database,
                          "SELECT name_space, key, value, checksum FROM record"
                          " WHERE name_space=?1 AND key>=?2 ORDER BY key",
                          &rows, status))
        return false;
    statement_bind_text(rows, 1, name_space);
    statement_bind_text(rows, 2, prefix);
    bool ok = true;
    int code = SQLITE_DONE;
    while (ok && iteration.go_on && (code = sqlite3_step(rows)) == SQLITE_ROW)
        ok = visit_row(&iteration, rows, status);
    if (ok && iteration.go_on && code != SQLITE_DONE)
        ok = database_fail(store->database, code, "reading the state", status);
    sqlite3_finalize(rows);
    if (damaged != NULL) *damaged = iteration.damaged;
    return ok;
}
