/* The file of users: JSON, described for operators in roles/broker/README.md. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "broker/users.h"
#include "codec/hex.h"
#include "codec/json.h"

/* A user with its permissions takes a few hundred bytes: room for thousands. */
#define USERS_FILE_BYTES (1024 * 1024)

/* True when every member of the object is one of the names; else the first other one is reported,
 * so that a misspelt "deny" does not open what it should close. */
static bool only_members(const struct json_value *object, const char *const *names,
                         const char *what, struct status *status) {
    struct json_member member = {0};
    while (json_value_next_member(object, &member)) {
        const char *const *name = names;
        while (*name != NULL && strcmp(*name, member.name) != 0)
            name++;
        if (*name == NULL)
            return status_fail(status, STATUS_CONFIG, "%s has an unknown member \"%s\"", what,
                               member.name);
    }
    return true;
}

/* A text or an array of texts. */
static bool read_list(const struct json_value *value, struct pattern_list *out,
                      struct status *status) {
    if (value == NULL) return true;
    out->given = true;
    const char *text = json_value_text(value);
    if (text != NULL) return pattern_list_add(out, text, status);
    if (json_value_type(value) != JSON_TYPE_ARRAY)
        return status_fail(status, STATUS_CONFIG, "a list of subjects must be an array of texts");
    for (size_t i = 0; i < json_value_count(value); i++) {
        text = json_value_text(json_value_item(value, i));
        if (text == NULL) return status_fail(status, STATUS_CONFIG, "a subject must be a text");
        if (!pattern_list_add(out, text, status)) return false;
    }
    return true;
}

/* {"allow":[...],"deny":[...]}, or the allowed subjects alone. */
static bool read_side(const struct json_value *value, struct pattern_list *allow,
                      struct pattern_list *deny, struct status *status) {
    static const char *const names[] = {"allow", "deny", NULL};
    if (json_value_type(value) != JSON_TYPE_OBJECT) return read_list(value, allow, status);
    return only_members(value, names, "a permission", status) &&
           read_list(json_value_member(value, "allow"), allow, status) &&
           read_list(json_value_member(value, "deny"), deny, status);
}

/* true, or {"max":n,"expires":"2m"}. Publishing is then allowed only where it is listed. */
static bool read_responses(const struct json_value *value, struct permissions *out,
                           struct status *status) {
    static const char *const names[] = {"max", "expires", NULL};
    if (value == NULL) return true;
    out->responses_max = PERMISSIONS_RESPONSES_DEFAULT;
    out->response_expires_ms = PERMISSIONS_RESPONSE_EXPIRY_MS;
    bool yes = true;
    if (json_value_type(value) == JSON_TYPE_OBJECT) {
        const struct json_value *max = json_value_member(value, "max");
        const char *expires = json_member_text(value, "expires");
        if (!only_members(value, names, "\"allow_responses\"", status)) return false;
        if (max != NULL && !json_value_integer(max, &out->responses_max))
            return status_fail(status, STATUS_CONFIG, "\"max\" of allow_responses is no number");
        if (json_value_member(value, "expires") != NULL &&
            (expires == NULL ||
             !text_read_duration(bytes_of_text(expires), 0, &out->response_expires_ms)))
            return status_fail(status, STATUS_CONFIG,
                               "\"expires\" of allow_responses is no duration such as \"2m\"");
    } else if (!json_value_boolean(value, &yes)) {
        return status_fail(status, STATUS_CONFIG,
                           "\"allow_responses\" is neither true nor a table");
    }
    out->allow_responses = yes;
    if (yes) out->publish_allow.given = true;
    return true;
}

