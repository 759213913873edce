/* The exports and imports of an account's token. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verifier/nats_jwt_form.h"

static const char *const KIND_NAMES[] = {"stream", "service"};
static const char *const RESPONSE_NAMES[] = {"Singleton", "Stream", "Chunked"};

/* ---- reading ---- */

bool nats_share_kind_read(const struct json_value *object, const char *name,
                          enum nats_share_kind *out, struct status *status) {
    const char *text = json_member_text(object, name);
    for (int kind = NATS_STREAM; text && kind <= NATS_SERVICE; kind++) {
        if (strcmp(text, KIND_NAMES[kind]) != 0) continue;
        *out = (enum nats_share_kind)kind;
        return true;
    }
    return status_fail(status, STATUS_BAD_CLAIM, "\"%s\" is neither stream nor service", name);
}

const char *nats_share_kind_name(enum nats_share_kind kind) {
    return KIND_NAMES[kind];
}

static bool read_responses(const struct json_value *object, enum nats_responses *out,
                           struct status *status) {
    const char *text = json_member_text(object, "response_type");
    *out = NATS_RESPONSES_SINGLE;
    if (!text || text[0] == '\0') return true;
    for (int type = NATS_RESPONSES_SINGLE; type <= NATS_RESPONSES_CHUNKED; type++) {
        if (strcmp(text, RESPONSE_NAMES[type]) != 0) continue;
        *out = (enum nats_responses)type;
        return true;
    }
    return status_fail(status, STATUS_BAD_CLAIM,
                       "\"response_type\" is not Singleton, Stream or Chunked");
}

/* Copies a text of at most NATS_SUBJECT_BYTES_MAX; missing or empty: NULL. */
static bool read_text(const struct json_value *object, const char *name, bool required, char **out,
                      struct status *status) {
    const struct json_value *value = json_value_member(object, name);
    const char *text = json_value_text(value);
    bool absent = !value || json_value_type(value) == JSON_TYPE_NULL || (text && text[0] == '\0');
    if (absent && !required) return true;
    if (!text || !claims_text_is_fit(text, NATS_SUBJECT_BYTES_MAX))
        return status_fail(status, STATUS_BAD_CLAIM, "\"%s\" is not a text of 1 to %d bytes", name,
                           NATS_SUBJECT_BYTES_MAX);
    *out = memory_copy_text(text);
    return true;
}

static bool read_export(const struct json_value *value, struct nats_export *out,
                        struct status *status) {
    return read_text(value, "name", false, &out->name, status) &&
           read_text(value, "subject", true, &out->subject, status) &&
           nats_share_kind_read(value, "type", &out->kind, status) &&
           nats_boolean_read(value, "token_req", &out->is_private, status) &&
           nats_limit_read(value, "account_token_position", &out->account_token_position, status) &&
           read_responses(value, &out->responses, status) &&
           nats_limit_read(value, "response_threshold", &out->response_threshold_ns, status) &&
           nats_revocations_read(value, NKEY_ACCOUNT, &out->revocations, status);
}

/* An activation that is not good is that of one import, and no fault of the account. */
static bool read_token(const struct json_value *value, struct nats_import *out,
                       struct status *status) {
    const char *text = json_member_text(value, "token");
    if (!text || text[0] == '\0') return true;
    if (strlen(text) > NATS_JWT_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "\"token\" has too many bytes");
    struct nats_activation *activation = memory_new(sizeof *activation);
    out->token = memory_copy_text(text);
    if (nats_activation_read(bytes_of_text(text), activation, NULL))
        out->activation = activation;
    else
        free(activation);
    return true;
}

static bool read_import(const struct json_value *value, struct nats_import *out,
                        struct status *status) {
    return read_text(value, "name", false, &out->name, status) &&
           read_text(value, "subject", true, &out->subject, status) &&
           read_text(value, "to", false, &out->to, status) &&
           read_text(value, "local_subject", false, &out->local_subject, status) &&
           nats_key_read(json_value_member(value, "account"), "account", NKEY_ACCOUNT, out->account,
                         status) &&
           nats_share_kind_read(value, "type", &out->kind, status) &&
           nats_boolean_read(value, "share", &out->shares_details, status) &&
           read_token(value, out, status);
}

/* The number of items of an array that is within the account's limit. */
static bool count_items(const struct json_value *body, const char *name, int64_t limit, size_t *out,
                        struct status *status) {
    *out = json_value_count(json_value_member(body, name));
    if (!nats_member_is(body, name, JSON_TYPE_ARRAY, status)) return false;
    if (limit < 0 || limit > NATS_SHARES_MAX) limit = NATS_SHARES_MAX;
    return *out <= (size_t)limit || status_fail(status, STATUS_BAD_CLAIM,
                                                "\"%s\" has more than the %d that the account may "
                                                "have",
                                                name, (int)limit);
}

bool nats_sharing_read(const struct json_value *body, struct nats_account *out,
                       struct status *status) {
    const struct json_value *exports = json_value_member(body, "exports");
    const struct json_value *imports = json_value_member(body, "imports");
    size_t export_count, import_count;
    if (!count_items(body, "exports", out->limits.exports, &export_count, status) ||
        !count_items(body, "imports", out->limits.imports, &import_count, status))
        return false;
    if (export_count > 0) out->exports = memory_new_array(export_count, sizeof *out->exports);
    if (import_count > 0) out->imports = memory_new_array(import_count, sizeof *out->imports);
    for (size_t i = 0; i < export_count; i++)
        if (!read_export(json_value_item(exports, i), &out->exports[out->export_count++], status))
            return status_context(status, "export %zu", i + 1);
    for (size_t i = 0; i < import_count; i++)
        if (!read_import(json_value_item(imports, i), &out->imports[out->import_count++], status))
            return status_context(status, "import %zu", i + 1);
    return true;
}

