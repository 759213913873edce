/*
 * Whether what a role learns survives a restart, on a disk that may be full, failing or read-only,
 * at the start as well as later. A role serves in every row of this table; what differs is what it
 * knew at its start, and what it would still know after the next one.
 *
 *   | state     | the state file            | reads                  | writes                 |
 *   |-----------|---------------------------|------------------------|------------------------|
 *   | DURABLE   | open for writing          | from it                | to it                  |
 *   | REFUSED   | open for writing          | from it                | tried; the last failed |
 *   | READ_ONLY | could be opened to read   | from it, as it is      | refused untried        |
 *   | MEMORY    | could not be read as such | what could be salvaged | refused untried        |
 *
 * A refused write is kept in memory by whoever asked for it (the ledger, the shelf of a slave), or
 * not acknowledged (the master). The disk is tried again by itself:
 *
 *                +--------------- a write or a retry works ---------------+
 *                v                                                          |
 *     start -> DURABLE -- a write fails -> REFUSED ------------------- (retry, backoff
 *         |      ^                                                     1 s .. 30 s)
 *         |      +------- the file opens: read again and merged ------------+
 *         |                                                                 |
 *         +-- the file does not open for writing -> READ_ONLY or MEMORY ----+
 *
 * Merging is monotonic: the highest serial, the later clock, all pinned keys. So an attacker who
 * makes the disk fail gains at most what deleting the data folder would give him, and only until
 * the disk can be read again.
 */
#ifndef LSYS_RULES_PERSISTENCE_H
#define LSYS_RULES_PERSISTENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/backoff.h"

/* From the best to the least: a role names the least that it can start with. */
enum persistence_state {
    PERSISTENCE_DURABLE,
    PERSISTENCE_REFUSED,
    PERSISTENCE_READ_ONLY,
    PERSISTENCE_MEMORY,
};
#define PERSISTENCE_STATES 4

/* The disk is tried this soon after it failed, and then ever less often down to the cap: a full
 * disk that somebody tidies up counts as recovered within half a minute. */
#define PERSISTENCE_RETRY_FIRST_MS 1000
#define PERSISTENCE_RETRY_CAP_MS   30000

/* A disk that fails again within this time after it worked is tried as seldom as before: it takes
 * small writes and refuses larger ones, say. */
#define PERSISTENCE_STEADY_MS 60000

struct persistence {
    enum persistence_state state;
    int64_t since_ms;    /* monotonic; when the state began */
    int64_t retry_at_ms; /* monotonic; the next retry, while not durable */
    struct backoff backoff;
};

/* Begins as durable. */
void persistence_init(struct persistence *persistence, int64_t now_ms);

/* Takes what the store is now. True when that is news, to be told; `random` is any 64 bits. */
bool persistence_observe(struct persistence *persistence, enum persistence_state state,
                         int64_t now_ms, uint64_t random);

/* A retry changed nothing: the next one comes later. */
void persistence_retry_failed(struct persistence *persistence, int64_t now_ms, uint64_t random);

/* "durable", "refused", "read_only", "memory". */
const char *persistence_name(enum persistence_state state);

/* What the state means, as a sentence without a period, for people. */
const char *persistence_text(enum persistence_state state);

#endif
