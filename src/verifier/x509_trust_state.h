/*
 * What a set of trusted CAs holds. For this folder only.
 */
#ifndef LSYS_VERIFIER_X509_TRUST_STATE_H
#define LSYS_VERIFIER_X509_TRUST_STATE_H

#include "verifier/x509_bearssl.h"
#include "verifier/x509_trust.h"

struct x509_trust {
    struct x509_certificate *anchors; /* owned, and the bytes that each was read from */
    br_x509_trust_anchor *views;      /* owned: the same as BearSSL wants them, in the same order */
    size_t count;
    size_t capacity;
};

#endif
