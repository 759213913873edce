/* Tokens as data: each way of being wrong, and the code it must give. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64url.h"
#include "tests/lib/tokens.h"
#include "verifier/jws.h"
#include "verifier/license.h"

#define CLAIMS                                                                                     \
    "{\"iss\":\"Vendor\",\"sub\":\"ACME\",\"jti\":\"lic-1\",\"iat\":1800000000,"                   \
    "\"exp\":1900000000,\"edition\":\"enterprise\",\"features\":{\"sso\":true}}"

static enum status_code code_of(struct bytes token, const struct key_ring *ring,
                                struct jws_memo *memo) {
    struct status status = STATUS_INIT;
    struct license *license = license_verify(token, ring, memo, &status);
    assert_int_equal(license != NULL, status_is_ok(&status));
    license_free(license);
    return status.code;
}

/* Headers and claims that are signed properly, by the right key. */
static const struct {
    const char *name;
    const char *header;
    const char *claims;
    enum status_code code;
} signed_rows[] = {
    {"good", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS, STATUS_OK},
    {"other order, blanks, unknown member",
     " {\"typ\":\"license+jwt\", \"x\":[1],\n\"kid\":\"KID\",\"alg\":\"ES256\"} ", CLAIMS,
     STATUS_OK},
    {"alg none", "{\"alg\":\"none\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_WRONG_ALGORITHM},
    {"alg None", "{\"alg\":\"None\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_WRONG_ALGORITHM},
    {"alg HS256", "{\"alg\":\"HS256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_WRONG_ALGORITHM},
    {"alg RS256", "{\"alg\":\"RS256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_WRONG_ALGORITHM},
    {"alg es256", "{\"alg\":\"es256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_WRONG_ALGORITHM},
    {"alg of another key", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_WRONG_ALGORITHM},
    {"alg missing", "{\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS, STATUS_WRONG_ALGORITHM},
    {"alg a number", "{\"alg\":256,\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_WRONG_ALGORITHM},
    {"jwk", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"jwk\":{}}", CLAIMS,
     STATUS_FORBIDDEN_HEADER},
    {"jku", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"jku\":\"http://x\"}",
     CLAIMS, STATUS_FORBIDDEN_HEADER},
    {"x5u", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"x5u\":\"\"}", CLAIMS,
     STATUS_FORBIDDEN_HEADER},
    {"x5c", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"x5c\":[]}", CLAIMS,
     STATUS_FORBIDDEN_HEADER},
    {"x5t", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"x5t\":\"\"}", CLAIMS,
     STATUS_FORBIDDEN_HEADER},
    {"x5t#S256", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"x5t#S256\":\"\"}",
     CLAIMS, STATUS_FORBIDDEN_HEADER},
    {"b64", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"b64\":false}", CLAIMS,
     STATUS_FORBIDDEN_HEADER},
    {"crit", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"crit\":[\"exp\"]}",
     CLAIMS, STATUS_UNKNOWN_CRITICAL},
    {"crit empty", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\",\"crit\":[]}",
     CLAIMS, STATUS_UNKNOWN_CRITICAL},
    {"typ JWT", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"JWT\"}", CLAIMS, STATUS_WRONG_TYPE},
    {"typ in capitals", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"LICENSE+JWT\"}", CLAIMS,
     STATUS_WRONG_TYPE},
    {"typ with application/",
     "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"application/license+jwt\"}", CLAIMS,
     STATUS_WRONG_TYPE},
    {"typ missing", "{\"alg\":\"ES256\",\"kid\":\"KID\"}", CLAIMS, STATUS_WRONG_TYPE},
    {"typ of another token", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"revocations+jwt\"}",
     CLAIMS, STATUS_WRONG_TYPE},
    {"kid missing", "{\"alg\":\"ES256\",\"typ\":\"license+jwt\"}", CLAIMS, STATUS_UNKNOWN_KEY},
    {"kid empty", "{\"alg\":\"ES256\",\"kid\":\"\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_UNKNOWN_KEY},
    {"kid a path", "{\"alg\":\"ES256\",\"kid\":\"../../etc/passwd\",\"typ\":\"license+jwt\"}",
     CLAIMS, STATUS_UNKNOWN_KEY},
    {"kid a query", "{\"alg\":\"ES256\",\"kid\":\"' OR 1=1 --\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_UNKNOWN_KEY},
    {"kid with NUL", "{\"alg\":\"ES256\",\"kid\":\"KID\\u0000\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_BAD_JSON},
    {"kid longer", "{\"alg\":\"ES256\",\"kid\":\"KIDx\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_UNKNOWN_KEY},
    {"kid an object", "{\"alg\":\"ES256\",\"kid\":{},\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_UNKNOWN_KEY},
    {"duplicate in header",
     "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
     STATUS_DUPLICATE_MEMBER},
    {"header an array", "[\"ES256\"]", CLAIMS, STATUS_BAD_JSON},
    {"header no JSON", "ES256", CLAIMS, STATUS_BAD_JSON},
    {"header deep",
     "{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
     "]]]]]]}",
     CLAIMS, STATUS_BAD_JSON},
    {"duplicate claim", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}",
     "{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"exp\":9,\"edition\":\"e\"}",
     STATUS_DUPLICATE_MEMBER},
    {"payload an array", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", "[1]",
     STATUS_BAD_JSON},
    {"payload no JSON", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", "license",
     STATUS_BAD_JSON},
    {"payload and more", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}",
     CLAIMS " {}", STATUS_BAD_JSON},
    {"payload with a lone surrogate", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}",
     "{\"iss\":\"\\ud800\"}", STATUS_BAD_JSON},
    {"payload not UTF-8", "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}",
     "{\"iss\":\"\xFF\"}", STATUS_BAD_JSON},
};

static void signed_tokens_have_their_verdicts(void **state) {
    (void)state;
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    for (size_t i = 0; i < COUNT_OF(signed_rows); i++) {
        struct buffer token;
        tokens_sign_raw(&key, signed_rows[i].header, signed_rows[i].claims, &token);
        enum status_code code = code_of(buffer_bytes(&token), ring, NULL);
        if (code != signed_rows[i].code)
            fail_msg("%s: %s, not %s", signed_rows[i].name, status_code_name(code),
                     status_code_name(signed_rows[i].code));
        buffer_free(&token);
    }
    key_ring_free(ring);
}

/* Changes to the text of a good token: parts are h, p, s; the row says what to put together. */
static const struct {
    const char *name;
    const char *pattern; /* h, p and s stand for the parts, everything else for itself */
    enum status_code code;
} text_rows[] = {
    {"as it is", "h.p.s", STATUS_OK},
    {"empty", "", STATUS_MALFORMED},
    {"one part", "h", STATUS_MALFORMED},
    {"two parts", "h.p", STATUS_MALFORMED},
    {"dots only", "..", STATUS_MALFORMED},
    {"no header", ".p.s", STATUS_MALFORMED},
    {"no payload", "h..s", STATUS_MALFORMED},
    {"no signature", "h.p.", STATUS_BAD_SIGNATURE_LENGTH},
    {"four parts", "h.p.s.s", STATUS_TRAILING_BYTES},
    {"dot at the end", "h.p.s.", STATUS_TRAILING_BYTES},
    {"five parts, as JWE", "h.p.s.s.s", STATUS_TRAILING_BYTES},
    {"newline at the end", "h.p.s\n", STATUS_MALFORMED},
    {"blank at the start", " h.p.s", STATUS_MALFORMED},
    {"padding after the signature", "h.p.s=", STATUS_MALFORMED},
    {"plus sign", "h.p.+s", STATUS_MALFORMED},
    {"one character more", "h.p.sA", STATUS_BAD_SIGNATURE_LENGTH},
    {"65 bytes", "h.p.sAA", STATUS_BAD_SIGNATURE_LENGTH},
    {"signature twice", "h.p.ss", STATUS_BAD_SIGNATURE_LENGTH},
    {"payload too long by one", "h.pA.s", STATUS_BAD_SIGNATURE},
    {"header too long by one", "hA.p.s", STATUS_BAD_ENCODING},
    {"parts exchanged", "p.h.s", STATUS_WRONG_ALGORITHM},
};

static void split_token(const struct buffer *token, char *parts[3]) {
    char *copy = strdup(buffer_text(token));
    assert_non_null(copy);
    for (int i = 0; i < 3; i++)
        parts[i] = strsep(&copy, ".");
}

static void changed_texts_have_their_verdicts(void **state) {
    (void)state;
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    struct buffer token;
    char *parts[3];
    /* Header of 3n + 0 and payload of 3n + 1 bytes, so that one character more can be told. */
    tokens_sign_raw(&key, "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"license+jwt\"}", CLAIMS,
                    &token);
    split_token(&token, parts);
    for (size_t i = 0; i < COUNT_OF(text_rows); i++) {
        struct buffer text;
        buffer_init(&text, 8192);
        for (const char *c = text_rows[i].pattern; *c; c++) {
            const char *part = *c == 'h'   ? parts[0]
                               : *c == 'p' ? parts[1]
                               : *c == 's' ? parts[2]
                                           : NULL;
            if (part)
                buffer_append_text(&text, part);
            else
                buffer_append(&text, c, 1);
        }
        enum status_code code = code_of(buffer_bytes(&text), ring, NULL);
        if (code != text_rows[i].code)
            fail_msg("%s: %s, not %s", text_rows[i].name, status_code_name(code),
                     status_code_name(text_rows[i].code));
        buffer_free(&text);
    }
    free(parts[0]);
    buffer_free(&token);
    key_ring_free(ring);
}

/* Every bit of a token, flipped in turn: refused, and the memo never takes one for the other. */
static void every_flipped_bit_is_noticed(void **state) {
    (void)state;
    for (enum jwk_type type = JWK_P256; type <= JWK_ED25519; type++) {
        struct private_key key;
        struct key_ring *ring = tokens_make_key(type, TOKEN_USES_VENDOR, &key);
        struct jws_memo *memo = jws_memo_new(16);
        struct buffer token;
        tokens_sign(&key, "license+jwt", CLAIMS, &token);
        assert_int_equal(code_of(buffer_bytes(&token), ring, memo), STATUS_OK);
        for (size_t bit = 0; bit < token.length * 8; bit++) {
            token.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (code_of(buffer_bytes(&token), ring, memo) == STATUS_OK)
                fail_msg("bit %zu flipped and still accepted", bit);
            token.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        assert_int_equal(code_of(buffer_bytes(&token), ring, memo), STATUS_OK);
        for (size_t length = 0; length < token.length; length++)
            assert_int_not_equal(code_of(bytes_of(token.data, length), ring, memo), STATUS_OK);
        buffer_free(&token);
        jws_memo_free(memo);
        key_ring_free(ring);
    }
}

/* The signature with s replaced by n - s also satisfies ECDSA's equation; it is another token,
 * which verifies on its own merit and shares nothing with the first in the memo. */
static void the_mirrored_signature_is_another_token(void **state) {
    (void)state;
    static const uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
                                      0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    struct jws_memo *memo = jws_memo_new(1);
    struct buffer token;
    struct jws jws;
    tokens_sign(&key, "license+jwt", CLAIMS, &token);
    assert_true(jws_parse(buffer_bytes(&token), &jws, NULL));
    unsigned borrow = 0;
    for (size_t i = 32; i-- > 0;) {
        unsigned difference = (unsigned)order[i] - jws.signature[32 + i] - borrow;
        jws.signature[32 + i] = (uint8_t)difference;
        borrow = difference >> 31;
    }
    struct buffer mirrored;
    buffer_init(&mirrored, 8192);
    buffer_append(&mirrored, jws.signing_input.data, jws.signing_input.length);
    jws_append_signature(&mirrored, jws.signature);
    jws_free(&jws);

    struct status status = STATUS_INIT;
    struct license *first = license_verify(buffer_bytes(&token), ring, memo, &status);
    struct license *second = license_verify(buffer_bytes(&mirrored), ring, memo, &status);
    assert_non_null(first);
    assert_non_null(second);
    assert_string_not_equal(first->token_sha256, second->token_sha256);
    license_free(first);
    license_free(second);
    buffer_free(&mirrored);
    buffer_free(&token);
    jws_memo_free(memo);
    key_ring_free(ring);
}

static void keys_outside_the_ring_are_unknown(void **state) {
    (void)state;
    struct private_key key, attacker;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    struct key_ring *other = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &attacker);
    struct buffer token;
    tokens_sign(&attacker, "license+jwt", CLAIMS, &token);
    assert_int_equal(code_of(buffer_bytes(&token), ring, NULL), STATUS_UNKNOWN_KEY);
    buffer_free(&token);

    /* The attacker's signature under the vendor's kid. */
    char header[256];
    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"license+jwt\"}",
             key.public_key.thumbprint);
    tokens_sign_raw(&attacker, header, CLAIMS, &token);
    assert_int_equal(code_of(buffer_bytes(&token), ring, NULL), STATUS_BAD_SIGNATURE);
    buffer_free(&token);
    key_ring_free(other);
    key_ring_free(ring);
}

/* A key of the ring that may sign revocation lists only. */
static void a_key_counts_for_its_uses_only(void **state) {
    (void)state;
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_ED25519, TOKEN_USE(TOKEN_REVOCATIONS), &key);
    struct buffer token;
    tokens_sign(&key, "license+jwt", CLAIMS, &token);
    assert_int_equal(code_of(buffer_bytes(&token), ring, NULL), STATUS_UNKNOWN_KEY);
    assert_false(key_ring_has_use(ring, TOKEN_LICENSE));
    assert_true(key_ring_has_use(ring, TOKEN_REVOCATIONS));
    buffer_free(&token);
    key_ring_free(ring);
}

static void size_is_checked_first(void **state) {
    (void)state;
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_ED25519, TOKEN_USES_VENDOR, &key);
    size_t length = JWS_TOKEN_BYTES_MAX + 1;
    char *garbage = malloc(length);
    assert_non_null(garbage);
    memset(garbage, '{', length);
    assert_int_equal(code_of(bytes_of(garbage, length), ring, NULL), STATUS_TOO_LARGE);

    /* A kid that makes the header too large. */
    struct buffer token;
    memset(garbage, 'k', 20000);
    memcpy(garbage, "{\"kid\":\"", 8);
    memcpy(garbage + 19000, "\"}", 3);
    tokens_sign_raw(&key, garbage, CLAIMS, &token);
    assert_int_equal(code_of(buffer_bytes(&token), ring, NULL), STATUS_TOO_LARGE);
    buffer_free(&token);
    free(garbage);
    key_ring_free(ring);
}

static void the_memo_remembers_signatures_only(void **state) {
    (void)state;
    struct jws_memo *memo = jws_memo_new(3);
    uint8_t good[SHA256_BYTES] = {1}, bad[SHA256_BYTES] = {2};
    assert_int_equal(jws_memo_find(memo, good), JWS_VERDICT_UNKNOWN);
    jws_memo_add(memo, good, true);
    jws_memo_add(memo, bad, false);
    assert_int_equal(jws_memo_find(memo, good), JWS_VERDICT_GOOD);
    assert_int_equal(jws_memo_find(memo, bad), JWS_VERDICT_BAD);
    good[31] ^= 1;
    assert_int_equal(jws_memo_find(memo, good), JWS_VERDICT_UNKNOWN);
    /* Its place is now taken by the newcomer. */
    jws_memo_add(memo, good, false);
    good[31] ^= 1;
    assert_int_equal(jws_memo_find(memo, good), JWS_VERDICT_UNKNOWN);
    jws_memo_free(memo);

    /* A remembered good signature does not carry over to a ring without the key. */
    struct private_key key, other;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    struct key_ring *elsewhere = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &other);
    struct buffer token;
    memo = jws_memo_new(16);
    tokens_sign(&key, "license+jwt", CLAIMS, &token);
    assert_int_equal(code_of(buffer_bytes(&token), ring, memo), STATUS_OK);
    assert_int_equal(code_of(buffer_bytes(&token), ring, memo), STATUS_OK);
    assert_int_equal(code_of(buffer_bytes(&token), elsewhere, memo), STATUS_UNKNOWN_KEY);
    buffer_free(&token);
    jws_memo_free(memo);
    key_ring_free(elsewhere);
    key_ring_free(ring);
}

/* Unsigned and MACed tokens have no 64 bytes at the end; the algorithm is what is wrong with
 * them. */
static void other_algorithms_come_with_other_lengths(void **state) {
    (void)state;
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    static const struct {
        const char *alg;
        size_t signature_bytes;
        enum status_code code;
    } rows[] = {
        {"none", 0, STATUS_WRONG_ALGORITHM},
        {"HS256", 32, STATUS_WRONG_ALGORITHM},
        {"RS256", 256, STATUS_WRONG_ALGORITHM},
        {"ES256", 63, STATUS_BAD_SIGNATURE_LENGTH},
        {"ES256", 65, STATUS_BAD_SIGNATURE_LENGTH},
        {"ES256", 70, STATUS_BAD_SIGNATURE_LENGTH}, /* as long as DER */
        {"ES256", 64, STATUS_BAD_SIGNATURE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer text;
        char header[256];
        const uint8_t signature[256] = {0};
        buffer_init(&text, 8192);
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"license+jwt\"}",
                 rows[i].alg, key.public_key.thumbprint);
        base64url_append(&text, bytes_of_text(header));
        buffer_append(&text, ".", 1);
        base64url_append(&text, bytes_of_text(CLAIMS));
        buffer_append(&text, ".", 1);
        base64url_append(&text, bytes_of(signature, rows[i].signature_bytes));
        enum status_code code = code_of(buffer_bytes(&text), ring, NULL);
        if (code != rows[i].code) fail_msg("row %zu: %s", i, status_code_name(code));
        buffer_free(&text);
    }
    key_ring_free(ring);
}

/* What an attacker writes into a header reaches people's terminals in an error. */
static void errors_hold_no_terminal_sequences(void **state) {
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"kid\":\"\\u001b[2J\",\"typ\":\"license+jwt\"}",
        "{\"alg\":\"ES256\",\"kid\":\"KID\",\"typ\":\"\\u009b2J\\n\"}",
        "{\"alg\":\"ES256\",\"\\u001b\":1,\"\\u001b\":2}",
    };
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct buffer token;
        struct status status = STATUS_INIT;
        tokens_sign_raw(&key, headers[i], CLAIMS, &token);
        assert_null(license_verify(buffer_bytes(&token), ring, NULL, &status));
        for (const char *c = status.text; *c; c++)
            if (*c < ' ' || *c > '~') fail_msg("row %zu: byte %d", i, *c);
        buffer_free(&token);
    }
    key_ring_free(ring);
}

static void key_sets_are_all_or_nothing(void **state) {
    (void)state;
    static const struct {
        const char *jwks;
        enum status_code code;
    } rows[] = {
        {"{\"keys\":[]}", STATUS_MALFORMED},
        {"{}", STATUS_MALFORMED},
        {"[]", STATUS_MALFORMED},
        {"", STATUS_BAD_JSON},
        {"{\"keys\":{}}", STATUS_MALFORMED},
        {"{\"keys\":[{\"kty\":\"RSA\"}]}", STATUS_MALFORMED},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
         "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},7]}",
         STATUS_MALFORMED},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
         "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
         STATUS_MALFORMED},
    };
    struct private_key key;
    struct key_ring *ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &key);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct status status = STATUS_INIT;
        assert_false(
            key_ring_add_jwks(ring, bytes_of_text(rows[i].jwks), TOKEN_USES_VENDOR, &status));
        if (status.code != rows[i].code) fail_msg("row %zu: %s", i, status.text);
        assert_int_equal(ring->count, 1);
    }
    struct buffer jwks;
    struct json_writer json;
    buffer_init(&jwks, KEY_RING_JWKS_BYTES_MAX);
    json_writer_init(&json, &jwks);
    key_ring_write_jwks(ring, TOKEN_USES_VENDOR, &json);
    assert_true(json_writer_finish(&json, "JWKS", NULL));
    struct key_ring *back = key_ring_new();
    assert_true(key_ring_add_jwks(back, buffer_bytes(&jwks), TOKEN_USES_VENDOR, NULL));
    assert_int_equal(back->count, 1);
    assert_non_null(key_ring_find(back, TOKEN_LICENSE, key.public_key.thumbprint));
    assert_null(key_ring_find(back, TOKEN_KEYRING, key.public_key.thumbprint));
    buffer_free(&jwks);
    key_ring_free(back);
    key_ring_free(ring);
}

