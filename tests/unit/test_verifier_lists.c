/* What a vendor signs beside licenses: revocation lists, and key rings with their windows of
 * time. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/tokens.h"
#include "verifier/keyring_token.h"
#include "verifier/license.h"
#include "verifier/revocations.h"

#define DAY_MS    INT64_C(86400000)
#define ISSUED_MS TOKENS_ISSUED_MS

static void a_revocation_list_is_kept_sorted_and_signed(void **state) {
    (void)state;
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    struct revocations *revocations = revocations_new();
    struct signer signer = signer_from_private_key(&key);
    struct buffer token;
    struct status status = STATUS_INIT;
    strcpy(revocations->issuer, "Vendor");
    revocations->serial = 4;
    revocations->issued_at_ms = ISSUED_MS;
    revocations->expires_at_ms = ISSUED_MS + DAY_MS;
    for (int i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof id, "lic-%d", i * 37 % 50);
        assert_true(revocations_add(revocations, id, i % 2 ? "leaked" : "", ISSUED_MS, NULL));
    }
    assert_true(revocations_add(revocations, "lic-7", "again", ISSUED_MS + 5, NULL));
    assert_true(revocations_remove(revocations, "lic-8"));
    assert_false(revocations_remove(revocations, "lic-8"));
    assert_false(revocations_add(revocations, "", "x", ISSUED_MS, NULL));
    assert_int_equal(revocations->count, 49);
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    assert_true(revocations_sign(revocations, &signer, &token, &status));
    revocations_free(revocations);

    struct revocations *back = revocations_verify(buffer_bytes(&token), ring, NULL, &status);
    assert_non_null(back);
    assert_int_equal(back->count, 49);
    assert_int_equal(back->serial, 4);
    assert_string_equal(revocations_find(back, "lic-7")->reason, "again");
    assert_int_equal(revocations_find(back, "lic-7")->revoked_at_ms, ISSUED_MS);
    assert_null(revocations_find(back, "lic-8"));
    assert_null(revocations_find(NULL, "lic-7"));
    assert_false(revocations_is_old(back, ISSUED_MS + DAY_MS - 1));
    assert_true(revocations_is_old(back, ISSUED_MS + DAY_MS));
    revocations_free(back);

    /* A license is no revocation list, whoever signed it. */
    struct license *license = license_verify(buffer_bytes(&token), ring, NULL, &status);
    assert_null(license);
    assert_int_equal(status.code, STATUS_WRONG_TYPE);
    buffer_free(&token);
    key_ring_free(ring);
}

static void bad_revocation_lists_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{\"iss\":\"V\",\"iat\":1,\"serial\":1}",
        "{\"iss\":\"V\",\"iat\":1,\"serial\":1,\"revoked\":{}}",
        "{\"iss\":\"V\",\"iat\":1,\"serial\":1,\"revoked\":[{\"revoked_at\":1}]}",
        "{\"iss\":\"V\",\"iat\":1,\"serial\":1,\"revoked\":[{\"jti\":\"1\"}]}",
        "{\"iss\":\"V\",\"iat\":1,\"serial\":1,\"revoked\":[{\"jti\":\"1\",\"revoked_at\":1},7]}",
        "{\"iat\":1,\"serial\":1,\"revoked\":[]}",
        "{\"iss\":\"V\",\"serial\":1,\"revoked\":[]}",
    };
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_ED25519, TOKEN_USES_VENDOR, &key);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer token;
        struct status status = STATUS_INIT;
        tokens_sign(&key, "revocations+jwt", rows[i], &token);
        assert_null(revocations_verify(buffer_bytes(&token), ring, NULL, &status));
        assert_int_equal(status.code, STATUS_BAD_CLAIM);
        buffer_free(&token);
    }
    key_ring_free(ring);
}

/* A root, a signing key with a window, and a ring made of both. */
struct rotation {
    struct private_key root, first, second;
    struct key_ring *ring;
};

static void begin_rotation(struct rotation *rotation) {
    rotation->ring = tokens_make_key(JWK_P256, TOKEN_USE(TOKEN_KEYRING), &rotation->root);
    private_key_generate(JWK_P256, &rotation->first);
    private_key_generate(JWK_ED25519, &rotation->second);
}

static void apply_keyring(struct rotation *rotation, const struct keyring_token *token) {
    struct buffer text;
    struct status status = STATUS_INIT;
    struct signer signer = signer_from_private_key(&rotation->root);
    buffer_init(&text, JWS_TOKEN_BYTES_MAX);
    if (!keyring_token_sign(token, &signer, &text, &status)) fail_msg("%s", status.text);
    struct keyring_token *back =
        keyring_token_verify(buffer_bytes(&text), rotation->ring, NULL, &status);
    if (!back) fail_msg("%s", status.text);
    assert_int_equal(back->serial, token->serial);
    assert_true(keyring_token_apply(back, rotation->ring, &status));
    keyring_token_free(back);
    buffer_free(&text);
}

