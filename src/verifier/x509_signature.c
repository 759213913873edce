#include "verifier/x509_signature.h"

#include <stdint.h>
#include <string.h>

#include "verifier/x509_bearssl.h"
#include "verifier/x509_oid.h"

static const struct algorithm {
    const struct bytes *oid;
    bool is_rsa;
    enum x509_hash hash;
} algorithms[] = {
    {&x509_oid_ecdsa_sha1, false, X509_SHA1},     {&x509_oid_ecdsa_sha256, false, X509_SHA256},
    {&x509_oid_ecdsa_sha384, false, X509_SHA384}, {&x509_oid_ecdsa_sha512, false, X509_SHA512},
    {&x509_oid_rsa_sha1, true, X509_SHA1},        {&x509_oid_rsa_sha256, true, X509_SHA256},
    {&x509_oid_rsa_sha384, true, X509_SHA384},    {&x509_oid_rsa_sha512, true, X509_SHA512},
};

void x509_signature_read_algorithm(struct der_reader *reader, struct x509_signature *out) {
    struct der_reader whole, inner;
    *out = (struct x509_signature){.algorithm = der_read_whole(reader, DER_SEQUENCE)};
    der_reader_init(&whole, out->algorithm);
    inner = der_enter(&whole, DER_SEQUENCE);
    out->oid = der_read_oid(&inner);
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (!bytes_equal(*algorithms[i].oid, out->oid)) continue;
        out->known = true;
        out->is_rsa = algorithms[i].is_rsa;
        out->hash = algorithms[i].hash;
        if (out->is_rsa && der_next_is(&inner, DER_NULL) && der_read(&inner, DER_NULL).length != 0)
            der_fail(&inner);
        der_leave(&whole, &inner);
    }
    if (inner.failed || whole.failed) der_fail(reader);
}

void x509_signature_read_value(struct der_reader *reader, struct x509_signature *signature) {
    signature->value = der_read_octets_in_bits(reader);
}

bool x509_signature_check_algorithm(const struct x509_signature *signature, struct status *status) {
    char oid[DER_OID_TEXT_BYTES];
    if (signature->known && signature->hash != X509_SHA1) return true;
    if (signature->known)
        return status_fail(status, STATUS_WRONG_ALGORITHM,
                           "it is signed with SHA-1, which can be forged");
    if (bytes_equal(signature->oid, x509_oid_rsa_pss))
        return status_fail(status, STATUS_WRONG_ALGORITHM,
                           "it is signed with RSA-PSS, which is not supported (use ECDSA or "
                           "RSA PKCS#1 v1.5)");
    if (bytes_equal(signature->oid, x509_oid_ed25519))
        return status_fail(status, STATUS_WRONG_ALGORITHM,
                           "it is signed with Ed25519, which is not supported in certificates "
                           "(use ECDSA)");
    der_format_oid(signature->oid, oid);
    return status_fail(status, STATUS_WRONG_ALGORITHM,
                       "it is signed with an algorithm that is not supported (%s)", oid);
}

bool x509_is_ecdsa_value(struct bytes value) {
    struct der_reader reader, inner;
    der_reader_init(&reader, value);
    inner = der_enter(&reader, DER_SEQUENCE);
    struct bytes r = der_read_unsigned(&inner);
    struct bytes s = der_read_unsigned(&inner);
    der_leave(&reader, &inner);
    return r.length > 0 && s.length > 0 && der_is_done(&reader);
}

/* Writes the digest of `message` and returns its length; `*oid` gets what RSA signs beside it. */
static size_t digest(enum x509_hash hash, struct bytes message, uint8_t out[64],
                     const unsigned char **oid) {
    const br_hash_class *class = &br_sha256_vtable;
    br_hash_compat_context context;
    *oid = BR_HASH_OID_SHA256;
    if (hash == X509_SHA384) {
        class = &br_sha384_vtable;
        *oid = BR_HASH_OID_SHA384;
    } else if (hash == X509_SHA512) {
        class = &br_sha512_vtable;
        *oid = BR_HASH_OID_SHA512;
    }
    class->init(&context.vtable);
    class->update(&context.vtable, message.data, message.length);
    class->out(&context.vtable, out);
    return class->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

static bool verify_ecdsa(struct bytes value, const uint8_t *hash, size_t hash_bytes,
                         const br_ec_public_key *key) {
    return x509_is_ecdsa_value(value) && br_ecdsa_i31_vrfy_asn1(&br_ec_all_m31, hash, hash_bytes,
                                                                key, value.data, value.length) == 1;
}

static bool verify_rsa(struct bytes value, const unsigned char *oid, const uint8_t *hash,
                       size_t hash_bytes, const br_rsa_public_key *key) {
    uint8_t signed_hash[64];
    return br_rsa_pkcs1_vrfy_get_default()(value.data, value.length, oid, hash_bytes, key,
                                           signed_hash) == 1 &&
           memcmp(signed_hash, hash, hash_bytes) == 0;
}

bool x509_signature_verify(const struct x509_signature *signature, struct bytes message,
                           const struct x509_public_key *key, struct status *status) {
    uint8_t hash[64];
    const unsigned char *oid;
    if (!x509_signature_check_algorithm(signature, status) || !x509_public_key_check(key, status))
        return false;
    if (signature->is_rsa != (key->type == X509_KEY_RSA))
        return status_fail(status, STATUS_BAD_SIGNATURE,
                           "the signature is made with another kind of key (%s is the signer's)",
                           x509_key_type_name(key->type));
    size_t hash_bytes = digest(signature->hash, message, hash, &oid);
    br_x509_pkey view = x509_public_key_view(key);
    bool good = signature->is_rsa
                    ? verify_rsa(signature->value, oid, hash, hash_bytes, &view.key.rsa)
                    : verify_ecdsa(signature->value, hash, hash_bytes, &view.key.ec);
    return good || status_fail(status, STATUS_BAD_SIGNATURE, "the signature does not verify");
}
