/*
 * The HTTP half of WebSocket (RFC 6455, section 4), both sides, without I/O: what a request for an
 * upgrade must look like, and the answer to it. No extensions are spoken.
 */
#ifndef LSYS_NET_WEBSOCKET_HANDSHAKE_H
#define LSYS_NET_WEBSOCKET_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/http_client.h"
#include "net/http_parser.h"

/* Sec-WebSocket-Key: 16 random bytes in base64, and a NUL. */
#define WEBSOCKET_KEY_TEXT_BYTES 25

/* Sec-WebSocket-Accept: a SHA-1 digest in base64, and a NUL. */
#define WEBSOCKET_ACCEPT_TEXT_BYTES 29

/* A fresh key for a client's request. */
void websocket_make_key(char out[WEBSOCKET_KEY_TEXT_BYTES]);

/* The answer to a key. */
void websocket_make_accept(struct bytes key, char out[WEBSOCKET_ACCEPT_TEXT_BYTES]);

/* Checks a request to a server (RFC 6455, 4.2.1): a GET of HTTP/1.1 that asks for websocket,
 * version 13, with one well-formed key. False with 426 (it is another kind of request, or another
 * version, which both want the fields of a 426) or 400. */
bool websocket_check_request(const struct http_head *head, struct http_failure *failure);

/* The first of `spoken` (in the server's order, NULL-terminated, may be NULL) that the client
 * offers in Sec-WebSocket-Protocol; NULL when there is none. */
const char *websocket_choose_protocol(const struct http_head *head, const char *const *spoken);

/* Checks a server's answer (RFC 6455, 4.1) to a request with that key and these protocols
 * (NULL-terminated, may be NULL). `*protocol` is the one of them that the server chose, or NULL.
 * STATUS_UNAUTHORIZED (401), STATUS_FORBIDDEN (403), STATUS_UNAVAILABLE (another status) or
 * STATUS_PROTOCOL. */
bool websocket_check_response(const struct http_response *response, const char *key,
                              const char *const *offered, const char **protocol,
                              struct status *status) MUST_CHECK;

#endif
