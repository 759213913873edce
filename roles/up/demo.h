/*
 * A vendor for a machine that has none: keys and a license made here at the first `lsys up`, so
 * that there is something real to look at. They are ordinary keys and an ordinary license; what
 * makes them a demonstration is that the vendor's private key lies beside them, so that they prove
 * nothing to anyone else. Nothing of it is compiled in.
 */
#ifndef LSYS_ROLES_UP_DEMO_H
#define LSYS_ROLES_UP_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/status.h"

/* Life of a demonstration license. It is issued anew, with the next serial, when `up` starts and
 * less than DEMO_RENEWAL_MS of it are left. */
#define DEMO_VALIDITY_MS INT64_C(31536000000) /* 365 days */
#define DEMO_RENEWAL_MS  INT64_C(172800000)   /* 2 days */

struct demo {
    char *key_path;     /* vendor.key.jwk, 0600 */
    char *jwks_path;    /* vendor.jwks */
    char *license_path; /* demo.lic */
    bool made_key;      /* in this call */
    bool issued;        /* in this call */
};

/* Makes what is missing in `folder`/demo and fills the paths, which demo_free frees. A license that
 * is there and not the demo vendor's own is left as it is: somebody is trying something out.
 * Errors: those of files, and of a private key that cannot be read. */
bool demo_prepare(const char *folder, int64_t now_ms, struct demo *demo,
                  struct status *status) MUST_CHECK;

/* Frees the paths; harmless on a zeroed structure. */
void demo_free(struct demo *demo);

#endif
