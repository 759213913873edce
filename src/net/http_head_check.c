#include "net/http_head_check.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "net/address.h"

/* Digits of a Content-Length: one less than 2^63 has. */
#define LENGTH_DIGITS_MAX 18

static bool refuse(struct http_failure *failure, int status, const char *code, const char *detail) {
    *failure = (struct http_failure){.status = status, .code = code, .detail = detail};
    return false;
}

static bool bad_request(struct http_failure *failure, const char *detail) {
    return refuse(failure, 400, "bad_request", detail);
}

bool http_is_token(struct bytes text) {
    static const char special[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (is_letter || byte == '-') continue;
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_digit && !memchr(special, byte, sizeof special - 1)) return false;
    }
    return text.length > 0;
}

/* Splits off the text before the first space; false if there is none. */
static bool next_part(struct bytes *rest, struct bytes *part) {
    const uint8_t *space = rest->length ? memchr(rest->data, ' ', rest->length) : NULL;
    if (!space) return false;
    *part = bytes_of(rest->data, (size_t)(space - rest->data));
    *rest = bytes_of(space + 1, rest->length - part->length - 1);
    return true;
}

bool http_check_start_line(struct bytes line, struct http_failure *failure) {
    static const char *const methods[] = {"GET",   "HEAD",    "POST",   "PUT",
                                          "PATCH", "OPTIONS", "DELETE", NULL};
    struct bytes method;
    struct bytes target;
    if (!next_part(&line, &method) || !next_part(&line, &target))
        return bad_request(failure, "the request line needs a method, a target and a version");
    struct bytes version = line;
    bool has_form = version.length == 8 && memcmp(version.data, "HTTP/", 5) == 0 &&
                    version.data[6] == '.' && version.data[5] >= '0' && version.data[5] <= '9' &&
                    version.data[7] >= '0' && version.data[7] <= '9';
    if (!has_form || !http_is_token(method) || target.length == 0)
        return bad_request(failure, "the request line is malformed");
    if (!bytes_equal_text(version, "HTTP/1.1") && !bytes_equal_text(version, "HTTP/1.0"))
        return refuse(failure, 505, "http_version_not_supported",
                      "only HTTP/1.0 and HTTP/1.1 are spoken here");
    for (size_t i = 0; methods[i]; i++)
        if (bytes_equal_text(method, methods[i])) return true;
    return refuse(failure, 501, "not_implemented", "this method is not known here");
}

/* Finds the only field of that name. 0, 1 or 2 (meaning: several). */
static int find_single(const struct http_head *head, const char *name, struct bytes *value) {
    int count = 0;
    for (size_t i = 0; i < head->field_count && count < 2; i++) {
        if (!http_names_equal(head->fields[i].name, name)) continue;
        *value = head->fields[i].value;
        count++;
    }
    return count;
}

static bool check_names(const struct http_head *head, struct http_failure *failure) {
    for (size_t i = 0; i < head->field_count; i++)
        if (!http_is_token(head->fields[i].name))
            return bad_request(failure, "a header field has no valid name");
    return true;
}

static bool check_host(struct http_head *head, struct bytes known_host,
                       struct http_failure *failure) {
    struct address address;
    int count = find_single(head, "host", &head->host);
    if (count == 0 && head->minor_version == 0) return true;
    if (count == 0) return bad_request(failure, "the Host field is missing");
    if (count > 1) return bad_request(failure, "there is more than one Host field");
    head->host_is_unchanged = head->host.length > 0 && bytes_equal(head->host, known_host);
    if (head->host_is_unchanged) return true;
    if (!address_parse(head->host, 80, &address, NULL) || address.kind != ADDRESS_TCP)
        return bad_request(failure, "the Host field is not a host");
    return true;
}

static bool check_transfer_encoding(const struct http_head *head, bool *is_chunked,
                                    struct http_failure *failure) {
    struct bytes value;
    int count = find_single(head, "transfer-encoding", &value);
    *is_chunked = count > 0;
    if (count == 0) return true;
    if (head->minor_version == 0) return bad_request(failure, "HTTP/1.0 has no Transfer-Encoding");
    if (count > 1 || !http_names_equal(value, "chunked"))
        return bad_request(failure, "the only Transfer-Encoding accepted is chunked, once");
    return true;
}

static bool check_length(struct http_head *head, bool is_chunked, struct http_failure *failure) {
    struct bytes value;
    int64_t length = 0;
    int count = find_single(head, "content-length", &value);
    if (count == 0) {
        head->has_body = is_chunked;
        return true;
    }
    if (is_chunked)
        return bad_request(failure, "Content-Length and Transfer-Encoding exclude each other");
    if (count > 1) return bad_request(failure, "there is more than one Content-Length");
    bool is_number = value.length <= LENGTH_DIGITS_MAX && value.length > 0 &&
                     value.data[0] != '-' && text_read_integer(value, &length);
    if (!is_number) return bad_request(failure, "the Content-Length is not a length");
    head->content_length_bytes = (size_t)length;
    head->has_body = length > 0;
    return true;
}

static bool check_expectation(struct http_head *head, struct http_failure *failure) {
    struct bytes value;
    int count = find_single(head, "expect", &value);
    if (count == 0) return true;
    if (count > 1 || !http_names_equal(value, "100-continue"))
        return refuse(failure, 417, "expectation_failed", "only Expect: 100-continue is known");
    head->expects_continue = head->minor_version == 1 && head->has_body;
    return true;
}

/* Reduces "http://host/path" (RFC 9112, 3.2.2) to the path if the host is the one of Host. */
static bool reduce_absolute_target(struct http_head *head, struct http_failure *failure) {
    static const char prefix[] = "http://";
    const size_t prefix_length = sizeof prefix - 1;
    struct bytes target = head->target;
    if (target.length < prefix_length ||
        strncasecmp((const char *)target.data, prefix, prefix_length) != 0)
        return true;
    target = bytes_of(target.data + prefix_length, target.length - prefix_length);
    const uint8_t *slash = target.length ? memchr(target.data, '/', target.length) : NULL;
    struct bytes host =
        bytes_of(target.data, slash ? (size_t)(slash - target.data) : target.length);
    if (!slash || !bytes_equal(host, head->host))
        return bad_request(failure, "the target names another host than the Host field");
    head->target = bytes_of(slash, target.length - host.length);
    return true;
}

static bool check_target(struct http_head *head, struct http_failure *failure) {
    if (head->target.length > HTTP_TARGET_BYTES_MAX)
        return refuse(failure, 414, "target_too_long", "the request target is too long");
    if (!reduce_absolute_target(head, failure)) return false;
    if (bytes_equal_text(head->target, "*") && bytes_equal_text(head->method, "OPTIONS"))
        return true;
    if (head->target.length == 0 || head->target.data[0] != '/')
        return bad_request(failure, "the request target is not an absolute path");
    for (size_t i = 0; i < head->target.length; i++) {
        uint8_t byte = head->target.data[i];
        if (byte <= 0x20 || byte >= 0x7f || byte == '#')
            return bad_request(failure, "the request target holds a byte that needs escaping");
    }
    return true;
}

bool http_check_head(struct http_head *head, struct bytes known_host,
                     struct http_failure *failure) {
    bool is_chunked;
    return check_names(head, failure) && check_host(head, known_host, failure) &&
           check_transfer_encoding(head, &is_chunked, failure) &&
           check_length(head, is_chunked, failure) && check_expectation(head, failure) &&
           check_target(head, failure);
}
