#include "net/websocket_handshake.h"

#include <string.h>

#include <bearssl.h>

#include "base/random.h"
#include "codec/base64.h"

#define KEY_BYTES 16

/* RFC 6455, 1.3: appended to the key, so that nobody answers by accident. */
static const char key_suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* ---- keys ---- */

void websocket_make_key(char out[WEBSOCKET_KEY_TEXT_BYTES]) {
    uint8_t key[KEY_BYTES];
    random_bytes(key, sizeof key);
    base64_encode(bytes_of(key, sizeof key), out);
}

/* SHA-1 is what the standard names; nothing secret depends on it. */
void websocket_make_accept(struct bytes key, char out[WEBSOCKET_ACCEPT_TEXT_BYTES]) {
    uint8_t digest[br_sha1_SIZE];
    br_sha1_context context;
    br_sha1_init(&context);
    br_sha1_update(&context, key.data, key.length);
    br_sha1_update(&context, key_suffix, sizeof key_suffix - 1);
    br_sha1_out(&context, digest);
    base64_encode(bytes_of(digest, sizeof digest), out);
}

static bool key_is_valid(struct bytes text) {
    struct buffer key;
    buffer_init(&key, KEY_BYTES);
    bool is_valid = base64_decode(text, &key) && key.length == KEY_BYTES;
    buffer_free(&key);
    return is_valid;
}

/* ---- fields ---- */

/* Takes the next element off a comma-separated list (RFC 9110, 5.6.1). */
static struct bytes next_element(struct bytes *list) {
    const uint8_t *comma = list->length > 0 ? memchr(list->data, ',', list->length) : NULL;
    size_t length = comma ? (size_t)(comma - list->data) : list->length;
    struct bytes element = bytes_trim(bytes_of(list->data, length));
    if (comma) length++;
    *list = bytes_of(list->data + length, list->length - length);
    return element;
}

/* True when an element in one of the fields of that name equals `word`, as `equal` has it. */
static bool lists_have(const struct http_field *fields, size_t count, const char *name,
                       const char *word, bool (*equal)(struct bytes, const char *)) {
    for (size_t i = 0; i < count; i++) {
        struct bytes list = fields[i].value;
        while (http_names_equal(fields[i].name, name) && list.length > 0)
            if (equal(next_element(&list), word)) return true;
    }
    return false;
}

static size_t count_fields(const struct http_field *fields, size_t count, const char *name) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += http_names_equal(fields[i].name, name);
    return found;
}

/* ---- the server's side ---- */

static bool refuse(struct http_failure *failure, int status, const char *code, const char *detail) {
    *failure = (struct http_failure){.status = status, .code = code, .detail = detail};
    return false;
}

bool websocket_check_request(const struct http_head *head, struct http_failure *failure) {
    const struct http_field *fields = head->fields;
    size_t count = head->field_count;
    bool asks = bytes_equal_text(head->method, "GET") && head->minor_version == 1 &&
                lists_have(fields, count, "upgrade", "websocket", http_names_equal) &&
                lists_have(fields, count, "connection", "upgrade", http_names_equal);
    if (!asks)
        return refuse(failure, 426, "websocket_required",
                      "this address speaks WebSocket: the request must ask for that upgrade");
    if (!bytes_equal_text(http_fields_find(fields, count, "sec-websocket-version"), "13"))
        return refuse(failure, 426, "websocket_version", "only version 13 of WebSocket is spoken");
    bool has_key = count_fields(fields, count, "sec-websocket-key") == 1 &&
                   key_is_valid(http_fields_find(fields, count, "sec-websocket-key"));
    if (!has_key)
        return refuse(failure, 400, "bad_request",
                      "the request needs one Sec-WebSocket-Key of 16 bytes in base64");
    if (head->has_body)
        return refuse(failure, 400, "bad_request", "a request for WebSocket has no body");
    return true;
}

const char *websocket_choose_protocol(const struct http_head *head, const char *const *spoken) {
    for (size_t i = 0; spoken && spoken[i]; i++)
        if (lists_have(head->fields, head->field_count, "sec-websocket-protocol", spoken[i],
                       bytes_equal_text))
            return spoken[i];
    return NULL;
}

/* ---- the client's side ---- */

static bool check_status(int code, struct status *status) {
    if (code == 101) return true;
    enum status_code why = code == 401   ? STATUS_UNAUTHORIZED
                           : code == 403 ? STATUS_FORBIDDEN
                                         : STATUS_UNAVAILABLE;
    return status_fail(status, why, "the server answered %d instead of changing to WebSocket",
                       code);
}

/* An offered protocol is chosen, or none (RFC 6455, 4.1, point 6). */
static bool check_protocol(const struct http_response *response, const char *const *offered,
                           const char **protocol, struct status *status) {
    struct bytes chosen = http_response_field(response, "sec-websocket-protocol");
    *protocol = NULL;
    if (!chosen.data) return true;
    for (size_t i = 0; offered && offered[i]; i++)
        if (bytes_equal_text(chosen, offered[i])) *protocol = offered[i];
    return *protocol || status_fail(status, STATUS_PROTOCOL,
                                    "the server chose a WebSocket protocol that was not offered");
}

bool websocket_check_response(const struct http_response *response, const char *key,
                              const char *const *offered, const char **protocol,
                              struct status *status) {
    const struct http_field *fields = response->fields;
    size_t count = response->field_count;
    char accept[WEBSOCKET_ACCEPT_TEXT_BYTES];
    if (!check_status(response->status, status)) return false;
    websocket_make_accept(bytes_of_text(key), accept);
    bool is_fine = http_names_equal(http_response_field(response, "upgrade"), "websocket") &&
                   lists_have(fields, count, "connection", "upgrade", http_names_equal) &&
                   bytes_equal_text(http_response_field(response, "sec-websocket-accept"), accept);
    if (!is_fine)
        return status_fail(status, STATUS_PROTOCOL,
                           "the server's answer does not fit the request for WebSocket");
    if (http_response_field(response, "sec-websocket-extensions").data)
        return status_fail(status, STATUS_PROTOCOL,
                           "the server uses WebSocket extensions that were not offered");
    return check_protocol(response, offered, protocol, status);
}
