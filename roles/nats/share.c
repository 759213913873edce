#include "roles/nats/share.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "roles/nats/rights.h"

/* ---- accounts ---- */

static bool is_account_key(const char *text) {
    enum nkey_kind kind;
    uint8_t key[NKEY_KEY_BYTES];
    return nkey_decode_public(bytes_of_text(text), &kind, key, NULL) && kind == NKEY_ACCOUNT;
}

static bool find_by_key(const struct nats_deployment *deployment, struct share_other *out,
                        struct status *status) {
    struct nats_names names;
    bool good = nats_deployment_list(deployment, NULL, &names, status);
    for (size_t i = 0; good && !out->is_here && i < names.count; i++) {
        good = nats_deployment_read_account(deployment, names.items[i], nats_now_s(), NULL,
                                            &out->account, status);
        out->is_here = good && strcmp(out->account.jwt.subject, out->key) == 0;
        if (good && !out->is_here) nats_account_free(&out->account);
    }
    nats_names_free(&names);
    return good;
}

bool share_find_other(const struct nats_deployment *deployment, const char *flag, const char *text,
                      struct share_other *out, struct status *status) {
    *out = (struct share_other){0};
    if (!text)
        return status_fail(status, STATUS_USAGE, "%s is missing: the other account's name or key",
                           flag);
    if (is_account_key(text)) {
        memcpy(out->key, text, sizeof out->key);
        return find_by_key(deployment, out, status);
    }
    if (!nats_deployment_check_name("an account", text, status) ||
        !nats_deployment_read_account(deployment, text, nats_now_s(), NULL, &out->account, status))
        return false;
    out->is_here = true;
    memcpy(out->key, out->account.jwt.subject, sizeof out->key);
    return true;
}

bool share_with_account(const struct nats_action_call *call, share_change *change, bool writes,
                        struct status *status) {
    struct nats_deployment deployment;
    struct nats_account account;
    int64_t now_s = nats_now_s();
    if (!nats_deployment_check_name("an account", call->names[0], status) ||
        !rights_check_subject("SUBJECT", call->names[1], false, status) ||
        !nats_deployment_open(nats_folder(call->options), &deployment, status))
        return false;
    bool done =
        nats_deployment_read_account(&deployment, call->names[0], now_s, NULL, &account, status);
    if (done) {
        nats_account_renew(&account, now_s);
        done = change(&deployment, call, &account, status) &&
               (!writes || nats_deployment_write_account(&deployment, &account, status));
        if (done && writes)
            printf("account %s  changed: tell the servers, as after a revocation\n",
                   call->names[0]);
        nats_account_free(&account);
    }
    nats_deployment_close(&deployment);
    return done;
}

enum nats_share_kind share_kind(const struct options *options) {
    return options_boolean(options, "service") ? NATS_SERVICE : NATS_STREAM;
}

/* ---- activations ---- */

bool share_make_activation(const struct nats_deployment *deployment,
                           const struct nats_account *exporter, const char *importer,
                           const char *subject, enum nats_share_kind kind, int64_t life_ms,
                           struct buffer *out, struct status *status) {
    const char *signer = nats_account_signer(exporter, NULL);
    struct nats_activation activation = {
        .jwt.issued_at_s = nats_now_s(), .kind = kind, .subject = memory_copy_text(subject)};
    memcpy(activation.jwt.subject, importer, sizeof activation.jwt.subject);
    if (life_ms > 0) activation.jwt.expires_at_s = activation.jwt.issued_at_s + life_ms / 1000;
    if (signer)
        memcpy(activation.issuer_account, exporter->jwt.subject, sizeof activation.issuer_account);
    memcpy(activation.jwt.issuer, signer ? signer : exporter->jwt.subject,
           sizeof activation.jwt.issuer);
    bool made =
        nats_deployment_sign_activation(deployment, exporter->jwt.name, &activation, out, status);
    nats_activation_free(&activation);
    return made;
}
