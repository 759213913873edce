/*
 * Reading a certificate (RFC 5280): every field that decides something, from strict DER. Reading
 * proves nothing: whether a certificate can be believed is for verifier/x509_trust.h to say.
 */
#ifndef LSYS_VERIFIER_X509_CERTIFICATE_H
#define LSYS_VERIFIER_X509_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/sha256.h"
#include "verifier/x509_name.h"
#include "verifier/x509_public_key.h"
#include "verifier/x509_signature.h"

/* Largest certificate that is read. An RSA-4096 one with a hundred names has 6 KiB. */
#define X509_CERTIFICATE_BYTES_MAX ((size_t)16384)

/* Largest serial number (RFC 5280, section 4.1.2.2), and its text in hexadecimal. */
#define X509_SERIAL_BYTES_MAX  20
#define X509_SERIAL_TEXT_BYTES (2 * X509_SERIAL_BYTES_MAX + 1)

/* Bits of keyUsage (RFC 5280, section 4.2.1.3) that somebody here asks for. */
#define X509_USAGE_DIGITAL_SIGNATURE (UINT32_C(1) << 0)
#define X509_USAGE_KEY_CERT_SIGN     (UINT32_C(1) << 5)
#define X509_USAGE_CRL_SIGN          (UINT32_C(1) << 6)

/* Purposes of extendedKeyUsage (section 4.2.1.12), as bits of ours. */
#define X509_PURPOSE_SERVER (UINT32_C(1) << 0)
#define X509_PURPOSE_CLIENT (UINT32_C(1) << 1)
#define X509_PURPOSE_ANY    (UINT32_C(1) << 2)
#define X509_PURPOSE_OTHER  (UINT32_C(1) << 3) /* at least one that we do not know */

/* No pathLenConstraint. */
#define X509_PATH_LENGTH_ANY UINT32_MAX

/* All ranges are borrowed from `der`. */
struct x509_certificate {
    struct bytes der;    /* the whole certificate */
    struct bytes tbs;    /* the part that is signed */
    struct bytes serial; /* the INTEGER's bytes */
    struct bytes issuer; /* whole Names */
    struct bytes subject;
    int64_t not_before_ms; /* valid in both seconds and between */
    int64_t not_after_ms;
    struct x509_public_key key;
    struct x509_signature signature;

    struct bytes alt_names; /* whole GeneralNames, or empty */
    bool is_ca;             /* basicConstraints says so */
    uint32_t path_length;   /* X509_PATH_LENGTH_ANY when there is no limit */
    bool has_key_usage;
    uint32_t key_usage; /* X509_USAGE_... */
    bool has_purposes;
    bool purposes_critical;
    uint32_t purposes; /* X509_PURPOSE_... */
    bool has_name_constraints;
    struct bytes subject_key_id;   /* empty when there is none */
    struct bytes authority_key_id; /* its keyIdentifier; empty when there is none */
    /* Identifier of the first critical extension that we do not know. */
    struct bytes unknown_critical;
};

/* Reads one certificate, whose bytes must outlive `out`. STATUS_MALFORMED for what is not DER or
 * not a certificate, says an extension twice, or has bytes behind it; STATUS_TOO_LARGE. Versions 1
 * to 3. */
bool x509_certificate_parse(struct bytes der, struct x509_certificate *out,
                            struct status *status) MUST_CHECK;

/* True when issuer and subject are the same name. */
bool x509_certificate_is_self_issued(const struct x509_certificate *certificate);

/* True when the certificate has no extendedKeyUsage, or one with this X509_PURPOSE_ or any
 * purpose. */
bool x509_certificate_allows(const struct x509_certificate *certificate, uint32_t purpose);

/* Writes the serial number in hexadecimal, as OpenSSL shows it. */
void x509_certificate_serial_text(const struct x509_certificate *certificate,
                                  char out[X509_SERIAL_TEXT_BYTES]);

/* SHA-256 of the whole certificate. */
void x509_certificate_fingerprint(const struct x509_certificate *certificate,
                                  uint8_t out[SHA256_BYTES]);

#endif
