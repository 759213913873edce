/*
 * Private keys: made, used for signing, kept as a private JWK (RFC 7517, RFC 8037) or as a JWK
 * sealed under a passphrase. The sealed form is our own envelope, documented in README.md of this
 * folder:
 *
 *     {"lsys_sealed_key":1,"kid":"<thumbprint>","kdf":"argon2id","passes":3,"memory_kib":65536,
 *      "salt":"<16 bytes>","cipher":"xchacha20-poly1305","nonce":"<24 bytes>","sealed":"<bytes>"}
 *
 * where the key is Argon2id (RFC 9106, one lane) of the passphrase, and the text of the private JWK
 * is sealed with all members before "sealed" as additional data.
 */
#ifndef LSYS_VERIFIER_PRIVATE_KEY_H
#define LSYS_VERIFIER_PRIVATE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/jwk.h"

#define PRIVATE_KEY_BYTES 32

/* Longest file of a private key, sealed or not; ours have below 600 bytes. */
#define PRIVATE_KEY_FILE_BYTES_MAX ((size_t)8192)

struct private_key {
    struct jwk public_key;
    uint8_t secret[PRIVATE_KEY_BYTES]; /* P-256: the scalar d; Ed25519: the seed */
};

/* Makes a new key from the kernel's randomness. */
void private_key_generate(enum jwk_type type, struct private_key *out);

/* The key whose secret is given, for NKeys and derived keys. False with STATUS_MALFORMED when it is
 * not a valid scalar (P-256: 0 or not below the order). */
bool private_key_from_secret(enum jwk_type type, const uint8_t secret[PRIVATE_KEY_BYTES],
                             struct private_key *out, struct status *status) MUST_CHECK;

/* Overwrites the secret. */
void private_key_wipe(struct private_key *key);

/* Writes the 64 raw bytes of the signature over `message`. ES256 is deterministic (RFC 6979). */
void private_key_sign(const struct private_key *key, struct bytes message,
                      uint8_t signature[SIGNATURE_BYTES]);

/* True when the text is a sealed key, so that a passphrase has to be asked for. */
bool private_key_is_sealed(struct bytes text);

/* Reads a private JWK, or opens a sealed one with `passphrase` (empty: none was given). Errors:
 * STATUS_MALFORMED or STATUS_BAD_JSON, also when the public part does not belong to the private;
 * STATUS_WRONG_PASSPHRASE when it does not open, or is sealed and none was given. Opening takes
 * about 0.1 s and 64 MiB: off the loop thread. On failure `out` is wiped. */
bool private_key_parse(struct bytes text, struct bytes passphrase, struct private_key *out,
                       struct status *status) MUST_CHECK;

/* Appends the private JWK as one line of JSON. The caller wipes the buffer (buffer_wipe). */
bool private_key_write(const struct private_key *key, struct buffer *out,
                       struct status *status) MUST_CHECK;

/* Appends the sealed key as one line of JSON. `passphrase` is not empty. Takes as long as opening.
 * STATUS_NO_MEMORY when the 64 MiB cannot be had. */
bool private_key_seal(const struct private_key *key, struct bytes passphrase, struct buffer *out,
                      struct status *status) MUST_CHECK;

#endif
