/* lsys nats init: an operator, the system account, and the user that speaks to servers. */
#include <stdio.h>

#include "app/nats_bootstrap.h"
#include "base/clock.h"
#include "roles/nats/actions.h"

#define DEFAULT_OPERATOR_NAME "lsys"

const char *nats_folder(const struct options *options) {
    const char *folder = options_text(options, "dir");
    return folder ? folder : ".";
}

int64_t nats_now_s(void) {
    return clock_wall_ms() / 1000;
}

bool nats_init(const struct nats_action_call *call, struct status *status) {
    const char *folder = options_text(call->options, "out");
    const char *name = options_text(call->options, "name");
    struct nats_deployment deployment = {0};
    if (!folder)
        return status_fail(status, STATUS_USAGE, "--out is missing: the folder of the deployment");
    if (!name) name = DEFAULT_OPERATOR_NAME;
    if (!nats_deployment_check_name("an operator", name, status)) return false;
    if (nats_bootstrap(folder, name, nats_now_s(), &deployment, status)) {
        printf("%s/operator.jwt  the operator \"%s\", %s\n"
               "%s/keys  the private keys: keep them secret, and keep a copy\n"
               "%s/" NATS_DEPLOYMENT_SYSTEM_CREDS "  the user that tells servers of accounts\n"
               "next: lsys nats account add NAME --dir %s\n",
               folder, name, deployment.operator.jwt.subject, folder, folder, folder);
    }
    nats_deployment_close(&deployment);
    return status_is_ok(status);
}
