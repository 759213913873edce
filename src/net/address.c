#include "net/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/text.h"

#define UNIX_PREFIX "unix:"

static struct bytes drop_front(struct bytes text, size_t length) {
    return bytes_of(text.data + length, text.length - length);
}

static bool fail(struct status *status, struct bytes text, const char *why) {
    /* What is shown is cut off; control characters are the log's and terminal's business. */
    int shown = text.length > 100 ? 100 : (int)text.length;
    return status_fail(status, STATUS_MALFORMED, "\"%.*s\" is not an address: %s", shown,
                       (const char *)text.data, why);
}

static bool parse_unix(struct bytes text, struct address *out, struct status *status) {
    struct bytes path = drop_front(text, strlen(UNIX_PREFIX));
    if (path.length == 0 || path.data[0] != '/')
        return fail(status, text, "the path after unix: must begin with /");
    if (path.length >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return fail(status, text, "the path of a unix socket may have at most 107 bytes");
    if (memchr(path.data, '\0', path.length)) return fail(status, text, "it holds a NUL byte");
    *out = (struct address){.kind = ADDRESS_UNIX};
    memcpy(out->host, path.data, path.length);
    return true;
}

/* Letters, digits, '-', '.' and '_' (which is not in RFC 1123, but in container networks). */
static bool is_host_name(struct bytes host) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    if (host.length == 0 || host.length > 253 || host.data[0] == '-' || host.data[0] == '.')
        return false;
    for (size_t i = 0; i < host.length; i++)
        if (!memchr(allowed, host.data[i], sizeof allowed - 1)) return false;
    return true;
}

/* A name whose last label is a number would be taken for an IPv4 address in old notation ("127.1",
 * "0x7f000001") by some resolvers: only the four-part form is accepted. */
static bool looks_numeric(const char *host) {
    size_t end = strlen(host);
    if (end > 0 && host[end - 1] == '.') end--; /* "name." is the same as "name" */
    size_t start = end;
    while (start > 0 && host[start - 1] != '.')
        start--;
    const char *last = host + start;
    if (last[0] == '0' && (last[1] == 'x' || last[1] == 'X')) return true;
    return strspn(last, "0123456789") >= end - start;
}

static bool parse_host(struct bytes text, struct bytes host, bool in_brackets, struct address *out,
                       struct status *status) {
    if (host.length >= sizeof out->host) return fail(status, text, "the host is too long");
    memcpy(out->host, host.data, host.length);
    out->host[host.length] = '\0';
    struct in6_addr ipv6;
    struct in_addr ipv4;
    if (in_brackets) {
        bool is_ipv6 =
            strlen(out->host) == host.length && inet_pton(AF_INET6, out->host, &ipv6) == 1;
        return is_ipv6 || fail(status, text, "there is no IPv6 address in the brackets");
    }
    if (!is_host_name(host)) return fail(status, text, "the host is missing or not a valid name");
    /* Written with its port it would read as a path. */
    if (strcasecmp(out->host, "unix") == 0)
        return fail(status, text, "unix is not a host but begins unix:/path");
    if (looks_numeric(out->host) && inet_pton(AF_INET, out->host, &ipv4) != 1)
        return fail(status, text, "the host is not a valid IPv4 address");
    return true;
}

static bool parse_port(struct bytes text, struct bytes port_text, int default_port,
                       struct address *out, struct status *status) {
    if (port_text.length == 0) {
        if (default_port < 0) return fail(status, text, "the port is missing, as in host:4222");
        out->port = (uint16_t)default_port;
        return true;
    }
    int64_t port = -1;
    if (port_text.data[0] != ':' || port_text.length > 6 ||
        !text_read_integer(drop_front(port_text, 1), &port) || port < 0 || port > UINT16_MAX)
        return fail(status, text, "the port must be a number from 0 to 65535");
    out->port = (uint16_t)port;
    return true;
}

