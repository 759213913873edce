/*
 * Strict reading of http-like URLs (RFC 3986), for addresses that operators or remote parties give.
 * What is accepted is smaller than the RFC: no user information, no fragment, no relative form,
 * ASCII only. The caller says which schemes it will follow, so that `file:` and the like never get
 * further.
 */
#ifndef LSYS_NET_URL_H
#define LSYS_NET_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/address.h"

/* Longer ones serve no purpose of ours. */
#define URL_BYTES_MAX    2048
#define URL_SCHEME_BYTES 12

struct url {
    char scheme[URL_SCHEME_BYTES];  /* in lower case */
    char host[ADDRESS_HOST_BYTES];  /* in lower case, an IPv6 literal without brackets */
    uint16_t port;                  /* the scheme's own when none is given */
    char target[URL_BYTES_MAX + 1]; /* path and query, as they go on the wire; at least "/" */
};

struct url_scheme {
    const char *name; /* in lower case */
    uint16_t default_port;
};

/* http with 80 and https with 443, ended by an empty row. */
extern const struct url_scheme url_web_schemes[];

/* Reads a URL. `schemes` ends with a row whose name is NULL. STATUS_MALFORMED says what is wrong;
 * STATUS_FORBIDDEN for a scheme that is not in the list. */
bool url_parse(struct bytes text, const struct url_scheme *schemes, struct url *out,
               struct status *status) MUST_CHECK;

/* The host and port to connect to. */
void url_address(const struct url *url, struct address *out);

/* Writes the value of the Host field: the host, in brackets if IPv6, and the port unless
 * default. */
void url_host_field(const struct url *url, char out[ADDRESS_TEXT_BYTES]);

/* Decodes %XX in `text`. STATUS_MALFORMED for an incomplete escape and for NUL; `out` is appended
 * to. With `plus_is_space` as in query strings. */
bool url_percent_decode(struct bytes text, bool plus_is_space, struct buffer *out,
                        struct status *status) MUST_CHECK;

#endif
