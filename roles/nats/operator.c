/* lsys nats operator set: the signing keys of the operator. */
#include <stdio.h>

#include "app/nats_deployment.h"
#include "roles/nats/actions.h"

static bool change(struct nats_deployment *deployment, const struct options *options,
                   struct status *status) {
    const char *removed = options_text(options, "remove_signing_key");
    char key[NKEY_PUBLIC_TEXT_BYTES];
    if (options_boolean(options, "add_signing_key")) {
        if (!nats_deployment_add_operator_key(deployment, nats_now_s(), key, status)) return false;
        printf("signing key %s  has signed all accounts and signs from now on\n", key);
    }
    return !removed ||
           nats_deployment_remove_operator_key(deployment, removed, nats_now_s(), status);
}

bool nats_operator_set(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    if (!options_boolean(call->options, "add_signing_key") &&
        !options_text(call->options, "remove_signing_key"))
        return status_fail(status, STATUS_USAGE,
                           "it is: lsys nats operator set --add-signing-key, or "
                           "--remove-signing-key KEY");
    if (!nats_deployment_open(nats_folder(call->options), &deployment, status)) return false;
    bool done = change(&deployment, call->options, status);
    nats_deployment_close(&deployment);
    if (done)
        printf("the operator has changed: \"lsys broker\" reads it by itself; nats-server wants "
               "the file "
               "of \"lsys nats config\" and a restart; then \"lsys nats push\"\n");
    return done;
}
