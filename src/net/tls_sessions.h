/*
 * The sessions that a client remembers, so that its next connection to the same server is resumed
 * (RFC 5246, section 7.3): without certificates, signatures and key exchange. A resumed handshake
 * proves that the peer is the one that was verified then, and nothing is verified again. So what
 * the verification rested on is kept with a session: it ends with the first certificate of its
 * path, and lies with the CAs that it was believed for (net/tls_trust.h), under the name, the
 * address and the port that were asked for. Pins and our own certificate are the same for all
 * connections of a context. Bounded; used by several threads. For the files of net's TLS only.
 */
#ifndef LSYS_NET_TLS_SESSIONS_H
#define LSYS_NET_TLS_SESSIONS_H

#include <bearssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "verifier/sha256.h"

/* Servers that are remembered, the least recently used goes first: a role of ours talks to a
 * handful. */
#define TLS_CLIENT_SESSIONS_MAX 32

/* A session is used for an hour at most, so that whoever got hold of its secret, or of a key that
 * the server has replaced since, does not profit for longer. RFC 5246, appendix F.1.4, allows 24. */
#define TLS_SESSION_AGE_MAX_MS INT64_C(3600000)

struct tls_session {
    br_ssl_session_parameters parameters;
    uint8_t peer_fingerprint[SHA256_BYTES]; /* of the certificate that was verified */
    int64_t not_before_ms;                  /* wall time in which its chain is valid */
    int64_t not_after_ms;
};

struct tls_sessions;

/* An empty set, owned by the caller. */
struct tls_sessions *tls_sessions_new(void);

/* Overwrites the secrets and frees. NULL is accepted. */
void tls_sessions_free(struct tls_sessions *sessions);

/* Finds what is remembered under `key`, a text. False when there is nothing that can be used at
 * this time. The caller overwrites `*out` after use. */
bool tls_sessions_find(struct tls_sessions *sessions, const char *key, int64_t wall_ms,
                       int64_t monotonic_ms, struct tls_session *out);

/* Remembers a session (copied) in place of the one that may be there. */
void tls_sessions_keep(struct tls_sessions *sessions, const char *key,
                       const struct tls_session *session, int64_t monotonic_ms);

/* Forgets it, as RFC 5246, section 7.2.2, demands after a failure. */
void tls_sessions_forget(struct tls_sessions *sessions, const char *key);

#endif
