/* Keys: JWKs and thumbprints, private keys and their seal, foreign signers, digests. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "verifier/jwk.h"
#include "verifier/p256.h"
#include "verifier/private_key.h"
#include "verifier/secret.h"
#include "verifier/signer.h"

#define LIMIT_BYTES ((size_t)16 * 1024 * 1024)

static bool parse_jwk(const char *text, struct jwk *key, struct status *status) {
    struct json_document *document = json_document_parse(bytes_of_text(text), LIMIT_BYTES, status);
    bool parsed = document && jwk_parse(json_document_root(document), key, status);
    json_document_free(document);
    return parsed;
}

#define ED25519_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define P256_X    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define P256_Y    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

static void thumbprints_are_those_of_other_implementations(void **state) {
    (void)state;
    struct jwk key;
    /* RFC 8037, appendix A.3. */
    assert_true(
        parse_jwk("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "\"}", &key, NULL));
    assert_string_equal(key.thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_true(jwk_check_point(&key, NULL));
    /* RFC 7515, appendix A.3, its thumbprint computed with Python's hashlib. */
    assert_true(parse_jwk("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y
                          "\",\"kid\":\"ignored\",\"alg\":\"ES256\",\"use\":\"sig\"}",
                          &key, NULL));
    assert_string_equal(key.thumbprint, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    assert_true(jwk_check_point(&key, NULL));
}

static void unusable_jwks_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "[]",
        "{}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"oct\",\"k\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED25519_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "=\",\"y\":\"" P256_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"" P256_Y "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "\",\"d\":\"" ED25519_X "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "\",\"alg\":\"ES256\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "\",\"use\":\"enc\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "\",\"key_ops\":[\"sign\"]}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":7}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct jwk key;
        struct status status = STATUS_INIT;
        if (parse_jwk(rows[i], &key, &status)) fail_msg("accepted: %s", rows[i]);
        assert_int_equal(status.code, STATUS_MALFORMED);
    }
}

static void points_off_the_curve_are_found(void **state) {
    (void)state;
    uint8_t x[JWK_COORDINATE_BYTES] = {1}, y[JWK_COORDINATE_BYTES] = {2};
    struct jwk key;
    struct status status = STATUS_INIT;
    jwk_make(JWK_P256, x, y, &key);
    assert_false(jwk_check_point(&key, &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    /* The neutral element of Ed25519 has small order. */
    jwk_make(JWK_ED25519, x, NULL, &key);
    assert_false(jwk_check_point(&key, NULL));
}

static void keys_sign_what_they_verify(void **state) {
    (void)state;
    for (enum jwk_type type = JWK_P256; type <= JWK_ED25519; type++) {
        struct private_key key, other;
        uint8_t signature[SIGNATURE_BYTES], again[SIGNATURE_BYTES];
        private_key_generate(type, &key);
        private_key_generate(type, &other);
        assert_true(jwk_check_point(&key.public_key, NULL));
        assert_string_not_equal(key.public_key.thumbprint, other.public_key.thumbprint);
        private_key_sign(&key, bytes_of_text("message"), signature);
        private_key_sign(&key, bytes_of_text("message"), again);
        assert_memory_equal(signature, again, sizeof signature);
        assert_true(jwk_verify(&key.public_key, bytes_of_text("message"), signature));
        assert_false(jwk_verify(&key.public_key, bytes_of_text("messagE"), signature));
        assert_false(jwk_verify(&other.public_key, bytes_of_text("message"), signature));
        memset(signature, 0, sizeof signature);
        assert_false(jwk_verify(&key.public_key, bytes_of_text("message"), signature));
    }
}

static void scalars_are_below_the_order(void **state) {
    (void)state;
    static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    uint8_t scalar[P256_COORDINATE_BYTES];
    assert_true(hex_decode_exact(bytes_of_text(order), scalar, sizeof scalar));
    assert_false(p256_scalar_is_valid(scalar));
    scalar[31]--;
    assert_true(p256_scalar_is_valid(scalar));
    scalar[31] = (uint8_t)(scalar[31] + 2);
    assert_false(p256_scalar_is_valid(scalar));
    memset(scalar, 0xFF, sizeof scalar);
    assert_false(p256_scalar_is_valid(scalar));
    memset(scalar, 0, sizeof scalar);
    assert_false(p256_scalar_is_valid(scalar));
    scalar[31] = 1;
    assert_true(p256_scalar_is_valid(scalar));
}

static void private_keys_are_written_and_read_back(void **state) {
    (void)state;
    for (enum jwk_type type = JWK_P256; type <= JWK_ED25519; type++) {
        struct private_key key, back;
        struct buffer text;
        struct status status = STATUS_INIT;
        private_key_generate(type, &key);
        buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
        assert_true(private_key_write(&key, &text, NULL));
        assert_false(private_key_is_sealed(buffer_bytes(&text)));
        assert_true(private_key_parse(buffer_bytes(&text), bytes_of(NULL, 0), &back, &status));
        assert_memory_equal(back.secret, key.secret, sizeof key.secret);
        assert_string_equal(back.public_key.thumbprint, key.public_key.thumbprint);

        /* As a public key it is refused. */
        struct jwk public_key;
        assert_false(parse_jwk(buffer_text(&text), &public_key, &status));
        assert_non_null(strstr(status.text, "private"));
        buffer_wipe(&text);
    }
}

static void damaged_private_keys_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X
        "\",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"kty\":\"RSA\",\"d\":\"AA\"}",
        "[]",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct private_key key;
        struct status status = STATUS_INIT;
        if (private_key_parse(bytes_of_text(rows[i]), bytes_of(NULL, 0), &key, &status))
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(status.code, STATUS_MALFORMED);
    }
}

