/*
 * Making certificates (RFC 5280): of a CA for itself, and of a CA for servers and clients. The DER
 * is written by codec/der.h; what a certificate may say is fixed here, so that nothing unsafe can
 * be asked for: leaves are no CAs, CAs sign nothing but leaves, and every extension that restricts
 * is present.
 */
#ifndef LSYS_VERIFIER_X509_BUILD_H
#define LSYS_VERIFIER_X509_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/x509_certificate.h"
#include "verifier/x509_key.h"

/* 126 random bits: no CA gives a number twice, and nobody can foresee one. Always of this length
 * and positive. */
#define X509_SERIAL_BYTES 16

/* Certificates begin this long before they are made, for peers whose clocks are behind. */
#define X509_BACKDATE_MS INT64_C(300000)

/* What a certificate is to say. Everything is borrowed. */
struct x509_template {
    struct bytes subject;   /* a whole Name (x509_name_write) */
    struct bytes alt_names; /* whole GeneralNames (x509_alt_names_write); empty for none */
    int64_t not_before_ms;
    int64_t not_after_ms;
    bool is_ca;        /* signs leaves: basicConstraints CA:TRUE, pathlen:0 */
    uint32_t purposes; /* leaves: X509_PURPOSE_SERVER, X509_PURPOSE_CLIENT or both */
    uint8_t serial[X509_SERIAL_BYTES];
};

/* Writes a new random serial number. */
void x509_serial_generate(uint8_t out[X509_SERIAL_BYTES]);

/* Appends the DER of a certificate for `key`, signed with `issuer_key`. `issuer` is the certificate
 * of that key; NULL when the certificate signs itself (then `key` is the issuer's own). Errors:
 * STATUS_WRONG_TYPE when the issuer is no CA, STATUS_MALFORMED when its key is not `issuer_key`,
 * STATUS_WRONG_ALGORITHM when `key` is too weak, STATUS_USAGE when the validity ends before it
 * begins or a leaf has no purpose, STATUS_TOO_LARGE. */
bool x509_build(const struct x509_template *wanted, const struct x509_public_key *key,
                const struct x509_certificate *issuer, const struct x509_key *issuer_key,
                struct buffer *out, struct status *status) MUST_CHECK;

/* Appends one Extension with the given value; for requests. */
void x509_extension_write(struct buffer *out, struct bytes oid, bool critical, struct bytes value);

#endif
