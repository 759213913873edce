#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "net/tls_context_private.h"

static void lock(pthread_mutex_t *mutex) {
    ASSERT(pthread_mutex_lock(mutex) == 0);
}

static void unlock(pthread_mutex_t *mutex) {
    ASSERT(pthread_mutex_unlock(mutex) == 0);
}

static bool read_ca(struct tls_client_context *context, const struct tls_client_options *options,
                    struct status *status) {
    if (!options->ca.data) return true;
    context->trust = tls_trust_read_pem(options->ca, status);
    return context->trust || status_context(status, "the CA to trust");
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
    ASSERT(pthread_mutex_init(&context->guard, NULL) == 0);
    context->protocol = options->protocol;
    context->pin_count = options->pin_count;
    if (options->pin_count > 0)
        memcpy(context->pins, options->pins, options->pin_count * sizeof context->pins[0]);
    if (read_ca(context, options, status) && read_own(context, options, status)) return context;
    tls_client_context_release(context);
    return NULL;
}

struct tls_trust *tls_client_context_trust(struct tls_client_context *context) {
    lock(&context->guard);
    struct tls_trust *trust = context->trust ? tls_trust_retain(context->trust) : NULL;
    unlock(&context->guard);
    return trust;
}

bool tls_client_context_is_loaded(struct tls_client_context *context) {
    struct tls_trust *trust = tls_client_context_trust(context);
    bool is_loaded = trust && tls_trust_is_current(trust);
    tls_trust_release(trust);
    return is_loaded;
}

/* Connections that use the old one keep it. */
static void replace_trust(struct tls_client_context *context, struct tls_trust *trust) {
    lock(&context->guard);
    struct tls_trust *old = context->trust;
    context->trust = trust;
    unlock(&context->guard);
    tls_trust_release(old);
}

bool tls_client_context_load(struct tls_client_context *context, struct status *status) {
    lock(&context->loading);
    bool is_loaded = tls_client_context_is_loaded(context);
    struct tls_trust *trust = is_loaded ? NULL : tls_trust_read_system(status);
    if (trust) replace_trust(context, trust);
    unlock(&context->loading);
    return is_loaded || trust != NULL;
}

struct tls_client_context *tls_client_context_retain(struct tls_client_context *context) {
    atomic_fetch_add(&context->references, 1);
    return context;
}

void tls_client_context_release(struct tls_client_context *context) {
    if (!context || atomic_fetch_sub(&context->references, 1) > 1) return;
    tls_trust_release(context->trust);
    if (context->has_pair) tls_key_pair_free(&context->pair);
    pthread_mutex_destroy(&context->loading);
    pthread_mutex_destroy(&context->guard);
    free(context);
}
