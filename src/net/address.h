/*
 * Socket addresses as people write them: `host:port`, `127.0.0.1:port`, `[::1]:port`, `unix:/path`.
 */
#ifndef LSYS_NET_ADDRESS_H
#define LSYS_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"

/* A DNS name has at most 253 characters (RFC 1035, 2.3.4); a unix path (sun_path) at most 107. */
#define ADDRESS_HOST_BYTES 256

/* "[" host "]:65535" and its NUL, or "unix:" and a path. */
#define ADDRESS_TEXT_BYTES (ADDRESS_HOST_BYTES + 10)

/* For address_parse: the text must name the port. */
#define ADDRESS_PORT_REQUIRED (-1)

enum address_kind { ADDRESS_TCP, ADDRESS_UNIX };

struct address {
    enum address_kind kind;
    uint16_t port;                 /* TCP; 0 asks for any free port when listening */
    char host[ADDRESS_HOST_BYTES]; /* TCP: name or IP literal without brackets; unix: the path */
};

/* Reads an address. `default_port` stands in for a missing ":port", or is ADDRESS_PORT_REQUIRED. An
 * IPv6 literal needs brackets. STATUS_MALFORMED, with the text and what is wrong, for anything
 * else, an IPv6 zone and a unix path that is relative or too long included. */
bool address_parse(struct bytes text, int default_port, struct address *out,
                   struct status *status) MUST_CHECK;

/* Writes what address_parse reads. */
void address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES]);

/* True for 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104, the name "localhost" (and below ".localhost"),
 * and unix sockets: what only this machine can reach. */
bool address_is_loopback(const struct address *address);

/* True when `host` is an IPv4 or IPv6 literal, without brackets. */
bool address_is_ip_literal(const char *host);

/* Fills in a socket address if the host is an IP literal or the address a unix path; false for
 * names, which loop/resolver.h looks up. */
bool address_to_socket(const struct address *address, struct sockaddr_storage *out,
                       socklen_t *length_bytes);

/* The reverse; an unnamed unix peer becomes kind ADDRESS_UNIX with an empty path. */
void address_of_socket(const struct sockaddr_storage *socket_address, struct address *out);

#endif
