#include "verifier/x509_alt_name.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "verifier/x509_name.h"

/* GeneralName's choices (RFC 5280, section 4.2.1.6). */
#define TAG_DNS DER_CONTEXT(2)
#define TAG_IP  DER_CONTEXT(7)

#define IPV4_BYTES      4
#define IPV6_BYTES      16
#define DNS_LABEL_BYTES 63

static uint8_t to_lower(char letter) {
    uint8_t byte = (uint8_t)letter;
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
}

static bool read_address(const char *text, struct x509_alt_name *out) {
    *out = (struct x509_alt_name){.kind = X509_ALT_NAME_IP};
    out->length = inet_pton(AF_INET, text, out->bytes) == 1    ? IPV4_BYTES
                  : inet_pton(AF_INET6, text, out->bytes) == 1 ? IPV6_BYTES
                                                               : 0;
    return out->length > 0;
}

/* Letters, digits, hyphens within, and the underscore that people use against RFC 1123. */
static bool is_label(const char *label, size_t length) {
    if (length == 0 || length > DNS_LABEL_BYTES) return false;
    if (label[0] == '-' || label[length - 1] == '-') return false;
    for (size_t i = 0; i < length; i++) {
        uint8_t letter = to_lower(label[i]);
        bool good = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
                    letter == '-' || letter == '_';
        if (!good) return false;
    }
    return true;
}

/* True when `rest`, what follows a wildcard's label, has two labels or more. */
static bool has_two_labels(const char *rest, size_t length) {
    const char *dot = memchr(rest, '.', length);
    return dot && dot > rest && dot < rest + length - 1;
}

static bool is_dns_name(const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > X509_DNS_NAME_BYTES_MAX) return false;
    if (strncmp(name, "*.", 2) == 0) {
        name += 2;
        if (!has_two_labels(name, strlen(name))) return false;
    }
    for (;;) {
        size_t label = strcspn(name, ".");
        if (!is_label(name, label)) return false;
        if (name[label] == '\0') return true;
        name += label + 1;
    }
}

static bool read_dns_name(const char *text, struct x509_alt_name *out) {
    if (!is_dns_name(text)) return false;
    *out = (struct x509_alt_name){.kind = X509_ALT_NAME_DNS, .length = strlen(text)};
    for (size_t i = 0; i < out->length; i++)
        out->bytes[i] = to_lower(text[i]);
    return true;
}

bool x509_alt_name_parse(const char *text, struct x509_alt_name *out, struct status *status) {
    if (strncasecmp(text, "IP:", 3) == 0)
        return read_address(text + 3, out) ||
               status_fail(status, STATUS_USAGE, "\"%.60s\" is not an IP address", text + 3);
    bool says_dns = strncasecmp(text, "DNS:", 4) == 0;
    if (says_dns) text += 4;
    if (!says_dns && read_address(text, out)) return true;
    return read_dns_name(text, out) ||
           status_fail(status, STATUS_USAGE,
                       "\"%.60s\" is neither an IP address nor a DNS name (labels of letters, "
                       "digits and '-' with dots between; '*' only as the first of three or more)",
                       text);
}

void x509_alt_name_format(const struct x509_alt_name *name, char out[X509_ALT_NAME_TEXT_BYTES]) {
    if (name->kind == X509_ALT_NAME_IP)
        inet_ntop(name->length == IPV4_BYTES ? AF_INET : AF_INET6, name->bytes, out,
                  X509_ALT_NAME_TEXT_BYTES);
    else
        x509_escape(bytes_of(name->bytes, name->length), out, X509_ALT_NAME_TEXT_BYTES);
}

struct der_reader x509_alt_names_open(struct bytes names) {
    struct der_reader outer;
    der_reader_init(&outer, names);
    return der_enter(&outer, DER_SEQUENCE);
}

