#include "verifier/x509_engine.h"

/* BearSSL hands back the address of the vtable, which is the first member. */
static struct x509_engine *engine_of(const br_x509_class **context) {
    return (struct x509_engine *)(void *)context;
}

static void start_chain(const br_x509_class **context, const char *server_name) {
    struct x509_engine *engine = engine_of(context);
    (void)server_name;
    buffer_clear(&engine->chain);
    engine->count = 0;
    engine->verified = false;
    status_clear(&engine->status);
}

static void start_certificate(const br_x509_class **context, uint32_t length_bytes) {
    struct x509_engine *engine = engine_of(context);
    if (engine->count == X509_CHAIN_MAX)
        status_fail(&engine->status, STATUS_TOO_LARGE, "the chain has more than %d certificates",
                    X509_CHAIN_MAX);
    else if (length_bytes > engine->chain.limit - engine->chain.length)
        status_fail(&engine->status, STATUS_TOO_LARGE, "the chain has more than %zu bytes",
                    engine->chain.limit);
    else
        engine->count++;
}

static void append(const br_x509_class **context, const unsigned char *bytes, size_t length) {
    struct x509_engine *engine = engine_of(context);
    if (!status_is_ok(&engine->status)) return;
    if (!buffer_append(&engine->chain, bytes, length))
        buffer_check(&engine->chain, "the chain", &engine->status);
}

static void end_certificate(const br_x509_class **context) {
    struct x509_engine *engine = engine_of(context);
    if (status_is_ok(&engine->status)) engine->ends[engine->count - 1] = engine->chain.length;
}

static unsigned end_chain(const br_x509_class **context) {
    struct x509_engine *engine = engine_of(context);
    struct bytes chain[X509_CHAIN_MAX];
    size_t begin = 0;
    if (!status_is_ok(&engine->status)) return X509_ENGINE_REFUSED;
    for (size_t i = 0; i < engine->count; i++) {
        chain[i] = bytes_of(engine->chain.data + begin, engine->ends[i] - begin);
        begin = engine->ends[i];
    }
    engine->verified = x509_chain_verify(engine->policy, chain, engine->count, engine->now_ms,
                                         &engine->verdict, &engine->status);
    if (!engine->verified) return X509_ENGINE_REFUSED;
    engine->key = x509_public_key_view(&engine->verdict.leaf.key);
    return 0;
}

static const br_x509_pkey *get_key(const br_x509_class *const *context, unsigned *usages) {
    const struct x509_engine *engine = (const struct x509_engine *)(const void *)context;
    if (!engine->verified) return NULL;
    /* The key signs handshakes (ECDHE); no suite in use encrypts to it. */
    if (usages) *usages = BR_KEYTYPE_SIGN;
    return &engine->key;
}

static const br_x509_class class = {
    .context_size = sizeof(struct x509_engine),
    .start_chain = start_chain,
    .start_cert = start_certificate,
    .append = append,
    .end_cert = end_certificate,
    .end_chain = end_chain,
    .get_pkey = get_key,
};

void x509_engine_init(struct x509_engine *engine, const struct x509_policy *policy,
                      int64_t now_ms) {
    *engine = (struct x509_engine){.vtable = &class, .policy = policy, .now_ms = now_ms};
    buffer_init(&engine->chain, X509_ENGINE_CHAIN_BYTES_MAX);
}

const br_x509_class **x509_engine_class(struct x509_engine *engine) {
    return &engine->vtable;
}

const struct status *x509_engine_status(const struct x509_engine *engine) {
    return &engine->status;
}

const struct x509_verdict *x509_engine_verdict(const struct x509_engine *engine) {
    return engine->verified ? &engine->verdict : NULL;
}

void x509_engine_free(struct x509_engine *engine) {
    buffer_free(&engine->chain);
    engine->verified = false;
    engine->count = 0;
}