static void seal(const struct private_key *key, struct buffer *text) {
    struct status status = STATUS_INIT;
    buffer_init(text, PRIVATE_KEY_FILE_BYTES_MAX);
    if (!private_key_seal(key, bytes_of_text("correct horse"), text, &status))
        fail_msg("%s", status.text);
}

static void a_sealed_key_opens_only_with_its_passphrase(void **state) {
    (void)state;
    struct private_key key, back;
    struct buffer text;
    struct status status = STATUS_INIT;
    private_key_generate(JWK_P256, &key);
    seal(&key, &text);
    assert_true(private_key_is_sealed(buffer_bytes(&text)));
    assert_null(strstr(buffer_text(&text), "\"d\""));
    assert_true(
        private_key_parse(buffer_bytes(&text), bytes_of_text("correct horse"), &back, &status));
    assert_memory_equal(back.secret, key.secret, sizeof key.secret);
    assert_false(
        private_key_parse(buffer_bytes(&text), bytes_of_text("Correct horse"), &back, &status));
    assert_int_equal(status.code, STATUS_WRONG_PASSPHRASE);
    status_clear(&status);
    assert_false(private_key_parse(buffer_bytes(&text), bytes_of(NULL, 0), &back, &status));
    assert_int_equal(status.code, STATUS_WRONG_PASSPHRASE);
    buffer_free(&text);
}

/* Replaces the first occurrence of `from` by `to`, of the same length. */
static void replace(struct buffer *text, const char *from, const char *to) {
    char *place = strstr((char *)text->data, from);
    assert_non_null(place);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(place, to, strlen(to));
}

static void a_changed_seal_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        enum status_code code;
    } rows[] = {
        {"\"passes\":3", "\"passes\":4", STATUS_WRONG_PASSPHRASE},
        {"\"memory_kib\":65536", "\"memory_kib\":65537", STATUS_WRONG_PASSPHRASE},
        {"\"memory_kib\":65536", "\"memory_kib\":00001", STATUS_BAD_JSON},
        {"\"memory_kib\":65536", "\"memory_kib\":1    ", STATUS_MALFORMED},
        {"\"memory_kib\":65536", "\"memory_kib\":99e99", STATUS_MALFORMED},
        {"\"passes\":3", "\"passes\":0", STATUS_MALFORMED},
        {"argon2id", "argon2i0", STATUS_MALFORMED},
        {"_key\":1", "_key\":2", STATUS_MALFORMED},
        {"\"sealed\"", "\"closed\"", STATUS_MALFORMED},
        {"\"salt\"", "\"salz\"", STATUS_MALFORMED},
        {"\"kid\":\"", "\"kid\":\"", STATUS_OK},
    };
    struct private_key key, back;
    private_key_generate(JWK_ED25519, &key);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer text;
        struct status status = STATUS_INIT;
        seal(&key, &text);
        replace(&text, rows[i].from, rows[i].to);
        bool opened =
            private_key_parse(buffer_bytes(&text), bytes_of_text("correct horse"), &back, &status);
        assert_int_equal(opened, rows[i].code == STATUS_OK);
        if (status.code != rows[i].code)
            fail_msg("%s: %s (%s)", rows[i].to, status_code_name(status.code), status.text);
        buffer_free(&text);
    }
}

