/*
 * Memory that all streams of a loop share, so that an idle connection costs next to nothing: one
 * read buffer, filled and consumed within one callback, and a stock of output chunks, lent to a
 * stream only while it has unsent bytes. Handing out the most recently returned chunk keeps the
 * memory in the processor's cache.
 */
#ifndef LSYS_LOOP_SHARED_MEMORY_H
#define LSYS_LOOP_SHARED_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

/* One read takes at most this much: measured best, since input and the output made of it then stay
 * in the second-level cache; larger reads cost three times as much a message. */
#define LOOP_READ_BUFFER_BYTES 32768

/* Content of one output chunk: with its header exactly 32 KiB from the allocator. */
#define LOOP_CHUNK_BYTES (32768 - 32)

/* When more chunks than this are lent out (4 MiB), streams send early instead of gathering. */
#define LOOP_CHUNKS_BUSY 128

/* A piece of output. The bytes from `start` to `end` of `data` are unsent. */
struct loop_chunk {
    struct loop_chunk *next;
    uint32_t start;
    uint32_t end;
    uint8_t data[LOOP_CHUNK_BYTES];
};

/* The loop's one read buffer, LOOP_READ_BUFFER_BYTES long. Its content is valid until the callback
 * that was given it returns. */
uint8_t *loop_read_buffer(struct loop *loop);

/* Lends an empty chunk, or returns NULL when there is no memory. */
struct loop_chunk *loop_chunk_take(struct loop *loop);

/* Takes a chunk back. A few are kept; the others are freed when they were not needed for a
 * second. */
void loop_chunk_give(struct loop *loop, struct loop_chunk *chunk);

/* True when so many chunks are lent out that a stream should send what it has at once. */
bool loop_chunks_are_scarce(const struct loop *loop);

#endif