bool address_parse(struct bytes text, int default_port, struct address *out,
                   struct status *status) {
    struct address address = {.kind = ADDRESS_TCP};
    if (text.length == 0) return fail(status, bytes_of_text(""), "it is empty");
    if (text.length >= strlen(UNIX_PREFIX) &&
        memcmp(text.data, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_unix(text, out, status);

    bool in_brackets = text.data[0] == '[';
    struct bytes host = text;
    struct bytes port_text = bytes_of(NULL, 0);
    if (in_brackets) {
        const uint8_t *end = memchr(text.data, ']', text.length);
        if (!end) return fail(status, text, "the closing ] is missing");
        host = bytes_of(text.data + 1, (size_t)(end - text.data) - 1);
        port_text = drop_front(text, (size_t)(end - text.data) + 1);
    } else {
        const uint8_t *colon = memchr(text.data, ':', text.length);
        if (colon) {
            host.length = (size_t)(colon - text.data);
            port_text = drop_front(text, host.length);
            if (memchr(colon + 1, ':', port_text.length - 1))
                return fail(status, text, "an IPv6 address needs brackets, as in [::1]:4222");
        }
    }
    if (!parse_host(text, host, in_brackets, &address, status)) return false;
    if (!parse_port(text, port_text, default_port, &address, status)) return false;
    *out = address;
    return true;
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES]) {
    if (address->kind == ADDRESS_UNIX)
        snprintf(out, ADDRESS_TEXT_BYTES, UNIX_PREFIX "%s", address->host);
    else if (strchr(address->host, ':'))
        snprintf(out, ADDRESS_TEXT_BYTES, "[%s]:%" PRIu16, address->host, address->port);
    else
        snprintf(out, ADDRESS_TEXT_BYTES, "%s:%" PRIu16, address->host, address->port);
}

static bool is_localhost_name(const char *host) {
    static const char suffix[] = ".localhost";
    size_t length = strlen(host);
    if (strcasecmp(host, "localhost") == 0) return true;
    return length > strlen(suffix) && strcasecmp(host + length - strlen(suffix), suffix) == 0;
}

bool address_is_loopback(const struct address *address) {
    if (address->kind == ADDRESS_UNIX) return true;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (inet_pton(AF_INET, address->host, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, address->host, &ipv6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&ipv6) ||
               (IN6_IS_ADDR_V4MAPPED(&ipv6) && ipv6.s6_addr[12] == IN_LOOPBACKNET);
    return is_localhost_name(address->host);
}

bool address_is_ip_literal(const char *host) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool unix_to_socket(const struct address *address, struct sockaddr_storage *out,
                           socklen_t *length_bytes) {
    struct sockaddr_un *socket_address = (struct sockaddr_un *)out;
    size_t length = strlen(address->host);
    if (length == 0 || length >= sizeof socket_address->sun_path) return false;
    socket_address->sun_family = AF_UNIX;
    memcpy(socket_address->sun_path, address->host, length + 1);
    *length_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return true;
}

bool address_to_socket(const struct address *address, struct sockaddr_storage *out,
                       socklen_t *length_bytes) {
    memset(out, 0, sizeof *out);
    if (address->kind == ADDRESS_UNIX) return unix_to_socket(address, out, length_bytes);
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, address->host, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(address->port);
        *length_bytes = sizeof *ipv4;
        return true;
    }
    if (inet_pton(AF_INET6, address->host, &ipv6->sin6_addr) == 1) {
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(address->port);
        *length_bytes = sizeof *ipv6;
        return true;
    }
    return false;
}

void address_of_socket(const struct sockaddr_storage *socket_address, struct address *out) {
    *out = (struct address){.kind = ADDRESS_TCP};
    if (socket_address->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)socket_address;
        inet_ntop(AF_INET, &ipv4->sin_addr, out->host, sizeof out->host);
        out->port = ntohs(ipv4->sin_port);
    } else if (socket_address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)socket_address;
        inet_ntop(AF_INET6, &ipv6->sin6_addr, out->host, sizeof out->host);
        out->port = ntohs(ipv6->sin6_port);
    } else if (socket_address->ss_family == AF_UNIX) {
        const struct sockaddr_un *path = (const struct sockaddr_un *)socket_address;
        out->kind = ADDRESS_UNIX;
        snprintf(out->host, sizeof out->host, "%.*s", (int)sizeof path->sun_path, path->sun_path);
    }
}
