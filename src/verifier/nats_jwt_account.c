/* The account's token: limits, signing keys, and what nats_jwt_sharing.c and nats_revocations.c
 * read. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verifier/nats_jwt_form.h"

static const struct nats_jwt_kind ACCOUNT = {.type = "account",
                                             .subject = NKEY_ACCOUNT,
                                             .issuer = NKEY_OPERATOR,
                                             .what = "the one of an account"};

const struct nats_account_limits nats_account_limits_default = {
    .subscriptions = NATS_NO_LIMIT,
    .data_bytes = NATS_NO_LIMIT,
    .payload_bytes = NATS_NO_LIMIT,
    .imports = NATS_NO_LIMIT,
    .exports = NATS_NO_LIMIT,
    .connections = NATS_NO_LIMIT,
    .leafnodes = NATS_NO_LIMIT,
    .wildcard_exports = true,
};

/* ---- reading ---- */

static bool read_limits(const struct json_value *body, struct nats_account_limits *out,
                        struct status *status) {
    const struct json_value *limits = json_value_member(body, "limits");
    return nats_member_is(body, "limits", JSON_TYPE_OBJECT, status) &&
           nats_limit_read(limits, "subs", &out->subscriptions, status) &&
           nats_limit_read(limits, "data", &out->data_bytes, status) &&
           nats_limit_read(limits, "payload", &out->payload_bytes, status) &&
           nats_limit_read(limits, "imports", &out->imports, status) &&
           nats_limit_read(limits, "exports", &out->exports, status) &&
           nats_limit_read(limits, "conn", &out->connections, status) &&
           nats_limit_read(limits, "leaf", &out->leafnodes, status) &&
           nats_limit_read(limits, "mem_storage", &out->memory_storage_bytes, status) &&
           nats_limit_read(limits, "disk_storage", &out->disk_storage_bytes, status) &&
           nats_limit_read(limits, "streams", &out->streams, status) &&
           nats_limit_read(limits, "consumer", &out->consumers, status) &&
           nats_boolean_read(limits, "wildcards", &out->wildcard_exports, status) &&
           nats_boolean_read(limits, "disallow_bearer", &out->disallow_bearer, status);
}

static bool read_scope(const struct json_value *value, struct nats_signing_key *out,
                       struct status *status) {
    const char *kind = json_member_text(value, "kind");
    if (!kind || strcmp(kind, "user_scope") != 0)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "\"signing_keys\" has a scope of an unknown kind");
    out->is_scoped = true;
    out->role = memory_copy_text(json_member_text(value, "role"));
    return nats_key_read(json_value_member(value, "key"), "key", NKEY_ACCOUNT, out->key, status) &&
           nats_member_is(value, "template", JSON_TYPE_OBJECT, status) &&
           nats_rights_read(json_value_member(value, "template"), &out->template, status);
}

static bool read_signing_keys(const struct json_value *body, struct nats_account *out,
                              struct status *status) {
    const struct json_value *array = json_value_member(body, "signing_keys");
    size_t count = json_value_count(array);
    if (!nats_member_is(body, "signing_keys", JSON_TYPE_ARRAY, status)) return false;
    if (count > NATS_SIGNING_KEYS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "an account has at most %d signing keys",
                           NATS_SIGNING_KEYS_MAX);
    out->signing_keys = count > 0 ? memory_new_array(count, sizeof *out->signing_keys) : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct json_value *value = json_value_item(array, i);
        struct nats_signing_key *key = &out->signing_keys[out->signing_key_count++];
        bool read = json_value_type(value) == JSON_TYPE_OBJECT
                        ? read_scope(value, key, status)
                        : nats_key_read(value, "signing_keys", NKEY_ACCOUNT, key->key, status);
        if (!read) return false;
    }
    return true;
}

/* What we do not carry out, and must not pretend to. */
static bool read_beyond(const struct json_value *body, struct nats_account *out,
                        struct status *status) {
    const struct json_value *authorization = json_value_member(body, "authorization");
    out->has_mappings = json_value_count(json_value_member(body, "mappings")) > 0;
    out->has_authorization = json_value_count(json_value_member(authorization, "auth_users")) > 0;
    return nats_member_is(body, "mappings", JSON_TYPE_OBJECT, status) &&
           nats_member_is(body, "authorization", JSON_TYPE_OBJECT, status) &&
           nats_member_is(authorization, "auth_users", JSON_TYPE_ARRAY, status);
}

bool nats_account_read(struct bytes token, struct nats_account *out, struct status *status) {
    const struct json_value *body;
    *out = (struct nats_account){0};
    struct json_document *document = nats_jwt_read(token, &ACCOUNT, &out->jwt, &body, status);
    if (!document) return false;
    bool good = read_limits(body, &out->limits, status) && read_signing_keys(body, out, status) &&
                nats_revocations_read(body, NKEY_USER, &out->revocations, status) &&
                nats_sharing_read(body, out, status) && read_beyond(body, out, status) &&
                nats_member_is(body, "default_permissions", JSON_TYPE_OBJECT, status) &&
                nats_permissions_read(json_value_member(body, "default_permissions"),
                                      &out->default_rights, status);
    json_document_free(document);
    if (!good) nats_account_free(out);
    return good;
}

