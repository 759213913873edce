/*
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104).
 */
#ifndef LSYS_VERIFIER_SHA256_H
#define LSYS_VERIFIER_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define SHA256_BYTES 32

/* A digest as base64url: 43 characters and a NUL. */
#define SHA256_TEXT_BYTES 44

/* Writes the digest of `bytes`. */
void sha256_digest(struct bytes bytes, uint8_t out[SHA256_BYTES]);

/* Writes the digest of `bytes` as base64url text. */
void sha256_digest_text(struct bytes bytes, char out[SHA256_TEXT_BYTES]);

/* Writes the MAC of `message` under `key`, of any length. */
void sha256_hmac(struct bytes key, struct bytes message, uint8_t out[SHA256_BYTES]);

/* A digest of bytes that come in pieces. The state holds no pointers and may be copied. */
struct sha256_stream {
    uint64_t state[16]; /* the library's own */
};

void sha256_stream_init(struct sha256_stream *stream);
void sha256_stream_add(struct sha256_stream *stream, struct bytes bytes);
void sha256_stream_finish(struct sha256_stream *stream, uint8_t out[SHA256_BYTES]);

#endif
