/*
 * Unix signals as loop callbacks. While a watch exists the signal's default action does not happen.
 */
#ifndef LSYS_LOOP_SIGNAL_WATCH_H
#define LSYS_LOOP_SIGNAL_WATCH_H

#include "loop/loop.h"

struct signal_watch;

/* Called on the loop thread, outside of any signal context. Signals that arrive faster than the
 * loop turns may be reported once. */
typedef void signal_callback(void *context, int signal_number);

/* Watches one signal (SIGTERM, SIGHUP ...). Several watches of one signal are all called. Keeps the
 * loop running until closed. Returns NULL with STATUS_IO for a signal that cannot be caught. */
struct signal_watch *signal_watch_open(struct loop *loop, int signal_number,
                                       signal_callback *callback, void *context,
                                       struct status *status) MUST_CHECK;

/* Ends the watch; the last watch of a signal restores its default action. */
void signal_watch_close(struct signal_watch *watch);

#endif
