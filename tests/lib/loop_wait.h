/*
 * Runs a loop until something is true, with a deadline: how tests wait without sleeping.
 */
#ifndef LSYS_TESTS_LIB_LOOP_WAIT_H
#define LSYS_TESTS_LIB_LOOP_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"

/* Far beyond what any condition needs, also under sanitizers on a busy machine. */
#define LOOP_WAIT_LIMIT_MS 10000

/* Runs the loop until `condition(context)` holds. False if it does not within
 * LOOP_WAIT_LIMIT_MS. */
bool loop_wait(struct loop *loop, bool (*condition)(void *context), void *context);

/* Runs the loop until `*counter` is at least `value`. */
bool loop_wait_count(struct loop *loop, const int *counter, int value);

/* Runs the loop for so long, whatever happens: to see that something does not. */
void loop_wait_ms(struct loop *loop, int64_t duration_ms);

/* Runs the loop until everything is closed, and destroys it. */
void loop_wait_end(struct loop *loop);

#endif
