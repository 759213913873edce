/*
 * One HTTP request as a handler sees it, and the answer to it. Each request is answered exactly
 * once, by one of the http_respond functions, http_request_open_events or http_request_upgrade;
 * after that the pointer is invalid. A handler that cannot answer yet calls http_request_defer
 * before it returns; not doing either is a programming error.
 *
 * Every answer carries Date, X-Content-Type-Options: nosniff, Referrer-Policy: no-referrer,
 * Cross-Origin-Resource-Policy: same-origin, Cache-Control: no-store and a Content-Security-Policy
 * that allows nothing; http_response_header replaces the latter two.
 */
#ifndef LSYS_NET_HTTP_REQUEST_H
#define LSYS_NET_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "net/address.h"

struct http_request;

/* ---- the request; results are valid until it is answered ---- */

/* "GET", "POST" ...; "HEAD" also reaches handlers of GET, which need not care. */
const char *http_request_method(const struct http_request *request);

/* The path as sent, without the query: for logs. */
struct bytes http_request_path(const struct http_request *request);

/* The decoded value of `{name}` in the route's pattern; it holds no '/' (but for `{name*}`), no
 * control characters, is never "." or "..", and may be invalid UTF-8. Asking for a name the pattern
 * does not have is a programming error. */
const char *http_request_path_value(struct http_request *request, const char *name);

/* The decoded value of the first query parameter of that name ("" if it has no '='), or NULL. */
const char *http_request_parameter(const struct http_request *request, const char *name);

/* The value of the first header field of that name, or data NULL. */
struct bytes http_request_header(const struct http_request *request, const char *name);

/* The whole body; empty if there was none. */
struct bytes http_request_body(const struct http_request *request);

/* Where it came from. */
const struct address *http_request_peer(const struct http_request *request);

/* True when it came over loopback or a unix socket. */
bool http_request_is_local(const struct http_request *request);

/* SHA-256 of the certificate that the client has proven to own in TLS; NULL when it has none. 32
 * bytes, valid during the request. */
const uint8_t *http_request_peer_fingerprint(const struct http_request *request);

/* True when a browser says that a page caused it (Origin or Sec-Fetch-Site is there). */
bool http_request_is_from_page(const struct http_request *request);

/* The token of `Authorization: Bearer ...` (RFC 6750), or data NULL. Compare in constant time. */
struct bytes http_request_bearer_token(const struct http_request *request);

/* ---- answering later ---- */

/* Says that the answer comes later, by the same functions. If the client goes away first, or the
 * server closes, `on_gone` is called and the request is invalid from then on. The owner sets its
 * own deadline. */
void http_request_defer(struct http_request *request, void (*on_gone)(void *context),
                        void *context);

/* ---- the answer ---- */

/* Adds a header field to the coming answer, or replaces Cache-Control or Content-Security-Policy.
 * Name and value are copied (at most 4 KiB together; what is over is left out); control characters
 * in the value become '?'. */
void http_response_header(struct http_request *request, const char *name, const char *value);

/* Sets the Content-Security-Policy for our own HTML: everything from this server only, no inline
 * script, no frames. */
void http_response_allow_page(struct http_request *request);

/* Answers. `content_type` may be NULL without a body (204). The body is copied. */
void http_respond(struct http_request *request, int status, const char *content_type,
                  struct bytes body);

/* Answers with a problem document (RFC 9457, application/problem+json): `code` is the stable name
 * for programs, `title` a constant sentence, `detail` the particular one (may be NULL). Texts are
 * escaped; invalid UTF-8 is replaced. */
void http_respond_problem(struct http_request *request, int status, const char *code,
                          const char *title, const char *detail, ...) PRINTF_LIKE(5, 6);

/* Answers 200 with a static asset, or 304 if the client's If-None-Match names `etag` (with quotes).
 * The client may keep it but asks every time. HTML gets the policy of http_response_allow_page. */
void http_respond_asset(struct http_request *request, const char *content_type, const char *etag,
                        struct bytes body);

#endif
