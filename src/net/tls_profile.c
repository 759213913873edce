#include "net/tls_profile.h"

#include <stdbool.h>

#include "base/memory.h"
#include "base/random.h"

/* 256 bits: as much as the generator (HMAC-DRBG on SHA-256) can hold. */
#define SEED_BYTES 32

#define SUITES 6

static const uint16_t aes_first[SUITES] = {
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
};

static const uint16_t chacha_first[SUITES] = {
    BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
};

/* True when the CPU has instructions for AES. */
static bool has_fast_aes(void) {
    return br_aes_x86ni_ctr_get_vtable() != NULL || br_aes_pwr8_ctr_get_vtable() != NULL;
}

static void seed(br_ssl_engine_context *engine) {
    uint8_t bytes[SEED_BYTES];
    random_bytes(bytes, sizeof bytes);
    br_ssl_engine_inject_entropy(engine, bytes, sizeof bytes);
    memory_wipe(bytes, sizeof bytes);
}

void tls_profile_apply(br_ssl_engine_context *engine) {
    br_ssl_engine_set_versions(engine, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(engine, has_fast_aes() ? aes_first : chacha_first, SUITES);
    br_ssl_engine_set_all_flags(engine, BR_OPT_NO_RENEGOTIATION |
                                            BR_OPT_ENFORCE_SERVER_PREFERENCES |
                                            BR_OPT_FAIL_ON_ALPN_MISMATCH);
    /* A hash function that is not set is not offered and not accepted: so no MD5 and no SHA-1. */
    br_ssl_engine_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
    br_ssl_engine_set_hash(engine, br_sha512_ID, &br_sha512_vtable);
    br_ssl_engine_set_prf_sha256(engine, &br_tls12_sha256_prf);
    br_ssl_engine_set_prf_sha384(engine, &br_tls12_sha384_prf);
    /* These choose by the CPU: AES-NI with PCLMUL, SSE2 for ChaCha20. */
    br_ssl_engine_set_default_aes_gcm(engine);
    br_ssl_engine_set_default_chapol(engine);
    br_ssl_engine_set_default_ec(engine);
    br_ssl_engine_set_default_rsavrfy(engine);
    br_ssl_engine_set_default_ecdsa(engine);
    seed(engine);
}

static uint32_t verify_on_all_curves(const br_ec_impl *ignored, const void *hash, size_t hash_bytes,
                                     const br_ec_public_key *key, const void *signature,
                                     size_t signature_bytes) {
    (void)ignored;
    return br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), hash, hash_bytes, key, signature,
                                            signature_bytes);
}

void tls_profile_limit_curves(br_ssl_engine_context *engine, br_ec_impl *curves) {
    *curves = *br_ec_get_default();
    curves->supported_curves &= UINT32_C(1) << BR_EC_curve25519 | UINT32_C(1) << BR_EC_secp256r1;
    br_ssl_engine_set_ec(engine, curves);
    br_ssl_engine_set_ecdsa(engine, verify_on_all_curves);
}
