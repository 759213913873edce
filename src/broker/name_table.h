/*
 * A hash table of things that have a name: tokens of the subject index, queue groups, subscriptions
 * by their id. The link lives inside the element, so that a table allocates only its slots.
 * Elements with equal names may not be in one table.
 */
#ifndef LSYS_BROKER_NAME_TABLE_H
#define LSYS_BROKER_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct name_link {
    struct name_link *next; /* in the same slot */
    uint64_t hash;
    struct bytes name; /* owned by the element, unchanged while linked */
};

struct name_table {
    struct name_link **slots; /* NULL while empty */
    uint32_t slot_count;      /* a power of two, or 0 */
    uint32_t count;           /* elements linked */
};

/* Returns the element named `name` whose hash is `hash`, or NULL. */
struct name_link *name_table_find(const struct name_table *table, uint64_t hash, struct bytes name);

/* Links an element whose `hash` and `name` are set and which is in no table yet. */
void name_table_add(struct name_table *table, struct name_link *link);

/* Unlinks an element that is in this table; the last one takes the slots with it. */
void name_table_remove(struct name_table *table, struct name_link *link);

/* Returns the first element of the table when `previous` is NULL, else the one after `previous`, or
 * NULL at the end. The order is arbitrary; only the element that was returned may be removed, after
 * asking for the next one. */
struct name_link *name_table_next(const struct name_table *table, const struct name_link *previous);

#endif
