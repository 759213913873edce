/*
 * Who a server or client is in TLS: a chain of certificates, leaf first, and the private key of the
 * leaf.
 */
#ifndef LSYS_VERIFIER_X509_IDENTITY_H
#define LSYS_VERIFIER_X509_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/x509_certificate.h"
#include "verifier/x509_key.h"

struct x509_identity;

/* Reads the chain from one PEM text and the key from another (which may be the same text). The key
 * must be the leaf's, and each certificate issued by the next; a chain may stop anywhere, and a
 * self-signed root at its end is left out, since peers have it. Whether the leaf is valid now is
 * not asked: see x509_check_period. Owned by the caller. NULL with the errors of
 * x509_certificate_parse and x509_key_read_pem, STATUS_NOT_FOUND (no certificate), STATUS_MALFORMED
 * (wrong order, key of another certificate), STATUS_TOO_LARGE. */
struct x509_identity *x509_identity_read_pem(struct bytes certificates, struct bytes key,
                                             struct status *status) MUST_CHECK;

/* Overwrites the key and frees. NULL is harmless. */
void x509_identity_free(struct x509_identity *identity);

/* The leaf, and its key; they live as long as the identity. */
const struct x509_certificate *x509_identity_leaf(const struct x509_identity *identity);
const struct x509_key *x509_identity_key(const struct x509_identity *identity);

#endif
