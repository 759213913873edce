/*
 * What the connections of one set of options share: PEM texts until the first connection is made, a
 * TLS context from then on.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "bus/openssl_private.h"
#include "codec/pem.h"
#include "verifier/x509_key.h"
#include "verifier/x509_trust.h"

/* A chain of our own certificates. */
#define CHAIN_BYTES_MAX ((size_t)262144)

/* SSL_FILETYPE_PEM, the one kind of file that is read. */
#define FILE_TYPE_PEM 1

/* TLS1_2_VERSION */
#define VERSION_TLS_1_2 0x0303

struct openssl_store {
    struct buffer ca; /* PEM; empty: the system's */
};

struct openssl_context {
    atomic_uint references;
    struct openssl_store store;
    struct buffer chain;               /* PEM, our own certificate first */
    struct buffer key;                 /* PEM */
    struct tls_client_context *client; /* NULL until the first connection, and after each change */
};

/* There is one method: the address says which. */
struct openssl_method {
    char is_client;
};

static const struct openssl_method client_method = {.is_client = 1};

const struct openssl_method *TLS_client_method(void) {
    return &client_method;
}

/* ---- life ---- */

struct openssl_context *SSL_CTX_new(const struct openssl_method *method) {
    (void)method;
    struct openssl_context *context = memory_new(sizeof *context);
    atomic_init(&context->references, 1);
    buffer_init(&context->store.ca, X509_BUNDLE_BYTES_MAX);
    buffer_init(&context->chain, CHAIN_BYTES_MAX);
    buffer_init(&context->key, X509_KEY_FILE_BYTES_MAX);
    return context;
}

struct openssl_context *openssl_context_retain(struct openssl_context *context) {
    atomic_fetch_add(&context->references, 1);
    return context;
}

void SSL_CTX_free(struct openssl_context *context) {
    if (context == NULL || atomic_fetch_sub(&context->references, 1) > 1) return;
    tls_client_context_release(context->client);
    buffer_free(&context->store.ca);
    buffer_free(&context->chain);
    buffer_wipe(&context->key);
    free(context);
}

/* ---- what is set ---- */

/* What a setter answers; on failure the error is recorded. */
static int answer(struct openssl_context *context, bool is_set, const struct status *status) {
    tls_client_context_release(context->client);
    context->client = NULL;
    if (is_set) return 1;
    openssl_set_error(status);
    return 0;
}

static int refuse(const char *what) {
    struct status status = STATUS_INIT;
    status_fail(&status, STATUS_TLS, "%s", what);
    openssl_set_error(&status);
    return 0;
}

long SSL_CTX_ctrl(struct openssl_context *context, int command, long number, void *pointer) {
    (void)context;
    (void)pointer;
    if (command == OPENSSL_COMMAND_MODE) return number;
    if (command == OPENSSL_COMMAND_MIN_VERSION && number <= VERSION_TLS_1_2)
        return 1; /* and no lower one is ever spoken */
    return refuse("this setting of TLS is not supported");
}

struct openssl_store *SSL_CTX_get_cert_store(const struct openssl_context *context) {
    return (struct openssl_store *)&context->store;
}

int X509_STORE_add_cert(struct openssl_store *store, struct openssl_certificate *certificate) {
    struct status status = STATUS_INIT;
    pem_write(PEM_CERTIFICATE, openssl_certificate_der(certificate), &store->ca);
    if (buffer_check(&store->ca, "the list of CAs", &status)) return 1;
    openssl_set_error(&status);
    return 0;
}

int X509_STORE_add_crl(struct openssl_store *store, void *crl) {
    (void)store;
    (void)crl;
    return refuse("revocation lists are not supported");
}

int SSL_CTX_load_verify_locations(struct openssl_context *context, const char *file,
                                  const char *folder) {
    struct status status = STATUS_INIT;
    if (file == NULL || folder != NULL)
        return refuse("CAs are read from a file, not from a folder");
    /* The line break ends what a file without one ends with, for the next to begin a line. */
    bool is_set = file_read(file, &context->store.ca, &status) &&
                  buffer_append_text(&context->store.ca, "\n");
    return answer(context, is_set, &status);
}

int SSL_CTX_set_cipher_list(struct openssl_context *context, const char *list) {
    (void)context;
    (void)list;
    return refuse("the cipher suites of TLS cannot be chosen");
}

int SSL_CTX_set_ciphersuites(struct openssl_context *context, const char *list) {
    return SSL_CTX_set_cipher_list(context, list);
}

int SSL_CTX_set_default_verify_paths(struct openssl_context *context) {
    (void)context;
    return 1; /* unless a CA is named: see openssl_context_client */
}

int SSL_CTX_use_PrivateKey(struct openssl_context *context, struct openssl_key *key) {
    struct status status = STATUS_INIT;
    struct bytes text = openssl_key_text(key);
    buffer_wipe(&context->key);
    buffer_append(&context->key, text.data, text.length);
    return answer(context, buffer_check(&context->key, "the private key", &status), &status);
}

int SSL_CTX_use_PrivateKey_file(struct openssl_context *context, const char *file, int type) {
    struct status status = STATUS_INIT;
    if (type != FILE_TYPE_PEM) return refuse("private keys are read from PEM files");
    buffer_wipe(&context->key);
    return answer(context, file_read_secret(file, &context->key, &status), &status);
}

int SSL_CTX_use_certificate(struct openssl_context *context,
                            struct openssl_certificate *certificate) {
    struct status status = STATUS_INIT;
    buffer_clear(&context->chain);
    pem_write(PEM_CERTIFICATE, openssl_certificate_der(certificate), &context->chain);
    return answer(context, buffer_check(&context->chain, "the certificate", &status), &status);
}

int SSL_CTX_use_certificate_chain_file(struct openssl_context *context, const char *file) {
    struct status status = STATUS_INIT;
    buffer_clear(&context->chain);
    return answer(context, file_read(file, &context->chain, &status), &status);
}

/* ---- what it comes to ---- */

struct tls_client_context *openssl_context_client(struct openssl_context *context) {
    struct status status = STATUS_INIT;
    struct tls_client_options options = {0};
    if (context->client != NULL) return context->client;
    if (context->store.ca.length > 0) options.ca = buffer_bytes(&context->store.ca);
    if (context->chain.length > 0) {
        options.identity.certificates = buffer_bytes(&context->chain);
        options.identity.key = buffer_bytes(&context->key);
    }
    context->client = openssl_memory_client(&options, &status);
    if (context->client == NULL) openssl_set_error(&status);
    return context->client;
}

bool openssl_check_files(const char *ca, const char *certificate, const char *key,
                         struct status *status) {
    if ((certificate == NULL) != (key == NULL)) {
        return status_fail(status, STATUS_CONFIG,
                           "a TLS certificate for NATS needs its key, and a key its certificate");
    }
    struct openssl_context *context = SSL_CTX_new(TLS_client_method());
    bool is_good =
        (ca == NULL || SSL_CTX_load_verify_locations(context, ca, NULL) == 1) &&
        (certificate == NULL || (SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
                                 SSL_CTX_use_PrivateKey_file(context, key, FILE_TYPE_PEM) == 1)) &&
        openssl_context_client(context) != NULL;
    SSL_CTX_free(context);
    if (!is_good) {
        const struct status *why = openssl_last_error();
        status_fail(status, why->code, "TLS for NATS: %s", why->text);
    }
    return is_good;
}
