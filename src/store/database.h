/*
 * SQLite as the store uses it: opening with every guard on, its errors in our words, and small
 * helpers. The only folder that includes sqlite3.h is src/store.
 */
#ifndef LSYS_STORE_DATABASE_H
#define LSYS_STORE_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/status.h"

/* SQLite's page size, the default that our files are made with. */
#define DATABASE_PAGE_BYTES 4096

enum database_mode {
    DATABASE_READ_WRITE,
    DATABASE_READ_ONLY,  /* beside a process that writes; needs a folder that can be written */
    DATABASE_UNWRITABLE, /* as it lies there: nothing is written or locked, whatever the disk is */
    DATABASE_IN_MEMORY,  /* a new one without a file; the path only says where it would be */
};

/* Opens the existing file `path` (absolute), which may be empty. Nothing in the file can make us
 * run code: no extensions, triggers or views, an untrusted schema. Errors: as database_fail. */
bool database_open(const char *path, enum database_mode mode, sqlite3 **database,
                   struct status *status) MUST_CHECK;

/* Whether calls wait for a moment while another process has the database locked, as they do once it
 * is opened, or fail at once with STATUS_BUSY. */
void database_wait_for_locks(sqlite3 *database, bool wait);

/* Sets WAL and synchronous=FULL, so that a commit is on the disk when it returns. */
bool database_make_durable(sqlite3 *database, struct status *status) MUST_CHECK;

/* Records the error `code` of SQLite with its text: STATUS_DAMAGED (corrupt, not a database),
 * STATUS_PERMISSION (read-only), STATUS_BUSY, STATUS_NO_MEMORY, STATUS_TOO_LARGE
 * (STORE_FILE_BYTES_MAX), STATUS_IO for the disk's. `what` says what was being done. Always returns
 * false. */
bool database_fail(sqlite3 *database, int code, const char *what, struct status *status);

/* Runs statements that give no rows. */
bool database_execute(sqlite3 *database, const char *sql, struct status *status) MUST_CHECK;

/* Takes back an open transaction, if SQLite has not done so by itself. */
void database_roll_back(sqlite3 *database);

/* Reads the first column of the first row; 0 when there is none. */
bool database_read_integer(sqlite3 *database, const char *sql, int64_t *value,
                           struct status *status) MUST_CHECK;

/* Prepares a statement that is kept. */
bool database_prepare(sqlite3 *database, const char *sql, sqlite3_stmt **statement,
                      struct status *status) MUST_CHECK;

/* Checks structure and content of the whole file: STATUS_DAMAGED with what SQLite found. */
bool database_check_integrity(sqlite3 *database, struct status *status) MUST_CHECK;

#endif
