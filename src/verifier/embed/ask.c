/* lsys_ask_*: the few parts of HTTP/1.1 (RFC 9112) that asking a license client takes. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "codec/json.h"
#include "verifier/embed/lsys.h"

#define HEAD_END           "\r\n\r\n"
#define UNLICENSED_EDITION "community"

/* Percent-encodes everything but unreserved characters (RFC 3986, section 2.3). */
static bool append_name(const char *name, char *out, size_t capacity, size_t *length) {
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";
    for (; *name; name++) {
        bool plain = strchr(unreserved, *name) != NULL;
        if (*length + 4 > capacity) return false;
        *length += (size_t)snprintf(out + *length, capacity - *length, plain ? "%c" : "%%%02X",
                                    (unsigned char)*name);
    }
    return true;
}

size_t lsys_ask_request(const char *feature, char out[LSYS_REQUEST_BYTES]) {
    static const char tail[] = " HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
                               "Connection: close\r\n\r\n";
    size_t room = LSYS_REQUEST_BYTES - sizeof tail;
    size_t length =
        (size_t)snprintf(out, room, "GET %s", feature ? "/v1/features/" : "/v1/license");
    if (feature && (!*feature || !append_name(feature, out, room, &length))) return 0;
    memcpy(out + length, tail, sizeof tail);
    return length + sizeof tail - 1;
}

struct response {
    int status;
    struct bytes body;
    bool is_complete;
};

/* Takes the next line, without CR LF, off the head. */
static struct bytes take_line(struct bytes *head) {
    const uint8_t *end = memmem(head->data, head->length, "\r\n", 2);
    size_t length = end ? (size_t)(end - head->data) : head->length;
    size_t taken = end ? length + 2 : length;
    struct bytes line = bytes_of(head->data, length);
    *head = bytes_of(head->data + taken, head->length - taken);
    return line;
}

/* "HTTP/1.1 200 OK" */
static bool read_status_line(struct bytes line, int *status) {
    int64_t number = 0;
    if (line.length < 12 || memcmp(line.data, "HTTP/1.", 7) != 0 || line.data[8] != ' ')
        return false;
    if (!text_read_integer(bytes_of(line.data + 9, 3), &number) || number < 100) return false;
    *status = (int)number;
    return true;
}

static bool is_field(struct bytes line, const char *name, struct bytes *value) {
    size_t length = strlen(name);
    if (line.length <= length || line.data[length] != ':' ||
        strncasecmp((const char *)line.data, name, length) != 0)
        return false;
    *value = bytes_trim(bytes_of(line.data + length + 1, line.length - length - 1));
    return true;
}

/* Looks for the body's length. Any transfer coding is refused: a license client sends none. */
static bool read_fields(struct bytes head, int64_t *content_length) {
    struct bytes value;
    *content_length = -1;
    while (head.length > 0) {
        struct bytes line = take_line(&head);
        if (is_field(line, "Transfer-Encoding", &value)) return false;
        if (!is_field(line, "Content-Length", &value)) continue;
        if (*content_length >= 0 || !text_read_integer(value, content_length)) return false;
        if (*content_length < 0 || *content_length > LSYS_ANSWER_BYTES) return false;
    }
    return true;
}

/* False when this is no response that we read. Without Content-Length the body ends with the
 * stream. */
static bool read_response(struct bytes bytes, bool ended, struct response *out) {
    *out = (struct response){0};
    const uint8_t *end =
        bytes.length ? memmem(bytes.data, bytes.length, HEAD_END, strlen(HEAD_END)) : NULL;
    if (!end) return !ended && bytes.length <= LSYS_ANSWER_BYTES;
    struct bytes head = bytes_of(bytes.data, (size_t)(end - bytes.data));
    size_t head_length = head.length + strlen(HEAD_END);
    int64_t content_length = -1;
    if (!read_status_line(take_line(&head), &out->status) || !read_fields(head, &content_length))
        return false;
    out->body = bytes_of(bytes.data + head_length, bytes.length - head_length);
    if (content_length < 0) {
        out->is_complete = ended;
        return out->body.length <= LSYS_ANSWER_BYTES;
    }
    out->is_complete = out->body.length >= (size_t)content_length;
    if (out->is_complete) out->body.length = (size_t)content_length;
    return out->is_complete || !ended;
}

static void copy_text(const char *text, char *out, size_t capacity) {
    if (text) snprintf(out, capacity, "%s", text);
}

static void read_answer(const struct json_value *root, struct lsys_answer *out) {
    bool flag = out->http_status == 200;
    const char *reason = json_member_text(root, "reason");
    if (!reason) reason = json_member_text(root, "detail");
    copy_text(json_member_text(root, "edition"), out->edition, sizeof out->edition);
    copy_text(json_member_text(root, "status"), out->status, sizeof out->status);
    copy_text(reason, out->reason, sizeof out->reason);
    json_member_number(root, "limit", &out->limit);
    /* /v1/license says "licensed", /v1/features/... says "allowed"; both come with 200 only. */
    if (flag && !json_member_boolean(root, "licensed", &flag)) {
        flag = false;
        json_member_boolean(root, "allowed", &flag);
    }
    out->granted = flag;
}

enum lsys_progress lsys_ask_response(const char *bytes, size_t length, int ended,
                                     struct lsys_answer *out) {
    struct response response;
    *out = (struct lsys_answer){.edition = UNLICENSED_EDITION};
    if (!read_response(bytes_of(bytes, length), ended != 0, &response)) return LSYS_NO_ANSWER;
    if (!response.is_complete) return LSYS_NEEDS_MORE;
    if (response.status != 200 && response.status != 403) return LSYS_NO_ANSWER;
    struct json_document *document = json_document_parse(response.body, LSYS_ANSWER_BYTES, NULL);
    if (!document) return LSYS_NO_ANSWER;
    out->http_status = response.status;
    read_answer(json_document_root(document), out);
    json_document_free(document);
    return LSYS_ANSWERED;
}
