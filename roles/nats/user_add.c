/* lsys nats user add: a user of an account, its permissions and limits, its credentials file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/nats_credentials.h"
#include "roles/nats/actions.h"
#include "roles/nats/rights.h"

/* A name is free when nobody had it, or when who had it is let in no more: revoked, expired, or its
 * signing key was removed. */
static bool check_name_is_free(const struct nats_deployment *deployment, const char *account_name,
                               const struct nats_account *account, const char *name,
                               struct status *status) {
    struct nats_user user;
    struct status verdict = STATUS_INIT;
    struct status problem = STATUS_INIT;
    if (!nats_deployment_read_user(deployment, account_name, name, &user, &problem))
        return problem.code == STATUS_NOT_FOUND ||
               status_fail(status, problem.code, "%s", problem.text);
    bool gone = !nats_user_check(&user, account, &deployment->operator, nats_now_s(), &verdict) &&
                verdict.code != STATUS_NOT_YET_VALID;
    nats_user_free(&user);
    return gone || status_fail(status, STATUS_BUSY,
                               "the account \"%s\" has a user \"%s\" already: revoke it first, or "
                               "choose another name",
                               account_name, name);
}

/* Issued after what was revoked for everybody: else it would be born revoked. */
static int64_t issue_time_s(const struct nats_account *account) {
    int64_t now_s = nats_now_s();
    while (nats_account_has_revoked(account, "*", now_s))
        now_s++;
    return now_s;
}

/* The newest signing key, that of the role if there is to be one; the account itself when it has no
 * signing key. */
static bool choose_signer(const struct nats_account *account, const struct options *options,
                          struct nats_user *user, struct status *status) {
    const char *role = options_text(options, "role");
    const char *signer = nats_account_signer(account, role);
    if (role && !signer)
        return status_fail(status, STATUS_NOT_FOUND,
                           "the account has no role \"%s\": make it with \"lsys nats account set "
                           "%s --add-signing-key --role %s\"",
                           role, account->jwt.name, role);
    if (signer) memcpy(user->issuer_account, account->jwt.subject, sizeof user->issuer_account);
    memcpy(user->jwt.issuer, signer ? signer : account->jwt.subject, sizeof user->jwt.issuer);
    return true;
}

/* A user with a role has the role's rights, and none of its own. */
static bool take_own_rights(const struct options *options, struct nats_rights *rights,
                            struct status *status) {
    if (!options_text(options, "role")) return rights_take(options, rights, status);
    return !rights_are_given(options) ||
           status_fail(
               status, STATUS_USAGE,
               "--role: the user has the rights of its role, and none of its own; leave out "
               "the flags for permissions and limits");
}

static bool add(const struct nats_deployment *deployment, const struct nats_account *account,
                const struct nats_action_call *call, const char *creds, struct status *status) {
    const char *account_name = call->names[0], *name = call->names[1];
    struct nats_user user = {.jwt.issued_at_s = issue_time_s(account)};
    int64_t life_ms = options_duration_ms(call->options, "valid_for");
    snprintf(user.jwt.name, sizeof user.jwt.name, "%s", name);
    if (life_ms > 0) user.jwt.expires_at_s = user.jwt.issued_at_s + life_ms / 1000;
    bool added = check_name_is_free(deployment, account_name, account, name, status) &&
                 choose_signer(account, call->options, &user, status) &&
                 take_own_rights(call->options, &user.rights, status) &&
                 nats_credentials_create(deployment, account_name, &user, creds, status);
    if (added)
        printf("user %s of %s  %s\n"
               "%s  its credentials: whoever has this file is that user\n",
               name, account_name, user.jwt.subject, creds);
    nats_user_free(&user);
    return added;
}

bool nats_user_add(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    struct nats_account account;
    const char *creds = options_text(call->options, "creds");
    if (!creds)
        return status_fail(status, STATUS_USAGE,
                           "--creds is missing: the file for the user's token and key");
    if (!nats_deployment_check_name("an account", call->names[0], status) ||
        !nats_deployment_check_name("a user", call->names[1], status) ||
        !nats_deployment_open(nats_folder(call->options), &deployment, status))
        return false;
    bool added = nats_deployment_read_account(&deployment, call->names[0], nats_now_s(), NULL,
                                              &account, status);
    if (added) {
        added = add(&deployment, &account, call, creds, status);
        nats_account_free(&account);
    }
    nats_deployment_close(&deployment);
    return added;
}
