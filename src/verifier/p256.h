/*
 * ECDSA on P-256 with SHA-256, by BearSSL. For this folder only; others use verifier/jwk.h.
 */
#ifndef LSYS_VERIFIER_P256_H
#define LSYS_VERIFIER_P256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define P256_COORDINATE_BYTES 32
#define P256_SIGNATURE_BYTES  64

/* A point, uncompressed (SEC 1, section 2.3.3): 4, x, y. */
#define P256_POINT_BYTES (1 + 2 * P256_COORDINATE_BYTES)

/* True when the point is on the curve. It costs a multiplication. */
bool p256_point_is_valid(const uint8_t point[P256_POINT_BYTES]);

/* True when 0 < scalar < order. */
bool p256_scalar_is_valid(const uint8_t scalar[P256_COORDINATE_BYTES]);

/* Writes the public point of a valid scalar. */
void p256_point_of_scalar(const uint8_t scalar[P256_COORDINATE_BYTES],
                          uint8_t point[P256_POINT_BYTES]);

/* Signs as r || s, deterministically (RFC 6979). */
void p256_sign(const uint8_t scalar[P256_COORDINATE_BYTES], struct bytes message,
               uint8_t signature[P256_SIGNATURE_BYTES]);

/* True when r || s is a signature of the point's owner. */
bool p256_verify(const uint8_t point[P256_POINT_BYTES], struct bytes message,
                 const uint8_t signature[P256_SIGNATURE_BYTES]);

#endif
