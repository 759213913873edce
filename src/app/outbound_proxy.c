#include "app/outbound_proxy.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "app/options_state.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

const struct option outbound_proxy_options[] = {
    {.key = "proxy",
     .type = OPTION_TEXT,
     .value_name = "URL",
     .help =
         "Reach the master through this proxy, http://HOST:PORT; \"none\": through none; default: "
         "HTTPS_PROXY, HTTP_PROXY and NO_PROXY"},
    {.key = "proxy_file",
     .type = OPTION_SECRET_FILE,
     .help = "The same from a file, for a URL with user and password"},
    {0},
};

/* ---- NO_PROXY ---- */

/* Longest entry: a DNS name. */
#define ENTRY_BYTES 256

/* An address as 16 bytes, IPv4 as the end of ::ffff:0:0/96; false for a name. */
static bool read_ip(const char *text, uint8_t out[16]) {
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    return inet_pton(AF_INET, text, out + 12) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

static bool starts_alike(const uint8_t *left, const uint8_t *right, int64_t bits) {
    size_t whole = (size_t)bits / 8;
    unsigned rest = (unsigned)bits % 8;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return memcmp(left, right, whole) == 0 &&
           (rest == 0 || ((left[whole] ^ right[whole]) & mask) == 0);
}

/* "10.0.0.0/8", or one address. The entry is changed. */
static bool is_in_network(char *entry, const uint8_t host[16]) {
    uint8_t network[16];
    int64_t bits = 128;
    char *slash = strchr(entry, '/');
    if (slash) *slash = '\0';
    if (!read_ip(entry, network)) return false;
    bool is_ipv4 = strchr(entry, ':') == NULL;
    if (slash && (!text_read_integer(bytes_of_text(slash + 1), &bits) || bits < 0 ||
                  bits > (is_ipv4 ? 32 : 128)))
        return false;
    if (slash && is_ipv4) bits += 96;
    return starts_alike(network, host, bits);
}

/* The name itself, or one below it. */
static bool is_name_or_below(const char *entry, const char *host) {
    if (*entry == '.') entry++;
    size_t length = strlen(entry), host_length = strlen(host);
    if (length == 0 || length > host_length) return false;
    const char *end = host + host_length - length;
    return strcasecmp(end, entry) == 0 && (end == host || end[-1] == '.');
}

static bool fits(struct bytes text, const char *host) {
    char entry[ENTRY_BYTES];
    uint8_t address[16];
    if (text.length == 0 || text.length >= sizeof entry) return false;
    /* An IPv6 address may be in brackets. */
    if (text.data[0] == '[' && text.data[text.length - 1] == ']')
        text = bytes_of(text.data + 1, text.length - 2);
    memcpy(entry, text.data, text.length);
    entry[text.length] = '\0';
    if (strcmp(entry, "*") == 0) return true;
    return read_ip(host, address) ? is_in_network(entry, address) : is_name_or_below(entry, host);
}

bool outbound_proxy_is_exempt(const char *no_proxy, const char *host) {
    static const char separators[] = ", \t";
    while (no_proxy && *no_proxy) {
        no_proxy += strspn(no_proxy, separators);
        size_t length = strcspn(no_proxy, separators);
        if (fits(bytes_of(no_proxy, length), host)) return true;
        no_proxy += length;
    }
    return false;
}

/* ---- choosing ---- */

static const char *either(const struct options *options, const char *lower, const char *upper) {
    const char *value = options_variable(options, lower);
    return value ? value : options_variable(options, upper);
}

/* The variable for the target's scheme, and which one it was. */
static const char *from_environment(const struct options *options, const struct url *target,
                                    const char **origin) {
    bool secure = strcmp(target->scheme, "https") == 0 || strcmp(target->scheme, "wss") == 0;
    *origin = secure ? "HTTPS_PROXY" : "HTTP_PROXY";
    if (secure) return either(options, "https_proxy", "HTTPS_PROXY");
    bool is_cgi = options_variable(options, "REQUEST_METHOD") != NULL;
    return is_cgi ? options_variable(options, "http_proxy")
                  : either(options, "http_proxy", "HTTP_PROXY");
}

/* Appends the URL of the proxy to ask, if any, and says where it is from. */
static bool find(const struct options *options, const struct url *target, struct buffer *out,
                 const char **origin, struct status *status) {
    struct address address;
    const char *flag = options_text(options, "proxy");
    *origin = "--proxy";
    if (flag && strcmp(flag, "none") == 0) return true;
    if (flag && strchr(flag, '@'))
        return status_fail(status, STATUS_CONFIG,
                           "--proxy: user and password are secrets; write the URL into a file, "
                           "mode 0600, and name it with --proxy-file");
    if (flag) return buffer_append_text(out, flag);
    *origin = "--proxy-file";
    if (options_secret(options, "proxy_file", out, status)) return true;
    if (!status_is_ok(status)) return false;
    url_address(target, &address);
    const char *value = from_environment(options, target, origin);
    if (value && !address_is_loopback(&address)) buffer_append_text(out, value);
    return true;
}

bool outbound_proxy_choose(const struct options *options, const struct url *target,
                           struct http_proxy *out, bool *used, struct status *status) {
    struct buffer url;
    const char *origin;
    struct status why = STATUS_INIT;
    *used = false;
    buffer_init(&url, OUTBOUND_PROXY_BYTES_MAX);
    bool good = find(options, target, &url, &origin, status);
    bool exempt = outbound_proxy_is_exempt(either(options, "no_proxy", "NO_PROXY"), target->host);
    if (good && url.length > 0 && !exempt) {
        *used = good = http_proxy_parse(buffer_bytes(&url), out, &why);
        if (!good)
            status_fail(status, STATUS_CONFIG, "%s: %s; a proxy is http://HOST:PORT", origin,
                        why.text);
    }
    buffer_wipe(&url);
    return good;
}
