/*
 * Certificate requests (PKCS#10, RFC 2986): somebody who keeps a private key to himself asks a CA
 * for a certificate. A request is signed with that key, which proves that he has it; reading one
 * always checks that proof. What it asks for is a wish, and only its names and its key are ever
 * looked at.
 */
#ifndef LSYS_VERIFIER_X509_REQUEST_H
#define LSYS_VERIFIER_X509_REQUEST_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/x509_key.h"
#include "verifier/x509_public_key.h"

/* Largest request; one with RSA-4096 and a hundred names has 6 KiB. */
#define X509_REQUEST_BYTES_MAX ((size_t)16384)

/* All ranges are borrowed from the bytes that were parsed. */
struct x509_request {
    struct bytes subject;   /* a whole Name */
    struct bytes alt_names; /* whole GeneralNames, or empty */
    struct x509_public_key key;
};

/* Reads a request and checks its proof of possession. `der` must outlive `out`. STATUS_MALFORMED,
 * STATUS_TOO_LARGE, STATUS_BAD_SIGNATURE, STATUS_WRONG_ALGORITHM. */
bool x509_request_parse(struct bytes der, struct x509_request *out,
                        struct status *status) MUST_CHECK;

/* Appends the DER of a request for `key` with these whole Name and GeneralNames (empty for none).
 * STATUS_TOO_LARGE. */
bool x509_request_build(struct bytes subject, struct bytes alt_names, const struct x509_key *key,
                        struct buffer *out, struct status *status) MUST_CHECK;

#endif
