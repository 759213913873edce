/*
 * Every limit of the HTTP server with its reason. The sizes are constants: nothing of ours needs
 * more. Times and counts can be set for each server, because operators and tests have reasons to.
 */
#ifndef LSYS_NET_HTTP_LIMITS_H
#define LSYS_NET_HTTP_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Request line and header fields together. Cookies and tokens of others fit; 8 KiB is what common
 * proxies allow by default. Over it: 431. */
#define HTTP_HEAD_BYTES_MAX 8192

/* Fields of one request; browsers send about 20. Over it: 431. */
#define HTTP_HEADER_COUNT_MAX 64

/* The request target within the head. Over it: 414. */
#define HTTP_TARGET_BYTES_MAX 4096

/* Query parameters of one request: no call of ours takes more than a few. Over it: 400. */
#define HTTP_PARAMETERS_MAX 16

/* Request body where a route does not say otherwise: a license with a long key ring is below 64
 * KiB. Over it: 413. */
#define HTTP_BODY_BYTES_DEFAULT 65536

/* Bytes of the next pipelined requests kept while one is being answered; then reading pauses. */
#define HTTP_PIPELINE_BYTES_MAX 16384

/* Unsent events of one listener of server-sent events; a reader this far behind is cut off and
 * comes back by itself. */
#define HTTP_EVENTS_PENDING_BYTES_MAX 262144

struct http_limits {
    size_t connections; /* at once, further ones get 503; also at most half the descriptors */
    size_t address_connections;  /* at once from one IP address */
    int64_t head_timeout_ms;     /* from the first byte (or the connect) to the end of the head */
    int64_t body_timeout_ms;     /* for the whole body: it is small, a slow sender is an attacker */
    int64_t idle_timeout_ms;     /* of a kept-alive connection between requests */
    int64_t write_timeout_ms;    /* without the client taking a byte of the response */
    int64_t events_keepalive_ms; /* a silent event stream gets a comment this often */
};

/* 512 connections (1,000 would cost 6 MB and serve nobody), 128 from one address (a NAT has many
 * browsers behind it), 10 s for the head and 10 s for the body (a slow phone needs 2), 60 s idle,
 * 20 s for writing; 15 s between signs of life, below the idle timeouts of common proxies. When all
 * connections are taken, the one that has had no whole request for longest makes room: silent and
 * slow ones cannot lock out those who ask, who are refused (503) only while all are answered. */
extern const struct http_limits http_limits_default;

#endif
