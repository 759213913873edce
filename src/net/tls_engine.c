#include "net/tls_engine.h"

#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/tls_engine_private.h"
#include "net/tls_error.h"

/* Records (RFC 5246, 6.2.1): type, version 3.3, length. */
#define RECORD_HEADER_BYTES     5
#define RECORD_ALERT            21
#define RECORD_HANDSHAKE        22
#define RECORD_APPLICATION_DATA 23

#define LEVEL_FATAL 2

/* ---- what became of it ---- */

/* BearSSL tells peers of few of its failures. As long as we have not begun to encrypt, an alert is
 * a plain record that we can write ourselves; later the peer sees the connection end. */
static void prepare_alert(struct tls_engine *engine, int error) {
    uint8_t alert = tls_error_alert(error, &engine->failure);
    bool is_plain = engine->ssl.common.out.vtable == &br_sslrec_out_clear_vtable;
    if (alert == 0 || !is_plain || engine->is_mid_record) return;
    const uint8_t record[TLS_ALERT_RECORD_BYTES] = {RECORD_ALERT, 3, 3, 0, 2, LEVEL_FATAL, alert};
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
    if (engine->trust) tls_sessions_forget(engine->trust->sessions, engine->session_key);
    engine->state = TLS_FAILED;
}

/* The handshake is complete. A client may go without a certificate where it is optional, but
 * BearSSL lets it in with a bad one as well. */
static void open_connection(struct tls_engine *engine) {
    if (engine->has_x509 && !status_is_ok(x509_engine_status(&engine->x509))) {
        fail(engine, X509_ENGINE_REFUSED);
        return;
    }
    const struct x509_verdict *verdict =
        engine->has_x509 ? x509_engine_verdict(&engine->x509) : NULL;
    if (verdict) x509_certificate_fingerprint(&verdict->leaf, engine->peer_fingerprint);
    engine->has_peer = verdict != NULL;
    if (engine->trust && !tls_engine_follow_session(engine, verdict)) {
        fail(engine, BR_ERR_RESUME_MISMATCH);
        return;
    }
    release_x509(engine);
    engine->state = TLS_OPEN;
}

/* Looks at what the last call did. */
void tls_engine_follow(struct tls_engine *engine) {
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

struct tls_engine *tls_engine_allocate(void) {
    struct tls_engine *engine = memory_try(sizeof *engine);
    if (!engine) return NULL;
    /* The buffers need no clearing, and are most of it. */
    memset(engine, 0, offsetof(struct tls_engine, input));
    engine->state = TLS_HANDSHAKING;
    return engine;
}

void tls_engine_set_buffers(struct tls_engine *engine) {
    br_ssl_engine_set_buffers_bidi(&engine->ssl.common, engine->input, sizeof engine->input,
                                   engine->output, sizeof engine->output);
}

void tls_engine_use_x509(struct tls_engine *engine) {
    x509_engine_init(&engine->x509, &engine->x509_policy, clock_wall_ms());
    engine->has_x509 = true;
    br_ssl_engine_set_x509(&engine->ssl.common, x509_engine_class(&engine->x509));
}

void tls_engine_set_protocol(struct tls_engine *engine, const char *protocol) {
    engine->protocol = protocol;
    if (protocol) br_ssl_engine_set_protocol_names(&engine->ssl.common, &engine->protocol, 1);
}

void tls_engine_free(struct tls_engine *engine) {
    if (!engine) return;
    release_x509(engine);
    free(engine->session_key);
    tls_trust_release(engine->trust);
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

bool tls_engine_is_resumed(const struct tls_engine *engine) {
    return engine->is_resumed;
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
        tls_engine_follow(engine);
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
    tls_engine_follow(engine);
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
    tls_engine_follow(engine);
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
    tls_engine_follow(engine);
}
