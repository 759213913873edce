/*
 * The inside of a license shelf: its index in memory. For the files of app/license_shelf only.
 */
#ifndef LSYS_APP_LICENSE_SHELF_INDEX_H
#define LSYS_APP_LICENSE_SHELF_INDEX_H

#include <stdbool.h>

#include "app/license_shelf.h"
#include "app/license_shelf_meta.h"
#include "store/store.h"
#include "verifier/jws_memo.h"

/* Verdicts remembered by an empty shelf, which may fill. */
#define LICENSE_SHELF_MEMO_MIN 1024

struct license_shelf {
    struct store *store;
    const char *name; /* namespace, and the role in the log */
    char stream[LICENSE_SHELF_STREAM_BYTES];
    uint64_t sequence;
    struct shelf_entry **entries; /* sorted by id (strcmp) */
    size_t count;
    size_t capacity;
    size_t deleted; /* of these entries */
    uint64_t edits; /* times that an entry came, was replaced, or went */
    struct list by_change;
    struct jws_memo *memo;
    size_t lost;
    bool lost_is_audited;       /* the audit log has that number */
    struct shelf_meta expected; /* what its record said when it was opened */
    bool twin_fails;            /* the last write of the twin did, which was told */
    bool unsaved;               /* some entry, or the shelf's own record, is in memory only */
    uint64_t generation;        /* of the store, when it was read */
};

/* Adds an entry, which is the shelf's from now on, as the newest change. Its id is new. */
void license_shelf_index_add(struct license_shelf *shelf, struct shelf_entry *entry);

/* Puts `entry` in the place of the one with its id, if there is one, as the newest change. */
void license_shelf_index_replace(struct license_shelf *shelf, struct shelf_entry *entry);

/* Takes an entry out and frees it. */
void license_shelf_index_remove(struct license_shelf *shelf, struct shelf_entry *entry);

/* Sorts the list of changes, once after loading. */
void license_shelf_index_order(struct license_shelf *shelf);

/* The key of an entry's record; false when the id is too long for one. */
bool license_shelf_entry_key(const char *license_id, char out[STORE_KEY_BYTES_MAX]);

/* When another file is behind the store (store_generation): takes from it the licenses that are not
 * on the shelf, or with a lower serial, as the newest changes. */
void license_shelf_merge(struct license_shelf *shelf);

#endif
