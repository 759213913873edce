/*
 * The flags that say what a user may do: of `lsys nats user add`, and of a role, whose users all
 * have the same.
 */
#ifndef LSYS_ROLES_NATS_RIGHTS_H
#define LSYS_ROLES_NATS_RIGHTS_H

#include <stdbool.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"
#include "verifier/nats_jwt.h"

/* Reads them into `rights`, which is empty; without flags everything is allowed. STATUS_USAGE
 * naming the flag. */
bool rights_take(const struct options *options, struct nats_rights *rights,
                 struct status *status) MUST_CHECK;

/* True when one of them is given; and when one is that accounts do not have. */
bool rights_are_given(const struct options *options);
bool rights_beyond_limits(const struct options *options);

/* Checks "subject", or, where `may_name_queue`, "subject queue". STATUS_USAGE naming the flag. */
bool rights_check_subject(const char *flag, const char *text, bool may_name_queue,
                          struct status *status) MUST_CHECK;

#endif
