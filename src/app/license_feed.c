#include "app/license_feed.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json_writer.h"

/* ---- telling ---- */

/* A digest of a list in force; "-" when there is none. */
static void digest_or_dash(struct bytes token, char out[SHA256_TEXT_BYTES]) {
    if (token.length > 0)
        sha256_digest_text(token, out);
    else
        snprintf(out, SHA256_TEXT_BYTES, "-");
}

void license_feed_etag(const struct license_shelf *shelf, const struct authority *authority,
                       char out[LICENSE_FEED_ETAG_BYTES]) {
    char keyring[SHA256_TEXT_BYTES], revocations[SHA256_TEXT_BYTES];
    digest_or_dash(authority_keyring_token(authority), keyring);
    digest_or_dash(authority_revocations_token(authority), revocations);
    snprintf(out, LICENSE_FEED_ETAG_BYTES, "\"%s.%llu.%s.%s\"", license_shelf_stream(shelf),
             (unsigned long long)license_shelf_sequence(shelf), keyring, revocations);
}

static void write_revocation(const struct shelf_entry *entry, struct json_writer *json) {
    if (entry->revoked_at_ms == 0) return;
    json_writer_name(json, "revoked");
    json_writer_begin_object(json);
    json_writer_member_integer(json, "at_ms", entry->revoked_at_ms);
    json_writer_member_text(json, "reason", entry->revoked_reason);
    json_writer_end_object(json);
}

/* Writes one change. A token that is not good here is left out of the feed: whoever has it keeps
 * it. Returns how many bytes of token were written. */
static size_t write_change(struct license_shelf *shelf, const struct authority *authority,
                           struct shelf_entry *entry, struct json_writer *json) {
    struct status ignored = STATUS_INIT;
    struct license *license = NULL;
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    if (!entry->deleted)
        license = license_shelf_take(shelf, entry, authority->ring, &token, &ignored);
    if (entry->deleted || license) {
        json_writer_begin_object(json);
        json_writer_member_integer(json, "change", (int64_t)entry->change);
        json_writer_member_text(json, "license_id", entry->license_id);
        if (entry->deleted)
            json_writer_member_boolean(json, "deleted", true);
        else
            json_writer_member_text(json, "token", buffer_text(&token));
        write_revocation(entry, json);
        json_writer_end_object(json);
    }
    size_t written = license ? token.length : 0;
    license_free(license);
    buffer_free(&token);
    return written;
}

/* Writes the changes of a page. Returns the number of the last one looked at. */
static uint64_t write_changes(struct license_shelf *shelf, const struct authority *authority,
                              uint64_t since, struct json_writer *json, bool *more) {
    struct shelf_entry *entry = license_shelf_since(shelf, since);
    size_t bytes = 0, changes = 0;
    uint64_t through = since;
    json_writer_name(json, "changes");
    json_writer_begin_array(json);
    while (entry && changes < LICENSE_FEED_PAGE_CHANGES && bytes < LICENSE_FEED_PAGE_BYTES) {
        bytes += write_change(shelf, authority, entry, json);
        changes++;
        through = entry->change;
        entry = license_shelf_next(shelf, entry);
    }
    json_writer_end_array(json);
    *more = entry != NULL;
    return *more ? through : license_shelf_sequence(shelf);
}

static void write_list(const char *name, struct bytes token, struct json_writer *json) {
    if (token.length == 0) return;
    json_writer_name(json, name);
    json_writer_text_bytes(json, token);
}

static void write_page(struct license_shelf *shelf, const struct authority *authority,
                       uint64_t since, struct buffer *body) {
    struct json_writer json;
    struct status ignored = STATUS_INIT;
    bool more;
    json_writer_init(&json, body);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "v", 1);
    json_writer_member_text(&json, "stream", license_shelf_stream(shelf));
    json_writer_member_integer(&json, "sequence", (int64_t)license_shelf_sequence(shelf));
    uint64_t through = write_changes(shelf, authority, since, &json, &more);
    json_writer_member_integer(&json, "through", (int64_t)through);
    json_writer_member_boolean(&json, "more", more);
    write_list("keyring", authority_keyring_token(authority), &json);
    write_list("revocations", authority_revocations_token(authority), &json);
    json_writer_end_object(&json);
    if (!json_writer_finish(&json, "the page", &ignored)) body->failed = true;
}

