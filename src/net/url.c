#include "net/url.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct url_scheme url_web_schemes[] = {{"http", 80}, {"https", 443}, {NULL, 0}};

static bool fail(struct status *status, const char *why) {
    return status_fail(status, STATUS_MALFORMED, "not a valid URL: %s", why);
}

static int hex_value(uint8_t digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') return (digit | 0x20) - 'a' + 10;
    return -1;
}

/* The byte that "%XX" at `text` stands for, or -1. */
static int escaped_byte(struct bytes text, size_t at) {
    if (text.length - at < 3) return -1;
    int high = hex_value(text.data[at + 1]);
    int low = hex_value(text.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool check_characters(struct bytes text, struct status *status) {
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte <= 0x20 || byte >= 0x7f || strchr("\"<>\\^`{|}", byte))
            return fail(status, "it holds a space, a control or another character that needs "
                                "escaping");
        if (byte == '%' && escaped_byte(text, i) <= 0)
            return fail(status, "a % is not followed by two hexadecimal digits");
    }
    return true;
}

static bool read_scheme(struct bytes text, const struct url_scheme *schemes, struct url *out,
                        struct bytes *rest, struct status *status) {
    const uint8_t *colon = memchr(text.data, ':', text.length);
    size_t length = colon ? (size_t)(colon - text.data) : 0;
    if (length == 0 || length >= sizeof out->scheme || text.length - length < 3 ||
        memcmp(colon, "://", 3) != 0)
        return fail(status, "it must begin with a scheme, as in http://host");
    for (size_t i = 0; i < length; i++)
        out->scheme[i] = (char)tolower(text.data[i]);
    *rest = bytes_of(text.data + length + 3, text.length - length - 3);
    for (; schemes->name; schemes++) {
        if (strcmp(out->scheme, schemes->name) != 0) continue;
        out->port = schemes->default_port;
        return true;
    }
    return status_fail(status, STATUS_FORBIDDEN, "URLs of the scheme %s are not followed here",
                       out->scheme);
}

static bool read_authority(struct bytes authority, struct url *out, struct status *status) {
    struct address address;
    struct status why = STATUS_INIT;
    if (authority.length == 0) return fail(status, "the host is missing");
    if (memchr(authority.data, '@', authority.length))
        return fail(status, "a user or password in a URL is not accepted");
    /* A port that is announced but missing ("host:") is not accepted either. */
    if (!address_parse(authority, out->port, &address, &why) || address.kind != ADDRESS_TCP)
        return fail(status, why.text[0] ? why.text : "the host is not valid");
    if (address.port == 0) return fail(status, "port 0 cannot be connected to");
    out->port = address.port;
    for (size_t i = 0; i <= strlen(address.host); i++)
        out->host[i] = (char)tolower((unsigned char)address.host[i]);
    return true;
}

static size_t authority_length(struct bytes rest) {
    size_t length = 0;
    while (length < rest.length && rest.data[length] != '/' && rest.data[length] != '?')
        length++;
    return length;
}

bool url_parse(struct bytes text, const struct url_scheme *schemes, struct url *out,
               struct status *status) {
    struct bytes rest = bytes_of(NULL, 0);
    memset(out, 0, sizeof *out);
    if (text.length == 0) return fail(status, "it is empty");
    if (text.length > URL_BYTES_MAX) return fail(status, "it is longer than 2048 bytes");
    if (!check_characters(text, status)) return false;
    if (memchr(text.data, '#', text.length)) return fail(status, "a fragment (#) is not accepted");
    if (!read_scheme(text, schemes, out, &rest, status)) return false;
    size_t length = authority_length(rest);
    if (!read_authority(bytes_of(rest.data, length), out, status)) return false;
    struct bytes target = bytes_of(rest.data + length, rest.length - length);
    /* "http://host?query" has the path "/" all the same. */
    bool has_path = target.length > 0 && target.data[0] == '/';
    snprintf(out->target, sizeof out->target, "%s%.*s", has_path ? "" : "/", (int)target.length,
             (const char *)target.data);
    return true;
}

void url_address(const struct url *url, struct address *out) {
    *out = (struct address){.kind = ADDRESS_TCP, .port = url->port};
    memcpy(out->host, url->host, sizeof out->host);
}

static bool is_default_port(const struct url *url) {
    for (const struct url_scheme *scheme = url_web_schemes; scheme->name; scheme++)
        if (strcmp(scheme->name, url->scheme) == 0) return scheme->default_port == url->port;
    return false;
}

void url_host_field(const struct url *url, char out[ADDRESS_TEXT_BYTES]) {
    bool is_ipv6 = strchr(url->host, ':') != NULL;
    int length = snprintf(out, ADDRESS_TEXT_BYTES, "%s%s%s", is_ipv6 ? "[" : "", url->host,
                          is_ipv6 ? "]" : "");
    if (!is_default_port(url))
        snprintf(out + length, ADDRESS_TEXT_BYTES - (size_t)length, ":%" PRIu16, url->port);
}

bool url_percent_decode(struct bytes text, bool plus_is_space, struct buffer *out,
                        struct status *status) {
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            int decoded = escaped_byte(text, i);
            if (decoded <= 0)
                return fail(status, decoded == 0 ? "%00 is not accepted"
                                                 : "a % is not followed by two hexadecimal digits");
            byte = (uint8_t)decoded;
            i += 2;
        } else if (byte == '\0') {
            return fail(status, "it holds a NUL byte");
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        }
        buffer_append(out, &byte, 1);
    }
    return buffer_check(out, "the decoded text", status);
}
