#include "broker/connect_options.h"

#include <string.h>

const struct connect_options connect_options_default = {
    .verbose = true, .pedantic = true, .echo = true};

/* False when the member is there and not a boolean. */
static bool take_boolean(const struct json_value *root, const char *name, bool *out) {
    const struct json_value *value = json_value_member(root, name);
    return value == NULL || json_value_type(value) == JSON_TYPE_NULL ||
           json_value_boolean(value, out);
}

static bool take_text(const struct json_value *root, const char *name, const char **out) {
    const struct json_value *value = json_value_member(root, name);
    if (value == NULL || json_value_type(value) == JSON_TYPE_NULL) return true;
    *out = json_value_text(value);
    return *out != NULL;
}

static bool take_all(const struct json_value *root, struct connect_options *options,
                     struct connect_texts *texts) {
    const struct json_value *protocol = json_value_member(root, "protocol");
    struct broker_credentials *credentials = &texts->credentials;
    return json_value_type(root) == JSON_TYPE_OBJECT &&
           (protocol == NULL || json_value_integer(protocol, &options->protocol)) &&
           take_boolean(root, "verbose", &options->verbose) &&
           take_boolean(root, "pedantic", &options->pedantic) &&
           take_boolean(root, "echo", &options->echo) &&
           take_boolean(root, "headers", &options->headers) &&
           take_boolean(root, "no_responders", &options->no_responders) &&
           take_text(root, "user", &credentials->user) &&
           take_text(root, "pass", &credentials->password) &&
           take_text(root, "auth_token", &credentials->token) &&
           take_text(root, "nkey", &credentials->nkey) &&
           take_text(root, "sig", &credentials->signature) &&
           take_text(root, "jwt", &texts->token) && take_text(root, "account", &texts->account) &&
           take_text(root, "name", &texts->name) && take_text(root, "lang", &texts->language) &&
           take_text(root, "version", &texts->version);
}

struct json_document *connect_options_read(struct bytes json, struct connect_options *options,
                                           struct connect_texts *texts) {
    memset(texts, 0, sizeof *texts);
    struct json_document *document = json_document_parse(json, json.length, NULL);
    if (document == NULL) return NULL;
    if (!take_all(json_document_root(document), options, texts)) {
        json_document_free(document);
        return NULL;
    }
    return document;
}