static void a_ring_has_a_limit(void **state) {
    (void)state;
    struct key_ring *ring = key_ring_new();
    struct private_key key;
    struct status status = STATUS_INIT;
    for (int i = 0; i < KEY_RING_KEYS_MAX; i++) {
        private_key_generate(JWK_ED25519, &key);
        assert_true(key_ring_add(ring, &key.public_key, TOKEN_USES_VENDOR, KEY_RING_ALWAYS_FROM_MS,
                                 KEY_RING_FOREVER_MS, NULL));
    }
    private_key_generate(JWK_ED25519, &key);
    assert_false(key_ring_add(ring, &key.public_key, TOKEN_USES_VENDOR, KEY_RING_ALWAYS_FROM_MS,
                              KEY_RING_FOREVER_MS, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    key_ring_free(ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_tokens_have_their_verdicts),
        cmocka_unit_test(changed_texts_have_their_verdicts),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(the_mirrored_signature_is_another_token),
        cmocka_unit_test(keys_outside_the_ring_are_unknown),
        cmocka_unit_test(a_key_counts_for_its_uses_only),
        cmocka_unit_test(size_is_checked_first),
        cmocka_unit_test(the_memo_remembers_signatures_only),
        cmocka_unit_test(other_algorithms_come_with_other_lengths),
        cmocka_unit_test(errors_hold_no_terminal_sequences),
        cmocka_unit_test(key_sets_are_all_or_nothing),
        cmocka_unit_test(a_ring_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
