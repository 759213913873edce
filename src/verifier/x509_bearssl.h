/*
 * Our keys, certificates and CAs in the form that BearSSL's engines want. For this folder and for
 * src/net's TLS only: the one header of the verifier that shows BearSSL's types. Every view borrows
 * from the object that it is a view of, and nothing behind it may be changed through it.
 */
#ifndef LSYS_VERIFIER_X509_BEARSSL_H
#define LSYS_VERIFIER_X509_BEARSSL_H

#include <bearssl.h>
#include <stddef.h>

#include "verifier/x509_identity.h"
#include "verifier/x509_key.h"
#include "verifier/x509_public_key.h"
#include "verifier/x509_trust.h"

/* A public key that is not X509_KEY_OTHER. */
br_x509_pkey x509_public_key_view(const struct x509_public_key *key);

/* A private key; by its type (x509_key_public) one of the two. */
br_ec_private_key x509_key_ec_view(const struct x509_key *key);
br_rsa_private_key x509_key_rsa_view(const struct x509_key *key);

/* The chain of an identity, leaf first: for br_ssl_server_set_single_ec and its like. */
const br_x509_certificate *x509_identity_view(const struct x509_identity *identity, size_t *count);

/* The trusted CAs: for br_ssl_server_set_trust_anchor_names_alt. To verify a chain use
 * verifier/x509_engine.h. */
const br_x509_trust_anchor *x509_trust_view(const struct x509_trust *trust, size_t *count);

#endif
