/*
 * Making a user and its credentials file.
 */
#ifndef LSYS_APP_NATS_CREDENTIALS_H
#define LSYS_APP_NATS_CREDENTIALS_H

#include "app/nats_deployment.h"

/* Makes a key and a token for a user of the account: name, rights, times and issuer, which is the
 * account's key that signs it, are those of `user`. Writes both to the new file `creds_path` (mode
 * 0600) and the token into the deployment. STATUS_BUSY when the file is there already. */
bool nats_credentials_create(const struct nats_deployment *deployment, const char *account_name,
                             struct nats_user *user, const char *creds_path,
                             struct status *status) MUST_CHECK;

#endif
