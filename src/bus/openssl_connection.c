/*
 * A TLS connection cannot be made in this version. nats.c gets as far as this only with a context, which
 * SSL_CTX_new never gives; each call fails all the same, and none reads or writes a descriptor.
 */
#include "bus/openssl.h"

struct openssl_connection *SSL_new(struct openssl_context *context) {
    (void)context;
    return NULL;
}

void SSL_free(struct openssl_connection *connection) {
    (void)connection;
}

long SSL_ctrl(struct openssl_connection *connection, int command, long number, void *pointer) {
    (void)connection;
    (void)command;
    (void)number;
    (void)pointer;
    return 0;
}

int SSL_do_handshake(struct openssl_connection *connection) {
    (void)connection;
    return -1;
}

int SSL_get_error(const struct openssl_connection *connection, int result) {
    (void)connection;
    (void)result;
    return OPENSSL_RESULT_FAILED;
}

void *SSL_get_ex_data(const struct openssl_connection *connection, int index) {
    (void)connection;
    (void)index;
    return NULL;
}

int SSL_get_ex_data_X509_STORE_CTX_idx(void) {
    return -1;
}

int SSL_read(struct openssl_connection *connection, void *out, int length) {
    (void)connection;
    (void)out;
    (void)length;
    return -1;
}

int SSL_set1_host(struct openssl_connection *connection, const char *host) {
    (void)connection;
    (void)host;
    return 0;
}

void SSL_set_connect_state(struct openssl_connection *connection) {
    (void)connection;
}

int SSL_set_ex_data(struct openssl_connection *connection, int index, void *data) {
    (void)connection;
    (void)index;
    (void)data;
    return 0;
}

int SSL_set_fd(struct openssl_connection *connection, int descriptor) {
    (void)connection;
    (void)descriptor;
    return 0;
}

void SSL_set_hostflags(struct openssl_connection *connection, unsigned int flags) {
    (void)connection;
    (void)flags;
}

void SSL_set_verify(struct openssl_connection *connection, int mode,
                    openssl_verify_callback *callback) {
    (void)connection;
    (void)mode;
    (void)callback;
}

int SSL_write(struct openssl_connection *connection, const void *bytes, int length) {
    (void)connection;
    (void)bytes;
    (void)length;
    return -1;
}