static enum status_code code_of_issue(const struct rotation *rotation,
                                      const struct private_key *key, int64_t issued_at_ms,
                                      int64_t now_ms) {
    struct license *license = tokens_make_license();
    struct buffer token;
    struct status status = STATUS_INIT;
    struct signer signer = signer_from_private_key(key);
    license->issued_at_ms = issued_at_ms;
    license->not_before_ms = issued_at_ms;
    license->expires_at_ms = issued_at_ms + 300 * DAY_MS;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    assert_true(license_sign(license, &signer, &token, &status));
    license_free(license);
    license = license_verify(buffer_bytes(&token), rotation->ring, NULL, &status);
    const struct license_circumstances circumstances = {.ring = rotation->ring, .now_ms = now_ms};
    if (license && license_check(license, &circumstances, &status))
        assert_true(status.code == STATUS_OK);
    license_free(license);
    buffer_free(&token);
    return status.code;
}

static void rotation_goes_by_the_time_of_issue(void **state) {
    (void)state;
    struct rotation rotation;
    begin_rotation(&rotation);
    int64_t overlap_begin = ISSUED_MS + 90 * DAY_MS, overlap_end = ISSUED_MS + 100 * DAY_MS;
    struct keyring_token *token = keyring_token_new();
    strcpy(token->issuer, "Vendor");
    token->serial = 1;
    token->issued_at_ms = ISSUED_MS;
    assert_true(key_ring_add(&token->keys, &rotation.first.public_key, TOKEN_USES_VENDOR, ISSUED_MS,
                             overlap_end, NULL));
    assert_true(key_ring_add(&token->keys, &rotation.second.public_key, TOKEN_USES_VENDOR,
                             overlap_begin, KEY_RING_FOREVER_MS, NULL));
    apply_keyring(&rotation, token);

    const struct {
        const struct private_key *key;
        int64_t issued_at_ms, now_ms;
        enum status_code code;
    } rows[] = {
        {&rotation.first, ISSUED_MS - 1000, ISSUED_MS, STATUS_KEY_NOT_VALID},
        {&rotation.first, ISSUED_MS, ISSUED_MS, STATUS_OK},
        {&rotation.first, ISSUED_MS, ISSUED_MS + 200 * DAY_MS, STATUS_OK}, /* retired by now */
        {&rotation.first, overlap_begin, overlap_begin, STATUS_OK},
        {&rotation.second, overlap_begin, overlap_begin, STATUS_OK},
        {&rotation.second, overlap_begin - 1000, overlap_begin, STATUS_KEY_NOT_VALID},
        {&rotation.first, overlap_end - 1000, overlap_end, STATUS_OK},
        {&rotation.first, overlap_end, overlap_end, STATUS_KEY_NOT_VALID},
        {&rotation.root, ISSUED_MS, ISSUED_MS, STATUS_UNKNOWN_KEY},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status_code code =
            code_of_issue(&rotation, rows[i].key, rows[i].issued_at_ms, rows[i].now_ms);
        if (code != rows[i].code) fail_msg("row %zu: %s", i, status_code_name(code));
    }

    /* The next ring leaves the first key out: all it ever signed is refused. */
    token->serial = 2;
    token->keys.entries[0] = token->keys.entries[1];
    token->keys.count = 1;
    apply_keyring(&rotation, token);
    assert_int_equal(code_of_issue(&rotation, &rotation.first, ISSUED_MS, ISSUED_MS),
                     STATUS_UNKNOWN_KEY);
    assert_int_equal(code_of_issue(&rotation, &rotation.second, overlap_end, overlap_end),
                     STATUS_OK);
    keyring_token_free(token);
    key_ring_free(rotation.ring);
}

static void a_keyring_replaces_configured_keys(void **state) {
    (void)state;
    struct rotation rotation;
    begin_rotation(&rotation);
    assert_true(key_ring_add(rotation.ring, &rotation.first.public_key, TOKEN_USES_VENDOR,
                             KEY_RING_ALWAYS_FROM_MS, KEY_RING_FOREVER_MS, NULL));
    assert_int_equal(code_of_issue(&rotation, &rotation.first, ISSUED_MS, ISSUED_MS), STATUS_OK);
    struct keyring_token *token = keyring_token_new();
    strcpy(token->issuer, "Vendor");
    assert_true(key_ring_add(&token->keys, &rotation.second.public_key, TOKEN_USES_VENDOR,
                             KEY_RING_ALWAYS_FROM_MS, KEY_RING_FOREVER_MS, NULL));
    apply_keyring(&rotation, token);
    assert_int_equal(code_of_issue(&rotation, &rotation.first, ISSUED_MS, ISSUED_MS),
                     STATUS_UNKNOWN_KEY);
    assert_int_equal(code_of_issue(&rotation, &rotation.second, ISSUED_MS, ISSUED_MS), STATUS_OK);
    assert_true(key_ring_has_use(rotation.ring, TOKEN_KEYRING));
    keyring_token_free(token);
    key_ring_free(rotation.ring);
}

