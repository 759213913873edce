#include "net/tls_engine.h"

#include <arpa/inet.h>
#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/tls_context_private.h"
#include "net/tls_error.h"
#include "net/tls_policy.h"
#include "net/tls_profile.h"
#include "verifier/x509_engine.h"

/* Records (RFC 5246, 6.2.1): type, version 3.3, length. */
#define RECORD_HEADER_BYTES     5
#define RECORD_ALERT            21
#define RECORD_HANDSHAKE        22
#define RECORD_APPLICATION_DATA 23

/* A whole alert record: length 2, level, description. */
#define ALERT_RECORD_BYTES (RECORD_HEADER_BYTES + 2)
#define LEVEL_FATAL        2

/* An IPv6 address in brackets is shorter, so this is room for whatever can be verified. */
#define HOST_BYTES (TLS_SERVER_NAME_BYTES_MAX + 3)

struct tls_engine {
    union {
        br_ssl_engine_context common; /* the first member of both others */
        br_ssl_client_context client;
        br_ssl_server_context server;
    } ssl;
    struct tls_client_context *client_context; /* held; NULL in a server */
    struct tls_server_context *server_context; /* held; NULL in a client */
    struct tls_credentials *credentials;       /* held; what a server began with */
    struct tls_policy policy;                  /* a server's */
    br_ec_impl curves;                         /* a server's */

    struct x509_policy x509_policy;
    struct x509_engine x509;
    bool has_x509; /* it is in use: there is something to free */
    char host[HOST_BYTES];
    const char *protocol; /* ALPN, or NULL */
    bool has_peer;
    uint8_t peer_fingerprint[SHA256_BYTES];

    enum tls_state state;
    struct status failure;
    bool has_input;     /* the first byte has come */
    bool is_mid_record; /* a part of a record was handed out, the rest was not */
    uint8_t alert[ALERT_RECORD_BYTES];
    size_t alert_start, alert_end;

    uint8_t input[BR_SSL_BUFSIZE_INPUT];
    uint8_t output[BR_SSL_BUFSIZE_OUTPUT];
};

/* ---- what became of it ---- */

/* BearSSL tells peers of few of its failures. As long as we have not begun to encrypt, an alert is
 * a plain record that we can write ourselves; later the peer sees the connection end. */
static void prepare_alert(struct tls_engine *engine, int error) {
    uint8_t alert = tls_error_alert(error, &engine->failure);
    bool is_plain = engine->ssl.common.out.vtable == &br_sslrec_out_clear_vtable;
    if (alert == 0 || !is_plain || engine->is_mid_record) return;
    const uint8_t record[ALERT_RECORD_BYTES] = {RECORD_ALERT, 3, 3, 0, 2, LEVEL_FATAL, alert};
    memcpy(engine->alert, record, sizeof record);
    engine->alert_end = sizeof record;
}

static void record_failure(struct tls_engine *engine, int error) {
    bool handshaking = engine->state == TLS_HANDSHAKING;
    const struct status *refusal = engine->has_x509 ? x509_engine_status(&engine->x509) : NULL;
    if (refusal && !status_is_ok(refusal)) {
        status_fail(&engine->failure, refusal->code, "%s", refusal->text);
        if (engine->server_context) status_context(&engine->failure, "the client's certificate");
    } else {
        tls_error_record(error, handshaking, &engine->failure);
    }
}

static void release_x509(struct tls_engine *engine) {
    if (engine->has_x509) x509_engine_free(&engine->x509);
}

static void fail(struct tls_engine *engine, int error) {
    record_failure(engine, error);
    if (engine->state == TLS_HANDSHAKING) prepare_alert(engine, error);
    engine->state = TLS_FAILED;
}

/* The handshake is complete. A client may go without a certificate where it is optional, but
 * BearSSL lets it in with a bad one as well. */
static void open_connection(struct tls_engine *engine) {
    if (engine->has_x509 && !status_is_ok(x509_engine_status(&engine->x509))) {
        fail(engine, X509_ENGINE_REFUSED);
        return;
    }
    const struct x509_certificate *leaf = engine->has_x509 ? x509_engine_leaf(&engine->x509) : NULL;
    engine->has_peer = leaf != NULL;
    if (leaf) x509_certificate_fingerprint(leaf, engine->peer_fingerprint);
    release_x509(engine);
    engine->state = TLS_OPEN;
}

/* Looks at what the last call did. */
static void follow(struct tls_engine *engine) {
    if (engine->state == TLS_CLOSED || engine->state == TLS_FAILED) return;
    unsigned state = br_ssl_engine_current_state(&engine->ssl.common);
    if (state & BR_SSL_CLOSED) {
        int error = br_ssl_engine_last_error(&engine->ssl.common);
        if (error || engine->state == TLS_HANDSHAKING)
            fail(engine, error ? error : BR_ERR_UNEXPECTED);
        else
            engine->state = TLS_CLOSED;
    } else if (engine->state == TLS_HANDSHAKING && state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) {
        open_connection(engine);
    }
}

/* ---- making ---- */

