/* lsys nats user add: a user of an account, its permissions and limits, its credentials file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/nats_credentials.h"
#include "app/nats_templates.h"
#include "broker/subject.h"
#include "codec/rfc3339.h"
#include "roles/nats/actions.h"

#define SECOND_NS INT64_C(1000000000)

/* "subject", or, where `may_name_queue`, "subject queue". */
static bool check_subject(const char *flag, const char *text, bool may_name_queue,
                          struct status *status) {
    const char *blank = strchr(text, ' ');
    size_t length = blank ? (size_t)(blank - text) : strlen(text);
    bool good = length <= NATS_SUBJECT_BYTES_MAX && !strpbrk(text, "\t\r\n") &&
                subject_is_valid(bytes_of(text, length));
    if (good && blank)
        good =
            may_name_queue && !strchr(blank + 1, ' ') && subject_is_valid(bytes_of_text(blank + 1));
    return good ||
           status_fail(status, STATUS_USAGE, "--%s: \"%.80s\" is not a subject", flag, text);
}

static bool take_subjects(const struct options *options, const char *key, const char *flag,
                          bool may_name_queue, struct nats_texts *out, struct status *status) {
    for (size_t i = 0; i < options_count(options, key); i++) {
        const char *text = options_item(options, key, i);
        if (!check_subject(flag, text, may_name_queue, status)) return false;
        nats_texts_add(out, text);
    }
    return true;
}

static const struct {
    const char *name;
    enum nats_connection_type type;
} CONNECTIONS[] = {
    {"standard", NATS_CONNECTION_STANDARD},
    {"websocket", NATS_CONNECTION_WEBSOCKET},
    {"leafnode", NATS_CONNECTION_LEAFNODE},
    {"leafnode-websocket", NATS_CONNECTION_LEAFNODE_WEBSOCKET},
};

static bool take_connections(const struct options *options, unsigned *out, struct status *status) {
    for (size_t i = 0; i < options_count(options, "connection"); i++) {
        const char *name = options_item(options, "connection", i);
        unsigned type = 0;
        for (size_t k = 0; k < sizeof CONNECTIONS / sizeof CONNECTIONS[0]; k++)
            if (strcmp(CONNECTIONS[k].name, name) == 0) type = CONNECTIONS[k].type;
        if (!type)
            return status_fail(status, STATUS_USAGE,
                               "--connection: one of standard, websocket, leafnode, "
                               "leafnode-websocket");
        *out |= type;
    }
    return true;
}

static void take_limit(const struct options *options, const char *key, int64_t *limit) {
    *limit = options_is_given(options, key) ? options_integer(options, key) : NATS_NO_LIMIT;
}

static bool take_rights(const struct options *options, struct nats_rights *rights,
                        struct status *status) {
    const char *template = options_text(options, "template");
    take_limit(options, "max_subscriptions", &rights->subscriptions);
    take_limit(options, "max_payload", &rights->payload_bytes);
    rights->data_bytes = NATS_NO_LIMIT;
    rights->bearer_token = options_boolean(options, "bearer");
    if (template && !nats_template_apply(template, rights, status)) return false;
    if (options_is_given(options, "allow_responses")) {
        rights->allow_responses = true;
        rights->responses_max = options_integer(options, "allow_responses");
        rights->response_ttl_ns = options_duration_ms(options, "response_ttl") * (SECOND_NS / 1000);
    }
    return take_subjects(options, "allow_pub", "allow-pub", false, &rights->publish_allow,
                         status) &&
           take_subjects(options, "deny_pub", "deny-pub", false, &rights->publish_deny, status) &&
           take_subjects(options, "allow_sub", "allow-sub", true, &rights->subscribe_allow,
                         status) &&
           take_subjects(options, "deny_sub", "deny-sub", true, &rights->subscribe_deny, status) &&
           take_connections(options, &rights->connection_types, status);
}

/* A name is free when nobody had it, or when who had it is revoked or has expired. */
static bool check_name_is_free(const struct nats_deployment *deployment, const char *account_name,
                               const struct nats_account *account, const char *name,
                               struct status *status) {
    struct nats_user user;
    struct status problem = STATUS_INIT;
    if (!nats_deployment_read_user(deployment, account_name, name, &user, &problem))
        return problem.code == STATUS_NOT_FOUND ||
               status_fail(status, problem.code, "%s", problem.text);
    bool gone = nats_account_has_revoked(account, user.jwt.subject, user.jwt.issued_at_s) ||
                (user.jwt.expires_at_s != 0 && user.jwt.expires_at_s <= nats_now_s());
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

static bool add(const struct nats_deployment *deployment, const struct nats_account *account,
                const struct nats_action_call *call, const char *creds, struct status *status) {
    const char *account_name = call->names[0], *name = call->names[1];
    struct nats_user user = {.jwt.issued_at_s = issue_time_s(account)};
    int64_t life_ms = options_duration_ms(call->options, "valid_for");
    snprintf(user.jwt.name, sizeof user.jwt.name, "%s", name);
    memcpy(user.issuer_account, account->jwt.subject, sizeof user.issuer_account);
    if (life_ms > 0) user.jwt.expires_at_s = user.jwt.issued_at_s + life_ms / 1000;
    bool added = check_name_is_free(deployment, account_name, account, name, status) &&
                 take_rights(call->options, &user.rights, status) &&
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
