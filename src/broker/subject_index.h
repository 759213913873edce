/*
 * Who is subscribed to what: a tree of subject tokens with a cache of recent results in front. It
 * knows nothing of clients: a subscription embeds a `struct subject_entry`. Matching a subject that
 * is in the cache costs one hash and one comparison; it allocates nothing, and walking the tree
 * allocates only until the arrays of the result have grown to their size.
 *
 *     orders.*.created    root -- "orders" -- * -- "created"   <- entries live at the last node
 *     orders.>            root -- "orders" -- >
 *
 * A node is visited at most once for a subject, so a match costs at most the size of the tree.
 */
#ifndef LSYS_BROKER_SUBJECT_INDEX_H
#define LSYS_BROKER_SUBJECT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct subject_index;
struct subject_node;
struct subject_group;

/* A subscription's place in the index. Belongs to the caller and stays where it is while
 * inserted. */
struct subject_entry {
    struct subject_node *node;   /* NULL: not in the index */
    struct subject_group *group; /* NULL: a plain subscription */
    uint32_t position;           /* in the list of the node or the group */
};

/* The members of one queue group that match, of which one gets the message. */
struct subject_queue {
    uint32_t first; /* into `queued` */
    uint32_t count; /* at least 1 */
};

/* Who receives a subject. */
struct subject_match {
    struct subject_entry **plain; /* each of them receives it */
    struct subject_entry **queued;
    struct subject_queue *queues; /* one member of each receives it */
    uint32_t plain_count, plain_capacity;
    uint32_t queued_count, queued_capacity;
    uint32_t queue_count, queue_capacity;
};

/* Makes an empty index; ended by subject_index_free, before which every entry was removed. */
struct subject_index *subject_index_new(void);
void subject_index_free(struct subject_index *index);

/* Inserts the entry under a valid subject, as a member of the queue group named `queue` unless that
 * is empty. Returns false when the subject is not valid (subject_is_valid). */
bool subject_index_insert(struct subject_index *index, struct bytes subject, struct bytes queue,
                          struct subject_entry *entry);

/* Takes the entry out; harmless when it is in no index. A match that is being gone through keeps
 * its pointers, so the caller frees the entry only after the last use of matches made before. */
void subject_index_remove(struct subject_index *index, struct subject_entry *entry);

/* Returns who receives a message published to `subject` (any bytes; an invalid subject has no
 * receivers). Belongs to the index and is valid until the next call of this function. */
const struct subject_match *subject_index_match(struct subject_index *index, struct bytes subject);

/* True when the literal subject has at least one receiver, plain or queued. */
bool subject_index_has_interest(struct subject_index *index, struct bytes subject);

/* Entries in the index. */
size_t subject_index_count(const struct subject_index *index);

/* Writes the subject of an inserted entry into `out` (without NUL) and returns its length; at most
 * `size_bytes` are written. For reports, not for the message path. */
size_t subject_index_subject(const struct subject_entry *entry, char *out, size_t size_bytes);

/* The queue group of an inserted entry; empty when it is plain. */
struct bytes subject_index_queue(const struct subject_entry *entry);

#endif
