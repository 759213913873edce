#include "net/http_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/http_response_parser.h"

/* A CONNECT request: the server's name twice, and the credentials. */
#define REQUEST_BYTES_MAX (2 * ADDRESS_TEXT_BYTES + HTTP_PROXY_AUTHORIZATION_BYTES + 256)

static const struct url_scheme proxy_schemes[] = {{"http", HTTP_PROXY_PORT_DEFAULT}, {NULL, 0}};

/* ---- where it is ---- */

/* The password may hold what would end it in a URL: it is escaped there. */
static bool read_credentials(struct bytes text, struct http_proxy *out, struct status *status) {
    struct buffer plain;
    struct status hidden = STATUS_INIT; /* its text could hold a part of the password */
    if (text.length == 0) return true;
    buffer_init(&plain, HTTP_PROXY_CREDENTIALS_BYTES_MAX);
    bool good = url_percent_decode(text, false, &plain, &hidden);
    if (good && !memchr(plain.data, ':', plain.length)) good = buffer_append_text(&plain, ":");
    if (good) {
        int length = snprintf(out->authorization, sizeof out->authorization, "Basic ");
        base64_encode(buffer_bytes(&plain), out->authorization + length);
    }
    buffer_wipe(&plain);
    return good || status_fail(status, STATUS_MALFORMED,
                               "the proxy's user and password are too long, or not escaped as in a "
                               "URL");
}

/* The end of the authority: where a path would begin. */
static size_t authority_end(struct bytes text, size_t begin) {
    while (begin < text.length && text.data[begin] != '/')
        begin++;
    return begin;
}

static size_t scheme_end(struct bytes text) {
    const uint8_t *found = memmem(text.data, text.length, "://", 3);
    return found ? (size_t)(found - text.data) + 3 : 0;
}

static void explain_url(enum status_code code, bool has_credentials, struct status *status) {
    if (code == STATUS_FORBIDDEN)
        status_fail(status, code, "only proxies that are spoken to with http can be used");
    else
        status_fail(status, code, "not a valid URL of a host and a port%s",
                    has_credentials ? " (in a user or password '/' is written %2F)" : "");
}

bool http_proxy_parse(struct bytes text, struct http_proxy *out, struct status *status) {
    struct buffer bare; /* without the credentials */
    struct url url;
    memset(out, 0, sizeof *out);
    text = bytes_trim(text);
    size_t begin = scheme_end(text), end = authority_end(text, begin), host = begin;
    for (size_t i = begin; i < end; i++)
        if (text.data[i] == '@') host = i + 1;
    if (host > begin &&
        !read_credentials(bytes_of(text.data + begin, host - 1 - begin), out, status))
        return false;
    buffer_init(&bare, URL_BYTES_MAX);
    if (begin == 0) buffer_append_text(&bare, "http://");
    buffer_append(&bare, text.data, begin);
    buffer_append(&bare, text.data + host, end - host);
    struct status why = STATUS_INIT; /* its text could quote a password whose '@' is misplaced */
    bool read = buffer_check(&bare, "the proxy's URL", &why) &&
                url_parse(buffer_bytes(&bare), proxy_schemes, &url, &why);
    buffer_wipe(&bare);
    if (!read) explain_url(why.code, memchr(text.data, '@', text.length) != NULL, status);
    if (read && end + 1 < text.length)
        read = status_fail(status, STATUS_MALFORMED, "the URL of a proxy has no path");
    if (read) url_address(&url, &out->address);
    if (!read) memory_wipe(out, sizeof *out);
    return read;
}

void http_proxy_append_field(const struct http_proxy *proxy, struct buffer *out) {
    if (proxy->authorization[0])
        buffer_append_format(out, "Proxy-Authorization: %s\r\n", proxy->authorization);
}

/* ---- what went wrong ---- */

