/*
 * What an engine is, for the three files that make and drive one: tls_engine.c, and the two that
 * begin a client's and a server's side.
 */
#ifndef LSYS_NET_TLS_ENGINE_PRIVATE_H
#define LSYS_NET_TLS_ENGINE_PRIVATE_H

#include <bearssl.h>

#include "net/tls_context_private.h"
#include "net/tls_engine.h"
#include "net/tls_policy.h"
#include "verifier/x509_engine.h"

/* A whole alert record: header, level, description. */
#define TLS_ALERT_RECORD_BYTES 7

/* An IPv6 address in brackets is shorter, so this is room for whatever can be verified. */
#define TLS_HOST_BYTES (TLS_SERVER_NAME_BYTES_MAX + 3)

struct tls_engine {
    union {
        br_ssl_engine_context common; /* the first member of both others */
        br_ssl_client_context client;
        br_ssl_server_context server;
    } ssl;
    struct tls_client_context *client_context; /* held; NULL in a server */
    struct tls_trust *trust;                   /* held; what a client began with */
    struct tls_server_context *server_context; /* held; NULL in a client */
    struct tls_credentials *credentials;       /* held; what a server began with */
    struct tls_policy policy;                  /* a server's */
    br_ec_impl curves;                         /* a server's */

    struct x509_policy x509_policy;
    struct x509_engine x509;
    bool has_x509; /* it is in use: there is something to free */
    char host[TLS_HOST_BYTES];
    const char *protocol;       /* ALPN, or NULL */
    char *session_key;          /* a client's: where it remembers the session */
    struct tls_session offered; /* what it wants to resume, if has_offer */
    bool has_offer;
    bool is_resumed;
    bool has_peer;
    uint8_t peer_fingerprint[SHA256_BYTES];

    enum tls_state state;
    struct status failure;
    bool has_input;     /* the first byte has come */
    bool is_mid_record; /* a part of a record was handed out, the rest was not */
    uint8_t alert[TLS_ALERT_RECORD_BYTES];
    size_t alert_start, alert_end;

    uint8_t input[BR_SSL_BUFSIZE_INPUT];
    uint8_t output[BR_SSL_BUFSIZE_OUTPUT];
};

/* ---- tls_engine.c ---- */

/* A new one whose fields are zero; NULL when there is no memory. */
struct tls_engine *tls_engine_allocate(void);

/* Settings of BearSSL's part, which has been zeroed: the peer's chain is judged by `x509_policy`,
 * ALPN says `protocol` (NULL: it is not spoken), the buffers are the engine's own. */
void tls_engine_use_x509(struct tls_engine *engine);
void tls_engine_set_protocol(struct tls_engine *engine, const char *protocol);
void tls_engine_set_buffers(struct tls_engine *engine);

/* Looks at what the last call of BearSSL did. */
void tls_engine_follow(struct tls_engine *engine);

/* ---- tls_engine_client.c ---- */

/* The handshake of a client is complete: remembers its session, or recognizes the one that it
 * resumes when no chain came (`verdict` NULL). False when neither is so, and nobody knows the peer. */
bool tls_engine_follow_session(struct tls_engine *engine, const struct x509_verdict *verdict);

#endif