/* Where the caller goes on: its own number if it counts in this stream, else the beginning. */
static bool read_since(const struct license_shelf *shelf, const struct http_request *request,
                       uint64_t *since) {
    const char *since_text = http_request_parameter(request, "since");
    const char *stream = http_request_parameter(request, "stream");
    int64_t number = 0;
    if (since_text && (!text_read_integer(bytes_of_text(since_text), &number) || number < 0))
        return false;
    bool other = stream && strcmp(stream, license_shelf_stream(shelf)) != 0;
    bool beyond = (uint64_t)number > license_shelf_sequence(shelf);
    *since = other || beyond ? 0 : (uint64_t)number;
    return true;
}

void license_feed_answer(struct license_shelf *shelf, const struct authority *authority,
                         int64_t age_ms, struct http_request *request) {
    char etag[LICENSE_FEED_ETAG_BYTES], age[24];
    uint64_t since;
    if (!read_since(shelf, request, &since)) {
        http_respond_problem(request, 400, "bad_parameter", "The parameter since is a number",
                             "it is the `through` of the page before, or 0 for everything");
        return;
    }
    license_feed_etag(shelf, authority, etag);
    http_response_header(request, "ETag", etag);
    http_response_header(request, "Cache-Control", "private, no-cache");
    snprintf(age, sizeof age, "%lld", (long long)age_ms);
    if (age_ms > 0) http_response_header(request, LICENSE_FEED_AGE_FIELD, age);
    if (bytes_equal_text(http_request_header(request, "If-None-Match"), etag)) {
        http_respond(request, 304, NULL, bytes_of(NULL, 0));
        return;
    }
    struct buffer body;
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    write_page(shelf, authority, since, &body);
    role_http_respond_json(request, 200, &body);
    buffer_free(&body);
}

/* ---- reading ---- */

static bool read_members(const struct json_value *root, struct license_feed_page *page) {
    int64_t version;
    page->stream = json_member_text(root, "stream");
    page->keyring = json_member_text(root, "keyring");
    page->revocations = json_member_text(root, "revocations");
    page->changes = json_value_member(root, "changes");
    page->count = json_value_count(page->changes);
    return json_member_integer(root, "v", &version) && version == 1 && page->stream &&
           page->stream[0] && strlen(page->stream) < LICENSE_SHELF_STREAM_BYTES &&
           json_member_integer(root, "sequence", &page->sequence) && page->sequence >= 0 &&
           json_member_integer(root, "through", &page->through) && page->through >= 0 &&
           page->through <= page->sequence && json_member_boolean(root, "more", &page->more) &&
           json_value_type(page->changes) == JSON_TYPE_ARRAY &&
           page->count <= LICENSE_FEED_PAGE_CHANGES;
}

bool license_feed_page_read(struct bytes body, struct license_feed_page *page,
                            struct status *status) {
    memset(page, 0, sizeof *page);
    page->document = json_document_parse(body, ROLE_HTTP_ANSWER_BYTES, status);
    if (!page->document) return false;
    if (read_members(json_document_root(page->document), page)) return true;
    license_feed_page_free(page);
    return status_fail(status, STATUS_MALFORMED, "the answer is JSON, but not a page of licenses");
}

bool license_feed_page_change(const struct license_feed_page *page, size_t index,
                              struct license_feed_change *out, struct status *status) {
    const struct json_value *item = json_value_item(page->changes, index);
    const struct json_value *revoked = json_value_member(item, "revoked");
    memset(out, 0, sizeof *out);
    out->license_id = json_member_text(item, "license_id");
    out->token = json_member_text(item, "token");
    json_member_boolean(item, "deleted", &out->deleted);
    out->revoked = revoked != NULL;
    out->reason = json_member_text(revoked, "reason");
    json_member_integer(revoked, "at_ms", &out->revoked_at_ms);
    bool fit = out->license_id && claims_text_is_fit(out->license_id, CLAIM_TEXT_BYTES_MAX) &&
               out->deleted == (out->token == NULL);
    return fit || status_fail(status, STATUS_MALFORMED, "change %zu of the page is none", index);
}

void license_feed_page_free(struct license_feed_page *page) {
    json_document_free(page->document);
    page->document = NULL;
}
