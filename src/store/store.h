/*
 * The state of one process: one SQLite file, `state.db`, in the data folder. Roles keep what must
 * survive in it (serials, keys they pinned, counters, caches) as small records under a namespace of
 * their own, because `lsys up` runs several roles over one file.
 *
 * What is promised: a call that returned true is on the disk (WAL, synchronous=FULL), whatever
 * happens to the process or the power next. A record whose bytes changed behind our back is
 * reported as STATUS_DAMAGED, never returned. What is not promised: nobody who may write the folder
 * can be kept from putting an older copy of the whole file back; only a signature from outside can
 * tell.
 *
 * Synchronous: a write waits for the disk, some milliseconds, on the loop thread. Writes are rare.
 */
#ifndef LSYS_STORE_STORE_H
#define LSYS_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "rules/persistence.h"

struct store;

/* Names are ours, short and printable; the reason for the limit is that they are part of an
 * index. */
#define STORE_NAMESPACE_BYTES_MAX 64
#define STORE_KEY_BYTES_MAX       512

/* One value. The largest legitimate one is a cached license with its key ring; 4 MiB is far
 * above. */
#define STORE_VALUE_BYTES_MAX (4 * 1024 * 1024)

/* The whole file. Beyond it writes fail with STATUS_TOO_LARGE instead of filling the disk. */
#define STORE_FILE_BYTES_MAX (1024LL * 1024 * 1024)

/* Longest path of a file that was set aside, with its NUL. */
#define STORE_PATH_BYTES 1024

/* What store_open found, for the caller to log, count and tell. */
struct store_report {
    bool created;                     /* there was no state before */
    bool migrated;                    /* an older schema was brought forward */
    bool damaged;                     /* the old file was unusable and set aside */
    char set_aside[STORE_PATH_BYTES]; /* where the damaged file is now, or "" */
    size_t salvaged_records;          /* intact records and audit entries carried over from it */
    size_t lost_records; /* found damaged in it; what could not even be found is not counted */
};

/* Opens the store of `folder`, made with mode 0700 where missing, and takes the folder's lock. A
 * file that fails its integrity check is renamed to `state.db.damaged-<time>`, never deleted; a
 * fresh one takes its place, with every record that is provably intact. An older schema is migrated
 * after a backup copy to `state.db.before-v<N>`. `*report` (may be NULL) is filled on success.
 * Errors: STATUS_BUSY (another process has it: the text names its pid), STATUS_NEWER_VERSION
 * (written by a newer lsys, left untouched), STATUS_PERMISSION, STATUS_IO. The result is owned by
 * the caller. */
bool store_open(const char *folder, struct store **store, struct store_report *report,
                struct status *status) MUST_CHECK;

/* As store_open, and goes on with less when the disk does not let it have the file for writing
 * (full, read-only, an I/O error, no descriptor): down to PERSISTENCE_READ_ONLY or
 * PERSISTENCE_MEMORY, as `least` allows. Writes then fail with STATUS_IO and the reason until
 * store_retry works; what they were to write is for the caller to keep. What only a person can put
 * right stays an error: another process has the folder, it is no folder, we may not look into it or
 * make it, the file is another user's and not private, or a newer lsys wrote it. */
bool store_open_at_least(const char *folder, enum persistence_state least, struct store **store,
                         struct store_report *report, struct status *status) MUST_CHECK;

/* What of persistence there is now. `why` (may be NULL) tells what the disk refused, STATUS_OK when
 * durable. */
enum persistence_state store_persistence(const struct store *store, struct status *why);

/* Tries the disk once, and opens the file anew where that can help. True when the store is durable
 * now; `*report` then says what was found. False with the reason. Another file may be behind the
 * store afterwards, see store_generation. */
bool store_retry(struct store *store, struct store_report *report, struct status *status);

/* Grows whenever the store reads from another file than before. Who has read records, and kept in
 * memory what could not be written, reads them again then and merges before it writes. */
uint64_t store_generation(const struct store *store);

/* Has `changed(context)` called when a write fails after others worked, or works after others
 * failed: inside that write, so it calls nothing here. NULL ends that. */
typedef void store_watcher(void *context);
void store_watch(struct store *store, store_watcher *changed, void *context);

