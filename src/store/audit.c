#include "store/audit.h"

#include <string.h>

#include "base/assertion.h"
#include "store/store_private.h"
#include "verifier/sha256.h"

/* Where the chain begins and ends, as records beside the roles' own. Each is a number (8 bytes, big
 * endian) and a hash: of the newest entry, and of the one before the oldest that is kept. */
#define AUDIT_NAMESPACE "audit"
#define HEAD_KEY        "head"
#define START_KEY       "start"
#define MARK_BYTES      (8 + AUDIT_HASH_BYTES)

/* ---- Hashes ---- */

static void put_number(uint8_t out[8], uint64_t number) {
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

static void add_number(struct sha256_stream *stream, uint64_t number) {
    uint8_t bytes[8];
    put_number(bytes, number);
    sha256_stream_add(stream, bytes_of(bytes, sizeof bytes));
}

static void add_text(struct sha256_stream *stream, const char *text) {
    add_number(stream, strlen(text));
    sha256_stream_add(stream, bytes_of_text(text));
}

/* The hash of an entry: previous hash, number, time, and the three texts, each with its length. */
static void hash_entry(const uint8_t previous[AUDIT_HASH_BYTES], const struct audit_entry *entry,
                       uint8_t hash[AUDIT_HASH_BYTES]) {
    struct sha256_stream stream;
    sha256_stream_init(&stream);
    sha256_stream_add(&stream, bytes_of(previous, AUDIT_HASH_BYTES));
    add_number(&stream, entry->number);
    add_number(&stream, (uint64_t)entry->time_ms);
    add_text(&stream, entry->actor);
    add_text(&stream, entry->action);
    add_text(&stream, entry->detail);
    sha256_stream_finish(&stream, hash);
}

/* ---- Marks ---- */

/* Reads a mark; number 0 and a hash of zeros when there is none yet. */
static bool read_mark(struct store *store, const char *key, struct audit_head *mark,
                      struct status *status) {
    struct buffer buffer;
    struct status error = STATUS_INIT;
    *mark = (struct audit_head){0};
    buffer_init(&buffer, MARK_BYTES);
    bool ok = store_get(store, AUDIT_NAMESPACE, key, &buffer, &error);
    if (ok && buffer.length == MARK_BYTES) {
        for (int i = 0; i < 8; i++)
            mark->number = mark->number << 8 | buffer.data[i];
        memcpy(mark->hash, buffer.data + 8, AUDIT_HASH_BYTES);
    } else if (error.code == STATUS_NOT_FOUND) {
        ok = true;
    } else {
        ok = status_fail(status, ok ? STATUS_DAMAGED : error.code, "the audit log's %s: %s", key,
                         ok ? "wrong size" : error.text);
    }
    buffer_free(&buffer);
    return ok;
}

static bool write_mark(struct store *store, const char *key, const struct audit_head *mark,
                       struct status *status) {
    uint8_t bytes[MARK_BYTES];
    put_number(bytes, mark->number);
    memcpy(bytes + 8, mark->hash, AUDIT_HASH_BYTES);
    return store_put(store, AUDIT_NAMESPACE, key, bytes_of(bytes, sizeof bytes), status);
}

/* When the mark of the newest entry was lost with a damaged file, the log goes on behind the newest
 * entry there is; audit_verify tells of the gap. */
static bool find_head(struct store *store, struct audit_head *head, struct status *status) {
    struct status error = STATUS_INIT;
    bool known = read_mark(store, HEAD_KEY, head, &error);
    if (!known && error.code != STATUS_DAMAGED)
        return status_fail(status, error.code, "%s", error.text);
    sqlite3_stmt *last = NULL;
    if (!database_prepare(store->database,
                          "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1", &last,
                          status))
        return false;
    int code = sqlite3_step(last);
    bool ok = code == SQLITE_ROW || code == SQLITE_DONE;
    if (code == SQLITE_ROW && (uint64_t)sqlite3_column_int64(last, 0) > head->number) {
        struct bytes hash = statement_column(last, 1);
        head->number = (uint64_t)sqlite3_column_int64(last, 0);
        memset(head->hash, 0, AUDIT_HASH_BYTES);
        memcpy(head->hash, hash.data,
               hash.length < AUDIT_HASH_BYTES ? hash.length : AUDIT_HASH_BYTES);
    } else if (!ok) {
        database_fail(store->database, code, "reading the audit log", status);
    }
    sqlite3_finalize(last);
    return ok;
}

bool audit_head(struct store *store, struct audit_head *head, struct status *status) {
    return read_mark(store, HEAD_KEY, head, status);
}

/* ---- Appending ---- */

static bool insert_entry(struct store *store, const struct audit_entry *entry,
                         struct status *status) {
    sqlite3_stmt *append = store->statements[STATEMENT_AUDIT_APPEND];
    sqlite3_bind_int64(append, 1, (sqlite3_int64)entry->number);
    sqlite3_bind_int64(append, 2, entry->time_ms);
    statement_bind_text(append, 3, entry->actor);
    statement_bind_text(append, 4, entry->action);
    statement_bind_text(append, 5, entry->detail);
    statement_bind_bytes(append, 6, bytes_of(entry->hash, AUDIT_HASH_BYTES));
    return statement_write(store, append, status);
}

/* Lets the oldest entries go when there are too many, moving the chain's start behind them. */
static bool prune(struct store *store, const struct audit_head *head, struct status *status) {
    struct audit_head start;
    struct status error = STATUS_INIT;
    /* A damaged mark is as good as none: it moves on with each step. */
    if (!read_mark(store, START_KEY, &start, &error) && error.code != STATUS_DAMAGED)
        return status_fail(status, error.code, "%s", error.text);
    if (head->number - start.number <= AUDIT_ENTRIES_MAX) return true;
    struct audit_head new_start = {.number = start.number + AUDIT_PRUNE_ENTRIES};
    sqlite3_stmt *find = NULL;
    if (!database_prepare(store->database, "SELECT hash FROM audit WHERE number=?1", &find, status))
        return false;
    sqlite3_bind_int64(find, 1, (sqlite3_int64)new_start.number);
    if (sqlite3_step(find) == SQLITE_ROW && statement_column(find, 0).length == AUDIT_HASH_BYTES)
        memcpy(new_start.hash, statement_column(find, 0).data, AUDIT_HASH_BYTES);
    sqlite3_finalize(find);
    sqlite3_stmt *drop = store->statements[STATEMENT_AUDIT_PRUNE];
    sqlite3_bind_int64(drop, 1, (sqlite3_int64)new_start.number);
    return statement_write(store, drop, status) && write_mark(store, START_KEY, &new_start, status);
}

static bool append(struct store *store, struct audit_entry *entry, struct status *status) {
    struct audit_head head;
    if (!find_head(store, &head, status)) return false;
    entry->number = head.number + 1;
    hash_entry(head.hash, entry, entry->hash);
    head.number = entry->number;
    memcpy(head.hash, entry->hash, AUDIT_HASH_BYTES);
    return insert_entry(store, entry, status) && write_mark(store, HEAD_KEY, &head, status) &&
           prune(store, &head, status);
}

bool audit_append(struct store *store, int64_t time_ms, const char *actor, const char *action,
                  const char *detail, struct status *status) {
    if (strlen(actor) > AUDIT_NAME_BYTES_MAX || strlen(action) > AUDIT_NAME_BYTES_MAX ||
        strlen(detail) > AUDIT_DETAIL_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "an audit entry is too long: %.60s", action);
    struct audit_entry entry = {
        .time_ms = time_ms, .actor = actor, .action = action, .detail = detail};
    struct store_scope scope;
    if (!store_scope_begin(&scope, store, status)) return false;
    bool ok = append(store, &entry, status);
    return store_scope_end(&scope, ok, status);
}

/* ---- Reading ---- */

static const char *text_column(sqlite3_stmt *row, int column) {
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? "" : text;
}

static void read_entry(sqlite3_stmt *row, struct audit_entry *entry) {
    struct bytes hash = statement_column(row, 5);
    *entry = (struct audit_entry){
        .number = (uint64_t)sqlite3_column_int64(row, 0),
        .time_ms = sqlite3_column_int64(row, 1),
        .actor = text_column(row, 2),
        .action = text_column(row, 3),
        .detail = text_column(row, 4),
    };
    if (hash.length == AUDIT_HASH_BYTES) memcpy(entry->hash, hash.data, AUDIT_HASH_BYTES);
}

bool audit_list(struct store *store, uint64_t after, size_t limit, audit_visitor *visit,
                void *context, struct status *status) {
    sqlite3_stmt *rows = NULL;
    if (!database_prepare(store->database,
                          "SELECT number, time_ms, actor, action, detail, hash FROM audit"
                          " WHERE number>?1 ORDER BY number LIMIT ?2",
                          &rows, status))
        return false;
    sqlite3_bind_int64(rows, 1, after > INT64_MAX ? INT64_MAX : (sqlite3_int64)after);
    sqlite3_bind_int64(rows, 2, limit > INT64_MAX ? INT64_MAX : (sqlite3_int64)limit);
    bool go_on = true;
    int code = SQLITE_DONE;
    while (go_on && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct audit_entry entry;
        read_entry(rows, &entry);
        go_on = visit(context, &entry);
    }
    bool ok = !go_on || code == SQLITE_DONE ||
              database_fail(store->database, code, "reading the audit log", status);
    sqlite3_finalize(rows);
    return ok;
}

struct verification {
    struct audit_head last; /* the entry before the next one */
    uint64_t checked;
    uint64_t bad_number; /* 0 while all is well */
};

static bool verify_entry(void *context, const struct audit_entry *entry) {
    struct verification *verification = context;
    uint8_t hash[AUDIT_HASH_BYTES];
    hash_entry(verification->last.hash, entry, hash);
    if (entry->number != verification->last.number + 1 ||
        memcmp(hash, entry->hash, AUDIT_HASH_BYTES) != 0) {
        verification->bad_number = verification->last.number + 1;
        return false;
    }
    verification->last.number = entry->number;
    memcpy(verification->last.hash, hash, AUDIT_HASH_BYTES);
    verification->checked++;
    return true;
}

bool audit_verify(struct store *store, uint64_t *checked, struct status *status) {
    struct verification verification = {0};
    struct audit_head head;
    if (checked != NULL) *checked = 0;
    if (!read_mark(store, START_KEY, &verification.last, status) ||
        !read_mark(store, HEAD_KEY, &head, status) ||
        !audit_list(store, 0, SIZE_MAX, verify_entry, &verification, status))
        return false;
    if (checked != NULL) *checked = verification.checked;
    if (verification.bad_number != 0) {
        return status_fail(status, STATUS_DAMAGED,
                           "audit entry %llu was changed, removed or inserted",
                           (unsigned long long)verification.bad_number);
    }
    if (verification.last.number != head.number ||
        memcmp(verification.last.hash, head.hash, AUDIT_HASH_BYTES) != 0) {
        return status_fail(
            status, STATUS_DAMAGED, "the audit log ends at entry %llu, but %llu were written",
            (unsigned long long)verification.last.number, (unsigned long long)head.number);
    }
    return true;
}
