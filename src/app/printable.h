/*
 * Text from outside (a file, a peer, an argument) on its way to a terminal: control characters
 * could move the cursor, forge lines or reprogram keys, so each is shown as '?'.
 */
#ifndef LSYS_APP_PRINTABLE_H
#define LSYS_APP_PRINTABLE_H

#include <stddef.h>
#include <stdio.h>

/* Copies the text, cut to fit `out_bytes` with its NUL. C0 and C1 controls and DEL become '?'. */
void printable_copy(const char *text, char *out, size_t out_bytes);

/* Writes the text to `file`, treated alike. */
void printable_write(FILE *file, const char *text);

#endif