void nats_signing_key_free(struct nats_signing_key *key) {
    free(key->role);
    nats_rights_free(&key->template);
    *key = (struct nats_signing_key){0};
}

void nats_account_free(struct nats_account *account) {
    for (size_t i = 0; i < account->signing_key_count; i++)
        nats_signing_key_free(&account->signing_keys[i]);
    free(account->signing_keys);
    free(account->revocations.items);
    nats_sharing_free(account);
    nats_rights_free(&account->default_rights);
    *account = (struct nats_account){0};
}

/* ---- writing ---- */

static void write_limits(struct json_writer *json, const struct nats_account_limits *limits) {
    json_writer_name(json, "limits");
    json_writer_begin_object(json);
    json_writer_member_integer(json, "subs", limits->subscriptions);
    json_writer_member_integer(json, "data", limits->data_bytes);
    json_writer_member_integer(json, "payload", limits->payload_bytes);
    json_writer_member_integer(json, "imports", limits->imports);
    json_writer_member_integer(json, "exports", limits->exports);
    json_writer_member_boolean(json, "wildcards", limits->wildcard_exports);
    json_writer_member_boolean(json, "disallow_bearer", limits->disallow_bearer);
    json_writer_member_integer(json, "conn", limits->connections);
    json_writer_member_integer(json, "leaf", limits->leafnodes);
    json_writer_member_integer(json, "mem_storage", limits->memory_storage_bytes);
    json_writer_member_integer(json, "disk_storage", limits->disk_storage_bytes);
    json_writer_member_integer(json, "streams", limits->streams);
    json_writer_member_integer(json, "consumer", limits->consumers);
    json_writer_end_object(json);
}

static void write_signing_key(struct json_writer *json, const struct nats_signing_key *key) {
    if (!key->is_scoped) {
        json_writer_text(json, key->key);
        return;
    }
    json_writer_begin_object(json);
    json_writer_member_text(json, "kind", "user_scope");
    json_writer_member_text(json, "key", key->key);
    json_writer_member_text(json, "role", key->role ? key->role : "");
    json_writer_name(json, "template");
    json_writer_begin_object(json);
    nats_rights_write(json, &key->template);
    json_writer_end_object(json);
    json_writer_end_object(json);
}

static void write_body(struct json_writer *json, const void *claims) {
    const struct nats_account *account = claims;
    write_limits(json, &account->limits);
    if (account->signing_key_count > 0) {
        json_writer_name(json, "signing_keys");
        json_writer_begin_array(json);
        for (size_t i = 0; i < account->signing_key_count; i++)
            write_signing_key(json, &account->signing_keys[i]);
        json_writer_end_array(json);
    }
    nats_revocations_write(json, &account->revocations);
    nats_sharing_write(json, account);
    json_writer_name(json, "default_permissions");
    json_writer_begin_object(json);
    nats_permissions_write(json, &account->default_rights);
    json_writer_end_object(json);
}

void nats_account_renew(struct nats_account *account, int64_t now_s) {
    int64_t before_s = account->jwt.issued_at_s;
    account->jwt.issued_at_s = before_s < now_s ? now_s : before_s + 1;
}

bool nats_account_sign(struct nats_account *account, struct bytes seed, struct buffer *out,
                       struct status *status) {
    return nats_jwt_sign(&ACCOUNT, &account->jwt, seed, write_body, account, out, status);
}

/* ---- signing keys ---- */

static bool has_role(const struct nats_signing_key *key, const char *role) {
    if (!role) return !key->is_scoped;
    return key->is_scoped && key->role && strcmp(key->role, role) == 0;
}

const char *nats_account_signer(const struct nats_account *account, const char *role) {
    for (size_t i = account->signing_key_count; i > 0; i--)
        if (has_role(&account->signing_keys[i - 1], role)) return account->signing_keys[i - 1].key;
    return NULL;
}

bool nats_account_add_signing_key(struct nats_account *account, struct nats_signing_key *key,
                                  struct status *status) {
    size_t count = account->signing_key_count;
    if (count == NATS_SIGNING_KEYS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "an account has at most %d signing keys",
                           NATS_SIGNING_KEYS_MAX);
    struct nats_signing_key *larger = memory_new_array(count + 1, sizeof *larger);
    if (count > 0) memcpy(larger, account->signing_keys, count * sizeof *larger);
    free(account->signing_keys);
    account->signing_keys = larger;
    larger[account->signing_key_count++] = *key;
    *key = (struct nats_signing_key){0};
    return true;
}

bool nats_account_remove_signing_key(struct nats_account *account, const char *key) {
    size_t kept = 0;
    for (size_t i = 0; i < account->signing_key_count; i++)
        if (strcmp(account->signing_keys[i].key, key) == 0)
            nats_signing_key_free(&account->signing_keys[i]);
        else
            account->signing_keys[kept++] = account->signing_keys[i];
    bool removed = kept < account->signing_key_count;
    account->signing_key_count = kept;
    return removed;
}

/* ---- revocations ---- */

bool nats_account_has_revoked(const struct nats_account *account, const char *user,
                              int64_t issued_at_s) {
    return nats_revocations_have(&account->revocations, user, issued_at_s);
}

bool nats_account_revoke(struct nats_account *account, const char *key, int64_t at_s,
                         struct status *status) {
    return nats_revocations_add(&account->revocations, key, at_s, status);
}
