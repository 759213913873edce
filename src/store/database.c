#include "store/database.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/store.h"

/* A tool that reads while a role runs holds locks for milliseconds; whoever holds them for longer
 * must not stop the loop. */
#define BUSY_LIMIT_MS 1000

/* A value, its key and its checksum, with room; no statement or row of ours is larger. */
#define LENGTH_LIMIT_BYTES (STORE_VALUE_BYTES_MAX + 64 * 1024)

/* Keeps the WAL from staying large after one large transaction. */
#define WAL_REST_BYTES (4 * 1024 * 1024)

/* A path with each of its characters escaped, and what makes SQLite take the file as it is. */
#define IMMUTABLE "?immutable=1"
#define URI_BYTES (3 * STORE_PATH_BYTES + 32)

static enum status_code code_of(sqlite3 *database, int code) {
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    /* Our statements are right: what they fail on is not the file they were written for. */
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_SCHEMA: return STATUS_DAMAGED;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return STATUS_PERMISSION;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return STATUS_BUSY;
    case SQLITE_NOMEM: return STATUS_NO_MEMORY;
    case SQLITE_TOOBIG: return STATUS_TOO_LARGE;
    case SQLITE_FULL: {
        int64_t pages = 0;
        bool known = database_read_integer(database, "PRAGMA page_count", &pages, NULL);
        return known && pages >= STORE_FILE_BYTES_MAX / DATABASE_PAGE_BYTES - 1 ? STATUS_TOO_LARGE
                                                                                : STATUS_IO;
    }
    default: return STATUS_IO;
    }
}

bool database_fail(sqlite3 *database, int code, const char *what, struct status *status) {
    char text[200] = "";
    int system_error = 0;
    if (database != NULL) {
        snprintf(text, sizeof text, "%s", sqlite3_errmsg(database));
        system_error = sqlite3_system_errno(database);
    } else {
        snprintf(text, sizeof text, "%s", sqlite3_errstr(code));
    }
    int primary = code & 0xff;
    bool from_system = system_error != 0 && (primary == SQLITE_IOERR || primary == SQLITE_FULL ||
                                             primary == SQLITE_CANTOPEN);
    return status_fail(status, code_of(database, code), "%s: %s%s%s", what, text,
                       from_system ? ": " : "", from_system ? strerror(system_error) : "");
}

bool database_execute(sqlite3 *database, const char *sql, struct status *status) {
    int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || database_fail(database, code, "state", status);
}

void database_roll_back(sqlite3 *database) {
    if (!sqlite3_get_autocommit(database)) sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
}

bool database_prepare(sqlite3 *database, const char *sql, sqlite3_stmt **statement,
                      struct status *status) {
    int code = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return code == SQLITE_OK || database_fail(database, code, "state", status);
}

bool database_read_integer(sqlite3 *database, const char *sql, int64_t *value,
                           struct status *status) {
    sqlite3_stmt *statement = NULL;
    if (!database_prepare(database, sql, &statement, status)) return false;
    int code = sqlite3_step(statement);
    *value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    bool ok = code == SQLITE_ROW || code == SQLITE_DONE;
    if (!ok) database_fail(database, code, "state", status);
    sqlite3_finalize(statement);
    return ok;
}

void database_wait_for_locks(sqlite3 *database, bool wait) {
    sqlite3_busy_timeout(database, wait ? BUSY_LIMIT_MS : 0);
}

/* What a hostile or damaged file could use against us is off; what it could exhaust is limited. */
static void harden(sqlite3 *database) {
    static const struct {
        int option;
        int on;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        sqlite3_db_config(database, switches[i].option, switches[i].on, NULL);
    sqlite3_limit(database, SQLITE_LIMIT_LENGTH, LENGTH_LIMIT_BYTES);
    sqlite3_limit(database, SQLITE_LIMIT_SQL_LENGTH, 16 * 1024);
    sqlite3_limit(database, SQLITE_LIMIT_COLUMN, 32);
    sqlite3_limit(database, SQLITE_LIMIT_EXPR_DEPTH, 32);
    sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM INTO attaches its target */
    sqlite3_extended_result_codes(database, 1);
    database_wait_for_locks(database, true);
}

/* SQLite's URI of a path; '?', '#' and '%' would mean something in it. */
static void write_immutable_uri(const char *path, char out[URI_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    size_t used = (size_t)snprintf(out, URI_BYTES, "file:");
    for (const char *at = path; *at && used < URI_BYTES - sizeof(IMMUTABLE) - 3; at++) {
        if (strchr("?#%", *at) == NULL) {
            out[used++] = *at;
            continue;
        }
        out[used++] = '%';
        out[used++] = digits[(unsigned char)*at >> 4];
        out[used++] = digits[(unsigned char)*at & 15];
    }
    memcpy(out + used, IMMUTABLE, sizeof(IMMUTABLE));
}

/* A WAL that has something is read without its index (which could not be made), as SQLite does for
 * a process that has the file to itself; without a WAL the file is all there is. */
static int open_unwritable(const char *path, sqlite3 **database) {
    char text[URI_BYTES];
    struct stat information;
    snprintf(text, sizeof text, "%s-wal", path);
    if (stat(text, &information) == 0 && information.st_size > 0) {
        int code = sqlite3_open_v2(path, database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW,
                                   "unix-none");
        if (code != SQLITE_OK) return code;
        sqlite3_db_config(*database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return sqlite3_exec(*database, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
    }
    write_immutable_uri(path, text);
    return sqlite3_open_v2(text, database,
                           SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW, NULL);
}

static int open_in_mode(const char *path, enum database_mode mode, sqlite3 **database) {
    switch (mode) {
    case DATABASE_UNWRITABLE: return open_unwritable(path, database);
    case DATABASE_IN_MEMORY:
        return sqlite3_open_v2(":memory:", database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY,
                               NULL);
    case DATABASE_READ_WRITE:
        return sqlite3_open_v2(path, database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    case DATABASE_READ_ONLY: break;
    }
    return sqlite3_open_v2(path, database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL);
}

bool database_open(const char *path, enum database_mode mode, sqlite3 **database,
                   struct status *status) {
    *database = NULL;
    int code = open_in_mode(path, mode, database);
    if (code != SQLITE_OK) {
        database_fail(*database, code, path, status);
        sqlite3_close(*database);
        *database = NULL;
        return false;
    }
    harden(*database);
    if (!database_execute(*database, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", status)) {
        sqlite3_close(*database);
        *database = NULL;
        return false;
    }
    return true;
}

bool database_make_durable(sqlite3 *database, struct status *status) {
    char sql[256];
    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
             "PRAGMA journal_size_limit=%d; PRAGMA max_page_count=%lld",
             WAL_REST_BYTES, STORE_FILE_BYTES_MAX / DATABASE_PAGE_BYTES);
    return database_execute(database, sql, status);
}

bool database_check_integrity(sqlite3 *database, struct status *status) {
    sqlite3_stmt *statement = NULL;
    if (!database_prepare(database, "PRAGMA integrity_check(1)", &statement, status)) return false;
    bool ok = false;
    int code = sqlite3_step(statement);
    const char *finding = NULL;
    if (code == SQLITE_ROW) {
        finding = (const char *)sqlite3_column_text(statement, 0);
        ok = finding != NULL && strcmp(finding, "ok") == 0;
    }
    if (code != SQLITE_ROW) {
        database_fail(database, code, "integrity check", status);
    } else if (!ok) {
        status_fail(status, STATUS_DAMAGED, "the state file is damaged: %.200s",
                    finding == NULL ? "?" : finding);
    }
    sqlite3_finalize(statement);
    return ok;
}
