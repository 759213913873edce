/*
 * What TLS connections of one kind share: a server's certificates, keys and session cache; a
 * client's trusted CAs, its own certificate and the sessions that it can resume. Made once, from
 * PEM texts, and counted: a connection holds its context, so that releasing one that connections
 * still use is harmless.
 *
 * A server's certificates can be replaced while it runs: connections that there are go on
 * undisturbed, new ones get the new certificate. A server that asks clients for certificates does
 * not resume sessions, because resuming would not look at the certificate again.
 */
#ifndef LSYS_NET_TLS_CONTEXT_H
#define LSYS_NET_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/sha256.h"

/* Sessions that a server remembers, the least recently used goes first: 100 bytes each. */
#define TLS_SESSIONS_MAX 2048

/* Certificates of one server: one a host name it serves, or one a kind of key. */
#define TLS_IDENTITIES_MAX 8

/* Pinned keys of a client: the one in use, the next, and some to spare. */
#define TLS_PINS_MAX 8

/* ALPN's name for HTTP/1.1 (RFC 7301, section 6). */
#define TLS_PROTOCOL_HTTP "http/1.1"

/* ---- servers; used by one thread ---- */

struct tls_server_context;

/* A certificate chain, leaf first, and the private key of the leaf, both PEM. */
struct tls_identity {
    struct bytes certificates;
    struct bytes key; /* may be the same text */
};

enum tls_client_certificates {
    TLS_CLIENTS_UNASKED,  /* clients are not asked for a certificate */
    TLS_CLIENTS_OPTIONAL, /* one that comes must be good */
    TLS_CLIENTS_REQUIRED, /* nobody gets in without one */
};

/* Borrowed during the call. */
struct tls_server_options {
    const struct tls_identity *identities; /* the first is the one for clients that name no host, */
    size_t identity_count;                 /* or one that none is for; at least 1 */
    enum tls_client_certificates client_certificates;
    struct bytes client_ca; /* PEM: who issues clients' certificates, unless UNASKED */
    const char *protocol;   /* ALPN, a constant text; NULL: not spoken */
};

/* Makes a context; owned by the caller. NULL with the errors of x509_identity_read_pem and
 * x509_trust_add_pem, or STATUS_TOO_LARGE (too many identities). Expired certificates are taken:
 * ask tls_server_context_check_period. */
struct tls_server_context *tls_server_context_create(const struct tls_server_options *options,
                                                     struct status *status) MUST_CHECK;

/* Replaces everything, for connections to come; on failure (as above) nothing changes. */
bool tls_server_context_reload(struct tls_server_context *context,
                               const struct tls_server_options *options,
                               struct status *status) MUST_CHECK;

/* False with STATUS_EXPIRED or STATUS_NOT_YET_VALID unless all certificates are valid now. */
bool tls_server_context_check_period(const struct tls_server_context *context, int64_t now_ms,
                                     struct status *status) MUST_CHECK;

/* One more holder. */
struct tls_server_context *tls_server_context_retain(struct tls_server_context *context);

/* One holder less; the last frees it and overwrites the keys. NULL is accepted. */
void tls_server_context_release(struct tls_server_context *context);

/* ---- clients; may be used by several threads at once ---- */

struct tls_client_context;

/* Borrowed during the call. */
struct tls_client_options {
    struct bytes ca; /* PEM: whom to trust; data NULL: the system's CAs, read when first needed */
    struct tls_identity identity;        /* sent when the server asks; data NULL: none */
    const uint8_t (*pins)[SHA256_BYTES]; /* SHA-256 of the SubjectPublicKeyInfo (RFC 7469): the */
    size_t pin_count;     /* server's key must be one of them; 0: any; at most TLS_PINS_MAX */
    const char *protocol; /* ALPN, a constant text; NULL: not spoken */
};

/* Makes a context; owned by the caller. NULL with errors as for servers. Names are always verified:
 * there is no way not to. */
struct tls_client_context *tls_client_context_create(const struct tls_client_options *options,
                                                     struct status *status) MUST_CHECK;

/* True when nothing has to be read before a handshake: the CAs were given, or the system's were read
 * and their file is still the same. */
bool tls_client_context_is_loaded(struct tls_client_context *context);

/* Reads the system's CAs if it has to: 50 ms for the usual 144, so not on the loop thread. Any
 * number of threads may call it; each waits until it is done. False with STATUS_NOT_FOUND (this
 * machine has no bundle: the text says how to name one) or what x509_trust_add_pem says; the next
 * call tries again. */
bool tls_client_context_load(struct tls_client_context *context, struct status *status) MUST_CHECK;

/* One more holder. */
struct tls_client_context *tls_client_context_retain(struct tls_client_context *context);

/* One holder less; the last frees it and overwrites the key. NULL is accepted. */
void tls_client_context_release(struct tls_client_context *context);

#endif
