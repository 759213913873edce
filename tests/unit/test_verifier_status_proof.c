/* The proof of a status message: what it says, what it refuses, and that the message must agree. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "tests/lib/tokens.h"
#include "verifier/status_proof.h"

#define TOKEN "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"

/* The SHA-256 of TOKEN. */
static void token_digest(char out[SHA256_TEXT_BYTES]) {
    sha256_digest_text(bytes_of_text(TOKEN), out);
}

static struct status_proof make_proof(void) {
    struct status_proof proof = {.server_id = "server-1",
                                 .seq = (INT64_C(3) << 32) + 7,
                                 .sent_at_ms = 1800000000123,
                                 .heartbeat_interval_ms = 30000,
                                 .status = "valid",
                                 .license_id = "lic-1",
                                 .serial = 9,
                                 .nonce = "AAAAAAAAAAAAAAAAAAAAAA"};
    token_digest(proof.token_sha256);
    return proof;
}

static void sign(const struct status_proof *proof, const struct private_key *key,
                 struct buffer *token) {
    struct status status = STATUS_INIT;
    struct signer signer = signer_from_private_key(key);
    buffer_init(token, STATUS_PROOF_TOKEN_BYTES_MAX);
    if (!status_proof_sign(proof, &signer, token, &status)) fail_msg("%s", status.text);
}

static void what_is_signed_is_what_is_read(void **state) {
    (void)state;
    struct private_key key;
    struct buffer token;
    struct status status = STATUS_INIT;
    struct status_proof proof = make_proof(), back;
    private_key_generate(JWK_ED25519, &key);
    sign(&proof, &key, &token);
    if (!status_proof_read(buffer_bytes(&token), &back, &status)) fail_msg("%s", status.text);
    assert_true(status_proof_verify(buffer_bytes(&token), &back, NULL, &status));
    assert_string_equal(back.server_key.thumbprint, key.public_key.thumbprint);
    assert_string_equal(back.server_id, proof.server_id);
    assert_int_equal(back.seq, proof.seq);
    assert_int_equal(back.sent_at_ms, proof.sent_at_ms);
    assert_int_equal(back.heartbeat_interval_ms, 30000);
    assert_string_equal(back.status, "valid");
    assert_string_equal(back.license_id, "lic-1");
    assert_int_equal(back.serial, 9);
    assert_string_equal(back.token_sha256, proof.token_sha256);
    assert_string_equal(back.nonce, proof.nonce);
    buffer_free(&token);
}

static void a_proof_without_a_license_is_short(void **state) {
    (void)state;
    struct private_key key;
    struct buffer token;
    struct status_proof back, proof = {.server_id = "s",
                                       .seq = 1,
                                       .sent_at_ms = 1800000000000,
                                       .heartbeat_interval_ms = 1000,
                                       .status = "missing"};
    private_key_generate(JWK_ED25519, &key);
    sign(&proof, &key, &token);
    assert_true(status_proof_read(buffer_bytes(&token), &back, NULL));
    assert_string_equal(back.license_id, "");
    assert_string_equal(back.token_sha256, "");
    assert_string_equal(back.nonce, "");
    assert_int_equal(back.serial, 0);
    buffer_free(&token);
}

