#include "app/nats_bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include "app/nats_credentials.h"
#include "base/file.h"

/* Its user is signed with the account's own key: a broker that knows nothing but the operator can
 * then let it in, to be told of accounts. */
static bool add_system_user(const struct nats_deployment *deployment, const char *account_key,
                            int64_t now_s, struct status *status) {
    struct nats_user user = {.jwt.name = NATS_DEPLOYMENT_SYSTEM_USER,
                             .jwt.issued_at_s = now_s,
                             .rights = {.subscriptions = NATS_NO_LIMIT,
                                        .data_bytes = NATS_NO_LIMIT,
                                        .payload_bytes = NATS_NO_LIMIT}};
    memcpy(user.jwt.issuer, account_key, sizeof user.jwt.issuer);
    char *creds = file_join(deployment->folder, NATS_DEPLOYMENT_SYSTEM_CREDS);
    bool added =
        nats_credentials_create(deployment, NATS_DEPLOYMENT_SYSTEM_ACCOUNT, &user, creds, status);
    free(creds);
    return added;
}

/* The system account's key is made before the operator, whose token names it. */
bool nats_bootstrap(const char *folder, const char *name, int64_t now_s,
                    struct nats_deployment *out, struct status *status) {
    struct nats_signing_key signing = {0};
    struct nats_account account = {
        .jwt = {.name = NATS_DEPLOYMENT_SYSTEM_ACCOUNT, .issued_at_s = now_s},
        .limits = nats_account_limits_default,
        .signing_keys = &signing,
        .signing_key_count = 1};
    *out = (struct nats_deployment){0};
    return nats_deployment_make_account_keys(folder, NATS_DEPLOYMENT_SYSTEM_ACCOUNT,
                                             account.jwt.subject, signing.key, status) &&
           nats_deployment_create(folder, name, account.jwt.subject, now_s, status) &&
           nats_deployment_open(folder, out, status) &&
           nats_deployment_write_account(out, &account, status) &&
           add_system_user(out, account.jwt.subject, now_s, status);
}
