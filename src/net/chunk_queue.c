#include "net/chunk_queue.h"

#include "base/assertion.h"

bool chunk_queue_grow(struct chunk_queue *queue, struct loop *loop) {
    struct loop_chunk *chunk = loop_chunk_take(loop);
    if (!chunk) return false;
    if (queue->last)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    queue->last = chunk;
    return true;
}

void chunk_queue_move(struct chunk_queue *from, struct chunk_queue *to) {
    if (!from->first) return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->bytes += from->bytes;
    *from = (struct chunk_queue){.bytes = 0};
}

struct bytes chunk_queue_front(const struct chunk_queue *queue) {
    const struct loop_chunk *chunk = queue->first;
    return chunk ? bytes_of(chunk->data + chunk->start, chunk->end - chunk->start)
                 : bytes_of(NULL, 0);
}

void chunk_queue_consume(struct chunk_queue *queue, struct loop *loop, size_t length_bytes) {
    ASSERT(length_bytes <= queue->bytes);
    queue->bytes -= length_bytes;
    while (queue->first) {
        struct loop_chunk *chunk = queue->first;
        size_t here = chunk->end - chunk->start;
        if (length_bytes < here) {
            chunk->start += (uint32_t)length_bytes;
            return;
        }
        length_bytes -= here;
        queue->first = chunk->next;
        loop_chunk_give(loop, chunk);
    }
    queue->last = NULL;
}

void chunk_queue_clear(struct chunk_queue *queue, struct loop *loop) {
    chunk_queue_consume(queue, loop, queue->bytes);
}
