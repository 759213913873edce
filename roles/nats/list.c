/* lsys nats ls: the operator, the accounts and their users. */
#include <stdio.h>

#include "app/nats_deployment.h"
#include "base/clock.h"
#include "codec/json_writer.h"
#include "roles/nats/actions.h"

#define JSON_BYTES_MAX ((size_t)64 << 20)

/* ---- what is known of a user ---- */

/* "good", "revoked", or the name of what its check says. */
static const char *state_of(const struct nats_deployment *deployment,
                            const struct nats_account *account, const struct nats_user *user) {
    struct status verdict = STATUS_INIT;
    if (nats_user_check(user, account, &deployment->operator, nats_now_s(), &verdict))
        return "good";
    return status_code_name(verdict.code);
}

static void write_user(struct json_writer *json, const struct nats_user *user, const char *state) {
    json_writer_begin_object(json);
    json_writer_member_text(json, "name", user->jwt.name);
    json_writer_member_text(json, "key", user->jwt.subject);
    json_writer_member_text(json, "state", state);
    json_writer_member_time(json, "issued_at", user->jwt.issued_at_s * 1000);
    if (user->jwt.expires_at_s)
        json_writer_member_time(json, "expires_at", user->jwt.expires_at_s * 1000);
    json_writer_end_object(json);
}

static bool list_users(const struct nats_deployment *deployment, const char *account_name,
                       const struct nats_account *account, struct json_writer *json,
                       struct status *status) {
    struct nats_names names;
    bool good = nats_deployment_list(deployment, account_name, &names, status);
    for (size_t i = 0; good && i < names.count; i++) {
        struct nats_user user;
        good = nats_deployment_read_user(deployment, account_name, names.items[i], &user, status);
        if (!good) break;
        const char *state = state_of(deployment, account, &user);
        if (json)
            write_user(json, &user, state);
        else
            printf("  %-20s %-10s %s\n", user.jwt.name, state, user.jwt.subject);
        nats_user_free(&user);
    }
    nats_names_free(&names);
    return good;
}

/* ---- signing keys: the newest last ---- */

static void write_signing_key(struct json_writer *json, const char *key, const char *role) {
    json_writer_begin_object(json);
    json_writer_member_text(json, "key", key);
    if (role) json_writer_member_text(json, "role", role);
    json_writer_end_object(json);
}

static void list_signing_keys(const struct nats_account *account, struct json_writer *json) {
    if (json) {
        json_writer_name(json, "signing_keys");
        json_writer_begin_array(json);
    }
    for (size_t i = 0; i < account->signing_key_count; i++) {
        const struct nats_signing_key *key = &account->signing_keys[i];
        if (json)
            write_signing_key(json, key->key, key->role);
        else
            printf("  %-20s %-10s %s\n", "(signing key)", key->role ? key->role : "", key->key);
    }
    if (json) json_writer_end_array(json);
}

static void list_operator_keys(const struct nats_texts *keys, struct json_writer *json) {
    if (!json) {
        for (size_t i = 0; i < keys->count; i++)
            printf("  %-20s %-10s %s\n", "(signing key)", "", keys->items[i]);
        return;
    }
    json_writer_name(json, "signing_keys");
    json_writer_begin_array(json);
    for (size_t i = 0; i < keys->count; i++)
        write_signing_key(json, keys->items[i], NULL);
    json_writer_end_array(json);
}

/* ---- what it shares ---- */

static const char *kind_name(enum nats_share_kind kind) {
    return kind == NATS_STREAM ? "stream" : "service";
}

static void write_export(struct json_writer *json, const struct nats_export *export) {
    json_writer_begin_object(json);
    json_writer_member_text(json, "subject", export->subject);
    json_writer_member_text(json, "type", kind_name(export->kind));
    json_writer_member_boolean(json, "private", export->is_private);
    json_writer_end_object(json);
}

