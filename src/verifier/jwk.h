/*
 * Public keys: JSON Web Keys (RFC 7517) of the two kinds we use, P-256 with ES256 (RFC 7518,
 * section 6.2) and Ed25519 with EdDSA (RFC 8037), and checking a raw signature with one. The
 * algorithm belongs to the key; no token chooses it. A key is known by its RFC 7638 thumbprint and
 * nothing else: a `kid` inside a JWK is not looked at.
 */
#ifndef LSYS_VERIFIER_JWK_H
#define LSYS_VERIFIER_JWK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "verifier/sha256.h"

/* Both algorithms have signatures of exactly this size (RFC 7518, section 3.4; RFC 8032). */
#define SIGNATURE_BYTES 64

/* A coordinate of P-256, or an Ed25519 public key. */
#define JWK_COORDINATE_BYTES 32

enum jwk_type { JWK_P256, JWK_ED25519 };

struct jwk {
    enum jwk_type type;
    uint8_t x[JWK_COORDINATE_BYTES];    /* Ed25519: the whole public key */
    uint8_t y[JWK_COORDINATE_BYTES];    /* P-256 only, else zero */
    char thumbprint[SHA256_TEXT_BYTES]; /* RFC 7638, SHA-256, base64url: the `kid` of tokens */
};

/* "ES256" or "EdDSA". */
const char *jwk_algorithm(enum jwk_type type);

/* "P-256" or "Ed25519". */
const char *jwk_curve(enum jwk_type type);

/* Makes a public key from its coordinates (`y` is NULL for Ed25519) and computes the thumbprint. */
void jwk_make(enum jwk_type type, const uint8_t x[JWK_COORDINATE_BYTES],
              const uint8_t y[JWK_COORDINATE_BYTES], struct jwk *out);

/* Reads a public JWK. Refused with STATUS_MALFORMED: other kinds and curves, coordinates that are
 * not canonical base64url of 32 bytes, an `alg`, `use` or `key_ops` that says another thing than
 * verifying with this algorithm, and private members (a private key in a public place is an
 * accident). Does not check that the point is on its curve: that costs as much as a signature, see
 * jwk_check_point. */
bool jwk_parse(const struct json_value *value, struct jwk *out, struct status *status) MUST_CHECK;

/* False with STATUS_MALFORMED unless the public key is a point of its curve (and, for Ed25519, of
 * the prime-order group). Key rings check each key once. */
bool jwk_check_point(const struct jwk *key, struct status *status) MUST_CHECK;

/* Writes the public JWK as one value: kty, crv, x, y, kid (the thumbprint), alg, use. */
void jwk_write(struct json_writer *writer, const struct jwk *key);

/* True when `signature` is the key's over `message`: ES256 as r || s (746 Wycheproof cases), EdDSA
 * strict as libsodium has it (canonical s, no small-order key). About 850 us and 50 us. */
bool jwk_verify(const struct jwk *key, struct bytes message,
                const uint8_t signature[SIGNATURE_BYTES]);

#endif
