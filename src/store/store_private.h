/*
 * The inside of a store, shared by the files of src/store.
 */
#ifndef LSYS_STORE_STORE_PRIVATE_H
#define LSYS_STORE_STORE_PRIVATE_H

#include "store/database.h"
#include "store/schema.h"
#include "store/store.h"

/* Statements that are prepared once, at open. Their texts are in statement.c. */
enum store_statement {
    STATEMENT_GET,
    STATEMENT_PUT,
    STATEMENT_DELETE,
    STATEMENT_COUNT,
    STATEMENT_KEEP_DAMAGED,
    STATEMENT_DROP_OLD_DAMAGED,
    STATEMENT_AUDIT_APPEND,
    STATEMENT_AUDIT_PRUNE,
    STATEMENTS /* how many there are */
};

struct store {
    char *folder;
    char *path; /* of state.db */
    int lock;   /* descriptor; -1 when open to read, or when the folder cannot be locked */
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENTS];
    bool read_only;                   /* open to read, or only that is left */
    struct status refusal;            /* why writes are refused untried, if read_only */
    enum persistence_state as_opened; /* DURABLE, READ_ONLY or MEMORY */
    uint64_t generation;
    store_watcher *watcher;
    void *watcher_context;
    bool in_transaction;     /* between store_begin and its end */
    bool transaction_failed; /* nothing but store_rollback is left to do */
    struct status last_write_error;
    uint64_t failed_writes;
    uint64_t damaged_records;
};

/* A store of no folder yet. */
struct store *store_new(void);

/* Sets folder and path from what the caller of store_open named. */
bool store_find_folder(struct store *store, const char *folder, struct status *status) MUST_CHECK;

/* Opens state.db, tells what it is, and checks it. The statements of the present schema are
 * prepared: that they can be shows that its tables are as they should be. */
bool store_open_database(struct store *store, enum database_mode mode, enum schema_state *state,
                         int *version, struct status *status) MUST_CHECK;

/* Opens the file, replacing it when it is damaged and `replace` allows it (else STATUS_DAMAGED), and
 * makes it ready. The folder is locked. */
bool store_open_for_writing(struct store *store, bool replace, struct store_report *report,
                            struct status *status) MUST_CHECK;

/* Closes the file alone; harmless when it is closed. */
void store_close_database(struct store *store);

/* Reports a file of a newer lsys. Always returns false. */
bool store_refuse_newer(const struct store *store, int version, struct status *status);

/* Bytes of a record's checksum: the first half of a SHA-256. It finds what decayed, not what was
 * forged; 16 bytes find everything. */
#define RECORD_CHECKSUM_BYTES 16

/* The checksum over namespace, key and value, each with its length. */
void record_checksum(struct bytes name_space, struct bytes key, struct bytes value,
                     uint8_t checksum[RECORD_CHECKSUM_BYTES]);

/* True when the columns name_space, key, value, checksum, from `first` on, fit each other. */
bool record_is_intact(sqlite3_stmt *row, int first);

/* Moves every record whose checksum does not fit to the table of damaged ones, and counts them. */
bool record_set_aside_damaged(struct store *store, size_t *count, struct status *status) MUST_CHECK;

/* Reports a record whose checksum does not fit with STATUS_DAMAGED, counts it, and moves it to the
 * table of damaged ones unless a transaction is open. Always returns false. */
bool record_found_damaged(struct store *store, struct bytes name_space, struct bytes key,
                          struct status *status);

/* STATUS_TOO_LARGE unless both names keep their limits. */
bool record_check_name(const char *name_space, const char *key, struct status *status) MUST_CHECK;

/* Prepares all statements, or none. */
bool statement_prepare_all(struct store *store, struct status *status) MUST_CHECK;
void statement_finalize_all(struct store *store);

/* Binds text or bytes that outlive the step. */
void statement_bind_text(sqlite3_stmt *statement, int place, const char *text);
void statement_bind_bytes(sqlite3_stmt *statement, int place, struct bytes bytes);

/* The bytes of a column, valid until the next step. */
struct bytes statement_column(sqlite3_stmt *statement, int column);

/* Runs a statement that writes, and resets it. Keeps the health; takes back a half-made change. */
bool statement_write(struct store *store, sqlite3_stmt *statement,
                     struct status *status) MUST_CHECK;

/* Records that a write worked, or failed with `code`; the latter always returns false. */
void store_write_worked(struct store *store);
bool store_write_failed(struct store *store, int code, struct status *status);

/* A transaction for a call that needs several writes: its own, or the caller's if there is one. */
struct store_scope {
    struct store *store;
    bool own;
};
bool store_scope_begin(struct store_scope *scope, struct store *store,
                       struct status *status) MUST_CHECK;

/* Commits the scope's own transaction when `ok`, else takes it back; returns whether all is
 * well. */
bool store_scope_end(struct store_scope *scope, bool ok, struct status *status) MUST_CHECK;

/* Copies what is intact in the file `damaged` into the new store `into`, whose file is `fresh`;
 * NULL: it is in memory, because nothing can be written. Never fails: what cannot be read is
 * lost. */
void salvage_copy(const char *damaged, const char *fresh, sqlite3 *into, size_t *salvaged,
                  size_t *lost);

/* Makes the path the damaged file goes to: "<path>.damaged-<UTC time>", not yet taken. */
void set_aside_name(const char *path, char out[STORE_PATH_BYTES]);

/* Puts the finished file `fresh` in the place of the damaged `path`, which stays as `aside`. */
bool set_aside_swap(const char *path, const char *fresh, const char *aside,
                    struct status *status) MUST_CHECK;

#endif
