/*
 * Bytes in line, in chunks that the loop lends: appended at the end in place, taken from the front
 * without being moved. For the files of net's streams.
 */
#ifndef LSYS_NET_CHUNK_QUEUE_H
#define LSYS_NET_CHUNK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assertion.h"
#include "base/bytes.h"
#include "loop/shared_memory.h"

/* Empty when zeroed. */
struct chunk_queue {
    struct loop_chunk *first;
    struct loop_chunk *last;
    size_t bytes;
};

/* Room for `length_bytes` (at most LOOP_CHUNK_BYTES) at the end of the last chunk, or NULL: there
 * is none, chunk_queue_grow first. Here, as the next, because it runs for every message. */
static inline uint8_t *chunk_queue_room(const struct chunk_queue *queue, size_t length_bytes) {
    bool has_room = queue->last && LOOP_CHUNK_BYTES - queue->last->end >= length_bytes;
    return has_room ? queue->last->data + queue->last->end : NULL;
}

/* Counts bytes that were written into the room. */
static inline void chunk_queue_commit(struct chunk_queue *queue, size_t length_bytes) {
    ASSERT(queue->last && length_bytes <= LOOP_CHUNK_BYTES - queue->last->end);
    queue->last->end += (uint32_t)length_bytes;
    queue->bytes += length_bytes;
}

/* Adds an empty chunk. False when there is no memory. */
bool chunk_queue_grow(struct chunk_queue *queue, struct loop *loop);

/* Moves all chunks to the end of another queue. */
void chunk_queue_move(struct chunk_queue *from, struct chunk_queue *to);

/* The bytes at the front that lie together; empty when there are none. */
struct bytes chunk_queue_front(const struct chunk_queue *queue);

/* Drops bytes from the front, and gives chunks back that are empty: with 0, an unused one. */
void chunk_queue_consume(struct chunk_queue *queue, struct loop *loop, size_t length_bytes);

/* Drops everything. */
void chunk_queue_clear(struct chunk_queue *queue, struct loop *loop);

#endif
