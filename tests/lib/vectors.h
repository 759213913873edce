/*
 * Vectors of public suites, which are no part of the repository: files in the folder that
 * LSYS_VECTORS names, or "vectors" in a folder "shared" beside the checkout.
 */
#ifndef LSYS_TESTS_LIB_VECTORS_H
#define LSYS_TESTS_LIB_VECTORS_H

#include <stdbool.h>

#include "base/buffer.h"

/* Reads the file `name` ("json/y_array_empty.json") into `out`. When there is none it says so on
 * stderr and returns false: the test then calls skip(). */
bool vectors_read(const char *name, struct buffer *out);

/* Calls `visit` with the name and content of each file in the folder, in no order. Returns how
 * many; 0, and a line on stderr, when there is no such folder. */
int vectors_each(const char *folder, void (*visit)(const char *name, struct bytes content));

#endif
