/*
 * base64url without padding (RFC 4648, section 5; RFC 7515, section 2), as tokens and JWKs use it.
 * Reading is strict: each byte string has exactly one text, so padding, blanks, the other alphabet,
 * impossible lengths and non-zero bits after the last byte are refused. Not constant-time.
 */
#ifndef LSYS_CODEC_BASE64URL_H
#define LSYS_CODEC_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"

/* Characters needed for `length` bytes; a constant expression. */
#define BASE64URL_LENGTH(length) (((length)*4 + 2) / 3)

/* Appends the text of `bytes`. False as buffer_append. */
bool base64url_append(struct buffer *out, struct bytes bytes);

/* Writes BASE64URL_LENGTH(bytes.length) characters and a NUL to `out`. For texts of known size. */
void base64url_encode(struct bytes bytes, char *out);

/* True when the text has only characters of base64url and dots, as a compact JWS (RFC 7515). */
bool base64url_is_token(struct bytes text);

/* Appends the bytes that `text` stands for. False, with `out` as before, when the text is not
 * canonical base64url; false and out->failed when they do not fit. */
bool base64url_decode(struct bytes text, struct buffer *out);

/* Writes exactly `length_bytes` to `out`; false, with `out` undefined, when the text does not stand
 * for exactly that many. For keys, digests and signatures. */
bool base64url_decode_exact(struct bytes text, void *out, size_t length_bytes);

#endif
