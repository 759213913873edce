/*
 * Whom to believe: the CA certificates that a deployment trusts, and whether a chain of
 * certificates that a peer presents leads to one of them (RFC 5280, section 6). The path itself is
 * judged by BearSSL's "minimal" engine; before it and after it stands what that engine does not do:
 * purposes (extendedKeyUsage, also of intermediates), IP addresses, the validity of the CA's own
 * certificate, SHA-1 and short RSA keys, name constraints (refused, since we cannot apply them),
 * pins, and texts that tell an operator which certificate is wrong and why.
 *
 * Not done: revocation (CRL, OCSP), name constraints, policies, RSA-PSS, Ed25519, a critical
 * extendedKeyUsage (BearSSL refuses it). A chain must come in order, as TLS 1.2 demands.
 */
#ifndef LSYS_VERIFIER_X509_TRUST_H
#define LSYS_VERIFIER_X509_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/sha256.h"
#include "verifier/x509_certificate.h"

/* Largest bundle of CA certificates; a system's has some 250 KiB. */
#define X509_BUNDLE_BYTES_MAX ((size_t)4 << 20)

/* Most CAs in it; a system's has some 150. */
#define X509_ANCHORS_MAX 1024

/* Longest chain that a peer may present. Public ones have 2 to 4. */
#define X509_CHAIN_MAX 8

struct x509_trust;

/* What to do with a certificate in a bundle that cannot be an anchor: one that is no CA's, has a
 * weak or unsupported key, or constrains names. */
enum x509_unfit {
    X509_UNFIT_REFUSE, /* for a file that somebody wrote for us: it is a mistake */
    X509_UNFIT_SKIP,   /* for the system's bundle, which is for everybody */
};

/* An empty set, in which nobody is trusted. Owned by the caller. */
struct x509_trust *x509_trust_new(void);

/* NULL is harmless. */
void x509_trust_free(struct x509_trust *trust);

/* Adds the CA certificates of a PEM text; other blocks than certificates are passed over, and a
 * certificate that is there already is not added again. `*skipped` (may be NULL) counts the unfit
 * ones. An expired CA is taken: its users get a text that says so. Errors, each naming the
 * certificate: STATUS_MALFORMED, STATUS_WRONG_TYPE (no CA), STATUS_WRONG_ALGORITHM,
 * STATUS_UNKNOWN_CRITICAL (name constraints), STATUS_NOT_FOUND (no certificate in the text, or none
 * that is fit), STATUS_TOO_LARGE. After an error what came before it is in. */
bool x509_trust_add_pem(struct x509_trust *trust, struct bytes text, enum x509_unfit unfit,
                        size_t *skipped, struct status *status) MUST_CHECK;

/* How many CAs. */
size_t x509_trust_count(const struct x509_trust *trust);

/* The certificate of a CA, by number; lives as long as the set. */
const struct x509_certificate *x509_trust_anchor(const struct x509_trust *trust, size_t index);

/* What somebody demands of a peer's chain. Everything is borrowed. */
struct x509_policy {
    const struct x509_trust *trust;
    uint32_t purpose; /* X509_PURPOSE_SERVER to judge a server, X509_PURPOSE_CLIENT a client */
    const char *host; /* the name or address that was asked for; NULL: any (for clients) */
    const uint8_t (
        *pins)[SHA256_BYTES]; /* SHA-256 of SubjectPublicKeyInfo (RFC 7469): the leaf's */
    size_t pin_count;         /* must be one of these; 0: any */
};

/* What a chain that was believed stands for. */
struct x509_verdict {
    struct x509_certificate leaf; /* borrowed from the chain's first certificate */
    int64_t not_before_ms;        /* all of the path, the trusted CA included, is valid in both */
    int64_t not_after_ms;         /* seconds and between */
};

/* Judges a chain, leaf first, at a point in time. `verdict` (may be NULL) is filled in on success.
 * Errors, whose text names the certificate: STATUS_UNKNOWN_ISSUER, STATUS_BAD_SIGNATURE,
 * STATUS_EXPIRED, STATUS_NOT_YET_VALID, STATUS_WRONG_NAME, STATUS_WRONG_TYPE (purpose or usage, or
 * an issuer that is no CA), STATUS_WRONG_ALGORITHM, STATUS_UNKNOWN_CRITICAL, STATUS_UNKNOWN_KEY
 * (not pinned), STATUS_MALFORMED, STATUS_TOO_LARGE. */
bool x509_chain_verify(const struct x509_policy *policy, const struct bytes *chain, size_t count,
                       int64_t now_ms, struct x509_verdict *verdict,
                       struct status *status) MUST_CHECK;

/* False with STATUS_EXPIRED or STATUS_NOT_YET_VALID ("certificate expired on 2026-01-31T12:00:00Z
 * (CN=edge-7)") unless the certificate is valid at this time. Both ends are inclusive, to the
 * second. */
bool x509_check_period(const struct x509_certificate *certificate, int64_t now_ms,
                       struct status *status) MUST_CHECK;

#endif
