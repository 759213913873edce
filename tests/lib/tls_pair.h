/*
 * A TLS client's engine and a server's, joined in memory, for unit tests; what goes wrong fails the
 * test.
 */
#ifndef LSYS_TESTS_LIB_TLS_PAIR_H
#define LSYS_TESTS_LIB_TLS_PAIR_H

#include "base/buffer.h"
#include "net/tls_engine.h"

/* Most plaintext that each may receive. */
#define TLS_PAIR_BYTES_MAX ((size_t)400000)

/* Two engines and what each received. */
struct tls_pair {
    struct tls_server_context *server_context;
    struct tls_client_context *client_context;
    struct tls_engine *server;
    struct tls_engine *client;
    size_t piece_bytes; /* how much is carried at once */
    struct buffer to_server;
    struct buffer to_client;
    uint8_t tampered;   /* this bit pattern is put on ... */
    size_t tampered_at; /* ... the n-th byte from now on to the server; SIZE_MAX: none */
};

/* Makes both; takes over one reference to each context. The client wants `host`, port 443. */
void tls_pair_begin(struct tls_pair *pair, struct tls_server_context *server,
                    struct tls_client_context *client, const char *host);
void tls_pair_end(struct tls_pair *pair);

/* Carries one piece; returns how many bytes moved. */
size_t tls_pair_carry(struct tls_pair *pair, struct tls_engine *from, struct tls_engine *to);

/* Moves bytes until nothing moves any more. */
void tls_pair_pump(struct tls_pair *pair);

/* Sends plaintext from one of the two to the other. */
void tls_pair_send(struct tls_pair *pair, struct tls_engine *from, const uint8_t *message,
                   size_t length);

/* Both are open. */
void tls_pair_assert_open(const struct tls_pair *pair);

/* It failed with this code, and the text says this. */
void tls_engine_assert_failed(const struct tls_engine *engine, enum status_code code,
                              const char *part);

#endif
