/* The user's token, and the chain from a user to the operator. */
#include <string.h>

#include "verifier/nats_jwt_form.h"

static const struct nats_jwt_kind USER = {
    .type = "user", .subject = NKEY_USER, .issuer = NKEY_ACCOUNT, .what = "the one of a user"};

bool nats_user_read(struct bytes token, struct nats_user *out, struct status *status) {
    const struct json_value *body;
    *out = (struct nats_user){0};
    struct json_document *document = nats_jwt_read(token, &USER, &out->jwt, &body, status);
    if (!document) return false;
    bool good =
        nats_key_member_read(body, "issuer_account", NKEY_ACCOUNT, out->issuer_account, status) &&
        nats_rights_read(body, &out->rights, status);
    json_document_free(document);
    if (!good) nats_user_free(out);
    return good;
}

void nats_user_free(struct nats_user *user) {
    nats_rights_free(&user->rights);
    *user = (struct nats_user){0};
}

static void write_body(struct json_writer *json, const void *claims) {
    const struct nats_user *user = claims;
    nats_rights_write(json, &user->rights);
    if (user->issuer_account[0])
        json_writer_member_text(json, "issuer_account", user->issuer_account);
}

bool nats_user_sign(struct nats_user *user, struct bytes seed, struct buffer *out,
                    struct status *status) {
    return nats_jwt_sign(&USER, &user->jwt, seed, write_body, user, out, status);
}

/* ---- the chain ---- */

bool nats_account_check(const struct nats_account *account, const struct nats_operator *operator,
                        int64_t now_s, struct status *status) {
    const char *issuer = account->jwt.issuer;
    if (!nats_operator_may_sign(operator, issuer))
        return status_fail(status, STATUS_UNKNOWN_ISSUER,
                           "the account %s was signed by %s, which is not a key of the operator %s",
                           account->jwt.subject, issuer, operator->jwt.subject);
    return nats_jwt_check_times(&account->jwt, now_s, status) ||
           status_context(status, "the account");
}

const char *nats_user_account(const struct nats_user *user) {
    return user->issuer_account[0] ? user->issuer_account : user->jwt.issuer;
}

static const struct nats_signing_key *find_signing_key(const struct nats_account *account,
                                                       const char *key) {
    for (size_t i = 0; i < account->signing_key_count; i++)
        if (strcmp(account->signing_keys[i].key, key) == 0) return &account->signing_keys[i];
    return NULL;
}

/* A user of a scoped key carries no rights: those of the template are meant to be all of them. */
static bool carries_rights(const struct nats_rights *rights) {
    return !nats_rights_are_open(rights) || rights->subscriptions != 0 || rights->data_bytes != 0 ||
           rights->payload_bytes != 0 || rights->connection_types != 0 || rights->bearer_token ||
           rights->has_restrictions;
}

bool nats_user_check(const struct nats_user *user, const struct nats_account *account,
                     const struct nats_operator *operator, int64_t now_s, struct status *status) {
    const char *issuer = user->jwt.issuer;
    const struct nats_signing_key *key = find_signing_key(account, issuer);
    bool by_itself = !operator->strict_signing_keys && strcmp(issuer, account->jwt.subject) == 0;
    if (strcmp(nats_user_account(user), account->jwt.subject) != 0 || (!by_itself && !key))
        return status_fail(status, STATUS_UNKNOWN_ISSUER,
                           "the user %s was signed by %s, which is not a key of the account %s",
                           user->jwt.subject, issuer, account->jwt.subject);
    if (key && key->is_scoped && carries_rights(&user->rights))
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the user %s has rights of its own beside those of its signing key",
                           user->jwt.subject);
    if (nats_account_has_revoked(account, user->jwt.subject, user->jwt.issued_at_s))
        return status_fail(status, STATUS_REVOKED, "the user %s is revoked", user->jwt.subject);
    return nats_jwt_check_times(&user->jwt, now_s, status) || status_context(status, "the user");
}

const struct nats_rights *nats_user_rights(const struct nats_user *user,
                                           const struct nats_account *account) {
    const struct nats_signing_key *key = find_signing_key(account, user->jwt.issuer);
    return key && key->is_scoped ? &key->template : &user->rights;
}