/* A root that also signs licenses, within a window, goes on being a root without one. */
static void a_root_that_signs_licenses_stays_a_root(void **state) {
    (void)state;
    struct rotation rotation;
    begin_rotation(&rotation);
    struct keyring_token *token = keyring_token_new();
    strcpy(token->issuer, "Vendor");
    assert_true(key_ring_add(&token->keys, &rotation.root.public_key, TOKEN_USES_VENDOR, ISSUED_MS,
                             ISSUED_MS + DAY_MS, NULL));
    apply_keyring(&rotation, token);
    apply_keyring(&rotation, token);
    assert_int_equal(code_of_issue(&rotation, &rotation.root, ISSUED_MS, ISSUED_MS), STATUS_OK);
    assert_int_equal(
        code_of_issue(&rotation, &rotation.root, ISSUED_MS + DAY_MS, ISSUED_MS + DAY_MS),
        STATUS_KEY_NOT_VALID);
    keyring_token_free(token);
    key_ring_free(rotation.ring);
}

/* A list signed by a key after its window would revoke or un-revoke at a retired holder's will. */
static void revocation_lists_keep_to_windows(void **state) {
    (void)state;
    struct private_key key;
    struct key_ring *ring = key_ring_new();
    struct revocations *list = revocations_new();
    private_key_generate(JWK_ED25519, &key);
    struct signer signer = signer_from_private_key(&key);
    assert_true(key_ring_add(ring, &key.public_key, TOKEN_USES_VENDOR, ISSUED_MS,
                             ISSUED_MS + DAY_MS, NULL));
    strcpy(list->issuer, "Vendor");
    for (int days = -1; days <= 1; days++) {
        struct buffer token;
        struct status status = STATUS_INIT;
        list->issued_at_ms = ISSUED_MS + days * DAY_MS;
        buffer_init(&token, JWS_TOKEN_BYTES_MAX);
        assert_true(revocations_sign(list, &signer, &token, NULL));
        struct revocations *back = revocations_verify(buffer_bytes(&token), ring, NULL, &status);
        assert_int_equal(status.code, days == 0 ? STATUS_OK : STATUS_KEY_NOT_VALID);
        revocations_free(back);
        buffer_free(&token);
    }
    revocations_free(list);
    key_ring_free(ring);
}

#define KEY_JWK                                                                                    \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

static void bad_keyrings_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{\"iss\":\"V\",\"iat\":1,\"serial\":1}",
        "{\"iss\":\"V\",\"iat\":1,\"keys\":[{\"jwk\":{},\"use\":[]}]}",
        "{\"iss\":\"V\",\"iat\":1,\"keys\":[{\"jwk\":" KEY_JWK "}]}",
        "{\"iss\":\"V\",\"iat\":1,\"keys\":[{\"jwk\":" KEY_JWK ",\"use\":[\"keyring+jwt\"]}]}",
        "{\"iss\":\"V\",\"iat\":1,\"keys\":[{\"jwk\":" KEY_JWK ",\"use\":[\"status+jwt\"]}]}",
        "{\"iss\":\"V\",\"iat\":1,\"keys\":[{\"jwk\":" KEY_JWK
        ",\"use\":[\"license+jwt\"],\"not_before\":5,\"not_after\":5}]}",
        "{\"iss\":\"V\",\"iat\":1,\"keys\":[{\"jwk\":" KEY_JWK
        ",\"use\":[\"license+jwt\"]},{\"jwk\":" KEY_JWK ",\"use\":[\"revocations+jwt\"]}]}",
    };
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_ED25519, TOKEN_USE(TOKEN_KEYRING), &key);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer token;
        struct status status = STATUS_INIT;
        tokens_sign(&key, "keyring+jwt", rows[i], &token);
        if (keyring_token_verify(buffer_bytes(&token), ring, NULL, &status)) fail_msg("row %zu", i);
        assert_int_equal(status.code, STATUS_BAD_CLAIM);
        buffer_free(&token);
    }
    key_ring_free(ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revocation_list_is_kept_sorted_and_signed),
        cmocka_unit_test(bad_revocation_lists_are_refused),
        cmocka_unit_test(rotation_goes_by_the_time_of_issue),
        cmocka_unit_test(a_keyring_replaces_configured_keys),
        cmocka_unit_test(a_root_that_signs_licenses_stays_a_root),
        cmocka_unit_test(revocation_lists_keep_to_windows),
        cmocka_unit_test(bad_keyrings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
