/*
 * Makes the license that `lsys issue` signs: the claims of a file, overridden and completed by
 * flags.
 */
#ifndef LSYS_ROLES_VENDOR_TOOLS_ISSUE_CLAIMS_H
#define LSYS_ROLES_VENDOR_TOOLS_ISSUE_CLAIMS_H

#include <stdint.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"
#include "verifier/license.h"

/* Largest file of claims; the token made of it is bounded too. */
#define ISSUE_CLAIMS_BYTES (256 * 1024)

/* The rows that describe a license. */
extern const struct option issue_claims_options[];

/* Reads --claims and the flags. Defaults: iss "vendor", jti a random UUID, iat and nbf now (iat at
 * the beginning for a license that has ended already), serial the seconds since 1970 at `now_ms`,
 * so that a license issued later replaces one issued before. Returns a license, owned by the
 * caller, or NULL with STATUS_USAGE or STATUS_BAD_CLAIM. Whether it makes sense as a whole is for
 * license_validate. */
struct license *issue_claims_make(const struct options *options, int64_t now_ms,
                                  struct status *status) MUST_CHECK;

#endif
