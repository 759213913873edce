/*
 * The shelf's own record: its name, the number of its newest change, how many entries it has. It is
 * kept twice, in the store and in a small file beside it, the twin. The store alone cannot tell that
 * it went back: a log of SQLite's that is damaged or gone just ends earlier, and what was promised
 * after that would be lost without a word. For the files of app/license_shelf only.
 *
 *     store: meta     written with the changes, in their transaction
 *     NAME.shelf      written after it: never ahead of the disk, at most one change behind
 */
#ifndef LSYS_APP_LICENSE_SHELF_META_H
#define LSYS_APP_LICENSE_SHELF_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/license_shelf.h"

struct shelf_meta {
    char stream[LICENSE_SHELF_STREAM_BYTES]; /* "": there is no record */
    uint64_t sequence;
    size_t entries; /* deleted ones included; 0 also when an older lsys wrote no number */
};

/* Reads both, gives the shelf its name and number (new ones when there are none), and keeps what
 * they say for license_shelf_meta_missing. Before the entries are loaded. */
void license_shelf_meta_load(struct license_shelf *shelf);

/* After the entries are loaded: how many of them, or of the changes to them, are missing. */
size_t license_shelf_meta_missing(const struct license_shelf *shelf);

/* Writes the record to the store. `sequence` and `entries` are as they will be with the transaction
 * that this is part of. */
bool license_shelf_meta_save(struct license_shelf *shelf, uint64_t sequence, size_t entries,
                             struct status *status) MUST_CHECK;

/* Writes the twin, after the transaction. It promises nothing, so nothing waits for the disk; that
 * it cannot be written is told once. */
void license_shelf_twin_save(struct license_shelf *shelf);

#endif
