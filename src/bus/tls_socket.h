/*
 * TLS over a connected socket as a thread without a loop wants it: a handshake that ends in time,
 * and reads and writes that never wait. nats.c reads on one thread while others write; so reading
 * and writing have a lock each, and the engine a third, which is never held during a system call.
 *
 * The descriptor stays its owner's: it is neither made non-blocking nor closed, and not touched by
 * freeing.
 */
#ifndef LSYS_BUS_TLS_SOCKET_H
#define LSYS_BUS_TLS_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/tls_engine.h"

struct tls_socket;

/* Makes the client's side. Loads the context if it is not: up to 50 ms. NULL with the errors of
 * tls_client_context_load and tls_engine_create_client. */
struct tls_socket *tls_socket_create(struct tls_client_context *context, int descriptor,
                                     const struct tls_target *target,
                                     struct status *status) MUST_CHECK;

/* Frees it. Nobody may be inside of a call. NULL is accepted. */
void tls_socket_free(struct tls_socket *tls);

/* Shakes hands; returns after at most `limit_ms`, also on a blocking socket. Before any other call.
 * False with STATUS_TIMEOUT, STATUS_UNAVAILABLE (the peer went away), or what tls_engine_failure
 * says. */
bool tls_socket_handshake(struct tls_socket *tls, int64_t limit_ms,
                          struct status *status) MUST_CHECK;

/* The certificate that the handshake was refused for, DER; empty when it was not. */
struct bytes tls_socket_refused_certificate(const struct tls_socket *tls);

/* What a read or write gives apart from a count. */
#define TLS_SOCKET_AGAIN  (-1) /* nothing can be done before the socket is ready */
#define TLS_SOCKET_FAILED (-2) /* the connection is over: `status` says why */

/* Reads what there is, without waiting. Returns the count, 0 when the peer has ended the
 * connection, or one of the above. Takes exactly whole records off the socket as far as they have
 * come, so that poll() tells truly whether there is more, provided that `room` is at least
 * TLS_RECORD_BYTES_MAX. */
ssize_t tls_socket_read(struct tls_socket *tls, void *out, size_t room, struct status *status);

/* Writes without waiting. Returns how many bytes the kernel has taken with their records, or one of
 * the above. Bytes that are encrypted but not yet with the kernel count later: the next call must
 * begin with the same bytes again, wherever they now lie and however many follow, as with a
 * socket. */
ssize_t tls_socket_write(struct tls_socket *tls, const void *bytes, size_t length,
                         struct status *status);

#endif
