#include "store/schema.h"

#include <stdio.h>
#include <string.h>

/* `store_version` holds the version beside the file's header, so that a flipped byte there is not
 * taken for a newer lsys. Its form never changes. Records are looked up by name alone; the audit
 * log's numbers are given by us, without gaps. */
static const char *const steps[] = {
    "CREATE TABLE store_version (version INTEGER NOT NULL);"
    "INSERT INTO store_version VALUES (0);"
    "CREATE TABLE record ("
    " name_space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, checksum BLOB NOT NULL,"
    " PRIMARY KEY (name_space, key)) WITHOUT ROWID;"
    "CREATE TABLE damaged_record ("
    " number INTEGER PRIMARY KEY, time_ms INTEGER, name_space, key, value, checksum);"
    "CREATE TABLE audit ("
    " number INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL,"
    " action TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL);",
};

static const struct schema current = {
    .steps = steps,
    .version = sizeof steps / sizeof steps[0],
};

const struct schema *schema_current(void) {
    return &current;
}

/* SQLite converts text to the file's encoding: with another one no key of ours would be found. */
static bool check_encoding(sqlite3 *database, struct status *status) {
    sqlite3_stmt *statement = NULL;
    if (!database_prepare(database, "PRAGMA encoding", &statement, status)) return false;
    const char *encoding = sqlite3_step(statement) == SQLITE_ROW
                               ? (const char *)sqlite3_column_text(statement, 0)
                               : NULL;
    bool ok = encoding != NULL && strcmp(encoding, "UTF-8") == 0;
    sqlite3_finalize(statement);
    return ok || status_fail(status, STATUS_DAMAGED, "the state file's text encoding is not ours");
}

bool schema_examine(sqlite3 *database, const struct schema *schema, enum schema_state *state,
                    int *version, struct status *status) {
    int64_t tables;
    int64_t application;
    int64_t header_version;
    int64_t table_version = 0;
    if (!database_read_integer(database, "SELECT count(*) FROM sqlite_master", &tables, status) ||
        !database_read_integer(database, "PRAGMA application_id", &application, status) ||
        !database_read_integer(database, "PRAGMA user_version", &header_version, status) ||
        !check_encoding(database, status))
        return false;
    if (tables == 0 && application == 0 && header_version == 0) {
        *state = SCHEMA_EMPTY;
        *version = 0;
        return true;
    }
    if (application != SCHEMA_APPLICATION_ID)
        return status_fail(status, STATUS_DAMAGED, "the file is not a state file of lsys");
    /* A missing table is damage like any other (SQLITE_ERROR); a disk that does not answer is
     * not: what it holds may be sound. */
    if (!database_read_integer(database, "SELECT version FROM store_version", &table_version,
                               status))
        return false;
    if (table_version != header_version || table_version < 1)
        return status_fail(status, STATUS_DAMAGED, "the state file's version cannot be told");
    *version = (int)table_version;
    *state = *version == schema->version  ? SCHEMA_CURRENT
             : *version > schema->version ? SCHEMA_NEWER
                                          : SCHEMA_OLDER;
    return true;
}

static bool apply_steps(sqlite3 *database, const struct schema *schema, int version,
                        struct status *status) {
    for (int i = version; i < schema->version; i++)
        if (!database_execute(database, schema->steps[i], status))
            return status_context(status, "migrating the state from version %d to %d", i, i + 1);
    char sql[160];
    snprintf(sql, sizeof sql,
             "UPDATE store_version SET version=%d; PRAGMA user_version=%d;"
             "PRAGMA application_id=%d",
             schema->version, schema->version, SCHEMA_APPLICATION_ID);
    return database_execute(database, sql, status);
}

bool schema_migrate(sqlite3 *database, const struct schema *schema, int version,
                    struct status *status) {
    if (!database_execute(database, "BEGIN EXCLUSIVE", status)) return false;
    if (apply_steps(database, schema, version, status) &&
        database_execute(database, "COMMIT", status))
        return true;
    database_roll_back(database);
    return false;
}
