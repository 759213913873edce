/*
 * The claims of a license that are lists, as the flags of `lsys issue` give them: features and what
 * becomes of them, a machine's fingerprint, license servers' keys.
 */
#ifndef LSYS_ROLES_VENDOR_TOOLS_ISSUE_LISTS_H
#define LSYS_ROLES_VENDOR_TOOLS_ISSUE_LISTS_H

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"
#include "verifier/license.h"

/* Applies the flags to a license that may have lists from a file: features and their degradation
 * are added or changed one by one; fingerprints and server keys replace those of the file.
 * STATUS_USAGE names the flag. */
bool issue_lists_apply(struct license *license, const struct options *options,
                       struct status *status) MUST_CHECK;

#endif