bool x509_alt_names_next(struct der_reader *names, struct x509_alt_name *out) {
    uint8_t tag;
    struct bytes content;
    if (!der_has_more(names) || !der_read_any(names, &tag, &content)) return false;
    out->kind = tag == TAG_DNS  ? X509_ALT_NAME_DNS
                : tag == TAG_IP ? X509_ALT_NAME_IP
                                : X509_ALT_NAME_OTHER;
    bool fits = content.length <= sizeof out->bytes;
    if (!fits) out->kind = X509_ALT_NAME_OTHER;
    out->length = fits ? content.length : sizeof out->bytes;
    memcpy(out->bytes, content.data, out->length);
    if (tag == TAG_IP && content.length != IPV4_BYTES && content.length != IPV6_BYTES)
        der_fail(names);
    return !names->failed;
}

bool x509_alt_names_are_proper(struct bytes names) {
    struct x509_alt_name name;
    struct der_reader outer, inner;
    der_reader_init(&outer, names);
    inner = der_enter(&outer, DER_SEQUENCE);
    bool any = false;
    while (x509_alt_names_next(&inner, &name))
        any = true;
    return any && der_is_done(&outer) && der_is_done(&inner);
}

/* Whether a DNS name of a certificate covers `host`, a lower-case DNS name. */
static bool dns_name_covers(const struct x509_alt_name *name, const struct x509_alt_name *host) {
    const char *pattern = (const char *)name->bytes;
    const char *wanted = (const char *)host->bytes;
    size_t pattern_length = name->length;
    size_t wanted_length = host->length;
    if (pattern_length > 2 && memcmp(pattern, "*.", 2) == 0) {
        const char *dot = memchr(wanted, '.', wanted_length);
        if (!dot || !has_two_labels(pattern + 2, pattern_length - 2)) return false;
        wanted_length -= (size_t)(dot - wanted);
        wanted = dot;
        pattern++;
        pattern_length--;
    }
    return pattern_length == wanted_length && strncasecmp(pattern, wanted, wanted_length) == 0;
}

static bool covers(const struct x509_alt_name *name, const struct x509_alt_name *host) {
    if (name->kind != host->kind) return false;
    if (name->kind == X509_ALT_NAME_DNS) return dns_name_covers(name, host);
    return name->length == host->length && memcmp(name->bytes, host->bytes, host->length) == 0;
}

/* Reads the host that somebody connects to, as URLs and flags have it. */
static bool read_host(const char *text, struct x509_alt_name *out) {
    char host[X509_DNS_NAME_BYTES_MAX + 3];
    size_t length = strlen(text);
    if (length == 0 || length >= sizeof host) return false;
    memcpy(host, text, length + 1);
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        return read_address(host + 1, out) && out->length == IPV6_BYTES;
    }
    if (read_address(host, out)) return true;
    if (host[length - 1] == '.') host[length - 1] = '\0';
    return host[0] != '*' && read_dns_name(host, out);
}

bool x509_alt_names_match(struct bytes names, const char *host) {
    struct x509_alt_name wanted, name;
    struct der_reader reader = x509_alt_names_open(names);
    if (!read_host(host, &wanted)) return false;
    while (x509_alt_names_next(&reader, &name))
        if (covers(&name, &wanted)) return true;
    return false;
}

void x509_alt_names_format(struct bytes names, char *out, size_t out_bytes) {
    struct x509_alt_name name;
    char text[X509_ALT_NAME_TEXT_BYTES];
    struct der_reader reader = x509_alt_names_open(names);
    const size_t ending = strlen(", ...]") + 1;
    size_t length = (size_t)snprintf(out, out_bytes, "[");
    bool first = true;
    while (x509_alt_names_next(&reader, &name)) {
        x509_alt_name_format(&name, text);
        bool fits = length + strlen(", ") + strlen(text) + ending <= out_bytes;
        length += (size_t)snprintf(out + length, out_bytes - length, "%s%s", first ? "" : ", ",
                                   fits ? text : "...");
        first = false;
        if (!fits) break;
    }
    snprintf(out + length, out_bytes - length, "]");
}

void x509_alt_names_write(struct buffer *out, const struct x509_alt_name *names, size_t count) {
    size_t sequence = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < count; i++)
        der_write(out, names[i].kind == X509_ALT_NAME_IP ? TAG_IP : TAG_DNS,
                  bytes_of(names[i].bytes, names[i].length));
    der_end(out, sequence);
}
