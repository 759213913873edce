/*
 * Private keys of certificates, in PEM as every tool has them: P-256 (SEC 1 and PKCS#8) and RSA
 * (PKCS#1 and PKCS#8) are read, P-256 is made and written (PKCS#8, RFC 5958). Keys under a
 * passphrase are not read: a server that starts by itself would need the passphrase beside the key.
 */
#ifndef LSYS_VERIFIER_X509_KEY_H
#define LSYS_VERIFIER_X509_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/x509_public_key.h"

/* Longest file of a private key. RSA-4096 has 3.3 KiB, and OpenSSL writes curve parameters before
 * it. */
#define X509_KEY_FILE_BYTES_MAX ((size_t)16384)

struct x509_key;

/* Makes a new P-256 key from the kernel's randomness. Owned by the caller. */
struct x509_key *x509_key_generate(void);

/* Reads the first private key in the text; other blocks (certificates, EC PARAMETERS) are passed
 * over. The key signs and verifies once, so that a damaged one is found here and not by a peer.
 * Owned by the caller. NULL with STATUS_NOT_FOUND (no key in it), STATUS_MALFORMED,
 * STATUS_WRONG_ALGORITHM (other kinds, RSA below 2048 bits), STATUS_WRONG_PASSPHRASE (it is
 * encrypted). */
struct x509_key *x509_key_read_pem(struct bytes text, struct status *status) MUST_CHECK;

/* Overwrites and frees. NULL is harmless. */
void x509_key_free(struct x509_key *key);

/* The public part; its ranges live as long as the key. */
const struct x509_public_key *x509_key_public(const struct x509_key *key);

/* Appends the key as PKCS#8 in PEM; P-256 only (ASSERTed). The caller wipes the buffer. */
void x509_key_write_pem(const struct x509_key *key, struct buffer *out);

/* Appends AlgorithmIdentifier and BIT STRING of the signature over `tbs`: ECDSA or RSA PKCS#1 v1.5,
 * with SHA-256. */
void x509_key_sign(const struct x509_key *key, struct bytes tbs, struct buffer *out);

/* The secret numbers, for a TLS engine; big-endian, borrowed. P-256 has only `scalar`. */
struct x509_key_secrets {
    struct bytes scalar;
    struct bytes p, q, d_mod_p1, d_mod_q1, q_inverse; /* RSA with two primes (RFC 8017) */
};
const struct x509_key_secrets *x509_key_secrets(const struct x509_key *key);

#endif
