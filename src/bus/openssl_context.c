/*
 * A TLS configuration cannot be made in this version: nats.c asks for it first of all, gets NULL, and
 * reports the text of ERR_reason_error_string. Whatever is set on one is refused as well.
 */
#include "bus/openssl.h"

const struct openssl_method *TLS_client_method(void) {
    return NULL;
}

struct openssl_context *SSL_CTX_new(const struct openssl_method *method) {
    (void)method;
    return NULL;
}

void SSL_CTX_free(struct openssl_context *context) {
    (void)context;
}

long SSL_CTX_ctrl(struct openssl_context *context, int command, long number, void *pointer) {
    (void)context;
    (void)command;
    (void)number;
    (void)pointer;
    return 0;
}

struct openssl_store *SSL_CTX_get_cert_store(const struct openssl_context *context) {
    (void)context;
    return NULL;
}

int SSL_CTX_load_verify_locations(struct openssl_context *context, const char *file,
                                  const char *folder) {
    (void)context;
    (void)file;
    (void)folder;
    return 0;
}

int SSL_CTX_set_cipher_list(struct openssl_context *context, const char *list) {
    (void)context;
    (void)list;
    return 0;
}

int SSL_CTX_set_ciphersuites(struct openssl_context *context, const char *list) {
    (void)context;
    (void)list;
    return 0;
}

int SSL_CTX_set_default_verify_paths(struct openssl_context *context) {
    (void)context;
    return 0;
}

int SSL_CTX_use_PrivateKey(struct openssl_context *context, struct openssl_key *key) {
    (void)context;
    (void)key;
    return 0;
}

int SSL_CTX_use_PrivateKey_file(struct openssl_context *context, const char *file, int type) {
    (void)context;
    (void)file;
    (void)type;
    return 0;
}

int SSL_CTX_use_certificate(struct openssl_context *context,
                            struct openssl_certificate *certificate) {
    (void)context;
    (void)certificate;
    return 0;
}

int SSL_CTX_use_certificate_chain_file(struct openssl_context *context, const char *file) {
    (void)context;
    (void)file;
    return 0;
}
