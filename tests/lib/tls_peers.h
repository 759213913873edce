/*
 * Certificates in PEM that are valid now, and TLS contexts of them, for tests of TLS.
 */
#ifndef LSYS_TESTS_LIB_TLS_PEERS_H
#define LSYS_TESTS_LIB_TLS_PEERS_H

#include "base/buffer.h"
#include "net/tls_context.h"
#include "tests/lib/pki.h"

/* A certificate and its key. */
struct tls_pem {
    struct buffer certificate;
    struct buffer key;
};

/* Who takes part. Servers' certificates are for edge-7, localhost, 127.0.0.1 and ::1. */
enum tls_role {
    TLS_SERVER,
    TLS_SERVER_OTHER_NAME, /* for edge-8 */
    TLS_SERVER_EXPIRED,    /* yesterday */
    TLS_SERVER_FUTURE,     /* from tomorrow on */
    TLS_SERVER_STRANGER,   /* of another CA */
    TLS_CLIENT,            /* clientAuth only */
    TLS_CLIENT_EXPIRED,
    TLS_CLIENT_STRANGER,
    TLS_ROLES
};

struct tls_peers {
    struct buffer ca;       /* of all but strangers */
    struct buffer stranger; /* of strangers */
    struct tls_pem pems[TLS_ROLES];
    uint8_t server_pin[32]; /* of TLS_SERVER's key */
};

/* Makes all certificates. */
void tls_peers_make(struct tls_peers *peers);
void tls_peers_free(struct tls_peers *peers);

/* One of them as contexts want it. */
struct tls_identity tls_peers_identity(const struct tls_peers *peers, enum tls_role role);

/* A server that shows this certificate; clients' certificates as told, of the deployment's CA. */
struct tls_server_context *tls_peers_server(const struct tls_peers *peers, enum tls_role role,
                                            enum tls_client_certificates clients);

/* A client that trusts the deployment's CA and has a certificate, or TLS_ROLES for none. */
struct tls_client_context *tls_peers_client(const struct tls_peers *peers, enum tls_role role);

#endif
