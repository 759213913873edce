#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "net/tls_context_private.h"

/* Where the distributions keep their CAs: Debian, Fedora, SUSE, Alpine. The first that exists is
 * read. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static bool read_bundle(const char *path, struct x509_trust *trust, struct status *status) {
    struct buffer text;
    buffer_init(&text, X509_BUNDLE_BYTES_MAX);
    bool is_read = file_read(path, &text, status) &&
                   (x509_trust_add_pem(trust, buffer_bytes(&text), X509_UNFIT_SKIP, NULL, status) ||
                    status_context(status, "the system's CAs in %s", path));
    buffer_free(&text);
    return is_read;
}

static bool read_system_bundle(struct x509_trust *trust, struct status *status) {
    for (size_t i = 0; i < sizeof system_bundles / sizeof system_bundles[0]; i++) {
        struct status attempt = STATUS_INIT;
        if (read_bundle(system_bundles[i], trust, &attempt)) return true;
        if (attempt.code != STATUS_NOT_FOUND)
            return status_fail(status, attempt.code, "%s", attempt.text);
    }
    return status_fail(status, STATUS_NOT_FOUND,
                       "this machine has no CA certificates (%s is missing): install its package "
                       "ca-certificates, or name the CA to trust in a file",
                       system_bundles[0]);
}

static bool read_own(struct tls_client_context *context, const struct tls_client_options *options,
                     struct status *status) {
    if (!options->identity.certificates.data) return true;
    context->has_pair = tls_key_pair_read(&context->pair, &options->identity, status);
    return context->has_pair || status_context(status, "our TLS certificate or its key");
}

struct tls_client_context *tls_client_context_create(const struct tls_client_options *options,
                                                     struct status *status) {
    ASSERT(options->pin_count <= TLS_PINS_MAX);
    struct tls_client_context *context = memory_new(sizeof *context);
    atomic_init(&context->references, 1);
    ASSERT(pthread_mutex_init(&context->loading, NULL) == 0);
    context->trust = x509_trust_new();
    context->protocol = options->protocol;
    context->pin_count = options->pin_count;
    if (options->pin_count > 0)
        memcpy(context->pins, options->pins, options->pin_count * sizeof context->pins[0]);
    bool has_ca = options->ca.data != NULL;
    if (has_ca &&
        !x509_trust_add_pem(context->trust, options->ca, X509_UNFIT_REFUSE, NULL, status)) {
        status_context(status, "the CA to trust");
        goto fail;
    }
    if (!read_own(context, options, status)) goto fail;
    atomic_init(&context->is_loaded, has_ca);
    return context;

fail:
    tls_client_context_release(context);
    return NULL;
}

bool tls_client_context_is_loaded(const struct tls_client_context *context) {
    return atomic_load(&context->is_loaded);
}

bool tls_client_context_load(struct tls_client_context *context, struct status *status) {
    ASSERT(pthread_mutex_lock(&context->loading) == 0);
    bool is_loaded = atomic_load(&context->is_loaded);
    if (!is_loaded) {
        is_loaded = read_system_bundle(context->trust, status);
        atomic_store(&context->is_loaded, is_loaded);
    }
    ASSERT(pthread_mutex_unlock(&context->loading) == 0);
    return is_loaded;
}

struct tls_client_context *tls_client_context_retain(struct tls_client_context *context) {
    atomic_fetch_add(&context->references, 1);
    return context;
}

void tls_client_context_release(struct tls_client_context *context) {
    if (!context || atomic_fetch_sub(&context->references, 1) > 1) return;
    x509_trust_free(context->trust);
    if (context->has_pair) tls_key_pair_free(&context->pair);
    pthread_mutex_destroy(&context->loading);
    free(context);
}
