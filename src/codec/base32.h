/*
 * base32 in capital letters without padding (RFC 4648, section 6), as NATS NKeys use it. Reading is
 * strict: small letters, padding, impossible lengths and non-zero left-over bits are refused.
 */
#ifndef LSYS_CODEC_BASE32_H
#define LSYS_CODEC_BASE32_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Characters needed for `length` bytes; a constant expression. */
#define BASE32_LENGTH(length) (((length)*8 + 4) / 5)

/* Writes BASE32_LENGTH(bytes.length) characters and a NUL to `out`. */
void base32_encode(struct bytes bytes, char *out);

/* Writes exactly `length_bytes` to `out`; false, with `out` undefined, when the text does not stand
 * for exactly that many. */
bool base32_decode_exact(struct bytes text, void *out, size_t length_bytes);

#endif