static struct permissions *read_permissions(const struct json_value *value, struct status *status) {
    static const char *const names[] = {"publish", "subscribe", "allow_responses", NULL};
    struct permissions *out = memory_new(sizeof *out);
    bool good = json_value_type(value) == JSON_TYPE_OBJECT ||
                status_fail(status, STATUS_CONFIG, "\"permissions\" is not a table");
    if (good && only_members(value, names, "\"permissions\"", status) &&
        read_side(json_value_member(value, "publish"), &out->publish_allow, &out->publish_deny,
                  status) &&
        read_side(json_value_member(value, "subscribe"), &out->subscribe_allow,
                  &out->subscribe_deny, status) &&
        read_responses(json_value_member(value, "allow_responses"), out, status))
        return out;
    permissions_free(out);
    free(out);
    return NULL;
}

static bool add_user(struct broker_users *users, const struct json_value *value,
                     struct permissions *permissions, struct status *status) {
    const char *name = json_member_text(value, "user");
    const char *password = json_member_text(value, "password");
    const char *digest_hex = json_member_text(value, "password_sha256");
    const char *nkey = json_member_text(value, "nkey");
    const char *token = json_member_text(value, "token");
    if (nkey != NULL && name == NULL && token == NULL)
        return broker_users_add_nkey(users, nkey, permissions, status);
    if (token != NULL && name == NULL && nkey == NULL)
        return broker_users_add_token(users, bytes_of_text(token), permissions, status);
    if (name != NULL && password != NULL && digest_hex == NULL && token == NULL && nkey == NULL)
        return broker_users_add_password(users, name, bytes_of_text(password), permissions, status);
    struct secret_digest digest;
    if (name != NULL && digest_hex != NULL && password == NULL && token == NULL && nkey == NULL &&
        hex_decode_exact(bytes_of_text(digest_hex), digest.sha256, sizeof digest.sha256))
        return broker_users_add_digest(users, name, &digest, permissions, status);
    if (permissions != NULL) permissions_free(permissions);
    free(permissions);
    return status_fail(status, STATUS_CONFIG,
                       "a user needs \"user\" with \"password\" or \"password_sha256\" (64 "
                       "hexadecimal digits), or \"nkey\", or \"token\"");
}

static bool read_user(struct broker_users *users, const struct json_value *value,
                      const struct json_value *defaults, struct status *status) {
    static const char *const names[] = {
        "user", "password", "password_sha256", "nkey", "token", "permissions", NULL};
    if (!only_members(value, names, "a user", status)) return false;
    const struct json_value *own = json_value_member(value, "permissions");
    const struct json_value *source = own != NULL ? own : defaults;
    struct permissions *permissions = NULL;
    if (source != NULL && (permissions = read_permissions(source, status)) == NULL) return false;
    return add_user(users, value, permissions, status);
}

static bool read_document(struct broker_users *users, const struct json_value *root,
                          struct status *status) {
    static const char *const names[] = {"users", "default_permissions", NULL};
    const struct json_value *list = json_value_member(root, "users");
    const struct json_value *defaults = json_value_member(root, "default_permissions");
    if (!only_members(root, names, "the file", status)) return false;
    if (json_value_count(list) == 0 || json_value_type(list) != JSON_TYPE_ARRAY)
        return status_fail(status, STATUS_CONFIG, "there is no array \"users\" with a user in it");
    for (size_t i = 0; i < json_value_count(list); i++) {
        const struct json_value *user = json_value_item(list, i);
        if (!read_user(users, user, defaults, status)) {
            const char *name = json_member_text(user, "user");
            return status_context(status, "user %zu%s%s%s", i + 1, name != NULL ? " (" : "",
                                  name != NULL ? name : "", name != NULL ? ")" : "");
        }
    }
    return true;
}

bool broker_users_add_file(struct broker_users *users, const char *path, struct status *status) {
    struct buffer text;
    buffer_init(&text, USERS_FILE_BYTES);
    struct json_document *document = NULL;
    bool good = file_read_secret(path, &text, status);
    if (good) {
        document = json_document_parse(buffer_bytes(&text), USERS_FILE_BYTES, status);
        good = document != NULL && read_document(users, json_document_root(document), status);
        if (!good) status_context(status, "%s", path);
    }
    json_document_free(document);
    buffer_wipe(&text);
    return good;
}