static bool sign_with_wrong_key(void *context, struct bytes input, uint8_t *signature,
                                struct status *status) {
    (void)status;
    private_key_sign(context, input, signature);
    return true;
}

static bool sign_not_at_all(void *context, struct bytes input, uint8_t *signature,
                            struct status *status) {
    (void)context;
    (void)input;
    (void)signature;
    return status_fail(status, STATUS_SIGNER_FAILED, "the HSM is locked");
}

static void a_foreign_signature_is_checked(void **state) {
    (void)state;
    struct private_key key, other;
    uint8_t signature[SIGNATURE_BYTES];
    struct status status = STATUS_INIT;
    private_key_generate(JWK_P256, &key);
    private_key_generate(JWK_P256, &other);
    struct signer good = signer_from_callback(&key.public_key, sign_with_wrong_key, &key);
    struct signer wrong = signer_from_callback(&key.public_key, sign_with_wrong_key, &other);
    struct signer locked = signer_from_callback(&key.public_key, sign_not_at_all, NULL);
    assert_true(signer_sign(&good, bytes_of_text("input"), signature, &status));
    assert_false(signer_sign(&wrong, bytes_of_text("input"), signature, &status));
    assert_int_equal(status.code, STATUS_SIGNER_FAILED);
    status_clear(&status);
    assert_false(signer_sign(&locked, bytes_of_text("input"), signature, &status));
    assert_string_equal(status.text, "the HSM is locked");
}

static void foreign_signatures_of_wrong_length_are_refused(void **state) {
    (void)state;
    uint8_t bytes[80] = {0}, signature[SIGNATURE_BYTES];
    for (size_t length = 0; length < sizeof bytes; length++)
        for (enum jwk_type type = JWK_P256; type <= JWK_ED25519; type++)
            assert_int_equal(signer_read_signature(type, bytes_of(bytes, length), signature, NULL),
                             length == SIGNATURE_BYTES);
    static const uint8_t der[] = {0x30, 6, 2, 1, 1, 2, 1, 2};
    assert_true(signer_read_signature(JWK_P256, bytes_of(der, sizeof der), signature, NULL));
    assert_int_equal(signature[31], 1);
    assert_int_equal(signature[63], 2);
    assert_false(signer_read_signature(JWK_ED25519, bytes_of(der, sizeof der), signature, NULL));
}

static void secrets_are_compared_whole(void **state) {
    (void)state;
    struct secret_digest digest = secret_digest_of(bytes_of_text("s3cret"));
    assert_true(secret_matches(&digest, bytes_of_text("s3cret")));
    assert_false(secret_matches(&digest, bytes_of_text("s3cre")));
    assert_false(secret_matches(&digest, bytes_of_text("s3crets")));
    assert_false(secret_matches(&digest, bytes_of(NULL, 0)));
}

/* FIPS 180-4 and RFC 4231, case 2. */
static void digests_are_those_of_the_standards(void **state) {
    (void)state;
    uint8_t digest[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    struct sha256_stream stream;
    sha256_stream_init(&stream);
    sha256_stream_add(&stream, bytes_of_text("a"));
    sha256_stream_add(&stream, bytes_of(NULL, 0));
    sha256_stream_add(&stream, bytes_of_text("bc"));
    sha256_stream_finish(&stream, digest);
    hex_encode(bytes_of(digest, sizeof digest), text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hmac(bytes_of_text("Jefe"), bytes_of_text("what do ya want for nothing?"), digest);
    hex_encode(bytes_of(digest, sizeof digest), text);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints_are_those_of_other_implementations),
        cmocka_unit_test(unusable_jwks_are_refused),
        cmocka_unit_test(points_off_the_curve_are_found),
        cmocka_unit_test(keys_sign_what_they_verify),
        cmocka_unit_test(scalars_are_below_the_order),
        cmocka_unit_test(private_keys_are_written_and_read_back),
        cmocka_unit_test(damaged_private_keys_are_refused),
        cmocka_unit_test(a_sealed_key_opens_only_with_its_passphrase),
        cmocka_unit_test(a_changed_seal_is_refused),
        cmocka_unit_test(a_foreign_signature_is_checked),
        cmocka_unit_test(foreign_signatures_of_wrong_length_are_refused),
        cmocka_unit_test(secrets_are_compared_whole),
        cmocka_unit_test(digests_are_those_of_the_standards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
