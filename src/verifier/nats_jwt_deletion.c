/* The token with which an operator has accounts deleted: a "generic" one that it issues to itself
 * (nats-server, accounts.go: handleDeleteRequest; nsc, push.go: sendDeleteRequest). */
#include <string.h>

#include "verifier/nats_jwt_form.h"

static const struct nats_jwt_kind DELETION = {.type = "generic",
                                              .subject = NKEY_OPERATOR,
                                              .issuer = NKEY_OPERATOR,
                                              .what = "a request to delete accounts",
                                              .may_omit_type = true};

static bool read_accounts(const struct json_value *body, struct nats_texts *out,
                          struct status *status) {
    const struct json_value *array = json_value_member(body, "accounts");
    char key[NKEY_PUBLIC_TEXT_BYTES];
    if (json_value_type(array) != JSON_TYPE_ARRAY)
        return status_fail(status, STATUS_BAD_CLAIM, "\"accounts\" is not an array");
    if (json_value_count(array) > NATS_DELETIONS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "one token deletes at most %d accounts",
                           NATS_DELETIONS_MAX);
    for (size_t i = 0; i < json_value_count(array); i++) {
        if (!nats_key_read(json_value_item(array, i), "accounts", NKEY_ACCOUNT, key, status))
            return false;
        nats_texts_add(out, key);
    }
    return true;
}

bool nats_deletion_read(struct bytes token, struct nats_deletion *out, struct status *status) {
    const struct json_value *body;
    *out = (struct nats_deletion){0};
    struct json_document *document = nats_jwt_read(token, &DELETION, &out->jwt, &body, status);
    if (!document) return false;
    bool good = read_accounts(body, &out->accounts, status);
    json_document_free(document);
    if (!good) nats_deletion_free(out);
    return good;
}

void nats_deletion_free(struct nats_deletion *deletion) {
    nats_texts_free(&deletion->accounts);
    *deletion = (struct nats_deletion){0};
}

bool nats_deletion_check(const struct nats_deletion *deletion, const struct nats_operator *operator,
                         int64_t now_s, struct status *status) {
    const char *issuer = deletion->jwt.issuer;
    if (strcmp(issuer, deletion->jwt.subject) != 0)
        return status_fail(status, STATUS_BAD_CLAIM, "the request is not issued to its own issuer");
    if (!nats_operator_may_sign(operator, issuer))
        return status_fail(status, STATUS_UNKNOWN_ISSUER,
                           "the request was signed by %s, which is not a key of the operator %s",
                           issuer, operator->jwt.subject);
    if (nats_texts_have(&deletion->accounts, operator->system_account))
        return status_fail(status, STATUS_FORBIDDEN, "the system account cannot be deleted");
    return nats_jwt_check_times(&deletion->jwt, now_s, status) ||
           status_context(status, "the request");
}

static void write_body(struct json_writer *json, const void *claims) {
    const struct nats_deletion *deletion = claims;
    nats_texts_write(json, "accounts", &deletion->accounts);
}

bool nats_deletion_sign(struct nats_deletion *deletion, struct bytes seed, struct buffer *out,
                        struct status *status) {
    return nkey_public_of_seed(seed, deletion->jwt.subject, status) &&
           nats_jwt_sign(&DELETION, &deletion->jwt, seed, write_body, deletion, out, status);
}
