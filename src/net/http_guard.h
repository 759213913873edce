/*
 * Whether a request may be answered at all: is it meant for this server (against DNS rebinding),
 * and does it come from a page of this server or from no page at all (against cross-site requests).
 * No I/O.
 */
#ifndef LSYS_NET_HTTP_GUARD_H
#define LSYS_NET_HTTP_GUARD_H

#include <stdbool.h>

#include "net/http_parser.h"

/* True when the Host field names this server: an IP literal, localhost or a name below .localhost,
 * or one of `allowed` (NULL-terminated, may be NULL, without ports; "*" allows any). A page that an
 * attacker's name server points at us carries the attacker's name. Without Host (HTTP/1.0): true,
 * no browser does that. */
bool http_guard_host_is_allowed(struct bytes host, const char *const *allowed);

/* True when a browser's page caused the request: Origin or Sec-Fetch-Site is there. */
bool http_guard_is_from_page(const struct http_head *head);

/* True when a person went to this server's page, by a link of another site perhaps, and the browser
 * shows the answer as the page (Fetch Metadata: a navigation whose destination is a document, not a
 * frame in somebody's page). */
bool http_guard_is_visit(const struct http_head *head);

/* True when all Origin fields, of which there is at least one, are among `allowed` (as browsers
 * write them: "https://chat.example"; NULL-terminated, may be NULL; "*" allows any). */
bool http_guard_origin_is_listed(const struct http_head *head, const char *const *allowed);

/* True when no page caused the request, or a page of this very server (scheme http or https, host
 * and port as in Host). */
bool http_guard_origin_is_allowed(const struct http_head *head);

#endif
