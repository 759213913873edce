/*
 * Public keys as certificates and requests carry them: SubjectPublicKeyInfo (RFC 5280, section 4.1;
 * RFC 5480; RFC 3279). Ours are P-256; others' may be P-384, P-521 or RSA.
 */
#ifndef LSYS_VERIFIER_X509_PUBLIC_KEY_H
#define LSYS_VERIFIER_X509_PUBLIC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/der.h"
#include "verifier/sha256.h"

/* NIST SP 800-131A: nothing below 112 bits of strength. Above 4096 BearSSL has no room. */
#define X509_RSA_BITS_MIN 2048
#define X509_RSA_BITS_MAX 4096

enum x509_key_type {
    X509_KEY_P256,
    X509_KEY_P384,
    X509_KEY_P521,
    X509_KEY_RSA,
    X509_KEY_OTHER, /* a kind that we can neither check nor use */
};

/* All ranges are borrowed from the bytes that were parsed. */
struct x509_public_key {
    enum x509_key_type type;
    size_t bits;           /* of the curve or the modulus; 0 for OTHER */
    struct bytes spki;     /* the whole SubjectPublicKeyInfo */
    struct bytes point;    /* EC: uncompressed (4, x, y) */
    struct bytes modulus;  /* RSA: big-endian, no leading zeros */
    struct bytes exponent; /* RSA: the same */
};

/* Takes a SubjectPublicKeyInfo off the reader, which fails when it is none. A kind of key that we
 * do not know is read as X509_KEY_OTHER; a broken key of a known kind (a point of the wrong length,
 * an even modulus) is a failure. Whether a point is on its curve is for who uses it. */
void x509_public_key_read(struct der_reader *reader, struct x509_public_key *out);

/* False with STATUS_WRONG_ALGORITHM and a text for people ("an RSA key of 1024 bits, which is less
 * than 2048") unless the key can be used. */
bool x509_public_key_check(const struct x509_public_key *key, struct status *status) MUST_CHECK;

/* True when both are the same key. */
bool x509_public_key_equal(const struct x509_public_key *left, const struct x509_public_key *right);

/* SHA-256 of the SubjectPublicKeyInfo: the pin of RFC 7469. */
void x509_public_key_pin(const struct x509_public_key *key, uint8_t out[SHA256_BYTES]);

/* "P-256", "RSA", "unknown". */
const char *x509_key_type_name(enum x509_key_type type);

#endif
