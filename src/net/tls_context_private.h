/*
 * What contexts hold, for the files of net's TLS only.
 */
#ifndef LSYS_NET_TLS_CONTEXT_PRIVATE_H
#define LSYS_NET_TLS_CONTEXT_PRIVATE_H

#include <bearssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/tls_context.h"
#include "net/tls_trust.h"
#include "verifier/x509_bearssl.h"

/* BearSSL's size of one remembered session. */
#define TLS_SESSION_BYTES 100

/* An identity, and how BearSSL wants it. */
struct tls_key_pair {
    struct x509_identity *identity;
    const br_x509_certificate *chain; /* borrowed from the identity */
    size_t chain_count;
    bool is_rsa;
    br_ec_private_key ec;
    br_rsa_private_key rsa;
};

/* Reads one. Errors as x509_identity_read_pem. */
bool tls_key_pair_read(struct tls_key_pair *pair, const struct tls_identity *identity,
                       struct status *status) MUST_CHECK;
void tls_key_pair_free(struct tls_key_pair *pair);

/* What a reload replaces. Never changes; connections hold the one that they began with. */
struct tls_credentials {
    atomic_uint references;
    struct tls_key_pair pairs[TLS_IDENTITIES_MAX];
    size_t count;
    enum tls_client_certificates client_certificates;
    struct x509_trust *client_trust; /* NULL when clients are not asked */
};

void tls_credentials_release(struct tls_credentials *credentials);

struct tls_server_context {
    atomic_uint references;
    struct tls_credentials *credentials;
    const char *protocol;
    br_ssl_session_cache_lru sessions;
    uint8_t session_store[TLS_SESSIONS_MAX * TLS_SESSION_BYTES];
};

struct tls_client_context {
    atomic_uint references;
    pthread_mutex_t loading; /* held while the system's CAs are read */
    pthread_mutex_t guard;   /* for `trust`, held for moments only */
    struct tls_trust *trust; /* NULL before the system's CAs are first read */
    struct tls_key_pair pair;
    bool has_pair;
    uint8_t pins[TLS_PINS_MAX][SHA256_BYTES];
    size_t pin_count;
    const char *protocol;
};

/* Whom the client trusts now, to be released by the caller; NULL when nothing was loaded yet. */
struct tls_trust *tls_client_context_trust(struct tls_client_context *context);

#endif
