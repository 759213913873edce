/*
 * Names for the few compiler attributes used throughout, so that declarations stay readable.
 */
#ifndef LSYS_BASE_ATTRIBUTES_H
#define LSYS_BASE_ATTRIBUTES_H

/* The compiler checks the arguments from position `first` against the format at position
 * `format`. */
#define PRINTF_LIKE(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))

/* Ignoring the result is a bug: it says whether the call worked. */
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
