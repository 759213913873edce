/*
 * Finding the numbers of a private key in PEM. For this folder only.
 */
#ifndef LSYS_VERIFIER_X509_KEY_PARSE_H
#define LSYS_VERIFIER_X509_KEY_PARSE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/x509_key.h"

/* Everything is borrowed from the buffer that the key was decoded into. */
struct x509_key_numbers {
    bool is_rsa;
    struct x509_key_secrets secrets;
    struct bytes point;             /* EC: the public point that came along, or empty */
    struct bytes modulus, exponent; /* RSA */
};

/* Decodes the first private key in the text into `der` and finds its numbers; whether they belong
 * together is not looked at. Errors as x509_key_read_pem. */
bool x509_key_parse_pem(struct bytes text, struct buffer *der, struct x509_key_numbers *out,
                        struct status *status) MUST_CHECK;

#endif
