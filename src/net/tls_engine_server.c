/* The server's side: what it accepts, and what it asks of clients. */
#include "net/tls_engine_private.h"
#include "net/tls_profile.h"

static void ask_client(struct tls_engine *engine) {
    const struct tls_credentials *credentials = engine->credentials;
    size_t count;
    const br_x509_trust_anchor *anchors = x509_trust_view(credentials->client_trust, &count);
    engine->x509_policy =
        (struct x509_policy){.trust = credentials->client_trust, .purpose = X509_PURPOSE_CLIENT};
    tls_engine_use_x509(engine);
    br_ssl_server_set_trust_anchor_names_alt(&engine->ssl.server, anchors, count);
    if (credentials->client_certificates == TLS_CLIENTS_OPTIONAL)
        br_ssl_engine_add_flags(&engine->ssl.common, BR_OPT_TOLERATE_NO_CLIENT_AUTH);
}

struct tls_engine *tls_engine_create_server(struct tls_server_context *context) {
    struct tls_engine *engine = tls_engine_allocate();
    if (!engine) return NULL;
    engine->server_context = tls_server_context_retain(context);
    engine->credentials = context->credentials;
    atomic_fetch_add(&engine->credentials->references, 1);
    br_ssl_server_zero(&engine->ssl.server);
    tls_profile_apply(&engine->ssl.common);
    tls_profile_limit_curves(&engine->ssl.common, &engine->curves);
    tls_policy_init(&engine->policy, engine->credentials);
    br_ssl_server_set_policy(&engine->ssl.server, &engine->policy.vtable);
    tls_engine_set_protocol(engine, context->protocol);
    if (engine->credentials->client_certificates == TLS_CLIENTS_UNASKED)
        br_ssl_server_set_cache(&engine->ssl.server, &context->sessions.vtable);
    else
        ask_client(engine);
    tls_engine_set_buffers(engine);
    br_ssl_server_reset(&engine->ssl.server);
    /* Else BearSSL's alert to a client of an older version would say version 0.0. */
    engine->ssl.common.version_out = BR_TLS12;
    tls_engine_follow(engine);
    return engine;
}
