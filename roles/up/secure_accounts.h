/*
 * The NATS accounts of `lsys up --secure`.
 */
#ifndef LSYS_ROLES_UP_SECURE_ACCOUNTS_H
#define LSYS_ROLES_UP_SECURE_ACCOUNTS_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"

/* Makes an operator, its accounts and one user with the rights of each template in `folder`/nats,
 * and the users' credentials beside it: `folder`/license-server.creds and so on. `folder` is there
 * and empty of these. The errors of files and of NATS tokens. */
bool secure_accounts_make(const char *folder, struct status *status) MUST_CHECK;

/* Makes those users whose credentials are not in `folder`: an older version did not know them. */
bool secure_accounts_complete(const char *folder, struct status *status) MUST_CHECK;

#endif
