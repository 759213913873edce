/*
 * Which proxy a call to a server goes through: the rows proxy and proxy_file, else the environment
 * that curl knows.
 *
 *     | master   | asked in this order                                                       |
 *     |----------|---------------------------------------------------------------------------|
 *     | any      | --proxy (`none`: no proxy), --proxy-file                                  |
 *     | https    | https_proxy, HTTPS_PROXY                                                  |
 *     | http     | http_proxy, HTTP_PROXY (not in a CGI program, where a request's header    |
 *     |          | "Proxy" would set it)                                                     |
 *
 * No proxy is asked for hosts in no_proxy (NO_PROXY), nor, unless it is named by a flag or file of
 * ours, for this machine itself. Credentials are in the URL, and so never in a flag.
 */
#ifndef LSYS_APP_OUTBOUND_PROXY_H
#define LSYS_APP_OUTBOUND_PROXY_H

#include <stdbool.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"
#include "net/http_proxy.h"
#include "net/url.h"

/* A file with the URL of a proxy. */
#define OUTBOUND_PROXY_BYTES_MAX URL_BYTES_MAX

/* The rows proxy and proxy_file, for a command's shared tables. */
extern const struct option outbound_proxy_options[];

/* Chooses for a call to `target` (http, https, ws, wss). `*used` tells whether there is one, which
 * is then in `out`, to be wiped. STATUS_CONFIG for a URL that is none, without a word of it: it may
 * hold a password; the errors of options_secret. */
bool outbound_proxy_choose(const struct options *options, const struct url *target,
                           struct http_proxy *out, bool *used, struct status *status) MUST_CHECK;

/* True when `host` is in a list as NO_PROXY holds one: names (and all below them, with or without a
 * leading dot), IP addresses, networks as 10.0.0.0/8, or "*", separated by commas or blanks. */
bool outbound_proxy_is_exempt(const char *no_proxy, const char *host);

#endif
