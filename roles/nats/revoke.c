/* lsys nats user revoke: takes a user's token back, or those of all users of an account. */
#include <stdio.h>
#include <string.h>

#include "app/nats_deployment.h"
#include "roles/nats/actions.h"

#define EVERYBODY "*"

/* The key that the revocation is for. */
static bool find_key(const struct nats_deployment *deployment, const char *account,
                     const char *name, char key[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    struct nats_user user;
    if (strcmp(name, EVERYBODY) == 0) {
        memcpy(key, EVERYBODY, sizeof EVERYBODY);
        return true;
    }
    if (!nats_deployment_check_name("a user", name, status) ||
        !nats_deployment_read_user(deployment, account, name, &user, status))
        return false;
    memcpy(key, user.jwt.subject, NKEY_PUBLIC_TEXT_BYTES);
    nats_user_free(&user);
    return true;
}

static bool revoke(const struct nats_deployment *deployment, struct nats_account *account,
                   const char *account_name, const char *name, struct status *status) {
    char key[NKEY_PUBLIC_TEXT_BYTES];
    int64_t now_s = nats_now_s();
    nats_account_renew(account, now_s);
    if (!find_key(deployment, account_name, name, key, status) ||
        !nats_account_revoke(account, key, now_s, status) ||
        !nats_deployment_write_account(deployment, account, status))
        return false;
    printf("revoked %s of %s: tell the servers with \"lsys nats push\", or write the configuration "
           "again with \"lsys nats config\" and send nats-server SIGHUP\n",
           strcmp(key, EVERYBODY) == 0 ? "every user" : name, account_name);
    return true;
}

bool nats_user_revoke(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    struct nats_account account;
    if (!nats_deployment_check_name("an account", call->names[0], status) ||
        !nats_deployment_open(nats_folder(call->options), &deployment, status))
        return false;
    bool done = nats_deployment_read_account(&deployment, call->names[0], nats_now_s(), NULL,
                                             &account, status);
    if (done) {
        done = revoke(&deployment, &account, call->names[0], call->names[1], status);
        nats_account_free(&account);
    }
    nats_deployment_close(&deployment);
    return done;
}
