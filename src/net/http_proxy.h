/*
 * An HTTP proxy between a client and the servers that it calls: where it is, who we are to it, and
 * how a tunnel through it is opened (RFC 9110, section 9.3.6, CONNECT). Through a tunnel TLS is the
 * server's own, end to end; the proxy sees names and sizes. Without I/O: the owner of the
 * connection moves the bytes.
 *
 *     https, wss, ws   CONNECT host:port, then all that would have been said to the server
 *     http             one request with the whole URL ("absolute form", RFC 9112, section 3.2.2)
 */
#ifndef LSYS_NET_HTTP_PROXY_H
#define LSYS_NET_HTTP_PROXY_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/base64.h"
#include "net/address.h"
#include "net/url.h"

/* When the URL of a proxy names no port: what curl takes. */
#define HTTP_PROXY_PORT_DEFAULT 1080

/* User and password of a proxy, with the colon between. */
#define HTTP_PROXY_CREDENTIALS_BYTES_MAX 512

/* The value of Proxy-Authorization: "Basic " and base64. */
#define HTTP_PROXY_AUTHORIZATION_BYTES                                                             \
    (sizeof "Basic " + BASE64_LENGTH(HTTP_PROXY_CREDENTIALS_BYTES_MAX))

/* The status with which a proxy asks who we are (RFC 9110, section 15.5.8). */
#define HTTP_PROXY_WANTS_CREDENTIALS 407

struct http_proxy {
    struct address address;
    char authorization[HTTP_PROXY_AUTHORIZATION_BYTES]; /* a secret; "": none is shown */
};

/* Reads "http://[user[:password]@]host[:port]", or the same without "http://". Other kinds of proxy
 * are STATUS_FORBIDDEN, what is no URL STATUS_MALFORMED; the text of the status holds nothing of
 * the credentials. The caller wipes `out`. */
bool http_proxy_parse(struct bytes text, struct http_proxy *out, struct status *status) MUST_CHECK;

/* Appends the field Proxy-Authorization, if there is one to show. */
void http_proxy_append_field(const struct http_proxy *proxy, struct buffer *out);

/* Puts what an answer of the proxy means, which is no 2xx, into words: STATUS_UNAVAILABLE. `target`
 * may be NULL for HTTP_PROXY_WANTS_CREDENTIALS. */
void http_proxy_explain(const struct http_proxy *proxy, int http_status, const struct url *target,
                        struct status *status);

/* Says that a connection to the proxy could not be made, or broke, in the words of `why`. */
void http_proxy_unreachable(const struct http_proxy *proxy, const struct status *why,
                            struct status *status);

/* ---- tunnels ---- */

struct http_tunnel;

/* A tunnel to the server of `target`. Both are copied. Freed by http_tunnel_free. */
struct http_tunnel *http_tunnel_new(const struct http_proxy *proxy, const struct url *target);
void http_tunnel_free(struct http_tunnel *tunnel);

/* What is to be sent to the proxy first; a secret. */
struct bytes http_tunnel_request(const struct http_tunnel *tunnel);

enum http_tunnel_state {
    HTTP_TUNNEL_WAITS,
    HTTP_TUNNEL_IS_OPEN, /* from here on the server is at the other end */
    HTTP_TUNNEL_FAILED,  /* the status says why, naming the proxy */
};

/* Takes what came from the proxy. */
enum http_tunnel_state http_tunnel_feed(struct http_tunnel *tunnel, struct bytes bytes,
                                        struct status *status);

#endif
