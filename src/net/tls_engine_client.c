/* The client's side: what it offers and demands, and the sessions that it resumes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/memory.h"
#include "net/tls_engine_private.h"
#include "net/tls_profile.h"

/* Two names, a port, and what stands between. */
#define SESSION_KEY_BYTES (2 * TLS_HOST_BYTES + 8)

/* ---- sessions ---- */

static void remember_session(struct tls_engine *engine, const struct x509_verdict *verdict) {
    struct tls_session session = {.not_before_ms = verdict->not_before_ms,
                                  .not_after_ms = verdict->not_after_ms};
    br_ssl_engine_get_session_parameters(&engine->ssl.common, &session.parameters);
    memcpy(session.peer_fingerprint, engine->peer_fingerprint, SHA256_BYTES);
    /* A server that resumes nothing gives no identifier. */
    if (session.parameters.session_id_len > 0)
        tls_sessions_keep(engine->trust->sessions, engine->session_key, &session,
                          clock_monotonic_ms());
    memory_wipe(&session, sizeof session);
}

static bool is_offered_session(const struct tls_engine *engine) {
    br_ssl_session_parameters now;
    br_ssl_engine_get_session_parameters(&engine->ssl.common, &now);
    const br_ssl_session_parameters *offered = &engine->offered.parameters;
    bool is_same = engine->has_offer && now.session_id_len == offered->session_id_len &&
                   memcmp(now.session_id, offered->session_id, now.session_id_len) == 0;
    memory_wipe(&now, sizeof now);
    return is_same;
}

bool tls_engine_follow_session(struct tls_engine *engine, const struct x509_verdict *verdict) {
    if (verdict) {
        remember_session(engine, verdict);
    } else if (is_offered_session(engine)) {
        memcpy(engine->peer_fingerprint, engine->offered.peer_fingerprint, SHA256_BYTES);
        engine->has_peer = true;
        engine->is_resumed = true;
    }
    memory_wipe(&engine->offered, sizeof engine->offered);
    return engine->has_peer;
}

/* ---- making ---- */

static bool is_address(const char *host) {
    uint8_t bytes[sizeof(struct in6_addr)];
    return host[0] == '[' || inet_pton(AF_INET, host, bytes) == 1 ||
           inet_pton(AF_INET6, host, bytes) == 1;
}

/* Writes the name as SNI has it: no address, no final dot; false when there is none to send. */
static bool write_server_name(const char *host, char out[TLS_HOST_BYTES]) {
    size_t length = strlen(host);
    if (is_address(host)) return false;
    memcpy(out, host, length + 1);
    if (out[length - 1] == '.') out[length - 1] = '\0';
    return out[0] != '\0';
}

static void set_own_certificate(struct tls_engine *engine) {
    const struct tls_key_pair *pair = &engine->client_context->pair;
    if (!engine->client_context->has_pair) return;
    if (pair->is_rsa)
        br_ssl_client_set_single_rsa(&engine->ssl.client, pair->chain, pair->chain_count,
                                     &pair->rsa, br_rsa_pkcs1_sign_get_default());
    else
        br_ssl_client_set_single_ec(&engine->ssl.client, pair->chain, pair->chain_count, &pair->ec,
                                    BR_KEYTYPE_SIGN, 0, br_ec_get_default(),
                                    br_ecdsa_sign_asn1_get_default());
}

static bool check_name(const char *name, struct status *status) {
    size_t length = strlen(name);
    if (length > 0 && length < TLS_HOST_BYTES) return true;
    return status_fail(status, STATUS_USAGE, "a host name of %zu characters cannot be used for TLS",
                       length);
}

/* What may differ between two connections of one context, as a text; a name with a line break is
 * nobody's. */
static char *make_session_key(const struct tls_target *target, const char *server_name) {
    char key[SESSION_KEY_BYTES];
    snprintf(key, sizeof key, "%s\n%s\n%u", target->host, server_name, (unsigned)target->port);
    return memory_copy_text(key);
}

static void set_policy(struct tls_engine *engine) {
    struct tls_client_context *context = engine->client_context;
    engine->x509_policy = (struct x509_policy){
        .trust = engine->trust->cas,
        .purpose = X509_PURPOSE_SERVER,
        .host = engine->host,
        .pins = (const uint8_t(*)[SHA256_BYTES])context->pins,
        .pin_count = context->pin_count,
    };
}

/* Sends the ClientHello, with the session to resume if there is one. */
static void begin_handshake(struct tls_engine *engine, const char *server_name) {
    char name[TLS_HOST_BYTES];
    bool has_name = write_server_name(server_name, name);
    engine->has_offer = tls_sessions_find(engine->trust->sessions, engine->session_key,
                                          clock_wall_ms(), clock_monotonic_ms(), &engine->offered);
    if (engine->has_offer)
        br_ssl_engine_set_session_parameters(&engine->ssl.common, &engine->offered.parameters);
    br_ssl_client_reset(&engine->ssl.client, has_name ? name : NULL, engine->has_offer);
}

struct tls_engine *tls_engine_create_client(struct tls_client_context *context,
                                            const struct tls_target *target,
                                            struct status *status) {
    const char *server_name = target->server_name ? target->server_name : target->host;
    if (!check_name(target->host, status) || !check_name(server_name, status)) return NULL;
    struct tls_engine *engine = tls_engine_allocate();
    if (!engine) {
        status_fail(status, STATUS_NO_MEMORY, "no memory for a TLS connection");
        return NULL;
    }
    engine->client_context = tls_client_context_retain(context);
    engine->trust = tls_client_context_trust(context);
    ASSERT(engine->trust);
    memcpy(engine->host, target->host, strlen(target->host) + 1);
    engine->session_key = make_session_key(target, server_name);
    set_policy(engine);
    br_ssl_client_zero(&engine->ssl.client);
    tls_profile_apply(&engine->ssl.common);
    br_ssl_client_set_default_rsapub(&engine->ssl.client);
    tls_engine_use_x509(engine);
    set_own_certificate(engine);
    tls_engine_set_protocol(engine, context->protocol);
    tls_engine_set_buffers(engine);
    begin_handshake(engine, server_name);
    tls_engine_follow(engine);
    return engine;
}