static void every_flipped_bit_is_noticed(void **state) {
    (void)state;
    struct private_key key;
    struct buffer token;
    struct status_proof proof = make_proof(), back;
    private_key_generate(JWK_ED25519, &key);
    sign(&proof, &key, &token);
    for (size_t bit = 0; bit < token.length * 8; bit++) {
        token.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (status_proof_read(buffer_bytes(&token), &back, NULL) &&
            status_proof_verify(buffer_bytes(&token), &back, NULL, NULL))
            fail_msg("bit %zu flipped and still accepted", bit);
        token.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    buffer_free(&token);
}

static void foreign_proofs_are_refused(void **state) {
    (void)state;
    struct private_key key, p256;
    struct buffer token;
    struct status_proof back;
    struct status status = STATUS_INIT;
    private_key_generate(JWK_ED25519, &key);
    private_key_generate(JWK_P256, &p256);

    tokens_sign(&key, "license+jwt", "{}", &token);
    assert_false(status_proof_read(buffer_bytes(&token), &back, &status));
    assert_int_equal(status.code, STATUS_WRONG_TYPE);
    buffer_free(&token);

    status_clear(&status);
    tokens_sign(&key, "status+jwt", "{\"iss\":\"s\"}", &token);
    assert_false(status_proof_read(buffer_bytes(&token), &back, &status));
    assert_int_equal(status.code, STATUS_BAD_CLAIM);
    buffer_free(&token);

    /* Signed by one key, carrying another. */
    struct status_proof proof = make_proof();
    char claims[2048], x[64];
    status_clear(&status);
    snprintf(x, sizeof x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    snprintf(claims, sizeof claims,
             "{\"iss\":\"s\",\"cnf\":{\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}},"
             "\"seq\":1,\"sent_at\":1,\"heartbeat_interval_ms\":1000,\"status\":\"valid\"}",
             x);
    tokens_sign(&key, "status+jwt", claims, &token);
    assert_false(status_proof_read(buffer_bytes(&token), &back, &status));
    assert_int_equal(status.code, STATUS_UNKNOWN_KEY);
    buffer_free(&token);

    /* A P-256 key is no server key. */
    status_clear(&status);
    struct signer signer = signer_from_private_key(&p256);
    buffer_init(&token, STATUS_PROOF_TOKEN_BYTES_MAX);
    assert_true(status_proof_sign(&proof, &signer, &token, NULL));
    assert_false(status_proof_read(buffer_bytes(&token), &back, &status));
    assert_int_equal(status.code, STATUS_BAD_CLAIM);
    buffer_free(&token);

    status_clear(&status);
    char large[STATUS_PROOF_TOKEN_BYTES_MAX + 1];
    memset(large, 'a', sizeof large);
    assert_false(status_proof_read(bytes_of(large, sizeof large), &back, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
}

#define MESSAGE(server, seq, sent_at, interval, status, id, serial, more)                          \
    "{\"v\":1,\"type\":\"heartbeat\",\"server_id\":" server ",\"seq\":" seq                        \
    ",\"sent_at\":" sent_at ",\"heartbeat_interval_ms\":" interval                                 \
    ",\"license\":{\"status\":" status ",\"license_id\":" id ",\"serial\":" serial "}" more "}"
#define GOOD_SENT_AT "\"2027-01-15T08:00:00.123Z\""

static void the_message_must_agree(void **state) {
    (void)state;
    static const struct {
        const char *message;
        const char *field; /* NULL: agrees */
    } rows[] = {
        {MESSAGE("\"server-1\"", "12884901895", GOOD_SENT_AT, "30000", "\"valid\"", "\"lic-1\"",
                 "9", ""),
         NULL},
        {MESSAGE("\"server-1\"", "12884901895", GOOD_SENT_AT, "30000", "\"valid\"", "\"lic-1\"",
                 "9", ",\"token\":\"" TOKEN "\""),
         NULL},
        {MESSAGE("\"server-1\"", "12884901895", GOOD_SENT_AT, "30000", "\"valid\"", "\"lic-1\"",
                 "9", ",\"token\":\"" TOKEN "x\""),
         "token"},
        {MESSAGE("\"server-2\"", "12884901895", GOOD_SENT_AT, "30000", "\"valid\"", "\"lic-1\"",
                 "9", ""),
         "server_id"},
        {MESSAGE("\"server-1\"", "12884901896", GOOD_SENT_AT, "30000", "\"valid\"", "\"lic-1\"",
                 "9", ""),
         "seq"},
        {MESSAGE("\"server-1\"", "12884901895", "\"2027-01-15T08:00:00.124Z\"", "30000",
                 "\"valid\"", "\"lic-1\"", "9", ""),
         "sent_at"},
        {MESSAGE("\"server-1\"", "12884901895", "1800000000", "30000", "\"valid\"", "\"lic-1\"",
                 "9", ""),
         "sent_at"},
        {MESSAGE("\"server-1\"", "12884901895", GOOD_SENT_AT, "1", "\"valid\"", "\"lic-1\"", "9",
                 ""),
         "heartbeat_interval_ms"},
        {MESSAGE("\"server-1\"", "12884901895", GOOD_SENT_AT, "30000", "\"expired\"", "\"lic-1\"",
                 "9", ""),
         "license.status"},
        {MESSAGE("\"server-1\"", "12884901895", GOOD_SENT_AT, "30000", "\"valid\"", "null", "9",
                 ""),
         "license.license_id"},
        {MESSAGE("\"server-1\"", "12884901895", GOOD_SENT_AT, "30000", "\"valid\"", "\"lic-1\"",
                 "10", ""),
         "license.serial"},
        {"{\"server_id\":\"server-1\"}", "seq"},
        {"[]", "server_id"},
    };
    struct status_proof proof = make_proof();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct status status = STATUS_INIT;
        struct json_document *document =
            json_document_parse(bytes_of_text(rows[i].message), 65536, NULL);
        assert_non_null(document);
        bool agrees = status_proof_agrees(&proof, json_document_root(document), &status);
        if (agrees != (rows[i].field == NULL)) fail_msg("row %zu: %s", i, status.text);
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", rows[i].field ? rows[i].field : "");
        if (!agrees && !strstr(status.text, quoted)) fail_msg("row %zu: %s", i, status.text);
        json_document_free(document);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_is_what_is_read),
        cmocka_unit_test(a_proof_without_a_license_is_short),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(foreign_proofs_are_refused),
        cmocka_unit_test(the_message_must_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
