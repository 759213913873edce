/*
 * A small PKI for tests: certificates made with our own builder, held in memory.
 */
#ifndef LSYS_TESTS_LIB_PKI_H
#define LSYS_TESTS_LIB_PKI_H

#include "base/buffer.h"
#include "verifier/x509_build.h"
#include "verifier/x509_certificate.h"
#include "verifier/x509_key.h"

/* Certificates of tests are valid around this moment, 2026-06-01T00:00:00Z. */
#define PKI_NOW_MS INT64_C(1780272000000)
#define PKI_DAY_MS INT64_C(86400000)

struct pki_certificate {
    struct x509_key *key;
    struct buffer der;
    struct x509_certificate certificate;
};

/* What a test wants of a certificate; zero is a server's for nobody, valid for a day on both
 * sides. */
struct pki_wish {
    const char *common_name;
    const char *const *names; /* as x509_alt_name_parse reads them, ended by NULL; may be NULL */
    bool is_ca;
    uint32_t purposes;
    int64_t not_before_ms; /* 0: a day before PKI_NOW_MS */
    int64_t not_after_ms;  /* 0: a day after */
};

/* Makes a certificate with a new key, signed by `issuer` or by itself. Aborts when it cannot. */
struct pki_certificate *pki_make(const struct pki_wish *wish, const struct pki_certificate *issuer);
void pki_free(struct pki_certificate *made);

/* Appends the certificate in PEM. */
void pki_write_pem(const struct pki_certificate *made, struct buffer *out);

#endif
