/* lsys nats account add, set, remove: an account, within which subjects are its own; its limits and
 * signing keys. */
#include <stdio.h>
#include <string.h>

#include "app/nats_deployment.h"
#include "base/memory.h"
#include "roles/nats/actions.h"
#include "roles/nats/rights.h"

/* Changes what is given. */
static void take_limit(const struct options *options, const char *key, int64_t *limit) {
    if (options_is_given(options, key)) *limit = options_integer(options, key);
}

static void take_limits(const struct options *options, struct nats_account_limits *limits) {
    take_limit(options, "max_connections", &limits->connections);
    take_limit(options, "max_leafnodes", &limits->leafnodes);
    if (!options_text(options, "role")) { /* else these two are the role's */
        take_limit(options, "max_subscriptions", &limits->subscriptions);
        take_limit(options, "max_payload", &limits->payload_bytes);
    }
    if (!options_is_given(options, "jetstream")) return;
    int64_t storage = options_boolean(options, "jetstream") ? NATS_NO_LIMIT : 0;
    limits->memory_storage_bytes = limits->disk_storage_bytes = storage;
    limits->streams = limits->consumers = storage;
}

static bool add(const struct nats_deployment *deployment, const struct nats_action_call *call,
                struct status *status) {
    const char *name = call->names[0];
    struct nats_signing_key signing = {0};
    struct nats_account account = {.jwt.issued_at_s = nats_now_s(),
                                   .limits = nats_account_limits_default,
                                   .signing_keys = &signing,
                                   .signing_key_count = 1};
    snprintf(account.jwt.name, sizeof account.jwt.name, "%s", name);
    take_limits(call->options, &account.limits);
    if (!nats_deployment_make_account_keys(deployment->folder, name, account.jwt.subject,
                                           signing.key, status) ||
        !nats_deployment_write_account(deployment, &account, status))
        return false;
    printf("account %s  %s\n", name, account.jwt.subject);
    return true;
}

bool nats_account_add(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    if (!nats_deployment_check_name("an account", call->names[0], status) ||
        !nats_deployment_open(nats_folder(call->options), &deployment, status))
        return false;
    bool added = add(&deployment, call, status);
    nats_deployment_close(&deployment);
    return added;
}

/* ---- signing keys ---- */

/* With --role it is the key of a role: users that it signs have the role's rights. */
static bool add_signing_key(const struct nats_deployment *deployment, struct nats_account *account,
                            const struct options *options, struct status *status) {
    const char *role = options_text(options, "role");
    struct nats_signing_key key = {.is_scoped = role != NULL};
    bool added =
        (!role || (nats_deployment_check_name("a role", role, status) &&
                   rights_take(options, &key.template, status))) &&
        nats_deployment_add_account_key(deployment->folder, account->jwt.name, key.key, status);
    if (added) {
        if (role) key.role = memory_copy_text(role);
        printf("signing key %s  signs new users%s%s from now on\n", key.key,
               role ? " of role " : "", role ? role : "");
        added = nats_account_add_signing_key(account, &key, status);
    }
    nats_signing_key_free(&key);
    return added;
}

/* Says who is let in no more. */
static bool tell_users_of(const struct nats_deployment *deployment, const char *account,
                          const char *key, struct status *status) {
    struct nats_names names;
    struct nats_user user;
    bool good = nats_deployment_list(deployment, account, &names, status);
    for (size_t i = 0; good && i < names.count; i++) {
        good = nats_deployment_read_user(deployment, account, names.items[i], &user, status);
        if (!good) break;
        if (strcmp(user.jwt.issuer, key) == 0)
            printf("user %s  was signed with it: make it again with \"lsys nats user add %s %s\"\n",
                   names.items[i], account, names.items[i]);
        nats_user_free(&user);
    }
    nats_names_free(&names);
    return good;
}

static bool remove_signing_key(const struct nats_deployment *deployment,
                               struct nats_account *account, const char *key,
                               struct status *status) {
    if (!nats_account_remove_signing_key(account, key))
        return status_fail(status, STATUS_NOT_FOUND, "%.60s is not a signing key of the account %s",
                           key, account->jwt.name);
    return tell_users_of(deployment, account->jwt.name, key, status);
}

/* ---- account set ---- */

static bool check_flags(const struct options *options, struct status *status) {
    bool has_role = options_text(options, "role") != NULL;
    if (has_role && !options_boolean(options, "add_signing_key"))
        return status_fail(status, STATUS_USAGE,
                           "--role goes with --add-signing-key: a role is a signing key with "
                           "rights");
    if (!has_role && rights_beyond_limits(options))
        return status_fail(status, STATUS_USAGE,
                           "permissions are those of a user or of a --role, not of an account");
    return true;
}

static bool change(const struct nats_deployment *deployment, const struct options *options,
                   struct nats_account *account, struct status *status) {
    const char *removed = options_text(options, "remove_signing_key");
    int64_t now_s = nats_now_s();
    nats_account_renew(account, now_s);
    take_limits(options, &account->limits);
    if (removed && !remove_signing_key(deployment, account, removed, status)) return false;
    if (options_boolean(options, "add_signing_key") &&
        !add_signing_key(deployment, account, options, status))
        return false;
    if (!nats_deployment_write_account(deployment, account, status)) return false;
    if (removed) nats_deployment_forget_account_key(deployment->folder, account->jwt.name, removed);
    return true;
}

static bool set(const struct nats_deployment *deployment, const struct nats_action_call *call,
                struct status *status) {
    struct nats_account account;
    const char *name = call->names[0];
    if (!check_flags(call->options, status) ||
        !nats_deployment_read_account(deployment, name, nats_now_s(), NULL, &account, status))
        return false;
    bool done = change(deployment, call->options, &account, status);
    nats_account_free(&account);
    if (done) printf("account %s  changed: tell the servers, as after a revocation\n", name);
    return done;
}

bool nats_account_set(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    if (!nats_deployment_check_name("an account", call->names[0], status) ||
        !nats_deployment_open(nats_folder(call->options), &deployment, status))
        return false;
    bool done = set(&deployment, call, status);
    nats_deployment_close(&deployment);
    return done;
}

/* ---- account remove ---- */

bool nats_account_remove(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    const char *name = call->names[0];
    if (!nats_deployment_check_name("an account", name, status) ||
        !nats_deployment_open(nats_folder(call->options), &deployment, status))
        return false;
    bool done = nats_deployment_remove_account(&deployment, name, status);
    if (done)
        printf(
            "account %s  removed: tell the servers with \"lsys nats push --prune\", or write the "
            "configuration again with \"lsys nats config\" and send nats-server SIGHUP\n",
            name);
    nats_deployment_close(&deployment);
    return done;
}
