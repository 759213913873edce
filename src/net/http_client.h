/*
 * HTTP/1.1 calls from the loop: one connection a call, a deadline, a bounded response, no redirects
 * followed (3xx is a response like any other). The body can also be had piece by piece, to follow
 * server-sent events.
 */
#ifndef LSYS_NET_HTTP_CLIENT_H
#define LSYS_NET_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "loop/loop.h"
#include "net/http_parser.h"
#include "net/http_proxy.h"
#include "net/tls_context.h"
#include "net/url.h"

/* Status line and fields of a response; over it the call fails with STATUS_TOO_LARGE. */
#define HTTP_RESPONSE_HEAD_BYTES_MAX 16384

struct http_call;

struct http_response {
    int status; /* 200 to 599; 1xx are skipped */
    const struct http_field *fields;
    size_t field_count;
    struct bytes body; /* whole, or empty if on_body took it */
};

struct http_call_options {
    const char *method;             /* "GET", "POST" ... */
    const struct url *url;          /* http, or https */
    struct tls_client_context *tls; /* for https: whom to trust; held during the call */
    const struct http_proxy
        *proxy;            /* between us and the URL's host, not with unix_path; NULL: none */
    const char *unix_path; /* connect to this socket instead of the URL's host; may be NULL */
    const struct http_field *fields; /* more header fields; may be NULL */
    size_t field_count;
    struct bytes body;           /* sent with Content-Length unless empty */
    int64_t timeout_ms;          /* for the whole call; with on_body until the head has come */
    int64_t silence_timeout_ms;  /* with on_body: longest pause between pieces; 0: no limit */
    size_t response_limit_bytes; /* of the body, or with on_body of nothing */

    /* The head has come, before any on_body. May be NULL. */
    void (*on_response)(void *context, const struct http_response *response);

    /* A piece of the body, valid during the call. NULL: the body is collected for on_done. */
    void (*on_body)(void *context, struct bytes piece);

    /* The call is over; always comes once, unless cancelled, and frees the call. `response` is NULL
     * if `status` is not OK: STATUS_TIMEOUT, STATUS_UNAVAILABLE (no connection), STATUS_NOT_FOUND
     * (no such name), STATUS_TOO_LARGE, STATUS_PROTOCOL (not HTTP, or cut short), and for https
     * what net/stream_tls.h says. What went wrong with a proxy names it; a 407 is no response. */
    void (*on_done)(void *context, const struct http_response *response,
                    const struct status *status);
    void *context;
};

/* Starts a call; everything in `options` is copied. NULL with STATUS_TLS (https without `tls`) or
 * STATUS_USAGE (control characters in a field, a unix path that is too long). */
struct http_call *http_call_start(struct loop *loop, const struct http_call_options *options,
                                  struct status *status) MUST_CHECK;

/* Gives up: no callback comes any more. Not to be called after on_done. May be called from
 * on_response and on_body. */
void http_call_cancel(struct http_call *call);

/* The value of the first field of that name, or data NULL. */
struct bytes http_response_field(const struct http_response *response, const char *name);

#endif
