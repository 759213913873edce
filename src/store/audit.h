/*
 * The audit log: who did what and when, append-only, in the store. Each entry's hash covers the
 * entry and the hash of the one before, and the head (count and hash) is kept as a record, so that
 * a changed, removed or inserted entry shows in audit_verify. Someone who can write the file can
 * also rewrite the whole chain; against that an operator copies the head (`lsys audit --head`) to
 * another place.
 */
#ifndef LSYS_STORE_AUDIT_H
#define LSYS_STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/store.h"

/* Actor and action are short names of ours; the detail is one JSON object. */
#define AUDIT_NAME_BYTES_MAX   200
#define AUDIT_DETAIL_BYTES_MAX (16 * 1024)

/* Entries kept. When there are more the oldest AUDIT_PRUNE_ENTRIES go in one step and the chain
 * starts at the first that is left: some 200 MB at the very most, years of a busy site. */
#define AUDIT_ENTRIES_MAX   1000000
#define AUDIT_PRUNE_ENTRIES 10000

#define AUDIT_HASH_BYTES 32

struct audit_entry {
    uint64_t number; /* 1, 2, 3 ... without gaps */
    int64_t time_ms; /* wall clock when it was appended */
    const char *actor;
    const char *action;
    const char *detail; /* a JSON object */
    uint8_t hash[AUDIT_HASH_BYTES];
};

struct audit_head {
    uint64_t number; /* of the newest entry; 0 when there is none */
    uint8_t hash[AUDIT_HASH_BYTES];
};

/* Appends an entry; durable on return, or with the transaction it is part of. `detail` is a JSON
 * object that the caller has made ("{}" for none); no secrets. STATUS_TOO_LARGE, STATUS_IO. */
bool audit_append(struct store *store, int64_t time_ms, const char *actor, const char *action,
                  const char *detail, struct status *status) MUST_CHECK;

/* Called for an entry, valid until it returns. False ends the listing. */
typedef bool audit_visitor(void *context, const struct audit_entry *entry);

/* Visits up to `limit` entries with number > `after`, oldest first. Entries are shown as they are
 * stored; audit_verify says whether they can be believed. */
bool audit_list(struct store *store, uint64_t after, size_t limit, audit_visitor *visit,
                void *context, struct status *status) MUST_CHECK;

/* The newest entry's number and hash. */
bool audit_head(struct store *store, struct audit_head *head, struct status *status) MUST_CHECK;

/* Recomputes the whole chain. STATUS_DAMAGED names the first entry that does not fit; `*checked`
 * (may be NULL) is how many did. */
bool audit_verify(struct store *store, uint64_t *checked, struct status *status) MUST_CHECK;

#endif
