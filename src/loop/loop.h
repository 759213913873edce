/*
 * THE event loop: one thread that owns all state of a process. Everything that waits (timers,
 * sockets, signals, child processes, worker jobs) hangs on one `struct loop`, and every callback
 * runs on the thread that called loop_run. Components have no locks; only loop/wakeup.h may be
 * called from another thread.
 *
 * Rules that all of src/loop and src/net keep:
 *   - A callback is never called from inside the call that caused it, always from a later moment of
 *     loop_run. So it is safe to call anything, also close, from any callback.
 *   - `close` is idempotent and accepts NULL. After it no callback of the object comes, except a
 *     promised on_closed. The memory is freed by the loop, in the close callback of libuv.
 *   - Shutdown: everybody closes what they opened; loop_run returns when the last thing is gone.
 */
#ifndef LSYS_LOOP_LOOP_H
#define LSYS_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/list.h"
#include "base/status.h"

struct loop;

/* Makes a loop. Also sets SIGPIPE to be ignored for the process: a write to a closed socket is an
 * error of that socket. Fails with STATUS_IO when the kernel gives no descriptors. */
struct loop *loop_create(struct status *status) MUST_CHECK;

/* Runs callbacks until loop_stop is called or nothing is left to wait for. May be called again. */
void loop_run(struct loop *loop);

/* Makes loop_run return after the current turn, whatever is still open. Call loop_run again to let
 * closing things finish. */
void loop_stop(struct loop *loop);

/* Frees the loop. It is our own error if anything is still open: the kinds of what is left are
 * printed and the process aborts. NULL is accepted. */
void loop_destroy(struct loop *loop);

/* Monotonic milliseconds as of the current turn, on the scale of clock_monotonic_ms() (time in
 * suspend counts). Costs next to nothing: the clock is read once a turn. */
int64_t loop_now_ms(struct loop *loop);

/* A call that is to happen once the current callbacks are done and before the loop next waits. The
 * structure lies inside the object it belongs to; scheduling allocates nothing. */
struct loop_task {
    struct list link;
    void (*run)(struct loop_task *task);
};

/* Prepares a task; `run` gets the task and finds its object with LIST_ENTRY. */
void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task));

/* Has the task run before the loop next waits; once, however often it was scheduled. A task
 * scheduled by a running task runs in the next turn, after other input was looked at. Keeps the
 * loop running. */
void loop_schedule(struct loop *loop, struct loop_task *task);

/* Tasks that run in one turn of those scheduled as costly: 4 TLS handshakes are some 5 ms, in which
 * nobody else is served. */
#define LOOP_COSTLY_TASKS_PER_TURN 4

/* As loop_schedule for work that takes a millisecond and more: only LOOP_COSTLY_TASKS_PER_TURN of
 * all such tasks run in a turn, the others wait in line, and input and timers are looked at in
 * between. */
void loop_schedule_costly(struct loop *loop, struct loop_task *task);

/* Takes back a scheduled task; harmless when it is not scheduled. Must be called before the memory
 * of the task goes away. */
void loop_unschedule(struct loop_task *task);

#endif