/* ---- freeing ---- */

void nats_export_free(struct nats_export *export) {
    free(export->name);
    free(export->subject);
    free(export->revocations.items);
    memset(export, 0, sizeof *export);
}

void nats_import_free(struct nats_import *import) {
    free(import->name);
    free(import->subject);
    free(import->to);
    free(import->local_subject);
    free(import->token);
    if (import->activation) nats_activation_free(import->activation);
    free(import->activation);
    *import = (struct nats_import){0};
}

void nats_sharing_free(struct nats_account *account) {
    for (size_t i = 0; i < account->export_count; i++)
        nats_export_free(&account->exports[i]);
    for (size_t i = 0; i < account->import_count; i++)
        nats_import_free(&account->imports[i]);
    free(account->exports);
    free(account->imports);
}

/* ---- writing ---- */

static void write_text(struct json_writer *json, const char *name, const char *text) {
    if (text) json_writer_member_text(json, name, text);
}

static void write_export(struct json_writer *json, const struct nats_export *export) {
    json_writer_begin_object(json);
    write_text(json, "name", export->name);
    write_text(json, "subject", export->subject);
    json_writer_member_text(json, "type", KIND_NAMES[export->kind]);
    if (export->is_private) json_writer_member_boolean(json, "token_req", true);
    if (export->account_token_position > 0)
        json_writer_member_integer(json, "account_token_position", export->account_token_position);
    if (export->kind == NATS_SERVICE)
        json_writer_member_text(json, "response_type", RESPONSE_NAMES[export->responses]);
    if (export->response_threshold_ns > 0)
        json_writer_member_integer(json, "response_threshold", export->response_threshold_ns);
    nats_revocations_write(json, &export->revocations);
    json_writer_end_object(json);
}

static void write_import(struct json_writer *json, const struct nats_import *import) {
    json_writer_begin_object(json);
    write_text(json, "name", import->name);
    write_text(json, "subject", import->subject);
    json_writer_member_text(json, "account", import->account);
    write_text(json, "to", import->to);
    write_text(json, "local_subject", import->local_subject);
    json_writer_member_text(json, "type", KIND_NAMES[import->kind]);
    if (import->shares_details) json_writer_member_boolean(json, "share", true);
    write_text(json, "token", import->token);
    json_writer_end_object(json);
}

void nats_sharing_write(struct json_writer *json, const struct nats_account *account) {
    if (account->export_count > 0) {
        json_writer_name(json, "exports");
        json_writer_begin_array(json);
        for (size_t i = 0; i < account->export_count; i++)
            write_export(json, &account->exports[i]);
        json_writer_end_array(json);
    }
    if (account->import_count > 0) {
        json_writer_name(json, "imports");
        json_writer_begin_array(json);
        for (size_t i = 0; i < account->import_count; i++)
            write_import(json, &account->imports[i]);
        json_writer_end_array(json);
    }
}

/* ---- changing ---- */

bool nats_account_remove_export(struct nats_account *account, const char *subject) {
    size_t kept = 0;
    for (size_t i = 0; i < account->export_count; i++)
        if (strcmp(account->exports[i].subject, subject) == 0)
            nats_export_free(&account->exports[i]);
        else
            account->exports[kept++] = account->exports[i];
    bool removed = kept < account->export_count;
    account->export_count = kept;
    return removed;
}

bool nats_account_remove_import(struct nats_account *account, const char *exporter,
                                const char *subject) {
    size_t kept = 0;
    for (size_t i = 0; i < account->import_count; i++) {
        struct nats_import *import = &account->imports[i];
        if (strcmp(import->account, exporter) == 0 && strcmp(import->subject, subject) == 0)
            nats_import_free(import);
        else
            account->imports[kept++] = *import;
    }
    bool removed = kept < account->import_count;
    account->import_count = kept;
    return removed;
}

static bool has_room(size_t count, int64_t limit, const char *what, struct status *status) {
    if (limit < 0 || limit > NATS_SHARES_MAX) limit = NATS_SHARES_MAX;
    return count < (size_t)limit ||
           status_fail(status, STATUS_TOO_LARGE, "the account has the most %s that it may have: %d",
                       what, (int)limit);
}

bool nats_account_add_export(struct nats_account *account, struct nats_export *export,
                             struct status *status) {
    nats_account_remove_export(account, export->subject);
    size_t count = account->export_count;
    if (!has_room(count, account->limits.exports, "exports", status)) return false;
    struct nats_export *larger = memory_new_array(count + 1, sizeof *larger);
    if (count > 0) memcpy(larger, account->exports, count * sizeof *larger);
    free(account->exports);
    account->exports = larger;
    larger[account->export_count++] = *export;
    memset(export, 0, sizeof *export);
    return true;
}

bool nats_account_add_import(struct nats_account *account, struct nats_import *import,
                             struct status *status) {
    nats_account_remove_import(account, import->account, import->subject);
    size_t count = account->import_count;
    if (!has_room(count, account->limits.imports, "imports", status)) return false;
    struct nats_import *larger = memory_new_array(count + 1, sizeof *larger);
    if (count > 0) memcpy(larger, account->imports, count * sizeof *larger);
    free(account->imports);
    account->imports = larger;
    larger[account->import_count++] = *import;
    *import = (struct nats_import){0};
    return true;
}
