#include "base/assertion.h"

#include <stdio.h>
#include <stdlib.h>

void assertion_failed(const char *condition, const char *file, int line, const char *function) {
    fprintf(stderr, "lsys: broken invariant: %s (%s:%d, %s)\n", condition, file, line, function);
    abort();
}
