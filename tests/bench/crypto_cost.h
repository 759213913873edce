/*
 * What one call costs, for programs of the crypto bench: processor time of the calling thread,
 * which neighbours on the machine hardly disturb.
 */
#ifndef LSYS_BENCH_CRYPTO_COST_H
#define LSYS_BENCH_CRYPTO_COST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Calls between two looks at the clock. */
#define CALLS_AT_ONCE 4

/* Seconds of processor time of this thread so far. */
static inline double cost_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void cost_print(const char *name, double microseconds) {
    printf("%s %.3f\n", name, microseconds);
    fflush(stdout);
}

/* Repeats `once` for so long and prints "NAME MICROSECONDS". A call that fails ends the program. */
static inline void cost_measure(const char *name, bool (*once)(void *context), void *context,
                                double seconds) {
    double begun = cost_now(), spent;
    long calls = 0;
    do {
        for (int i = 0; i < CALLS_AT_ONCE; i++) {
            if (!once(context)) {
                fprintf(stderr, "%s failed\n", name);
                exit(1);
            }
        }
        calls += CALLS_AT_ONCE;
        spent = cost_now() - begun;
    } while (spent < seconds);
    cost_print(name, 1e6 * spent / (double)calls);
}

#endif
