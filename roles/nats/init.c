/* lsys nats init: an operator, the system account, and the user that speaks to servers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/nats_credentials.h"
#include "base/clock.h"
#include "base/file.h"
#include "roles/nats/actions.h"

#define DEFAULT_OPERATOR_NAME "lsys"

const char *nats_folder(const struct options *options) {
    const char *folder = options_text(options, "dir");
    return folder ? folder : ".";
}

int64_t nats_now_s(void) {
    return clock_wall_ms() / 1000;
}

/* The system account's key is made before the operator, whose token names it. Its user is signed
 * with that key itself: a broker that knows nothing but the operator can then let it in, to be told
 * of accounts. */
static bool add_system_account(const struct nats_deployment *deployment,
                               struct nats_account *account, struct status *status) {
    struct nats_user user = {.jwt.name = NATS_DEPLOYMENT_SYSTEM_USER,
                             .jwt.issued_at_s = account->jwt.issued_at_s,
                             .rights = {.subscriptions = NATS_NO_LIMIT,
                                        .data_bytes = NATS_NO_LIMIT,
                                        .payload_bytes = NATS_NO_LIMIT}};
    char *creds = file_join(deployment->folder, NATS_DEPLOYMENT_SYSTEM_CREDS);
    bool added =
        nats_deployment_write_account(deployment, account, status) &&
        nats_credentials_create(deployment, NATS_DEPLOYMENT_SYSTEM_ACCOUNT, &user, creds, status);
    free(creds);
    return added;
}

static bool create_all(const char *folder, const char *name, struct nats_deployment *deployment,
                       struct status *status) {
    struct nats_signing_key signing = {0};
    struct nats_account account = {
        .jwt = {.name = NATS_DEPLOYMENT_SYSTEM_ACCOUNT, .issued_at_s = nats_now_s()},
        .limits = nats_account_limits_default,
        .signing_keys = &signing,
        .signing_key_count = 1};
    return nats_deployment_make_account_keys(folder, NATS_DEPLOYMENT_SYSTEM_ACCOUNT,
                                             account.jwt.subject, signing.key, status) &&
           nats_deployment_create(folder, name, account.jwt.subject, account.jwt.issued_at_s,
                                  status) &&
           nats_deployment_open(folder, deployment, status) &&
           add_system_account(deployment, &account, status);
}

bool nats_init(const struct nats_action_call *call, struct status *status) {
    const char *folder = options_text(call->options, "out");
    const char *name = options_text(call->options, "name");
    struct nats_deployment deployment = {0};
    if (!folder)
        return status_fail(status, STATUS_USAGE, "--out is missing: the folder of the deployment");
    if (!name) name = DEFAULT_OPERATOR_NAME;
    if (!nats_deployment_check_name("an operator", name, status)) return false;
    if (create_all(folder, name, &deployment, status)) {
        printf("%s/operator.jwt  the operator \"%s\", %s\n"
               "%s/keys  the private keys: keep them secret, and keep a copy\n"
               "%s/" NATS_DEPLOYMENT_SYSTEM_CREDS "  the user that tells servers of accounts\n"
               "next: lsys nats account add NAME --dir %s\n",
               folder, name, deployment.operator.jwt.subject, folder, folder, folder);
    }
    nats_deployment_close(&deployment);
    return status_is_ok(status);
}
