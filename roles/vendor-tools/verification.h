/*
 * What a license is judged by (keys, key ring, revocations, place, time), read from the options
 * that `verify` and `inspect` have in common.
 */
#ifndef LSYS_ROLES_VENDOR_TOOLS_VERIFICATION_H
#define LSYS_ROLES_VENDOR_TOOLS_VERIFICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/keyring_token.h"
#include "verifier/license.h"
#include "verifier/revocations.h"

/* keys, keyring, root, revocations, deployment_id, fingerprint_file, this_machine, at. */
extern const struct option verification_options[];

struct verification {
    struct key_ring *ring;           /* the vendor's keys; empty when none were given */
    struct key_ring *roots;          /* of --root, for key rings */
    struct keyring_token *keyring;   /* NULL when none was given */
    struct revocations *revocations; /* NULL when none were given */
    struct fingerprint fingerprint;
    struct license_circumstances circumstances;
};

/* What came of judging a license. */
struct verdict {
    struct license *license; /* owned; NULL when the signature or the form did not hold */
    struct status status;    /* STATUS_OK: valid */
};

/* Reads everything that the options name. The caller gives `out` to verification_close in any
 * case. */
bool verification_open(const struct options *options, struct verification *out,
                       struct status *status) MUST_CHECK;

void verification_close(struct verification *verification);

/* Judges a bare license token. The caller gives the verdict to verdict_free. */
void verification_judge(const struct verification *verification, struct bytes token,
                        struct verdict *out);

void verdict_free(struct verdict *verdict);

#endif
