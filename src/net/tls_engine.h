/*
 * One TLS connection without a socket: bytes from the peer go in and plaintext comes out, plaintext
 * goes in and bytes for the peer come out. It never waits and never calls back; whoever owns it
 * moves the bytes, on the loop (net/stream.h) or on a thread of its own (src/bus).
 *
 *        peer --> tls_engine_take                    tls_engine_plaintext --> application
 *        peer <-- tls_engine_output                  tls_engine_write     <-- application
 *
 * The rule of the pump: after any call look at tls_engine_output and send it; as long as there is
 * output or plaintext, tls_engine_take and tls_engine_write may take less than they were given.
 *
 *     HANDSHAKING ---> OPEN ---> CLOSED     close_notify was exchanged
 *          '------------'------> FAILED     tls_engine_failure says why
 *
 * An engine has its two buffers inside, 33 KiB in all, and at most X509_ENGINE_CHAIN_BYTES_MAX of
 * certificates during the handshake. It is not for two threads at once.
 */
#ifndef LSYS_NET_TLS_ENGINE_H
#define LSYS_NET_TLS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/tls_context.h"

/* Longest host name that SNI carries (RFC 1035). */
#define TLS_SERVER_NAME_BYTES_MAX 253

/* Most plaintext of one record (RFC 5246, section 6.2.1). */
#define TLS_RECORD_BYTES_MAX 16384

struct tls_engine;

enum tls_state { TLS_HANDSHAKING, TLS_OPEN, TLS_CLOSED, TLS_FAILED };

/* A server's side. The context is held as long as the engine lives. NULL when there is no
 * memory. */
struct tls_engine *tls_engine_create_server(struct tls_server_context *context);

/* Whom a client wants to talk to. */
struct tls_target {
    const char *host; /* whom the certificate must be for: a name, or an address, in brackets */
                      /* or not */
    const char *server_name; /* what is asked for (SNI), NULL: the same; an address is not sent */
    uint16_t port;           /* tells servers of one host apart when sessions are resumed */
};

/* A client's side, whose handshake begins by itself: its first message is in tls_engine_output. It
 * resumes the session that the context remembers of this target, if it may. The context must be
 * loaded; `target` is copied. NULL with STATUS_USAGE (a name that is empty or too long) or
 * STATUS_NO_MEMORY. */
struct tls_engine *tls_engine_create_client(struct tls_client_context *context,
                                            const struct tls_target *target,
                                            struct status *status) MUST_CHECK;

/* Overwrites and frees. NULL is accepted. */
void tls_engine_free(struct tls_engine *engine);

enum tls_state tls_engine_state(const struct tls_engine *engine);

/* Why the connection failed: STATUS_TLS, or for certificates what x509_chain_verify says. STATUS_OK
 * unless FAILED. */
const struct status *tls_engine_failure(const struct tls_engine *engine);

/* Takes bytes that came from the peer; returns how many. Fewer than given when plaintext or output
 * has to be taken away first, or the connection is over. In a handshake this is what costs: up to
 * about 2 ms. */
size_t tls_engine_take(struct tls_engine *engine, const void *bytes, size_t length);

/* Bytes to be sent to the peer now, possibly none; valid until the next call. Also after a failure:
 * the alert that tells the peer. */
struct bytes tls_engine_output(struct tls_engine *engine);
void tls_engine_output_sent(struct tls_engine *engine, size_t length);

/* Plaintext that came, possibly none; valid until the next call. */
struct bytes tls_engine_plaintext(struct tls_engine *engine);
void tls_engine_plaintext_used(struct tls_engine *engine, size_t length);

/* Takes plaintext to be sent; returns how much: none during the handshake. A record goes out when
 * it is full or tls_engine_flush is called. */
size_t tls_engine_write(struct tls_engine *engine, const void *bytes, size_t length);
void tls_engine_flush(struct tls_engine *engine);

/* Ends in order: puts close_notify behind what was written. Nothing is taken or given any more
 * afterwards but output. Only an OPEN connection has something to end; harmless otherwise. */
void tls_engine_close(struct tls_engine *engine);

/* How many bytes the peer is to send next, at most, for a record to be complete: whoever reads
 * exactly this much takes nothing that belongs to the next record. 0 when the engine takes none
 * now. */
size_t tls_engine_wanted(struct tls_engine *engine);

/* The peer's own certificate (DER) when the connection FAILED because of its chain, else empty;
 * lives as long as the engine. */
struct bytes tls_engine_refused_certificate(const struct tls_engine *engine);

/* SHA-256 of the peer's certificate, once OPEN; NULL when it sent none. Of a resumed session it is
 * the one that was verified when the session began. */
const uint8_t *tls_engine_peer_fingerprint(const struct tls_engine *engine);

/* True when the connection is OPEN and goes on with a session that was remembered: a client's. */
bool tls_engine_is_resumed(const struct tls_engine *engine);

#endif
