#include "net/tls_policy.h"

#include <string.h>

#include "verifier/x509_alt_name.h"

/* BearSSL's way to say "this hash function" (struct br_ssl_server_choices, algo_id). */
#define ALGORITHM_HASH 0xFF00u

/* Largest hash value. */
#define HASH_BYTES_MAX 64

/* In the mask of what the client can verify, RSA has the low byte, ECDSA the next. */
#define ECDSA_HASHES_SHIFT 8

/* Longest ECDSA signature in DER, on P-521: what BearSSL writes without being told a limit. */
#define ECDSA_SIGNATURE_BYTES_MAX 139

/* The object identifiers of the hash functions as PKCS#1 v1.5 wants them (RFC 8017, appendix B.1),
 * by their number in TLS; the first byte is the length. */
static const uint8_t hash_oids[][10] = {
    [br_sha256_ID] = {9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01},
    [br_sha384_ID] = {9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02},
    [br_sha512_ID] = {9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03},
};

/* The server's preference: the shortest is fast and good enough. */
static const unsigned preferred_hashes[] = {br_sha256_ID, br_sha384_ID, br_sha512_ID};

#define PREFERRED_HASHES (sizeof preferred_hashes / sizeof preferred_hashes[0])

/* The first of our hash functions in the client's mask, or 0. */
static unsigned choose_hash(uint32_t mask) {
    for (size_t i = 0; i < PREFERRED_HASHES; i++)
        if (mask >> preferred_hashes[i] & 1) return preferred_hashes[i];
    return 0;
}

/* Tries one certificate: is there a suite for its key that both sides have? */
static bool try_pair(const struct tls_key_pair *pair, const br_ssl_server_context *server,
                     br_ssl_server_choices *choices) {
    size_t count;
    const br_suite_translated *suites = br_ssl_server_get_client_suites(server, &count);
    uint32_t hashes = br_ssl_server_get_client_hashes(server);
    unsigned hash = choose_hash(pair->is_rsa ? hashes : hashes >> ECDSA_HASHES_SHIFT);
    unsigned wanted = pair->is_rsa ? BR_SSLKEYX_ECDHE_RSA : BR_SSLKEYX_ECDHE_ECDSA;
    if (hash == 0) return false;
    for (size_t i = 0; i < count; i++) {
        if ((unsigned)suites[i][1] >> 12 != wanted) continue;
        choices->cipher_suite = suites[i][0];
        choices->algo_id = ALGORITHM_HASH + hash;
        choices->chain = pair->chain;
        choices->chain_len = pair->chain_count;
        return true;
    }
    return false;
}

/* Those for the name first, then all in order: a client that asks for a name we do not have sees
 * the first certificate and says what is wrong with it better than an alert would. */
static int choose(const br_ssl_server_policy_class **context, const br_ssl_server_context *server,
                  br_ssl_server_choices *choices) {
    struct tls_policy *policy = (struct tls_policy *)(void *)context;
    const char *name = br_ssl_engine_get_server_name(&server->eng);
    for (int wants_name = name[0] != '\0'; wants_name >= 0; wants_name--) {
        for (size_t i = 0; i < policy->credentials->count; i++) {
            const struct tls_key_pair *pair = &policy->credentials->pairs[i];
            if (wants_name &&
                !x509_alt_names_match(x509_identity_leaf(pair->identity)->alt_names, name))
                continue;
            if (!try_pair(pair, server, choices)) continue;
            policy->chosen = pair;
            return 1;
        }
    }
    return 0;
}

/* Only ECDHE is spoken, so nothing is ever decrypted with the key. */
static uint32_t refuse_key_exchange(const br_ssl_server_policy_class **context, unsigned char *data,
                                    size_t *length) {
    (void)context;
    (void)data;
    (void)length;
    return 0;
}

static const br_hash_class *hash_class(unsigned hash) {
    switch (hash) {
    case br_sha256_ID: return &br_sha256_vtable;
    case br_sha384_ID: return &br_sha384_vtable;
    default: return &br_sha512_vtable;
    }
}

/* Signs the hash value at the start of `data` and puts the signature in its place. */
static size_t sign(const br_ssl_server_policy_class **context, unsigned algorithm,
                   unsigned char *data, size_t hash_length, size_t room) {
    const struct tls_policy *policy = (const struct tls_policy *)(void *)context;
    const struct tls_key_pair *pair = policy->chosen;
    uint8_t value[HASH_BYTES_MAX];
    unsigned hash = algorithm - ALGORITHM_HASH;
    if (!choose_hash(UINT32_C(1) << hash) || hash_length > sizeof value) return 0;
    memcpy(value, data, hash_length);
    if (!pair->is_rsa) {
        if (room < ECDSA_SIGNATURE_BYTES_MAX) return 0;
        return br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), hash_class(hash), value,
                                                &pair->ec, data);
    }
    size_t length = (pair->rsa.n_bitlen + 7) / 8;
    if (room < length) return 0;
    return br_rsa_pkcs1_sign_get_default()(hash_oids[hash], value, hash_length, &pair->rsa, data)
               ? length
               : 0;
}

static const br_ssl_server_policy_class class = {
    .context_size = sizeof(struct tls_policy),
    .choose = choose,
    .do_keyx = refuse_key_exchange,
    .do_sign = sign,
};

void tls_policy_init(struct tls_policy *policy, const struct tls_credentials *credentials) {
    *policy = (struct tls_policy){.vtable = &class, .credentials = credentials};
}
