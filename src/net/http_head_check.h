/*
 * What a server must refuse in a request's head although its grammar is fine (RFC 9112, 3.2, 6.1,
 * 6.3; RFC 9110, 10.1.1): everything about which a proxy before us could think otherwise.
 */
#ifndef LSYS_NET_HTTP_HEAD_CHECK_H
#define LSYS_NET_HTTP_HEAD_CHECK_H

#include <stdbool.h>

#include "net/http_parser.h"

/* Checks the start line before the grammar does, to answer 505 and 501 where these are due: three
 * parts, an HTTP/1.0 or HTTP/1.1 version, a method that is a token. */
bool http_check_start_line(struct bytes line, struct http_failure *failure);

/* Checks the parsed head and fills in what follows from its fields: host, lengths, expectation. An
 * absolute target is reduced to its path if it names the same host as Host. `known_host` is a value
 * of Host that was found fine before, or empty. */
bool http_check_head(struct http_head *head, struct bytes known_host, struct http_failure *failure);

/* True for a field name or method as RFC 9110, 5.6.2 (token) has it. */
bool http_is_token(struct bytes text);

#endif
