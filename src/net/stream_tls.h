/*
 * TLS on a stream. From one of these calls on, what the owner writes and reads is encrypted on the
 * wire; what was written before goes out in plain text (a protocol like NATS greets in plain text
 * first). The handshake happens by itself, written bytes wait for it, and a failure of it is why
 * the stream closes: STATUS_TLS, or what net/tls_engine.h says of certificates, or STATUS_TIMEOUT.
 *
 * The handshakes of all streams take turns on the loop (loop_schedule_costly), so that a flood of
 * them slows down handshakes and not those who are connected.
 *
 * TLS 1.2 has no half-open connections: when the peer sends close_notify on_end comes, and nothing
 * can be sent any more. A peer whose connection ends without close_notify was cut off, and the
 * stream closes with STATUS_TLS. The connection's memory, some 40 KiB, is there from the call on.
 */
#ifndef LSYS_NET_STREAM_TLS_H
#define LSYS_NET_STREAM_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/stream.h"
#include "net/tls_context.h"

/* A handshake takes 4 ms and three ways there and back; a server must not keep the slow for
 * long. */
#define STREAM_TLS_HANDSHAKE_MS 10000

/* The stream is the server's side. Before stream_start or after, once, and before any byte of TLS
 * was read. */
void stream_tls_accept(struct stream *stream, struct tls_server_context *context);

/* The stream is the client's side, and the server's certificate must be for `host` (copied); with
 * `port` it tells whose session can be resumed. If the context has to read the system's CAs first,
 * that happens on a worker thread. */
void stream_tls_connect(struct stream *stream, struct tls_client_context *context, const char *host,
                        uint16_t port);

/* True from one of these calls on. */
bool stream_is_tls(const struct stream *stream);

/* True when the handshake is over and TLS has not ended: the peer is one that the context lets
 * in. */
bool stream_tls_is_open(const struct stream *stream);

/* SHA-256 of the certificate that the peer has proven to own; NULL when there is none, or the
 * handshake is not over. 32 bytes, valid as long as the stream. */
const uint8_t *stream_peer_fingerprint(const struct stream *stream);

#endif