static struct tls_engine *allocate(void) {
    struct tls_engine *engine = memory_try(sizeof *engine);
    if (!engine) return NULL;
    /* The buffers need no clearing, and are most of it. */
    memset(engine, 0, offsetof(struct tls_engine, input));
    engine->state = TLS_HANDSHAKING;
    return engine;
}

static void set_buffers(struct tls_engine *engine) {
    br_ssl_engine_set_buffers_bidi(&engine->ssl.common, engine->input, sizeof engine->input,
                                   engine->output, sizeof engine->output);
}

static void use_x509(struct tls_engine *engine) {
    x509_engine_init(&engine->x509, &engine->x509_policy, clock_wall_ms());
    engine->has_x509 = true;
    br_ssl_engine_set_x509(&engine->ssl.common, x509_engine_class(&engine->x509));
}

static void ask_client(struct tls_engine *engine) {
    const struct tls_credentials *credentials = engine->credentials;
    size_t count;
    const br_x509_trust_anchor *anchors = x509_trust_view(credentials->client_trust, &count);
    engine->x509_policy =
        (struct x509_policy){.trust = credentials->client_trust, .purpose = X509_PURPOSE_CLIENT};
    use_x509(engine);
    br_ssl_server_set_trust_anchor_names_alt(&engine->ssl.server, anchors, count);
    if (credentials->client_certificates == TLS_CLIENTS_OPTIONAL)
        br_ssl_engine_add_flags(&engine->ssl.common, BR_OPT_TOLERATE_NO_CLIENT_AUTH);
}

static void set_protocol(struct tls_engine *engine, const char *protocol) {
    engine->protocol = protocol;
    if (protocol) br_ssl_engine_set_protocol_names(&engine->ssl.common, &engine->protocol, 1);
}

struct tls_engine *tls_engine_create_server(struct tls_server_context *context) {
    struct tls_engine *engine = allocate();
    if (!engine) return NULL;
    engine->server_context = tls_server_context_retain(context);
    engine->credentials = context->credentials;
    atomic_fetch_add(&engine->credentials->references, 1);
    br_ssl_server_zero(&engine->ssl.server);
    tls_profile_apply(&engine->ssl.common);
    tls_profile_limit_curves(&engine->ssl.common, &engine->curves);
    tls_policy_init(&engine->policy, engine->credentials);
    br_ssl_server_set_policy(&engine->ssl.server, &engine->policy.vtable);
    set_protocol(engine, context->protocol);
    if (engine->credentials->client_certificates == TLS_CLIENTS_UNASKED)
        br_ssl_server_set_cache(&engine->ssl.server, &context->sessions.vtable);
    else
        ask_client(engine);
    set_buffers(engine);
    br_ssl_server_reset(&engine->ssl.server);
    /* Else BearSSL's alert to a client of an older version would say version 0.0. */
    engine->ssl.common.version_out = BR_TLS12;
    follow(engine);
    return engine;
}

static bool is_address(const char *host) {
    uint8_t bytes[sizeof(struct in6_addr)];
    return host[0] == '[' || inet_pton(AF_INET, host, bytes) == 1 ||
           inet_pton(AF_INET6, host, bytes) == 1;
}

/* Writes the name as SNI has it: no address, no final dot; false when there is none to send. */
static bool write_server_name(const char *host, char out[HOST_BYTES]) {
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
    if (length > 0 && length < HOST_BYTES) return true;
    return status_fail(status, STATUS_USAGE, "a host name of %zu characters cannot be used for TLS",
                       length);
}

struct tls_engine *tls_engine_create_client(struct tls_client_context *context, const char *host,
                                            const char *server_name, struct status *status) {
    char name[HOST_BYTES];
    if (!server_name) server_name = host;
    if (!check_name(host, status) || !check_name(server_name, status)) return NULL;
    struct tls_engine *engine = allocate();
    if (!engine) {
        status_fail(status, STATUS_NO_MEMORY, "no memory for a TLS connection");
        return NULL;
    }
    engine->client_context = tls_client_context_retain(context);
    memcpy(engine->host, host, strlen(host) + 1);
    engine->x509_policy = (struct x509_policy){
        .trust = context->trust,
        .purpose = X509_PURPOSE_SERVER,
        .host = engine->host,
        .pins = (const uint8_t(*)[SHA256_BYTES])context->pins,
        .pin_count = context->pin_count,
    };
    br_ssl_client_zero(&engine->ssl.client);
    tls_profile_apply(&engine->ssl.common);
    br_ssl_client_set_default_rsapub(&engine->ssl.client);
    use_x509(engine);
    set_own_certificate(engine);
    set_protocol(engine, context->protocol);
    set_buffers(engine);
    bool has_name = write_server_name(server_name, name);
    br_ssl_client_reset(&engine->ssl.client, has_name ? name : NULL, 0);
    follow(engine);
    return engine;
}

void tls_engine_free(struct tls_engine *engine) {
    if (!engine) return;
    release_x509(engine);
    tls_client_context_release(engine->client_context);
    tls_credentials_release(engine->credentials);
    tls_server_context_release(engine->server_context);
    memory_wipe(engine, sizeof *engine);
    free(engine);
}

