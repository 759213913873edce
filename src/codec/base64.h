/*
 * base64 with padding (RFC 4648, section 4), as HTTP Basic, WebSocket and PEM use it. Reading is as
 * strict as in codec/base64url.h: padding is required, and each byte string has exactly one text.
 */
#ifndef LSYS_CODEC_BASE64_H
#define LSYS_CODEC_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"

/* Characters needed for `length` bytes; a constant expression. */
#define BASE64_LENGTH(length) (((length) + 2) / 3 * 4)

/* Appends the text of `bytes`. False as buffer_append. */
bool base64_append(struct buffer *out, struct bytes bytes);

/* Writes BASE64_LENGTH(bytes.length) characters and a NUL to `out`. */
void base64_encode(struct bytes bytes, char *out);

/* Appends the bytes that `text` stands for. False, with `out` as before, when the text is not
 * canonical; false and out->failed when they do not fit. */
bool base64_decode(struct bytes text, struct buffer *out);

#endif
