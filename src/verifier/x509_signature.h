/*
 * Signatures over certificates and requests: ECDSA and RSA PKCS#1 v1.5, each with SHA-256, SHA-384
 * or SHA-512 (RFC 5758, RFC 4055). SHA-1 is refused, since its collisions can be bought; RSA-PSS
 * and Ed25519 are not supported by BearSSL.
 */
#ifndef LSYS_VERIFIER_X509_SIGNATURE_H
#define LSYS_VERIFIER_X509_SIGNATURE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/der.h"
#include "verifier/x509_public_key.h"

enum x509_hash { X509_SHA1, X509_SHA256, X509_SHA384, X509_SHA512 };

struct x509_signature {
    struct bytes algorithm; /* the whole AlgorithmIdentifier */
    struct bytes oid;       /* what it names */
    bool known;             /* one that the two following describe */
    bool is_rsa;            /* else ECDSA */
    enum x509_hash hash;
    struct bytes value; /* the signature itself */
};

/* Takes an AlgorithmIdentifier off the reader; `value` stays empty. Parameters must be absent for
 * ECDSA, NULL or absent for RSA (RFC 4055, section 5); those of unknown algorithms are not looked
 * at. */
void x509_signature_read_algorithm(struct der_reader *reader, struct x509_signature *out);

/* Takes the signature's value off the reader. */
void x509_signature_read_value(struct der_reader *reader, struct x509_signature *signature);

/* True when `signature` is the key's over `message`. Else STATUS_BAD_SIGNATURE, or
 * STATUS_WRONG_ALGORITHM when algorithm or key cannot be used. An ECDSA value must be strict DER,
 * which BearSSL does not insist on. */
bool x509_signature_verify(const struct x509_signature *signature, struct bytes message,
                           const struct x509_public_key *key, struct status *status) MUST_CHECK;

/* True when the algorithm can be used; else STATUS_WRONG_ALGORITHM naming it. */
bool x509_signature_check_algorithm(const struct x509_signature *signature,
                                    struct status *status) MUST_CHECK;

/* True when the bytes are one strict ECDSA-Sig-Value (RFC 3279, section 2.2.3). */
bool x509_is_ecdsa_value(struct bytes value);

#endif