static void write_import(struct json_writer *json, const struct nats_import *import) {
    json_writer_begin_object(json);
    json_writer_member_text(json, "subject", import->subject);
    json_writer_member_text(json, "type", kind_name(import->kind));
    json_writer_member_text(json, "from", import->account);
    if (import->local_subject)
        json_writer_member_text(json, "local_subject", import->local_subject);
    json_writer_end_object(json);
}

static void write_sharing(struct json_writer *json, const struct nats_account *account) {
    json_writer_name(json, "exports");
    json_writer_begin_array(json);
    for (size_t i = 0; i < account->export_count; i++)
        write_export(json, &account->exports[i]);
    json_writer_end_array(json);
    json_writer_name(json, "imports");
    json_writer_begin_array(json);
    for (size_t i = 0; i < account->import_count; i++)
        write_import(json, &account->imports[i]);
    json_writer_end_array(json);
}

static void print_sharing(const struct nats_account *account) {
    for (size_t i = 0; i < account->export_count; i++) {
        const struct nats_export *export = &account->exports[i];
        printf("  (exports)            %-10s %s%s\n", kind_name(export->kind), export->subject,
               export->is_private ? "  private" : "");
    }
    for (size_t i = 0; i < account->import_count; i++) {
        const struct nats_import *import = &account->imports[i];
        printf("  (imports)            %-10s %s  from %s%s%s\n", kind_name(import->kind),
               import->subject, import->account, import->local_subject ? "  as " : "",
               import->local_subject ? import->local_subject : "");
    }
}

static bool list_account(const struct nats_deployment *deployment, const char *name,
                         struct json_writer *json, struct status *status) {
    struct nats_account account;
    if (!nats_deployment_read_account(deployment, name, nats_now_s(), NULL, &account, status))
        return false;
    if (json) {
        json_writer_begin_object(json);
        json_writer_member_text(json, "name", name);
        json_writer_member_text(json, "key", account.jwt.subject);
        list_signing_keys(&account, json);
        write_sharing(json, &account);
        json_writer_name(json, "users");
        json_writer_begin_array(json);
    } else {
        printf("account %s  %s\n", name, account.jwt.subject);
        list_signing_keys(&account, NULL);
        print_sharing(&account);
    }
    bool listed = list_users(deployment, name, &account, json, status);
    if (json) {
        json_writer_end_array(json);
        json_writer_end_object(json);
    }
    nats_account_free(&account);
    return listed;
}

static bool list_accounts(const struct nats_deployment *deployment, struct json_writer *json,
                          struct status *status) {
    struct nats_names names;
    bool good = nats_deployment_list(deployment, NULL, &names, status);
    for (size_t i = 0; good && i < names.count; i++)
        good = list_account(deployment, names.items[i], json, status);
    nats_names_free(&names);
    return good;
}

static bool list_as_json(const struct nats_deployment *deployment, struct status *status) {
    struct buffer out;
    struct json_writer json;
    buffer_init(&out, JSON_BYTES_MAX);
    json_writer_init(&json, &out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "operator", deployment->operator.jwt.name);
    json_writer_member_text(&json, "key", deployment->operator.jwt.subject);
    json_writer_member_text(&json, "system_account", deployment->operator.system_account);
    list_operator_keys(&deployment->operator.signing_keys, &json);
    json_writer_name(&json, "accounts");
    json_writer_begin_array(&json);
    bool listed = list_accounts(deployment, &json, status);
    json_writer_end_array(&json);
    json_writer_end_object(&json);
    listed = listed && json_writer_finish(&json, "the answer", status);
    if (listed) puts(buffer_text(&out));
    buffer_free(&out);
    return listed;
}

bool nats_list(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    if (!nats_deployment_open(nats_folder(call->options), &deployment, status)) return false;
    bool listed;
    if (options_boolean(call->options, "json")) {
        listed = list_as_json(&deployment, status);
    } else {
        printf("operator %s  %s\n", deployment.operator.jwt.name, deployment.operator.jwt.subject);
        list_operator_keys(&deployment.operator.signing_keys, NULL);
        listed = list_accounts(&deployment, NULL, status);
    }
    nats_deployment_close(&deployment);
    return listed;
}
