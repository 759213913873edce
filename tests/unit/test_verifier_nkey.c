/* NKeys: texts that Go's nkeys and OpenSSL agree on, and texts that nobody should accept. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codec/base64url.h"
#include "verifier/nkey.h"

/* The seed 00 01 02 ... 1f. */
#define USER_PUBLIC    "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"
#define ACCOUNT_PUBLIC "AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV"
#define USER_SEED      "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y"
#define NONCE_SIGNATURE                                                                            \
    "-HTq4d6DDHVNb8MsTRAZtSIa0vXA_yuZblwTA7JT5wYzmKBxJ2wpYfjHh7hcptZlidbVw_6ZLyubjm_yDk-OCQ"

static void known_texts(void **state) {
    (void)state;
    uint8_t seed[NKEY_KEY_BYTES], decoded[NKEY_KEY_BYTES];
    char seed_text[NKEY_SEED_TEXT_BYTES], public_text[NKEY_PUBLIC_TEXT_BYTES];
    enum nkey_kind kind = NKEY_SERVER;
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    nkey_encode_seed(NKEY_USER, seed, seed_text);
    assert_string_equal(seed_text, USER_SEED);
    assert_true(nkey_public_of_seed(bytes_of_text(USER_SEED), public_text, NULL));
    assert_string_equal(public_text, USER_PUBLIC);
    assert_true(nkey_decode_seed(bytes_of_text(USER_SEED), &kind, decoded, NULL));
    assert_int_equal(kind, NKEY_USER);
    assert_memory_equal(decoded, seed, sizeof seed);
    assert_true(nkey_decode_public(bytes_of_text(USER_PUBLIC), &kind, decoded, NULL));
    nkey_encode_public(NKEY_ACCOUNT, decoded, public_text);
    assert_string_equal(public_text, ACCOUNT_PUBLIC);
}

static void a_nonce_is_signed_and_verified(void **state) {
    (void)state;
    uint8_t signature[SIGNATURE_BYTES];
    char text[BASE64URL_LENGTH(SIGNATURE_BYTES) + 1];
    assert_true(nkey_sign(bytes_of_text(USER_SEED), bytes_of_text("nonce"), signature, NULL));
    base64url_encode(bytes_of(signature, sizeof signature), text);
    assert_string_equal(text, NONCE_SIGNATURE);
    assert_true(nkey_verify(bytes_of_text(USER_PUBLIC), bytes_of_text("nonce"), signature));
    assert_false(nkey_verify(bytes_of_text(USER_PUBLIC), bytes_of_text("Nonce"), signature));
    assert_false(nkey_verify(bytes_of_text("UAB2"), bytes_of_text("nonce"), signature));
    signature[10] ^= 1;
    assert_false(nkey_verify(bytes_of_text(USER_PUBLIC), bytes_of_text("nonce"), signature));
}

static void every_kind_has_its_letter(void **state) {
    (void)state;
    static const struct {
        enum nkey_kind kind;
        char letter;
    } rows[] = {{NKEY_OPERATOR, 'O'},
                {NKEY_ACCOUNT, 'A'},
                {NKEY_USER, 'U'},
                {NKEY_SERVER, 'N'},
                {NKEY_CLUSTER, 'C'}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char seed_text[NKEY_SEED_TEXT_BYTES], public_text[NKEY_PUBLIC_TEXT_BYTES];
        char derived[NKEY_PUBLIC_TEXT_BYTES];
        nkey_generate(rows[i].kind, seed_text, public_text);
        assert_int_equal(public_text[0], rows[i].letter);
        assert_int_equal(seed_text[0], 'S');
        assert_int_equal(seed_text[1], rows[i].letter);
        assert_true(nkey_public_of_seed(bytes_of_text(seed_text), derived, NULL));
        assert_string_equal(derived, public_text);
    }
}

static void damaged_texts_are_refused(void **state) {
    (void)state;
    char text[] = USER_PUBLIC;
    char seed_text[] = USER_SEED;
    enum nkey_kind kind;
    uint8_t key[NKEY_KEY_BYTES];
    for (size_t bit = 0; bit < 8 * strlen(text); bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        assert_false(nkey_decode_public(bytes_of(text, sizeof text - 1), &kind, key, NULL));
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t bit = 0; bit < 8 * strlen(seed_text); bit++) {
        seed_text[bit / 8] = (char)(seed_text[bit / 8] ^ (1 << bit % 8));
        assert_false(nkey_decode_seed(bytes_of(seed_text, sizeof seed_text - 1), &kind, key, NULL));
        seed_text[bit / 8] = (char)(seed_text[bit / 8] ^ (1 << bit % 8));
    }
    assert_false(nkey_decode_public(bytes_of_text(""), &kind, key, NULL));
    assert_false(nkey_decode_public(bytes_of_text(USER_SEED), &kind, key, NULL));
    assert_false(nkey_decode_public(bytes_of_text(USER_PUBLIC "A"), &kind, key, NULL));

    struct status status = STATUS_INIT;
    assert_false(nkey_decode_seed(bytes_of_text(USER_PUBLIC), &kind, key, &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    assert_null(strstr(status.text, USER_PUBLIC));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts),
        cmocka_unit_test(a_nonce_is_signed_and_verified),
        cmocka_unit_test(every_kind_has_its_letter),
        cmocka_unit_test(damaged_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
