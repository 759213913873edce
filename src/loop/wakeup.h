/*
 * The one call that other threads may make: wake the loop, which then calls back on its own thread.
 * Used with a bounded queue of the caller's, guarded by the caller's lock.
 */
#ifndef LSYS_LOOP_WAKEUP_H
#define LSYS_LOOP_WAKEUP_H

#include "loop/loop.h"

struct wakeup;

/* Called on the loop thread, at least once after each wakeup_send; several sends may become one
 * call. */
typedef void wakeup_callback(void *context);

/* Makes a wakeup. Keeps the loop running until closed. NULL with STATUS_IO when descriptors are
 * out. */
struct wakeup *wakeup_open(struct loop *loop, wakeup_callback *callback, void *context,
                           struct status *status) MUST_CHECK;

/* Wakes the loop. From any thread, also a signal handler; never blocks. The wakeup must not be
 * closed yet: join the threads that send before closing. */
void wakeup_send(struct wakeup *wakeup);

/* Frees it, on the loop thread. */
void wakeup_close(struct wakeup *wakeup);

#endif
