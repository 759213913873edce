#include <stdlib.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "net/tls_context_private.h"

void tls_credentials_release(struct tls_credentials *credentials) {
    if (!credentials || atomic_fetch_sub(&credentials->references, 1) > 1) return;
    for (size_t i = 0; i < credentials->count; i++)
        tls_key_pair_free(&credentials->pairs[i]);
    x509_trust_free(credentials->client_trust);
    free(credentials);
}

static bool read_identities(struct tls_credentials *credentials,
                            const struct tls_server_options *options, struct status *status) {
    ASSERT(options->identity_count > 0);
    if (options->identity_count > TLS_IDENTITIES_MAX)
        return status_fail(status, STATUS_TOO_LARGE,
                           "%zu TLS certificates, more than a server can have (%d)",
                           options->identity_count, TLS_IDENTITIES_MAX);
    for (size_t i = 0; i < options->identity_count; i++) {
        if (!tls_key_pair_read(&credentials->pairs[i], &options->identities[i], status))
            return status_context(status, "the TLS certificate or its key");
        credentials->count++;
    }
    return true;
}

static bool read_client_ca(struct tls_credentials *credentials,
                           const struct tls_server_options *options, struct status *status) {
    credentials->client_certificates = options->client_certificates;
    if (options->client_certificates == TLS_CLIENTS_UNASKED) return true;
    credentials->client_trust = x509_trust_new();
    return x509_trust_add_pem(credentials->client_trust, options->client_ca, X509_UNFIT_REFUSE,
                              NULL, status) ||
           status_context(status, "the CA of TLS clients");
}

static struct tls_credentials *read_credentials(const struct tls_server_options *options,
                                                struct status *status) {
    struct tls_credentials *credentials = memory_new(sizeof *credentials);
    atomic_init(&credentials->references, 1);
    if (read_identities(credentials, options, status) &&
        read_client_ca(credentials, options, status))
        return credentials;
    tls_credentials_release(credentials);
    return NULL;
}

/* Takes over the credentials; sessions of the old ones are forgotten. */
static void install(struct tls_server_context *context, struct tls_credentials *credentials,
                    const struct tls_server_options *options) {
    tls_credentials_release(context->credentials);
    context->credentials = credentials;
    context->protocol = options->protocol;
    memory_wipe(context->session_store, sizeof context->session_store);
    br_ssl_session_cache_lru_init(&context->sessions, context->session_store,
                                  sizeof context->session_store);
}

struct tls_server_context *tls_server_context_create(const struct tls_server_options *options,
                                                     struct status *status) {
    struct tls_credentials *credentials = read_credentials(options, status);
    if (!credentials) return NULL;
    struct tls_server_context *context = memory_new(sizeof *context);
    atomic_init(&context->references, 1);
    install(context, credentials, options);
    return context;
}

bool tls_server_context_reload(struct tls_server_context *context,
                               const struct tls_server_options *options, struct status *status) {
    struct tls_credentials *credentials = read_credentials(options, status);
    if (!credentials) return false;
    install(context, credentials, options);
    return true;
}

bool tls_server_context_check_period(const struct tls_server_context *context, int64_t now_ms,
                                     struct status *status) {
    for (size_t i = 0; i < context->credentials->count; i++) {
        const struct x509_identity *identity = context->credentials->pairs[i].identity;
        if (!x509_check_period(x509_identity_leaf(identity), now_ms, status)) return false;
    }
    return true;
}

struct tls_server_context *tls_server_context_retain(struct tls_server_context *context) {
    atomic_fetch_add(&context->references, 1);
    return context;
}

void tls_server_context_release(struct tls_server_context *context) {
    if (!context || atomic_fetch_sub(&context->references, 1) > 1) return;
    tls_credentials_release(context->credentials);
    memory_wipe(context->session_store, sizeof context->session_store);
    free(context);
}