/* ---- facts ---- */

enum tls_state tls_engine_state(const struct tls_engine *engine) {
    return engine->state;
}

const struct status *tls_engine_failure(const struct tls_engine *engine) {
    return &engine->failure;
}

const uint8_t *tls_engine_peer_fingerprint(const struct tls_engine *engine) {
    return engine->has_peer ? engine->peer_fingerprint : NULL;
}

struct bytes tls_engine_refused_certificate(const struct tls_engine *engine) {
    const struct x509_engine *x509 = &engine->x509;
    bool is_refused = engine->state == TLS_FAILED && engine->has_x509 && x509->count > 0 &&
                      !status_is_ok(x509_engine_status(x509));
    return is_refused ? bytes_of(x509->chain.data, x509->ends[0]) : bytes_of(NULL, 0);
}

/* ---- moving bytes ---- */

/* A peer that speaks no TLS at all is told from one that breaks it: an operator wants to know. */
static void check_first_byte(struct tls_engine *engine, uint8_t first) {
    if (!engine->has_input && first != RECORD_HANDSHAKE && first != RECORD_ALERT)
        fail(engine, BR_ERR_UNKNOWN_TYPE);
    engine->has_input = true;
}

/* A client that starts early (RFC 7918, as browsers do) sends data right behind its Finished, which
 * BearSSL takes for an error until its own Finished has left: such a record waits until what is to
 * be sent is. */
static bool comes_early(struct tls_engine *engine, uint8_t next, size_t room) {
    size_t length;
    return engine->state == TLS_HANDSHAKING && room == RECORD_HEADER_BYTES &&
           next == RECORD_APPLICATION_DATA &&
           br_ssl_engine_sendrec_buf(&engine->ssl.common, &length) != NULL;
}

size_t tls_engine_take(struct tls_engine *engine, const void *bytes, size_t length) {
    const uint8_t *from = bytes;
    size_t taken = 0;
    if (length > 0) check_first_byte(engine, from[0]);
    while (taken < length && engine->state != TLS_FAILED) {
        size_t room;
        uint8_t *to = br_ssl_engine_recvrec_buf(&engine->ssl.common, &room);
        if (!to || comes_early(engine, from[taken], room)) break;
        size_t part = room < length - taken ? room : length - taken;
        memcpy(to, from + taken, part);
        br_ssl_engine_recvrec_ack(&engine->ssl.common, part);
        taken += part;
        follow(engine);
    }
    return taken;
}

size_t tls_engine_wanted(struct tls_engine *engine) {
    size_t room = 0;
    bool takes = engine->state != TLS_FAILED &&
                 br_ssl_engine_recvrec_buf(&engine->ssl.common, &room) != NULL;
    return takes ? room : 0;
}

struct bytes tls_engine_output(struct tls_engine *engine) {
    size_t length = 0;
    if (engine->alert_start < engine->alert_end)
        return bytes_of(engine->alert + engine->alert_start,
                        engine->alert_end - engine->alert_start);
    if (engine->state == TLS_FAILED) return bytes_of(NULL, 0);
    const uint8_t *bytes = br_ssl_engine_sendrec_buf(&engine->ssl.common, &length);
    return bytes_of(bytes, bytes ? length : 0);
}

void tls_engine_output_sent(struct tls_engine *engine, size_t length) {
    if (length == 0) return;
    if (engine->alert_start < engine->alert_end) {
        engine->alert_start += length;
        return;
    }
    size_t before = tls_engine_output(engine).length;
    engine->is_mid_record = length < before;
    br_ssl_engine_sendrec_ack(&engine->ssl.common, length);
    follow(engine);
}

struct bytes tls_engine_plaintext(struct tls_engine *engine) {
    size_t length = 0;
    if (engine->state != TLS_OPEN) return bytes_of(NULL, 0);
    const uint8_t *bytes = br_ssl_engine_recvapp_buf(&engine->ssl.common, &length);
    return bytes_of(bytes, bytes ? length : 0);
}

void tls_engine_plaintext_used(struct tls_engine *engine, size_t length) {
    if (length == 0) return;
    br_ssl_engine_recvapp_ack(&engine->ssl.common, length);
    follow(engine);
}

size_t tls_engine_write(struct tls_engine *engine, const void *bytes, size_t length) {
    const uint8_t *from = bytes;
    size_t taken = 0;
    while (taken < length && engine->state == TLS_OPEN) {
        size_t room;
        uint8_t *to = br_ssl_engine_sendapp_buf(&engine->ssl.common, &room);
        if (!to) break;
        size_t part = room < length - taken ? room : length - taken;
        memcpy(to, from + taken, part);
        br_ssl_engine_sendapp_ack(&engine->ssl.common, part);
        taken += part;
    }
    return taken;
}

void tls_engine_flush(struct tls_engine *engine) {
    if (engine->state == TLS_OPEN) br_ssl_engine_flush(&engine->ssl.common, 0);
}

void tls_engine_close(struct tls_engine *engine) {
    if (engine->state != TLS_OPEN) return;
    br_ssl_engine_close(&engine->ssl.common);
    follow(engine);
}
