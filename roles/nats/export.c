/* lsys nats export: what an account lets others hear or ask. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "roles/nats/share.h"

#define EVERYBODY "*"

#define SECOND_NS INT64_C(1000000000)

static enum nats_responses responses_of(const struct options *options) {
    const char *text = options_text(options, "responses");
    if (strcmp(text, "stream") == 0) return NATS_RESPONSES_STREAM;
    return strcmp(text, "chunked") == 0 ? NATS_RESPONSES_CHUNKED : NATS_RESPONSES_SINGLE;
}

static bool add_export(const struct nats_deployment *deployment,
                       const struct nats_action_call *call, struct nats_account *account,
                       struct status *status) {
    const struct options *options = call->options;
    struct nats_export export = {.kind = share_kind(options),
                                 .is_private = options_boolean(options, "private"),
                                 .subject = memory_copy_text(call->names[1])};
    (void)deployment;
    if (export.kind == NATS_SERVICE) {
        export.responses = responses_of(options);
        export.response_threshold_ns =
            options_duration_ms(options, "response_ttl") * (SECOND_NS / 1000);
    }
    bool added = nats_account_add_export(account, &export, status);
    nats_export_free(&export);
    return added;
}

bool nats_export_add(const struct nats_action_call *call, struct status *status) {
    return share_with_account(call, add_export, true, status);
}

static bool remove_export(const struct nats_deployment *deployment,
                          const struct nats_action_call *call, struct nats_account *account,
                          struct status *status) {
    (void)deployment;
    return nats_account_remove_export(account, call->names[1]) ||
           status_fail(status, STATUS_NOT_FOUND, "the account \"%s\" does not export \"%s\"",
                       call->names[0], call->names[1]);
}

bool nats_export_remove(const struct nats_action_call *call, struct status *status) {
    return share_with_account(call, remove_export, true, status);
}

static struct nats_export *find_export(struct nats_account *account, const char *subject,
                                       struct status *status) {
    for (size_t i = 0; i < account->export_count; i++)
        if (strcmp(account->exports[i].subject, subject) == 0) return &account->exports[i];
    status_fail(status, STATUS_NOT_FOUND, "the account \"%s\" does not export \"%s\"",
                account->jwt.name, subject);
    return NULL;
}

static bool revoke_export(const struct nats_deployment *deployment,
                          const struct nats_action_call *call, struct nats_account *account,
                          struct status *status) {
    const char *whom = options_text(call->options, "for");
    struct nats_export *export = find_export(account, call->names[1], status);
    struct share_other other = {.key = EVERYBODY};
    if (!export) return false;
    bool known = (whom && strcmp(whom, EVERYBODY) == 0) ||
                 share_find_other(deployment, "--for", whom, &other, status);
    bool revoked =
        known && nats_revocations_add(&export->revocations, other.key, nats_now_s(), status);
    nats_account_free(&other.account);
    return revoked;
}

bool nats_export_revoke(const struct nats_action_call *call, struct status *status) {
    return share_with_account(call, revoke_export, true, status);
}

static bool activate(const struct nats_deployment *deployment, const struct nats_action_call *call,
                     struct nats_account *account, struct status *status) {
    const char *path = options_text(call->options, "out");
    const struct nats_export *export = find_export(account, call->names[1], status);
    struct share_other other;
    struct buffer token;
    if (!export) return false;
    if (!path)
        return status_fail(status, STATUS_USAGE, "--out is missing: the file for the activation");
    if (!share_find_other(deployment, "--for", options_text(call->options, "for"), &other, status))
        return false;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    bool made =
        share_make_activation(deployment, account, other.key, export->subject, export->kind,
                              options_duration_ms(call->options, "valid_for"), &token, status) &&
        buffer_append(&token, "\n", 1) && file_replace(path, buffer_bytes(&token), 0644, status);
    if (made) printf("%s  for: lsys nats import add ... --activation %s\n", path, path);
    buffer_free(&token);
    nats_account_free(&other.account);
    return made;
}

bool nats_export_activate(const struct nats_action_call *call, struct status *status) {
    return share_with_account(call, activate, false, status);
}
