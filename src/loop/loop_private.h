/*
 * What a loop is made of, for src/loop itself.
 */
#ifndef LSYS_LOOP_LOOP_PRIVATE_H
#define LSYS_LOOP_LOOP_PRIVATE_H

#include <stddef.h>

#include <uv.h>

#include "loop/loop.h"
#include "loop/shared_memory.h"

/* The read buffer and the stock of output chunks. */
struct shared_memory {
    uint8_t *read_buffer; /* NULL until the first stream reads */
    struct loop_chunk *free_chunks;
    size_t free_count;
    size_t lowest_free_count; /* since the last tick: so many were not needed */
    size_t lent_count;
    uv_timer_t trim_timer; /* runs while there are free chunks */
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t before_waiting; /* runs the scheduled tasks */
    uv_idle_t has_tasks;         /* active while tasks wait: the loop then polls without waiting */
    struct list tasks;
    struct list costly_tasks; /* of which some run each turn */
    uint64_t turn_ms;         /* libuv's time at which `now_ms` was read */
    int64_t now_ms;
    struct shared_memory memory;
    bool polling_was_told; /* the log knows that files are polled for want of inotify */
};

/* Prepares the shared memory of a new loop. */
void shared_memory_init(struct loop *loop);

/* Begins closing its timer. */
void shared_memory_close(struct loop *loop);

/* Frees it, when the loop has closed. All chunks must have been given back. */
void shared_memory_free(struct loop *loop);

#endif
