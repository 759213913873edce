/* A place that is a running master: its admin API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ask.h"
#include "codec/json_writer.h"
#include "roles/cache-master/place_inside.h"

/* A path with one escaped id: three bytes for each of its, and what is around it. */
#define PATH_BYTES (3 * CLAIM_TEXT_BYTES_MAX + 64)

/* Appends what stands for the text in a path or a query: all but letters, digits, '-', '.', '_' and
 * '~' escaped (RFC 3986, section 2.3). */
static void append_escaped(struct buffer *out, const char *text) {
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *c = text; *c; c++)
        if (strchr(plain, *c))
            buffer_append(out, c, 1);
        else
            buffer_append_format(out, "%%%02X", (unsigned char)*c);
}

static enum status_code code_of_http(int http_status) {
    switch (http_status) {
    case 401: return STATUS_UNAUTHORIZED;
    case 403: return STATUS_FORBIDDEN;
    case 404: return STATUS_NOT_FOUND;
    case 429:
    case 503: return STATUS_UNAVAILABLE;
    default: return STATUS_PROTOCOL;
    }
}

struct json_document *place_call(struct place *place, const char *method, const char *path,
                                 struct bytes body, struct status *status) {
    struct answer answer;
    struct json_document *document = NULL;
    if (!place->url) {
        status_fail(status, STATUS_UNAVAILABLE,
                    "no master runs on this folder; start it, or name one with --master");
        return NULL;
    }
    const struct ask_request request = {
        .method = method,
        .base_url = place->url,
        .path = path,
        .api_key = place->key.length > 0 ? buffer_text(&place->key) : NULL,
        .body = body,
    };
    if (ask_call(&request, &answer, status)) {
        bool good = answer.http_status == 200 || answer.http_status == 201;
        if (good && answer.document) {
            document = answer.document;
            answer.document = NULL;
        } else {
            status_fail(status, code_of_http(answer.http_status), "%s answered %d: %s", place->url,
                        answer.http_status, answer_problem(&answer));
        }
    }
    answer_free(&answer);
    return document;
}

/* A call about one license; `format` has one %s for the escaped id. */
static struct json_document *call_about(struct place *place, const char *method, const char *before,
                                        const char *id, const char *after, struct bytes body,
                                        struct status *status) {
    struct buffer path;
    struct json_document *document = NULL;
    buffer_init(&path, PATH_BYTES);
    buffer_append_text(&path, before);
    append_escaped(&path, id);
    buffer_append_text(&path, after);
    if (buffer_check(&path, "the license's id", status))
        document = place_call(place, method, buffer_text(&path), body, status);
    buffer_free(&path);
    return document;
}

bool master_add(struct place *place, struct bytes text, struct place_added *added,
                struct status *status) {
    struct json_document *document = place_call(place, "POST", "/api/admin/licenses", text, status);
    if (!document) return false;
    const struct json_value *root = json_document_root(document);
    const struct json_value *license = json_value_member(root, "license");
    const char *result = json_member_text(root, "result");
    const char *license_id = json_member_text(license, "license_id");
    snprintf(added->result, sizeof added->result, "%s", result ? result : "added");
    snprintf(added->license_id, sizeof added->license_id, "%s", license_id ? license_id : "");
    json_member_integer(license, "serial", &added->serial);
    json_document_free(document);
    return true;
}

static bool visit_one(struct place *place, const struct json_value *summary, bool with_token,
                      place_visitor *visit, void *context, struct status *status) {
    const char *license_id = json_member_text(summary, "license_id");
    if (!with_token || !license_id) return visit(context, summary, status);
    struct json_document *document =
        call_about(place, "GET", "/api/licenses/", license_id, "", bytes_of(NULL, 0), status);
    if (!document) return false;
    const struct json_value *license = json_value_member(json_document_root(document), "license");
    bool visited = visit(context, license, status);
    json_document_free(document);
    return visited;
}

/* Visits one page of the list; `after` is where it begins, and where the next one does. */
static bool visit_page(struct place *place, bool with_token, char *after, place_visitor *visit,
                       void *context, struct status *status) {
    struct json_document *document = call_about(place, "GET", "/api/admin/licenses?after=", after,
                                                "", bytes_of(NULL, 0), status);
    if (!document) return false;
    const struct json_value *root = json_document_root(document);
    const struct json_value *licenses = json_value_member(root, "licenses");
    const char *next = json_member_text(root, "after");
    bool visited = true;
    for (size_t i = 0; visited && i < json_value_count(licenses); i++)
        visited =
            visit_one(place, json_value_item(licenses, i), with_token, visit, context, status);
    snprintf(after, CLAIM_TEXT_BYTES_MAX + 1, "%s", next ? next : "");
    json_document_free(document);
    return visited;
}

bool master_each(struct place *place, bool with_token, place_visitor *visit, void *context,
                 struct status *status) {
    char after[CLAIM_TEXT_BYTES_MAX + 1] = "";
    do {
        if (!visit_page(place, with_token, after, visit, context, status)) return false;
    } while (after[0]);
    return true;
}

bool master_remove(struct place *place, const char *license_id, struct status *status) {
    struct json_document *document = call_about(place, "DELETE", "/api/admin/licenses/", license_id,
                                                "", bytes_of(NULL, 0), status);
    json_document_free(document);
    return document != NULL;
}

bool master_revoke(struct place *place, const char *license_id, const char *reason,
                   struct status *status) {
    struct buffer body;
    struct json_writer json;
    struct json_document *document = NULL;
    buffer_init(&body, 6 * LICENSE_SHELF_REASON_BYTES_MAX + 32);
    json_writer_init(&json, &body);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "reason", reason);
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "the reason", status))
        document = call_about(place, "POST", "/api/admin/licenses/", license_id, "/revoke",
                              buffer_bytes(&body), status);
    buffer_free(&body);
    json_document_free(document);
    return document != NULL;
}
