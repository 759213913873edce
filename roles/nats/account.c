/* lsys nats account add, set: an account, within which subjects are its own, and its limits. */
#include <stdio.h>

#include "app/nats_deployment.h"
#include "roles/nats/actions.h"

/* Changes what is given. */
static void take_limit(const struct options *options, const char *key, int64_t *limit) {
    if (options_is_given(options, key)) *limit = options_integer(options, key);
}

static void take_limits(const struct options *options, struct nats_account_limits *limits) {
    take_limit(options, "max_connections", &limits->connections);
    take_limit(options, "max_leafnodes", &limits->leafnodes);
    take_limit(options, "max_subscriptions", &limits->subscriptions);
    take_limit(options, "max_payload", &limits->payload_bytes);
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

/* Servers keep the newest token, so it is never older than the one before. */
static bool set(const struct nats_deployment *deployment, const struct nats_action_call *call,
                struct status *status) {
    struct nats_account account;
    const char *name = call->names[0];
    int64_t now_s = nats_now_s();
    if (!nats_deployment_read_account(deployment, name, now_s, NULL, &account, status))
        return false;
    if (account.jwt.issued_at_s < now_s) account.jwt.issued_at_s = now_s;
    take_limits(call->options, &account.limits);
    bool done = nats_deployment_write_account(deployment, &account, status);
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
