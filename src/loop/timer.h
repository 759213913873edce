/*
 * Timers on the loop. A delay counts the time the machine is awake (CLOCK_MONOTONIC): a machine
 * that sleeps wakes with its timers delayed by the time it slept. Whoever waits for a moment in
 * wall time (the expiry of a license) therefore also looks again at every heartbeat, and compares
 * the clock when the timer fires instead of trusting the timer.
 */
#ifndef LSYS_LOOP_TIMER_H
#define LSYS_LOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"

struct timer;

/* Called on the loop thread when the time is up. */
typedef void timer_callback(void *context);

/* Makes a timer that is not running. `context` is handed to `callback` and must outlive the
 * timer. */
struct timer *timer_open(struct loop *loop, timer_callback *callback, void *context);

/* Fires once, not before `delay_ms` milliseconds have passed and as soon after as the loop can (0:
 * in the next turn; negative counts as 0). Any length is good: years too. A running timer is set
 * anew, which is cheap. */
void timer_start(struct timer *timer, int64_t delay_ms);

/* Fires every `interval_ms` (at least 1) from now, the first time after one interval. Late turns do
 * not pile up: missed firings are skipped. */
void timer_start_repeating(struct timer *timer, int64_t interval_ms);

/* The callback will not come until the timer is started again. */
void timer_stop(struct timer *timer);

/* True between a start and the (one-shot) firing, or while repeating. */
bool timer_is_running(const struct timer *timer);

/* Lets loop_run return although this timer is running (housekeeping that nobody waits for). */
void timer_unref(struct timer *timer);

/* Stops and frees the timer; the pointer is invalid when the callback that called this returns. */
void timer_close(struct timer *timer);

#endif
