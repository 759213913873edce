#include "verifier/x509_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "codec/der.h"
#include "codec/pem.h"
#include "verifier/p256.h"
#include "verifier/private_key.h"
#include "verifier/sha256.h"
#include "verifier/x509_bearssl.h"
#include "verifier/x509_key_parse.h"
#include "verifier/x509_oid.h"
#include "verifier/x509_signature.h"

/* Room for PKCS#8 of P-256 (138 bytes) and for a SubjectPublicKeyInfo of RSA-4096 (550). */
#define ENCODED_BYTES_MAX 1024

struct x509_key {
    struct buffer der;  /* owns what `secrets` points to */
    struct buffer spki; /* owns what `public_key` points to */
    struct x509_public_key public_key;
    struct x509_key_secrets secrets;
};

static struct x509_key *new_key(void) {
    struct x509_key *key = memory_new(sizeof *key);
    buffer_init(&key->der, X509_KEY_FILE_BYTES_MAX);
    buffer_init(&key->spki, ENCODED_BYTES_MAX);
    return key;
}

void x509_key_free(struct x509_key *key) {
    if (!key) return;
    buffer_wipe(&key->der);
    buffer_free(&key->spki);
    free(key);
}

const struct x509_public_key *x509_key_public(const struct x509_key *key) {
    return &key->public_key;
}

const struct x509_key_secrets *x509_key_secrets(const struct x509_key *key) {
    return &key->secrets;
}

static void write_ec_algorithm(struct buffer *out) {
    size_t algorithm = der_begin(out, DER_SEQUENCE);
    der_write(out, DER_OID, x509_oid_ec_public_key);
    der_write(out, DER_OID, x509_oid_p256);
    der_end(out, algorithm);
}

static void write_ec_spki(const uint8_t scalar[P256_COORDINATE_BYTES], struct buffer *out) {
    uint8_t point[P256_POINT_BYTES];
    p256_point_of_scalar(scalar, point);
    size_t spki = der_begin(out, DER_SEQUENCE);
    write_ec_algorithm(out);
    der_write_octets_in_bits(out, bytes_of(point, sizeof point));
    der_end(out, spki);
}

static void write_rsa_spki(const struct x509_key_numbers *numbers, struct buffer *out) {
    size_t spki = der_begin(out, DER_SEQUENCE);
    size_t algorithm = der_begin(out, DER_SEQUENCE);
    der_write(out, DER_OID, x509_oid_rsa_encryption);
    der_write_null(out);
    der_end(out, algorithm);
    size_t bits = der_begin(out, DER_BIT_STRING);
    buffer_append(out, "", 1); /* no unused bits */
    size_t pair = der_begin(out, DER_SEQUENCE);
    der_write_unsigned(out, numbers->modulus);
    der_write_unsigned(out, numbers->exponent);
    der_end(out, pair);
    der_end(out, bits);
    der_end(out, spki);
}

/* The public part is what the encoding of it says: one reader for all. */
static bool derive_public(struct x509_key *key, struct status *status) {
    struct der_reader reader;
    if (!buffer_check(&key->spki, "the public key", status)) return false;
    der_reader_init(&reader, buffer_bytes(&key->spki));
    x509_public_key_read(&reader, &key->public_key);
    if (!der_is_done(&reader))
        return status_fail(status, STATUS_MALFORMED, "the private key is damaged");
    if (x509_public_key_check(&key->public_key, status)) return true;
    return status_context(status, "the private key cannot be used");
}

struct x509_key *x509_key_generate(void) {
    struct x509_key *key = new_key();
    struct private_key made;
    private_key_generate(JWK_P256, &made);
    buffer_append(&key->der, made.secret, sizeof made.secret);
    private_key_wipe(&made);
    key->secrets.scalar = buffer_bytes(&key->der);
    write_ec_spki(key->secrets.scalar.data, &key->spki);
    bool derived = derive_public(key, NULL);
    ASSERT(derived);
    return key;
}

static bool adopt(struct x509_key *key, const struct x509_key_numbers *numbers,
                  struct status *status) {
    key->secrets = numbers->secrets;
    if (numbers->is_rsa) {
        write_rsa_spki(numbers, &key->spki);
        return derive_public(key, status);
    }
    if (!p256_scalar_is_valid(numbers->secrets.scalar.data))
        return status_fail(status, STATUS_MALFORMED, "the private key is no P-256 key");
    write_ec_spki(numbers->secrets.scalar.data, &key->spki);
    if (!derive_public(key, status)) return false;
    if (numbers->point.length == 0 || bytes_equal(numbers->point, key->public_key.point))
        return true;
    return status_fail(status, STATUS_MALFORMED,
                       "the public part of the key does not belong to its private part");
}

