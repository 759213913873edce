/*
 * Assertions about our own invariants. They are always on, in releases too: a license product that
 * goes on with broken state could grant what nobody signed. Never used for input from outside,
 * which is refused with a status instead.
 */
#ifndef LSYS_BASE_ASSERTION_H
#define LSYS_BASE_ASSERTION_H

/* Ends the process with SIGABRT after one line on stderr when `condition` is false. */
#define ASSERT(condition)                                                                          \
    ((condition) ? (void)0 : assertion_failed(#condition, __FILE__, __LINE__, __func__))

/* Prints where an invariant broke and aborts. Called through ASSERT. */
_Noreturn void assertion_failed(const char *condition, const char *file, int line,
                                const char *function);

#endif
