/*
 * The licenses that a cache holds, in the state store and indexed in memory: cache-master keeps
 * what the vendor issued on one, cache-slave what its master told it. Every change gets the next
 * number of a sequence, also a deletion, so that "what is new since 41" has an exact answer; and
 * the shelf has a random name, its stream, so that numbers of another shelf are never taken for its
 * own.
 *
 *     store, namespace NAME                 memory
 *     meta           stream, sequence,      sorted by id: to find one
 *                    how many entries       in the order of changes: to tell what is new
 *     license/<id>   change, serial, ...
 *                    and the token          file NAME.shelf: meta once more
 *
 * Tokens stay on the disk. Whoever takes one from the shelf gets it verified anew by the keys now
 * in force; a signature found good before costs a hash. With 100,000 licenses opening takes well
 * under a second, because nothing is verified for it.
 */
#ifndef LSYS_APP_LICENSE_SHELF_H
#define LSYS_APP_LICENSE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/list.h"
#include "base/status.h"
#include "verifier/key_ring.h"
#include "verifier/license.h"

struct store;

/* Entries, deleted ones included: twice the largest installation that we know how to test. */
#define LICENSE_SHELF_ENTRIES_MAX 200000

/* A stream's name: 128 random bits as base64url, and a NUL. */
#define LICENSE_SHELF_STREAM_BYTES 24

/* Longest reason of a revocation that is kept. */
#define LICENSE_SHELF_REASON_BYTES_MAX 200

/* What is known about an entry's token since this process started. */
enum shelf_proof {
    SHELF_UNPROVEN, /* not looked at yet */
    SHELF_PROVEN,
    SHELF_REFUSED, /* damaged, or no key in force verifies it */
};

struct shelf_entry {
    struct list by_change; /* in the order of `change` */
    char *license_id;
    char *deployment_id; /* "": any */
    int64_t serial;
    uint64_t change;          /* the number of its last change */
    bool deleted;             /* nothing but the serial counts then */
    int64_t revoked_at_ms;    /* by the keeper of the shelf; 0: not revoked */
    char *revoked_reason;     /* NULL: not revoked */
    enum shelf_proof proof;   /* the rest is of this process only */
    int64_t refused_since_ms; /* wall clock, while SHELF_REFUSED */
    char *unsaved_token;      /* the token while the disk refuses it, else NULL */
    bool unsaved;             /* the record is not on the disk */
};

struct license_shelf;

/* Opens the shelf `name` (a constant of ours) of the store, which is borrowed. Entries that are
 * damaged are set aside by the store; those, and whatever else is missing since the last change,
 * are counted in license_shelf_lost. STATUS_IO and the like. */
struct license_shelf *license_shelf_open(struct store *store, const char *name,
                                         struct status *status) MUST_CHECK;

/* Tries to save what is unsaved, and frees. NULL is harmless. */
void license_shelf_close(struct license_shelf *shelf);

const char *license_shelf_stream(const struct license_shelf *shelf);

/* The number of the newest change; 0 when there was none. */
uint64_t license_shelf_sequence(const struct license_shelf *shelf);

/* As long as this number is the same, entries that license_shelf_find gave are valid, and ids that
 * it did not find are not there. Not 0 once the shelf has had an entry. */
uint64_t license_shelf_edits(const struct license_shelf *shelf);

/* Licenses on the shelf, without deleted ones. */
size_t license_shelf_count(const struct license_shelf *shelf);

/* Entries, or changes to them, that were lost with damage to the store, and forgetting them once
 * they were fetched again. Until then, or the next change, they are found missing at each
 * opening. */
size_t license_shelf_lost(const struct license_shelf *shelf);
void license_shelf_forget_lost(struct license_shelf *shelf);

/* The entry with this id, also a deleted one, or NULL. Valid until the next change. */
struct shelf_entry *license_shelf_find(struct license_shelf *shelf, const char *license_id);

/* Walks all entries in the order of their ids; NULL at the end. `index` counts from 0. */
struct shelf_entry *license_shelf_at(struct license_shelf *shelf, size_t index);

/* The oldest entry whose change is above `since`, and the next after `entry`; NULL at the end. */
struct shelf_entry *license_shelf_since(struct license_shelf *shelf, uint64_t since);
struct shelf_entry *license_shelf_next(struct license_shelf *shelf,
                                       const struct shelf_entry *entry);

/* ---- taking ---- */

/* Reads the entry's token, verifies it by `ring` and sets `proof`. A license, owned by the caller;
 * `token` (may be NULL; initialised) gets the token. NULL with STATUS_DAMAGED when the record is
 * not what was written, with STATUS_UNKNOWN_KEY or STATUS_KEY_NOT_VALID when it is and the ring does
 * not verify it any more, with STATUS_IO when the disk does not answer (`proof` then stays). */
struct license *license_shelf_take(struct license_shelf *shelf, struct shelf_entry *entry,
                                   const struct key_ring *ring, struct buffer *token,
                                   struct status *status) MUST_CHECK;

/* ---- changing ---- */

enum shelf_act {
    SHELF_PUT,    /* a new license, or a newer one of the same id; ends a revocation */
    SHELF_REVOKE, /* grants nothing any more, and can still be seen */
    SHELF_DELETE, /* gone; its serial is remembered */
};

struct shelf_change {
    enum shelf_act act;
    const char *license_id;
    const struct license *license; /* PUT: verified by the caller */
    struct bytes token;            /* PUT */
    int64_t revoked_at_ms;         /* REVOKE */
    const char *reason;            /* REVOKE */
};

/* Whether changes must be on the disk before they count. */
enum shelf_promise {
    SHELF_DURABLE,     /* all or nothing: on failure nothing has changed */
    SHELF_BEST_EFFORT, /* they count in memory at once, and go to the disk when it takes them */
};

/* Makes changes in one transaction; with `actor` each goes to the audit log as well. Refused, with
 * nothing changed, are: STATUS_OLD_SERIAL for a license older than one that the shelf has or had
 * under its id, STATUS_NOT_FOUND for an id that is not there, STATUS_TOO_LARGE when the shelf is
 * full. A change that changes nothing gets no number. */
bool license_shelf_apply(struct license_shelf *shelf, const struct shelf_change *changes,
                         size_t count, enum shelf_promise promise, const char *actor,
                         struct status *status) MUST_CHECK;

/* Removes all trace of an entry that is refused, without a number: for the cleanup. */
bool license_shelf_discard(struct license_shelf *shelf, struct shelf_entry *entry,
                           struct status *status) MUST_CHECK;

/* Tries once more to save what is unsaved; what the store could not read before is merged first.
 * False while something is still in memory only. */
bool license_shelf_flush(struct license_shelf *shelf);

#endif
