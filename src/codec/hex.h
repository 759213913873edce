/*
 * Bytes as hexadecimal digits, small letters when written, either case when read.
 */
#ifndef LSYS_CODEC_HEX_H
#define LSYS_CODEC_HEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Writes two characters a byte and a NUL to `out`. */
void hex_encode(struct bytes bytes, char *out);

/* Writes exactly `length_bytes` to `out`; false, with `out` undefined, when the text is not exactly
 * twice as many digits. */
bool hex_decode_exact(struct bytes text, void *out, size_t length_bytes);

#endif
