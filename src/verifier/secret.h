/*
 * Comparing a credential (API key, password, token) with the one that is configured. Only a digest
 * of the configured one is kept, so that it appears in no core and no dump of memory; the
 * comparison takes the same time wherever the two differ and whatever their lengths.
 */
#ifndef LSYS_VERIFIER_SECRET_H
#define LSYS_VERIFIER_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "verifier/sha256.h"

struct secret_digest {
    uint8_t sha256[SHA256_BYTES];
};

/* The digest of a configured credential. The caller wipes the credential itself. For credentials
 * with the entropy of a random key; a password that people choose needs a slow hash where it is
 * stored. */
struct secret_digest secret_digest_of(struct bytes secret);

/* True when `presented` is the credential. Constant time, but for the length of `presented`. */
bool secret_matches(const struct secret_digest *digest, struct bytes presented);

/* True when both are digests of the same credential. Constant time: for comparing one that was
 * presented with many. */
bool secret_digests_match(const struct secret_digest *left, const struct secret_digest *right);

#endif
