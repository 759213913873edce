/*
 * Accepts connections on a TCP port or a unix socket. When the process runs out of descriptors it
 * stops accepting and tries again every LISTENER_RETRY_MS; the last few descriptors are left to
 * files, so that a flood of connections cannot keep a role from reading its license.
 */
#ifndef LSYS_NET_LISTENER_H
#define LSYS_NET_LISTENER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/status.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/stream.h"
#include "net/tls_context.h"

/* Connections that the kernel completes before we accept them; the kernel caps it (somaxconn). */
#define LISTENER_BACKLOG 1024

/* Accepted in one turn of the loop, so that a flood of connects does not starve those connected. */
#define LISTENER_ACCEPTS_PER_TURN 32

/* After descriptors ran out: long enough not to spin, short enough for a person not to notice. */
#define LISTENER_RETRY_MS 100

/* Descriptors that connections may not use: files of configuration, license, store, children. */
#define LISTENER_RESERVED_DESCRIPTORS 16

/* How many connections to hold when `wanted` would be fine: half of the process's descriptors at
 * most, for the other half is for the bus, the store and other listeners. */
size_t listener_limit_connections(size_t wanted);

struct listener;

struct listener_handlers {
    /* A connection. The callee owns it now: stream_start or stream_close. */
    void (*on_accept)(void *context, struct stream *stream);

    /* Accepting stopped for want of descriptors; called once for each such time. May be NULL. */
    void (*on_exhausted)(void *context, const struct status *status);
};

/* Listens. TCP hosts must be IP literals or "localhost" (127.0.0.1); port 0 takes a free one; [::]
 * means IPv6 only. A unix socket file is made with mode `unix_mode`; one left over is replaced only
 * when nobody listens on it, any other file at that place is left alone. Errors: STATUS_BUSY
 * (taken: the text names the address), STATUS_PERMISSION, STATUS_USAGE (a host name),
 * STATUS_NOT_FOUND (no such local address), STATUS_IO. */
struct listener *listener_open(struct loop *loop, const struct address *address, mode_t unix_mode,
                               const struct listener_handlers *handlers, void *context,
                               struct status *status) MUST_CHECK;

/* From now on streams are handed over as the server's side of TLS (stream_tls_accept). The context
 * is held until the listener is closed. */
void listener_use_tls(struct listener *listener, struct tls_server_context *context);

/* The address in use: with port 0 the real port is filled in. Valid as long as the listener. */
const struct address *listener_address(const struct listener *listener);

/* Stops accepting and frees it; removes the unix socket file if it is still ours. Streams that were
 * accepted are not touched. */
void listener_close(struct listener *listener);

#endif
