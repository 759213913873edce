/*
 * Texts that are UTF-8 and texts that are not: group 6 of the Autobahn test suite, by its numbers,
 * which follow Markus Kuhn's stress test for decoders.
 */
#ifndef LSYS_TESTS_LIB_UTF8_CASES_H
#define LSYS_TESTS_LIB_UTF8_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct utf8_case {
    char number[12];
    const char *text;
    size_t length;
    bool is_valid;
};

/* All cases; freed with utf8_cases_free. */
struct utf8_case *utf8_cases_make(size_t *count);
void utf8_cases_free(struct utf8_case *cases, size_t count);

#endif
