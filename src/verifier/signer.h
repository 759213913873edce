/*
 * Something that signs: a private key in memory, or anything behind a callback, such as a command
 * that asks an HSM. Whatever it gives is checked with its public key before it is used.
 */
#ifndef LSYS_VERIFIER_SIGNER_H
#define LSYS_VERIFIER_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/jwk.h"
#include "verifier/private_key.h"

/* Writes the 64 raw bytes of the signature over `signing_input`. Returns false with `status` set,
 * as STATUS_SIGNER_FAILED. See signer_read_signature for what a foreign signer gives. */
typedef bool signer_function(void *context, struct bytes signing_input,
                             uint8_t signature[SIGNATURE_BYTES], struct status *status);

struct signer {
    struct jwk public_key; /* its thumbprint is the `kid` of what is signed */
    signer_function *sign;
    void *context; /* borrowed */
};

/* A signer with a key in memory. Borrows `key`, which must outlive it. */
struct signer signer_from_private_key(const struct private_key *key);

/* A signer that calls `sign` with `context`. */
struct signer signer_from_callback(const struct jwk *public_key, signer_function *sign,
                                   void *context);

/* Signs and checks the result with the public key: STATUS_SIGNER_FAILED when it does not verify. */
bool signer_sign(const struct signer *signer, struct bytes signing_input,
                 uint8_t signature[SIGNATURE_BYTES], struct status *status) MUST_CHECK;

/* Reads the output of an external signer: exactly 64 raw bytes, or, for P-256 only, one strict DER
 * ECDSA-Sig-Value (RFC 3279), as `openssl dgst -sign` and cloud KMS give it. STATUS_SIGNER_FAILED
 * for anything else. Tokens themselves never hold DER. */
bool signer_read_signature(enum jwk_type type, struct bytes output,
                           uint8_t signature[SIGNATURE_BYTES], struct status *status) MUST_CHECK;

#endif
