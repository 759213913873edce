#include "bus/server_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "base/text.h"

#define DEFAULT_PORT 4222

static const char nats_scheme[] = "nats://";
static const char tls_scheme[] = "tls://";

static bool starts_with(struct bytes text, const char *prefix) {
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.data, prefix, length) == 0;
}

static struct bytes skip(struct bytes text, size_t count) {
    return bytes_of(text.data + count, text.length - count);
}

/* The position of the last `wanted` in the text, or its length. */
static size_t find_last(struct bytes text, char wanted) {
    for (size_t i = text.length; i > 0; i--)
        if (text.data[i - 1] == (uint8_t)wanted) return i - 1;
    return text.length;
}

static int hex_digit(uint8_t character) {
    if (character >= '0' && character <= '9') return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* A copy with RFC 3986 percent-encoding undone, so that a password may hold '@', ':' and ','. A '%'
 * that begins no valid code stands for itself. */
static char *decode(struct bytes text) {
    char *out = memory_copy_bytes(text.data, text.length);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++, length++) {
        out[length] = (char)text.data[i];
        if (text.data[i] == '%' && i + 2 < text.length) {
            int high = hex_digit(text.data[i + 1]);
            int low = hex_digit(text.data[i + 2]);
            if (high >= 0 && low >= 0 && (high | low) != 0) {
                out[length] = (char)(high * 16 + low);
                i += 2;
            }
        }
    }
    memory_wipe(out + length, text.length - length);
    return out;
}

static void take_credentials(struct bus_server *server, struct bytes credentials) {
    const uint8_t *colon = memchr(credentials.data, ':', credentials.length);
    if (colon == NULL) {
        server->token = decode(credentials);
        return;
    }
    size_t user_length = (size_t)(colon - credentials.data);
    server->user = decode(bytes_of(credentials.data, user_length));
    server->password = decode(skip(credentials, user_length + 1));
}

/* True for what can stand in a host name or an address, so that nothing else reaches nats.c's own
 * reading of the URL, or a log line. */
static bool is_host(struct bytes host) {
    if (host.length == 0) return false;
    for (size_t i = 0; i < host.length; i++)
        if (host.data[i] <= ' ' || host.data[i] >= 127 || strchr("/?#@\\\"'<>%", host.data[i]))
            return false;
    return true;
}

/* Reads host[:port], where an IPv6 address stands in brackets. */
static bool read_address(struct bus_server *server, struct bytes address, struct status *status) {
    struct bytes host = address;
    int64_t port = DEFAULT_PORT;
    size_t colon = find_last(address, ':');
    bool bracketed = address.length > 0 && address.data[address.length - 1] == ']';
    if (colon < address.length && !bracketed) {
        host.length = colon;
        if (!text_read_integer(skip(address, colon + 1), &port)) port = 0;
    }
    if (!is_host(host) || host.length > BUS_SERVER_TEXT_BYTES - sizeof(":65535")) {
        return status_fail(status, STATUS_CONFIG,
                           "a NATS URL names no usable host; it should be "
                           "nats://host:4222");
    }
    if (memchr(host.data, ':', host.length) != NULL && host.data[0] != '[') {
        return status_fail(status, STATUS_CONFIG,
                           "NATS server \"%.*s\": an IPv6 address is written in brackets, "
                           "nats://[::1]:4222",
                           (int)host.length, (const char *)host.data);
    }
    if (port < 1 || port > 65535) {
        return status_fail(status, STATUS_CONFIG,
                           "NATS server \"%.*s\": the port must be a number from 1 to 65535",
                           (int)host.length, (const char *)host.data);
    }
    snprintf(server->text, sizeof server->text, "%.*s:%d", (int)host.length,
             (const char *)host.data, (int)port);
    snprintf(server->url, sizeof server->url, "%s%s", nats_scheme, server->text);
    return true;
}

static bool read_server(struct bus_server *server, struct bytes url, struct status *status) {
    server->tls = starts_with(url, tls_scheme);
    if (starts_with(url, nats_scheme)) {
        url = skip(url, strlen(nats_scheme));
    } else if (server->tls) {
        url = skip(url, strlen(tls_scheme));
    } else if (memmem(url.data, url.length, "://", 3) != NULL) {
        return status_fail(
            status, STATUS_CONFIG,
            "a NATS URL begins with nats:// or tls:// (others, as ws://, are not supported)");
    }
    if (url.length > 0 && url.data[url.length - 1] == '/') url.length--;
    size_t at = find_last(url, '@');
    if (at < url.length) {
        take_credentials(server, bytes_of(url.data, at));
        url = skip(url, at + 1);
    }
    return read_address(server, url, status);
}

bool bus_server_list_read(struct bus_server_list *list, const char *urls, struct status *status) {
    *list = (struct bus_server_list){
        .servers = memory_new_array(BUS_SERVERS_MAX, sizeof(struct bus_server))};
    struct bytes rest = bytes_of_text(urls == NULL ? "" : urls);
    while (rest.length > 0) {
        const uint8_t *comma = memchr(rest.data, ',', rest.length);
        size_t length = comma == NULL ? rest.length : (size_t)(comma - rest.data);
        struct bytes url = bytes_trim(bytes_of(rest.data, length));
        rest = skip(rest, comma == NULL ? length : length + 1);
        if (url.length == 0) continue;
        if (list->count == BUS_SERVERS_MAX) {
            status_fail(status, STATUS_CONFIG, "more than %d NATS servers", BUS_SERVERS_MAX);
            goto fail;
        }
        if (!read_server(&list->servers[list->count++], url, status)) goto fail;
    }
    if (list->count > 0) return true;
    status_fail(status, STATUS_CONFIG, "no NATS server is given; it should be nats://host:4222");
fail:
    bus_server_list_free(list);
    return false;
}

void bus_server_list_free(struct bus_server_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        memory_free_secret(list->servers[i].user);
        memory_free_secret(list->servers[i].password);
        memory_free_secret(list->servers[i].token);
    }
    free(list->servers);
    *list = (struct bus_server_list){0};
}
