/* The operator's token. */
#include <string.h>

#include "verifier/nats_jwt_form.h"

static const struct nats_jwt_kind OPERATOR = {.type = "operator",
                                              .subject = NKEY_OPERATOR,
                                              .issuer = NKEY_OPERATOR,
                                              .what = "the one of an operator"};

static bool read_signing_keys(const struct json_value *body, struct nats_texts *out,
                              struct status *status) {
    const struct json_value *array = json_value_member(body, "signing_keys");
    char key[NKEY_PUBLIC_TEXT_BYTES];
    if (!nats_member_is(body, "signing_keys", JSON_TYPE_ARRAY, status)) return false;
    if (json_value_count(array) > NATS_SIGNING_KEYS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "an operator has at most %d signing keys",
                           NATS_SIGNING_KEYS_MAX);
    for (size_t i = 0; i < json_value_count(array); i++) {
        if (!nats_key_read(json_value_item(array, i), "signing_keys", NKEY_OPERATOR, key, status))
            return false;
        nats_texts_add(out, key);
    }
    return true;
}

bool nats_operator_read(struct bytes token, struct nats_operator *out, struct status *status) {
    const struct json_value *body;
    *out = (struct nats_operator){0};
    struct json_document *document = nats_jwt_read(token, &OPERATOR, &out->jwt, &body, status);
    if (!document) return false;
    bool good =
        nats_key_member_read(body, "system_account", NKEY_ACCOUNT, out->system_account, status) &&
        nats_boolean_read(body, "strict_signing_key_usage", &out->strict_signing_keys, status) &&
        read_signing_keys(body, &out->signing_keys, status);
    if (good && strcmp(out->jwt.issuer, out->jwt.subject) != 0)
        good = status_fail(status, STATUS_BAD_CLAIM,
                           "an operator's token is signed by the operator itself");
    json_document_free(document);
    if (!good) nats_operator_free(out);
    return good;
}

void nats_operator_free(struct nats_operator *operator) {
    nats_texts_free(&operator->signing_keys);
    memset(operator, 0, sizeof *operator);
}

bool nats_operator_check(const struct nats_operator *operator, int64_t now_s,
                         struct status *status) {
    return nats_jwt_check_times(&operator->jwt, now_s, status) ||
           status_context(status, "the operator");
}

bool nats_operator_may_sign(const struct nats_operator *operator, const char * key) {
    bool by_itself = !operator->strict_signing_keys && strcmp(key, operator->jwt.subject) == 0;
    return by_itself || nats_texts_have(&operator->signing_keys, key);
}

static void write_body(struct json_writer *json, const void *claims) {
    const struct nats_operator *signer = claims;
    if (signer->signing_keys.count > 0)
        nats_texts_write(json, "signing_keys", &signer->signing_keys);
    if (signer->system_account[0])
        json_writer_member_text(json, "system_account", signer->system_account);
    if (signer->strict_signing_keys)
        json_writer_member_boolean(json, "strict_signing_key_usage", true);
}

bool nats_operator_sign(struct nats_operator *operator, struct bytes seed, struct buffer *out,
                        struct status *status) {
    return nats_jwt_sign(&OPERATOR, &operator->jwt, seed, write_body, operator, out, status);
}
