/*
 * The link between a TLS handshake and x509_chain_verify: an X.509 engine as BearSSL's TLS engine
 * calls one (br_x509_class). It collects what the peer sends, within limits, and judges it at the
 * end.
 *
 *     struct x509_engine x509;
 *     x509_engine_init(&x509, &policy, clock_wall_ms());
 *     br_ssl_engine_set_x509(&client.eng, x509_engine_class(&x509));
 *     ... handshake; br_ssl_engine_last_error is X509_ENGINE_REFUSED: why is in x509_engine_status ...
 *     x509_engine_free(&x509);
 *
 * The name to verify is that of the policy; the server_name of the handshake (SNI) is not looked
 * at. For src/net only.
 */
#ifndef LSYS_VERIFIER_X509_ENGINE_H
#define LSYS_VERIFIER_X509_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "verifier/x509_bearssl.h"
#include "verifier/x509_trust.h"

/* Most bytes of one chain; bounds what a peer can make us keep. Real chains have 1 to 6 KiB. */
#define X509_ENGINE_CHAIN_BYTES_MAX ((size_t)32768)

/* What end_chain gives for each refused chain, and so the TLS engine's error. Beware: a server with
 * BR_OPT_TOLERATE_NO_CLIENT_AUTH goes on after it as if the client had sent nothing; it has to look
 * at x509_engine_status after the handshake and hang up. */
#define X509_ENGINE_REFUSED BR_ERR_X509_NOT_TRUSTED

struct x509_engine {
    const br_x509_class *vtable; /* first, as BearSSL wants it */
    const struct x509_policy *policy;
    int64_t now_ms;
    struct buffer chain;         /* the certificates, one after the other */
    size_t ends[X509_CHAIN_MAX]; /* where each ends in it */
    size_t count;                /* certificates begun */
    bool verified;
    struct status status; /* why the chain was refused */
    struct x509_verdict verdict;
    br_x509_pkey key; /* the leaf's, once verified */
};

/* `policy` is borrowed and must outlive the handshake; `now_ms` is the wall time to judge by. */
void x509_engine_init(struct x509_engine *engine, const struct x509_policy *policy, int64_t now_ms);

/* What br_ssl_engine_set_x509 wants. The engine must not move afterwards. */
const br_x509_class **x509_engine_class(struct x509_engine *engine);

/* Why the chain was refused; STATUS_OK when it was not, or none came. */
const struct status *x509_engine_status(const struct x509_engine *engine);

/* The peer's chain once it is verified, valid until the engine is freed or begins another chain;
 * NULL before. */
const struct x509_verdict *x509_engine_verdict(const struct x509_engine *engine);

/* Frees what was collected. Idempotent. */
void x509_engine_free(struct x509_engine *engine);

#endif
