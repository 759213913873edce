#include "roles/license-client/message.h"

#include <string.h>

static bool read_type(const struct json_value *root, enum status_message_type *type,
                      struct status *status) {
    static const char *const words[] = {
        [STATUS_MESSAGE_STATUS] = "status",
        [STATUS_MESSAGE_HEARTBEAT] = "heartbeat",
        [STATUS_MESSAGE_UPDATE] = "update",
    };
    const char *word = json_member_text(root, "type");
    for (size_t i = 0; word && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *type = (enum status_message_type)i;
        return true;
    }
    return status_fail(status, STATUS_MALFORMED, "type is none of status, heartbeat and update");
}

/* A token that may be missing or null. */
static bool read_token(const struct json_value *root, const char *name, struct bytes *token,
                       struct status *status) {
    const struct json_value *value = json_value_member(root, name);
    enum json_type type = json_value_type(value);
    *token = bytes_of(NULL, 0);
    if (type == JSON_NONE || type == JSON_TYPE_NULL) return true;
    if (type != JSON_TYPE_TEXT)
        return status_fail(status, STATUS_MALFORMED, "%s is not a text", name);
    *token = bytes_of_text(json_value_text(value));
    return true;
}

static bool read_fields(struct status_message *message, struct status *status) {
    const struct json_value *root = json_document_root(message->document);
    int64_t version = 0;
    if (!json_member_integer(root, "v", &version) || version != STATUS_MESSAGE_VERSION)
        return status_fail(status, STATUS_MALFORMED, "v is not %d", STATUS_MESSAGE_VERSION);
    const char *proof = json_member_text(root, "proof");
    if (!proof) return status_fail(status, STATUS_MALFORMED, "there is no proof");
    message->proof_token = bytes_of_text(proof);
    return read_type(root, &message->type, status) &&
           read_token(root, "token", &message->license, status) &&
           read_token(root, "keyring", &message->keyring, status) &&
           read_token(root, "revocations", &message->revocations, status) &&
           status_proof_read(message->proof_token, &message->proof, status) &&
           status_proof_agrees(&message->proof, root, status);
}

bool status_message_read(struct bytes text, struct status_message *out, struct status *status) {
    memset(out, 0, sizeof *out);
    out->document = json_document_parse(text, STATUS_MESSAGE_BYTES_MAX, status);
    if (!out->document) return false;
    if (read_fields(out, status)) return true;
    status_message_free(out);
    return false;
}

void status_message_free(struct status_message *message) {
    json_document_free(message->document);
    memset(message, 0, sizeof *message);
}
