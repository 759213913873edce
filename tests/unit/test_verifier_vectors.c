/* Wycheproof: signatures that were made to be accepted wrongly, and the cipher of sealed keys. */
#include "tests/lib/unit.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "tests/lib/vectors.h"
#include "verifier/jwk.h"
#include "verifier/p256.h"
#include "verifier/signer.h"

#define LIMIT_BYTES ((size_t)16 * 1024 * 1024)

static void free_bytes(struct bytes bytes) {
    free((void *)(uintptr_t)bytes.data);
}

static bool is_valid(const struct json_value *test) {
    return strcmp(json_member_text(test, "result"), "valid") == 0;
}

static long long id_of(const struct json_value *test) {
    int64_t id = 0;
    json_member_integer(test, "tcId", &id);
    return id;
}

/* Decodes a hexadecimal member into new memory of exactly its size, so that ASan sees every
 * overrun. */
static struct bytes decode_hex_member(const struct json_value *object, const char *name) {
    const char *text = json_member_text(object, name);
    assert_non_null(text);
    size_t length = strlen(text) / 2;
    uint8_t *bytes = malloc(length ? length : 1);
    assert_non_null(bytes);
    assert_true(hex_decode_exact(bytes_of_text(text), bytes, length));
    return bytes_of(bytes, length);
}

/* Not every group has a JWK: the coordinates are taken from the point. */
static struct jwk key_of_group(const struct json_value *group) {
    const struct json_value *public_key = json_value_member(group, "publicKey");
    bool is_p256 = json_value_member(public_key, "uncompressed") != NULL;
    struct bytes point = decode_hex_member(public_key, is_p256 ? "uncompressed" : "pk");
    assert_int_equal(point.length, is_p256 ? P256_POINT_BYTES : JWK_COORDINATE_BYTES);
    struct jwk key;
    if (is_p256)
        jwk_make(JWK_P256, point.data + 1, point.data + 1 + P256_COORDINATE_BYTES, &key);
    else
        jwk_make(JWK_ED25519, point.data, NULL, &key);
    free_bytes(point);
    return key;
}

/* Each signature goes the way an external one would: only 64 raw bytes reach the key. */
static void check_signature_vectors(const char *file, size_t expected_count) {
    struct buffer text;
    if (!vectors_read(file, &text)) skip();
    struct json_document *document = json_document_parse(buffer_bytes(&text), LIMIT_BYTES, NULL);
    assert_non_null(document);
    const struct json_value *groups = json_value_member(json_document_root(document), "testGroups");
    size_t checked = 0;
    for (size_t g = 0; g < json_value_count(groups); g++) {
        const struct json_value *group = json_value_item(groups, g);
        const struct json_value *tests = json_value_member(group, "tests");
        struct jwk key = key_of_group(group);
        for (size_t t = 0; t < json_value_count(tests); t++, checked++) {
            const struct json_value *test = json_value_item(tests, t);
            struct bytes message = decode_hex_member(test, "msg");
            struct bytes signature = decode_hex_member(test, "sig");
            bool verified =
                signature.length == SIGNATURE_BYTES && jwk_verify(&key, message, signature.data);
            if (verified != is_valid(test)) fail_msg("%s, case %lld", file, id_of(test));
            free_bytes(message);
            free_bytes(signature);
        }
    }
    assert_int_equal(checked, expected_count);
    json_document_free(document);
    buffer_free(&text);
}

static void wycheproof_p256(void **state) {
    (void)state;
    check_signature_vectors("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", 262);
}

static void wycheproof_ed25519(void **state) {
    (void)state;
    check_signature_vectors("wycheproof/ed25519_test.json", 151);
}

/* DER signatures, as external signers give them: read strictly, then verified. */
static void wycheproof_p256_der_through_a_foreign_signer(void **state) {
    (void)state;
    struct buffer text;
    if (!vectors_read("wycheproof/ecdsa_secp256r1_sha256_test.json", &text)) skip();
    struct json_document *document = json_document_parse(buffer_bytes(&text), LIMIT_BYTES, NULL);
    assert_non_null(document);
    const struct json_value *groups = json_value_member(json_document_root(document), "testGroups");
    for (size_t g = 0; g < json_value_count(groups); g++) {
        const struct json_value *group = json_value_item(groups, g);
        const struct json_value *tests = json_value_member(group, "tests");
        struct bytes point =
            decode_hex_member(json_value_member(group, "publicKey"), "uncompressed");
        assert_int_equal(point.length, P256_POINT_BYTES);
        for (size_t t = 0; t < json_value_count(tests); t++) {
            const struct json_value *test = json_value_item(tests, t);
            struct bytes message = decode_hex_member(test, "msg");
            struct bytes output = decode_hex_member(test, "sig");
            uint8_t signature[SIGNATURE_BYTES];
            /* 64 bytes would be taken as raw; no valid vector has that length. */
            bool verified = signer_read_signature(JWK_P256, output, signature, NULL) &&
                            p256_verify(point.data, message, signature);
            if (verified != is_valid(test)) fail_msg("DER case %lld", id_of(test));
            free_bytes(message);
            free_bytes(output);
        }
        free_bytes(point);
    }
    json_document_free(document);
    buffer_free(&text);
}

/* The cipher that seals private keys, as the linked library computes it. */
static void wycheproof_xchacha20_poly1305(void **state) {
    (void)state;
    struct buffer text;
    if (!vectors_read("wycheproof/xchacha20_poly1305_test.json", &text)) skip();
    struct json_document *document = json_document_parse(buffer_bytes(&text), LIMIT_BYTES, NULL);
    assert_non_null(document);
    const struct json_value *groups = json_value_member(json_document_root(document), "testGroups");
    for (size_t g = 0; g < json_value_count(groups); g++) {
        const struct json_value *tests = json_value_member(json_value_item(groups, g), "tests");
        for (size_t t = 0; t < json_value_count(tests); t++) {
            const struct json_value *test = json_value_item(tests, t);
            struct bytes key = decode_hex_member(test, "key"),
                         nonce = decode_hex_member(test, "iv");
            struct bytes aad = decode_hex_member(test, "aad"),
                         plain = decode_hex_member(test, "msg");
            struct bytes sealed = decode_hex_member(test, "ct"),
                         tag = decode_hex_member(test, "tag");
            uint8_t *opened = malloc(sealed.length + 1);
            assert_non_null(opened);
            /* Nonces of other lengths cannot be given to the library. */
            bool good = nonce.length == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                        crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
                            opened, NULL, sealed.data, sealed.length, tag.data, aad.data,
                            aad.length, nonce.data, key.data) == 0;
            if (good != is_valid(test)) fail_msg("case %lld", id_of(test));
            if (good) assert_true(bytes_equal(bytes_of(opened, sealed.length), plain));
            free(opened);
            free_bytes(key), free_bytes(nonce), free_bytes(aad);
            free_bytes(plain), free_bytes(sealed), free_bytes(tag);
        }
    }
    json_document_free(document);
    buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof_p256),
        cmocka_unit_test(wycheproof_ed25519),
        cmocka_unit_test(wycheproof_p256_der_through_a_foreign_signer),
        cmocka_unit_test(wycheproof_xchacha20_poly1305),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
