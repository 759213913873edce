#include "loop/shared_memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "loop/loop_private.h"
#include "loop/loop_uv.h"

#define TRIM_INTERVAL_MS 1000

/* After a burst of this many freed chunks (1 MiB) the allocator is told to give pages back. */
#define TRIM_HEAP_CHUNKS 32

_Static_assert(sizeof(struct loop_chunk) + 2 * sizeof(size_t) <= 32768,
               "a chunk and the allocator's header fill 32 KiB");

/* Frees what was not needed for a whole interval. */
static void trim(uv_timer_t *timer) {
    struct shared_memory *memory = &loop_of_handle((const uv_handle_t *)timer)->memory;
    size_t unneeded = memory->lowest_free_count;
    for (size_t i = 0; i < unneeded; i++) {
        struct loop_chunk *chunk = memory->free_chunks;
        memory->free_chunks = chunk->next;
        free(chunk);
    }
    memory->free_count -= unneeded;
    memory->lowest_free_count = memory->free_count;
    if (unneeded >= TRIM_HEAP_CHUNKS) malloc_trim(0);
    if (memory->free_count == 0) uv_timer_stop(timer);
}

void shared_memory_init(struct loop *loop) {
    uv_timer_init(&loop->uv, &loop->memory.trim_timer);
    uv_unref((uv_handle_t *)&loop->memory.trim_timer);
}

void shared_memory_close(struct loop *loop) {
    uv_close((uv_handle_t *)&loop->memory.trim_timer, NULL);
}

void shared_memory_free(struct loop *loop) {
    struct shared_memory *memory = &loop->memory;
    ASSERT(memory->lent_count == 0);
    while (memory->free_chunks) {
        struct loop_chunk *chunk = memory->free_chunks;
        memory->free_chunks = chunk->next;
        free(chunk);
    }
    free(memory->read_buffer);
}

uint8_t *loop_read_buffer(struct loop *loop) {
    if (!loop->memory.read_buffer) loop->memory.read_buffer = memory_new(LOOP_READ_BUFFER_BYTES);
    return loop->memory.read_buffer;
}

struct loop_chunk *loop_chunk_take(struct loop *loop) {
    struct shared_memory *memory = &loop->memory;
    struct loop_chunk *chunk = memory->free_chunks;
    if (chunk) {
        memory->free_chunks = chunk->next;
        memory->free_count--;
        if (memory->free_count < memory->lowest_free_count)
            memory->lowest_free_count = memory->free_count;
    } else {
        chunk = memory_try(sizeof *chunk);
        if (!chunk) return NULL;
    }
    memory->lent_count++;
    chunk->next = NULL;
    chunk->start = 0;
    chunk->end = 0;
    return chunk;
}

void loop_chunk_give(struct loop *loop, struct loop_chunk *chunk) {
    struct shared_memory *memory = &loop->memory;
    ASSERT(memory->lent_count > 0);
    memory->lent_count--;
    /* A slow reader's megabytes are not kept as stock. */
    if (memory->free_count >= LOOP_CHUNKS_BUSY) {
        free(chunk);
        return;
    }
    chunk->next = memory->free_chunks;
    memory->free_chunks = chunk;
    memory->free_count++;
    if (!uv_is_active((uv_handle_t *)&memory->trim_timer)) {
        memory->lowest_free_count = 0;
        uv_timer_start(&memory->trim_timer, trim, TRIM_INTERVAL_MS, TRIM_INTERVAL_MS);
    }
}

bool loop_chunks_are_scarce(const struct loop *loop) {
    return loop->memory.lent_count > LOOP_CHUNKS_BUSY;
}