/* Opens an existing store for tools that only look (`lsys audit`, `lsys status`), also while a role
 * runs on it: no lock, nothing repaired, writes fail with STATUS_PERMISSION. Errors: as store_open,
 * STATUS_NOT_FOUND when there is none, STATUS_DAMAGED. */
bool store_open_to_read(const char *folder, struct store **store, struct status *status) MUST_CHECK;

/* Rolls back an open transaction, writes the WAL back, releases the lock, frees. NULL is
 * allowed. */
void store_close(struct store *store);

/* The folder given to store_open. */
const char *store_folder(const struct store *store);

/* Appends the value of a record to `value`, an initialised buffer whose limit also counts. Errors:
 * STATUS_NOT_FOUND; STATUS_DAMAGED (its checksum does not match: it is moved to the table of
 * damaged records, so that it can be looked into and the next store_put starts afresh);
 * STATUS_TOO_LARGE; STATUS_IO. On an error `value` is unchanged. */
bool store_get(struct store *store, const char *name_space, const char *key, struct buffer *value,
               struct status *status) MUST_CHECK;

/* Writes a record, replacing what was there. On return it is durable, or inside a transaction it
 * will be when store_commit returns true. Errors: STATUS_TOO_LARGE, STATUS_IO (disk full,
 * read-only, I/O error; nothing changed, and later calls work again as soon as the disk does). */
bool store_put(struct store *store, const char *name_space, const char *key, struct bytes value,
               struct status *status) MUST_CHECK;

/* Removes a record; true also when there was none. */
bool store_delete(struct store *store, const char *name_space, const char *key,
                  struct status *status) MUST_CHECK;

struct store_item {
    const char *key;
    struct bytes value;
};

/* Writes several records of a namespace, all or none, at the price of one wait for the disk. */
bool store_put_many(struct store *store, const char *name_space, const struct store_item *items,
                    size_t count, struct status *status) MUST_CHECK;

/* Called for a record; the bytes are gone when it returns. False ends the iteration. It may put and
 * delete records; whether these are still visited is open. */
typedef bool store_visitor(void *context, const char *key, struct bytes value);

/* Visits the records of a namespace whose keys begin with `prefix` ("" for all) in the order of
 * their keys' bytes. Damaged records are set aside and skipped; `*damaged` (may be NULL) counts
 * them. */
bool store_each(struct store *store, const char *name_space, const char *prefix,
                store_visitor *visit, void *context, size_t *damaged,
                struct status *status) MUST_CHECK;

/* How many records a namespace has, damaged ones included. */
bool store_count(struct store *store, const char *name_space, size_t *count,
                 struct status *status) MUST_CHECK;

/* Adds `amount` (at least 1) to a counter that starts at 0 and gives its new value, durable before
 * the caller sees it: no number is ever given twice, also not after kill -9. STATUS_DAMAGED when
 * the old value is lost (it is set aside: the caller decides where to go on, with store_put of 8
 * bytes, big endian, or lets it start at 0 again); STATUS_TOO_LARGE before it would pass 2^63 -
 * 1. */
bool store_increment(struct store *store, const char *name_space, const char *key, uint64_t amount,
                     uint64_t *value, struct status *status) MUST_CHECK;

/* A transaction over any calls above and audit_append. Not nested: beginning twice is
 * STATUS_INTERNAL. After an error inside it the caller rolls back. Between begin and commit the
 * caller does not return to the loop. */
bool store_begin(struct store *store, struct status *status) MUST_CHECK;
bool store_commit(struct store *store, struct status *status) MUST_CHECK;
void store_rollback(struct store *store);

/* For metrics and /readyz. */
struct store_health {
    bool writable;                  /* the last write worked */
    struct status last_write_error; /* why not, or STATUS_OK */
    uint64_t failed_writes;         /* since store_open */
    uint64_t damaged_records;       /* found since store_open */
    int64_t file_bytes;             /* state.db without its WAL */
};

/* Reads the health; does not touch the disk beyond the file's size. */
void store_health(struct store *store, struct store_health *health);

/* Makes a consistent copy of the store at `path`, which must not exist, mode 0600, durable on
 * return. */
bool store_backup(struct store *store, const char *path, struct status *status) MUST_CHECK;

#endif