/* A key with one wrong number would make signatures that tell the others; better to find out
 * here. */
static bool test_key(const struct x509_key *key, struct status *status) {
    struct buffer out;
    struct der_reader reader;
    struct x509_signature signature;
    struct bytes message = bytes_of_text("lsys");
    buffer_init(&out, ENCODED_BYTES_MAX);
    x509_key_sign(key, message, &out);
    der_reader_init(&reader, buffer_bytes(&out));
    x509_signature_read_algorithm(&reader, &signature);
    x509_signature_read_value(&reader, &signature);
    bool good =
        der_is_done(&reader) && x509_signature_verify(&signature, message, &key->public_key, NULL);
    buffer_free(&out);
    return good || status_fail(status, STATUS_MALFORMED,
                               "the private key is damaged: what it signs does not verify");
}

struct x509_key *x509_key_read_pem(struct bytes text, struct status *status) {
    struct x509_key *key = new_key();
    struct x509_key_numbers numbers;
    if (x509_key_parse_pem(text, &key->der, &numbers, status) && adopt(key, &numbers, status) &&
        test_key(key, status))
        return key;
    x509_key_free(key);
    return NULL;
}

/* PrivateKeyInfo around ECPrivateKey (RFC 5915), whose parameters the algorithm already names. */
void x509_key_write_pem(const struct x509_key *key, struct buffer *out) {
    struct buffer der;
    ASSERT(key->public_key.type == X509_KEY_P256);
    buffer_init(&der, ENCODED_BYTES_MAX);
    size_t info = der_begin(&der, DER_SEQUENCE);
    der_write_small(&der, 0);
    write_ec_algorithm(&der);
    size_t octets = der_begin(&der, DER_OCTET_STRING);
    size_t inner = der_begin(&der, DER_SEQUENCE);
    der_write_small(&der, 1);
    der_write(&der, DER_OCTET_STRING, key->secrets.scalar);
    size_t public_part = der_begin(&der, DER_CONTEXT_INSIDE(1));
    der_write_octets_in_bits(&der, key->public_key.point);
    der_end(&der, public_part);
    der_end(&der, inner);
    der_end(&der, octets);
    der_end(&der, info);
    ASSERT(!der.failed);
    pem_write(PEM_PRIVATE_KEY, buffer_bytes(&der), out);
    buffer_wipe(&der);
}

static void sign_ec(const struct x509_key *key, struct bytes tbs, struct buffer *out) {
    uint8_t raw[P256_SIGNATURE_BYTES];
    p256_sign(key->secrets.scalar.data, tbs, raw);
    size_t algorithm = der_begin(out, DER_SEQUENCE);
    der_write(out, DER_OID, x509_oid_ecdsa_sha256);
    der_end(out, algorithm);
    size_t bits = der_begin(out, DER_BIT_STRING);
    buffer_append(out, "", 1);
    size_t pair = der_begin(out, DER_SEQUENCE);
    der_write_unsigned(out, bytes_of(raw, P256_COORDINATE_BYTES));
    der_write_unsigned(out, bytes_of(raw + P256_COORDINATE_BYTES, P256_COORDINATE_BYTES));
    der_end(out, pair);
    der_end(out, bits);
}

static void sign_rsa(const struct x509_key *key, struct bytes tbs, struct buffer *out) {
    uint8_t hash[SHA256_BYTES];
    uint8_t value[X509_RSA_BITS_MAX / 8] = {0};
    br_rsa_private_key rsa = x509_key_rsa_view(key);
    sha256_digest(tbs, hash);
    /* Fails only for a key whose numbers do not fit; the value is then no signature (test_key). */
    br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, hash, sizeof hash, &rsa, value);
    size_t algorithm = der_begin(out, DER_SEQUENCE);
    der_write(out, DER_OID, x509_oid_rsa_sha256);
    der_write_null(out);
    der_end(out, algorithm);
    der_write_octets_in_bits(out, bytes_of(value, (key->public_key.bits + 7) / 8));
}

void x509_key_sign(const struct x509_key *key, struct bytes tbs, struct buffer *out) {
    if (key->public_key.type == X509_KEY_RSA)
        sign_rsa(key, tbs, out);
    else
        sign_ec(key, tbs, out);
}
