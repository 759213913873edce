/*
 * HTTP/1.1 requests from bytes, without any I/O: RFC 9112 as strictly as a server may be, because
 * what a proxy before us and we read differently is how requests are smuggled. llhttp in strict
 * mode does the grammar; on top of it this refuses bare LF or CR, NUL and other control characters,
 * folded lines, missing, repeated or invalid Host, any repeated or mixed length, a
 * Transfer-Encoding other than exactly `chunked` or in HTTP/1.0, chunk extensions, trailers,
 * HTTP/0.9 and HTTP/2.0 request lines, unknown methods and CONNECT, and targets that are not an
 * absolute path (`*` for OPTIONS, and an absolute http URL whose host equals Host, are accepted
 * too).
 */
#ifndef LSYS_NET_HTTP_PARSER_H
#define LSYS_NET_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "net/http_limits.h"

struct http_parser;

struct http_field {
    struct bytes name;  /* as sent; compare without case */
    struct bytes value; /* without blanks around it */
};

/* One request; the ranges point into the parser and are valid until http_parser_next. */
struct http_head {
    struct bytes method;    /* "GET"; methods are case-sensitive */
    struct bytes target;    /* as sent: begins with '/', or is "*" */
    struct bytes host;      /* value of Host, with port; empty if HTTP/1.0 sent none */
    bool host_is_unchanged; /* the request before on this connection had the same */
    int minor_version;      /* 0 or 1 */
    bool keep_alive;        /* the client allows another request on this connection */
    bool expects_continue;
    bool has_body;               /* a length above 0 or chunks were announced */
    size_t content_length_bytes; /* announced length; 0 for chunks */
    const struct http_field *fields;
    size_t field_count;
};

enum http_parser_state {
    HTTP_PARSER_HEAD,   /* wants bytes of a head */
    HTTP_PARSER_READY,  /* the head is complete; the caller looks at it and calls accept_body */
    HTTP_PARSER_BODY,   /* wants bytes of the body */
    HTTP_PARSER_DONE,   /* the request is complete; bytes behind it were not consumed */
    HTTP_PARSER_FAILED, /* refused; answer with the failure and close */
};

/* Why a request was refused. */
struct http_failure {
    int status;         /* 400, 413, 414, 417, 431, 501 or 505 */
    const char *code;   /* stable, for problem documents: "bad_request", "header_too_large" ... */
    const char *detail; /* a sentence for people */
};

/* Makes a parser that waits for the first request. */
struct http_parser *http_parser_create(void);

/* Frees it; NULL is accepted. */
void http_parser_free(struct http_parser *parser);

/* Takes bytes; returns how many were consumed, all of them unless the state became READY, DONE or
 * FAILED. In these states nothing is consumed. */
size_t http_parser_feed(struct http_parser *parser, struct bytes bytes);

enum http_parser_state http_parser_state(const struct http_parser *parser);

/* True when bytes of an unfinished head have arrived: tells a slow client from an idle one. */
bool http_parser_is_inside_head(const struct http_parser *parser);

/* In READY: the head. Also in BODY and DONE. */
const struct http_head *http_parser_head(const struct http_parser *parser);

/* Goes on from READY: to BODY, to DONE when there is none, or to FAILED (413) when a larger one
 * than `limit_bytes` was announced. Chunks that add up to more fail later. */
void http_parser_accept_body(struct http_parser *parser, size_t limit_bytes);

/* In DONE: the body. */
struct bytes http_parser_body(const struct http_parser *parser);

/* In FAILED: why. */
const struct http_failure *http_parser_failure(const struct http_parser *parser);

/* Goes on from DONE to HEAD, for the next request on the connection; releases large memory. */
void http_parser_next(struct http_parser *parser);

/* The value of the first field with this name (any case), or data NULL. */
struct bytes http_fields_find(const struct http_field *fields, size_t count, const char *name);

/* Appends the fields as a message holds them. False when a name is no token or a value holds a
 * control character; then `out` holds only those before it. */
bool http_fields_append(const struct http_field *fields, size_t count, struct buffer *out);

/* True when a and b are equal as HTTP compares names: ASCII letters without case. Here, because
 * every field is compared with many names, of which few have its length. */
static inline bool http_names_equal(struct bytes a, const char *b) {
    return a.length == strlen(b) && strncasecmp((const char *)a.data, b, a.length) == 0;
}

#endif
