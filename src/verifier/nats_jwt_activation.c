/* The token with which an account lets another one import what it exports privately. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verifier/nats_jwt_form.h"

static const struct nats_jwt_kind ACTIVATION = {
    .type = "activation", .subject = NKEY_ACCOUNT, .issuer = NKEY_ACCOUNT, .what = "an activation"};

bool nats_activation_read(struct bytes token, struct nats_activation *out, struct status *status) {
    const struct json_value *body;
    *out = (struct nats_activation){0};
    struct json_document *document = nats_jwt_read(token, &ACTIVATION, &out->jwt, &body, status);
    if (!document) return false;
    const char *subject = json_member_text(body, "subject");
    bool good = (subject && claims_text_is_fit(subject, NATS_SUBJECT_BYTES_MAX)) ||
                status_fail(status, STATUS_BAD_CLAIM, "\"subject\" is not a text of 1 to %d bytes",
                            NATS_SUBJECT_BYTES_MAX);
    good = good && nats_share_kind_read(body, "kind", &out->kind, status) &&
           nats_key_member_read(body, "issuer_account", NKEY_ACCOUNT, out->issuer_account, status);
    if (good) out->subject = memory_copy_text(subject);
    json_document_free(document);
    return good;
}

void nats_activation_free(struct nats_activation *activation) {
    free(activation->subject);
    *activation = (struct nats_activation){0};
}

/* True when the key is that of the account, or one of its signing keys; a scoped one signs users
 * and nothing else. */
static bool may_sign(const struct nats_account *exporter,
                     const struct nats_activation *activation) {
    const char *issuer = activation->jwt.issuer;
    if (!activation->issuer_account[0]) return strcmp(issuer, exporter->jwt.subject) == 0;
    if (strcmp(activation->issuer_account, exporter->jwt.subject) != 0) return false;
    for (size_t i = 0; i < exporter->signing_key_count; i++)
        if (!exporter->signing_keys[i].is_scoped &&
            strcmp(exporter->signing_keys[i].key, issuer) == 0)
            return true;
    return false;
}

bool nats_activation_check(const struct nats_activation *activation,
                           const struct nats_account *exporter, const char *importer, int64_t now_s,
                           struct status *status) {
    if (!may_sign(exporter, activation))
        return status_fail(status, STATUS_UNKNOWN_ISSUER,
                           "the activation was signed by %s, which is not a key of the account %s",
                           activation->jwt.issuer, exporter->jwt.subject);
    if (strcmp(activation->jwt.subject, importer) != 0)
        return status_fail(status, STATUS_BAD_CLAIM, "the activation is for another account, %s",
                           activation->jwt.subject);
    return nats_jwt_check_times(&activation->jwt, now_s, status) ||
           status_context(status, "the activation");
}

static void write_body(struct json_writer *json, const void *claims) {
    const struct nats_activation *activation = claims;
    json_writer_member_text(json, "subject", activation->subject);
    json_writer_member_text(json, "kind", nats_share_kind_name(activation->kind));
    if (activation->issuer_account[0])
        json_writer_member_text(json, "issuer_account", activation->issuer_account);
}

bool nats_activation_sign(struct nats_activation *activation, struct bytes seed, struct buffer *out,
                          struct status *status) {
    return nats_jwt_sign(&ACTIVATION, &activation->jwt, seed, write_body, activation, out, status);
}
