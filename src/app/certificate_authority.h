/*
 * A deployment's own certificate authority: a folder with `ca.pem`, which everyone may have, and
 * `ca.key.pem` (0600), which nobody else may. It certifies the deployment's servers and clients,
 * with P-256 keys and short lives, and nothing below itself. It keeps no list of what it issued:
 * serial numbers are random, and what has gone wrong ends with its short life or with a new CA.
 */
#ifndef LSYS_APP_CERTIFICATE_AUTHORITY_H
#define LSYS_APP_CERTIFICATE_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/x509_certificate.h"
#include "verifier/x509_key.h"

#define CERTIFICATE_AUTHORITY_FILE     "ca.pem"
#define CERTIFICATE_AUTHORITY_KEY_FILE "ca.key.pem"

/* How long things live unless somebody says otherwise. */
#define CERTIFICATE_AUTHORITY_LIFE_MS (INT64_C(3650) * 86400 * 1000)
#define CERTIFICATE_LIFE_MS           (INT64_C(90) * 86400 * 1000)

struct certificate_authority;

/* Makes a new CA called `name` in the folder (made with 0755 where missing). STATUS_BUSY when one
 * of the two files is there already: keys are never overwritten. */
bool certificate_authority_create(const char *folder, const char *name, int64_t life_ms,
                                  int64_t now_ms, struct status *status) MUST_CHECK;

/* Opens a CA: its certificate is a CA's, the key belongs to it. Also one that other tools made,
 * with a P-256 or RSA key. Owned by the caller; NULL on failure. */
struct certificate_authority *certificate_authority_open(const char *folder,
                                                         struct status *status) MUST_CHECK;

/* NULL is harmless. */
void certificate_authority_close(struct certificate_authority *authority);

/* Its own certificate; lives as long as it. */
const struct x509_certificate *
certificate_authority_certificate(const struct certificate_authority *authority);

/* What somebody wants to have certified. Borrowed. */
struct certificate_wish {
    const struct x509_public_key *key;
    struct bytes subject;   /* a whole Name */
    struct bytes alt_names; /* whole GeneralNames, or empty */
    uint32_t purposes;      /* X509_PURPOSE_SERVER, X509_PURPOSE_CLIENT or both */
    int64_t life_ms;        /* from now on */
};

/* Appends a new certificate in PEM to `out`. It begins X509_BACKDATE_MS, or a tenth of its life,
 * before now and ends no later than the CA's own. STATUS_EXPIRED when the CA itself has ended, and
 * the errors of x509_build. */
bool certificate_authority_issue(const struct certificate_authority *authority,
                                 const struct certificate_wish *wish, int64_t now_ms,
                                 struct buffer *out, struct status *status) MUST_CHECK;

/* Appends the successor of `old` in PEM: the same names, purposes and, unless `life_ms` is given
 * (not 0), length of life, for `key`, which may be another one than before. STATUS_UNKNOWN_ISSUER
 * when the CA has not issued `old`. */
bool certificate_authority_renew(const struct certificate_authority *authority,
                                 const struct x509_certificate *old,
                                 const struct x509_public_key *key, int64_t life_ms, int64_t now_ms,
                                 struct buffer *out, struct status *status) MUST_CHECK;

/* Appends the successor of the CA's own certificate in PEM: the same name and key, so that what it
 * issued goes on being valid under either. */
bool certificate_authority_renew_itself(const struct certificate_authority *authority,
                                        int64_t life_ms, int64_t now_ms, struct buffer *out,
                                        struct status *status) MUST_CHECK;

#endif