void http_proxy_explain(const struct http_proxy *proxy, int http_status, const struct url *target,
                        struct status *status) {
    char text[ADDRESS_TEXT_BYTES];
    address_format(&proxy->address, text);
    if (http_status == HTTP_PROXY_WANTS_CREDENTIALS && proxy->authorization[0])
        status_fail(status, STATUS_UNAVAILABLE,
                    "the proxy %s refuses the user and password in its URL (407)", text);
    else if (http_status == HTTP_PROXY_WANTS_CREDENTIALS)
        status_fail(status, STATUS_UNAVAILABLE,
                    "the proxy %s wants a user and a password (407): write its URL as "
                    "http://USER:PASSWORD@HOST:PORT, in the environment or in --proxy-file",
                    text);
    else
        status_fail(status, STATUS_UNAVAILABLE,
                    "the proxy %s answered %d when asked for a tunnel to %s:%u", text, http_status,
                    target->host, target->port);
}

void http_proxy_unreachable(const struct http_proxy *proxy, const struct status *why,
                            struct status *status) {
    char text[ADDRESS_TEXT_BYTES];
    address_format(&proxy->address, text);
    status_fail(status, why->code, "the proxy %s: %s", text, why->text);
}

/* ---- tunnels ---- */

struct http_tunnel {
    struct http_proxy proxy;
    struct url target;
    struct buffer request;
    struct http_response_parser *parser;
};

static void on_head(void *context, const struct http_response *response) {
    (void)context;
    (void)response;
}

static bool on_body(void *context, struct bytes piece) {
    (void)context;
    (void)piece;
    return true;
}

static const struct http_response_sink sink = {.on_head = on_head, .on_body = on_body};

struct http_tunnel *http_tunnel_new(const struct http_proxy *proxy, const struct url *target) {
    struct http_tunnel *tunnel = memory_new(sizeof *tunnel);
    char server[ADDRESS_TEXT_BYTES];
    struct address address;
    tunnel->proxy = *proxy;
    tunnel->target = *target;
    url_address(target, &address);
    address_format(&address, server);
    buffer_init(&tunnel->request, REQUEST_BYTES_MAX);
    buffer_append_format(&tunnel->request,
                         "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lsys\r\n", server, server);
    http_proxy_append_field(proxy, &tunnel->request);
    buffer_append_text(&tunnel->request, "\r\n");
    /* As to HEAD, no body follows whatever the fields say: what follows is the tunnel. */
    tunnel->parser = http_response_parser_create(true, &sink, tunnel);
    return tunnel;
}

void http_tunnel_free(struct http_tunnel *tunnel) {
    if (!tunnel) return;
    http_response_parser_free(tunnel->parser);
    buffer_wipe(&tunnel->request);
    memory_wipe(tunnel, sizeof *tunnel);
    free(tunnel);
}

struct bytes http_tunnel_request(const struct http_tunnel *tunnel) {
    return buffer_bytes(&tunnel->request);
}

/* The server speaks when it has been spoken to: whatever comes before is the proxy's own. */
static enum http_tunnel_state judge(struct http_tunnel *tunnel, struct status *status) {
    int http_status = http_response_parser_response(tunnel->parser)->status;
    if (http_status < 200 || http_status > 299) {
        http_proxy_explain(&tunnel->proxy, http_status, &tunnel->target, status);
        return HTTP_TUNNEL_FAILED;
    }
    if (http_response_parser_rest(tunnel->parser).length == 0) return HTTP_TUNNEL_IS_OPEN;
    status_fail(status, STATUS_PROTOCOL, "the proxy sent more than its answer to CONNECT");
    return HTTP_TUNNEL_FAILED;
}

enum http_tunnel_state http_tunnel_feed(struct http_tunnel *tunnel, struct bytes bytes,
                                        struct status *status) {
    struct status why = STATUS_INIT;
    if (!http_response_parser_feed(tunnel->parser, bytes, &why)) {
        http_proxy_unreachable(&tunnel->proxy, &why, status);
        return HTTP_TUNNEL_FAILED;
    }
    if (!http_response_parser_is_done(tunnel->parser)) return HTTP_TUNNEL_WAITS;
    return judge(tunnel, status);
}
