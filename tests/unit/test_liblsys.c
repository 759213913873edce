/* liblsys as a program sees it: verdicts and features, and the talk with the client beside it. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/armor.h"
#include "tests/lib/tokens.h"
#include "verifier/embed/lsys.h"

#define DAY_MS INT64_C(86400000)

/* A license, the keys that verify it, and a list that revokes it. */
struct files {
    struct private_key key;
    struct key_ring *ring;
    struct buffer license, jwks, revocations;
};

static void write_jwks(struct files *files) {
    struct json_writer json;
    buffer_init(&files->jwks, KEY_RING_JWKS_BYTES_MAX);
    json_writer_init(&json, &files->jwks);
    key_ring_write_jwks(files->ring, TOKEN_USES_VENDOR, &json);
    assert_true(json_writer_finish(&json, "JWKS", NULL));
}

static void write_revocations(struct files *files, const struct signer *signer) {
    struct revocations *revocations = revocations_new();
    strcpy(revocations->issuer, "Vendor");
    revocations->issued_at_ms = TOKENS_ISSUED_MS;
    assert_true(revocations_add(revocations, "lic-1", "refunded", TOKENS_ISSUED_MS, NULL));
    buffer_init(&files->revocations, JWS_TOKEN_BYTES_MAX);
    assert_true(revocations_sign(revocations, signer, &files->revocations, NULL));
    revocations_free(revocations);
}

static int make_files(void **state) {
    struct files *files = calloc(1, sizeof *files);
    struct license *license = tokens_make_license();
    struct buffer token;
    files->ring = tokens_make_key(JWK_P256, TOKEN_USES_VENDOR, &files->key);
    struct signer signer = signer_from_private_key(&files->key);
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    buffer_init(&files->license, JWS_TOKEN_BYTES_MAX);
    assert_true(license_sign(license, &signer, &token, NULL));
    assert_true(armor_write(ARMOR_LICENSE, buffer_bytes(&token), &files->license));
    write_jwks(files);
    write_revocations(files, &signer);
    buffer_free(&token);
    license_free(license);
    *state = files;
    return 0;
}

static int free_files(void **state) {
    struct files *files = *state;
    key_ring_free(files->ring);
    buffer_free(&files->license);
    buffer_free(&files->jwks);
    buffer_free(&files->revocations);
    free(files);
    return 0;
}

static struct lsys_bytes view(const struct buffer *buffer) {
    return (struct lsys_bytes){buffer_text(buffer), buffer->length};
}

static struct lsys_question ask_at(const struct files *files, int64_t now_ms) {
    return (struct lsys_question){
        .license = view(&files->license), .keys = view(&files->jwks), .now_ms = now_ms};
}

static void a_valid_license_grants_its_features(void **state) {
    struct lsys_question question = ask_at(*state, TOKENS_ISSUED_MS);
    struct lsys_license *license = lsys_check(&question);
    double number = 0;
    const char *text = NULL;
    assert_int_equal(lsys_license_verdict(license), LSYS_VALID);
    assert_string_equal(lsys_license_code(license), "ok");
    assert_string_equal(lsys_license_message(license), "");
    assert_string_equal(lsys_license_edition(license), "enterprise");
    assert_string_equal(lsys_license_id(license), "lic-1");
    assert_string_equal(lsys_license_product(license), "product");
    assert_int_equal(lsys_license_expires_at_ms(license), TOKENS_ISSUED_MS + 30 * DAY_MS);
    assert_int_equal(lsys_license_serial(license), 9);
    assert_int_equal(lsys_license_seats(license), 25);
    assert_int_equal(lsys_license_feature(license, "sso", NULL, NULL), LSYS_FEATURE_FLAG);
    assert_int_equal(lsys_license_feature(license, "nodes", &number, NULL), LSYS_FEATURE_NUMBER);
    assert_true(number == 50);
    assert_int_equal(lsys_license_feature(license, "tier", NULL, &text), LSYS_FEATURE_TEXT);
    assert_string_equal(text, "gold");
    assert_int_equal(lsys_license_feature(license, "audit", NULL, NULL), LSYS_FEATURE_NONE);
    lsys_license_free(license);
}

static void verdicts_follow_time_place_and_revocation(void **state) {
    const struct files *files = *state;
    int64_t expiry = TOKENS_ISSUED_MS + 30 * DAY_MS;
    const struct {
        int64_t now_ms;
        const char *deployment_id;
        bool revoked;
        enum lsys_verdict verdict;
        const char *code;
    } rows[] = {
        {expiry - 1, NULL, false, LSYS_VALID, "ok"},
        {expiry, NULL, false, LSYS_GRACE, "grace"},
        {expiry + 3 * DAY_MS, NULL, false, LSYS_REFUSED, "expired"},
        {0, NULL, false, LSYS_REFUSED, "not_yet_valid"},
        {TOKENS_ISSUED_MS, "site-7", false, LSYS_VALID, "ok"},
        {TOKENS_ISSUED_MS, "site-8", false, LSYS_REFUSED, "wrong_deployment"},
        {TOKENS_ISSUED_MS, NULL, true, LSYS_REFUSED, "revoked"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lsys_question question = ask_at(files, rows[i].now_ms);
        question.deployment_id = rows[i].deployment_id;
        if (rows[i].revoked) question.revocations = view(&files->revocations);
        struct lsys_license *license = lsys_check(&question);
        bool counts = rows[i].verdict != LSYS_REFUSED;
        assert_int_equal(lsys_license_verdict(license), rows[i].verdict);
        assert_string_equal(lsys_license_code(license), rows[i].code);
        assert_string_equal(lsys_license_edition(license), counts ? "enterprise" : "community");
        assert_int_equal(lsys_license_feature(license, "sso", NULL, NULL),
                         counts ? LSYS_FEATURE_FLAG : LSYS_FEATURE_NONE);
        lsys_license_free(license);
    }
}

static void what_cannot_be_verified_says_nothing(void **state) {
    struct files *files = *state;
    struct lsys_question rows[5];
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i] = ask_at(files, TOKENS_ISSUED_MS);
    rows[0].license = (struct lsys_bytes){NULL, 0};
    rows[1].keys = (struct lsys_bytes){NULL, 0};
    rows[2].keys = (struct lsys_bytes){"{}", 2};
    rows[3].license.length /= 2;
    rows[4].revocations = rows[4].license; /* a list that cannot be read is not no list */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lsys_license *license = lsys_check(&rows[i]);
        assert_int_equal(lsys_license_verdict(license), LSYS_REFUSED);
        assert_string_equal(lsys_license_edition(license), "community");
        assert_true(strlen(lsys_license_message(license)) > 0);
        assert_int_equal(lsys_license_feature(license, "sso", NULL, NULL), LSYS_FEATURE_NONE);
        if (i < 4) assert_string_equal(lsys_license_id(license), "");
        lsys_license_free(license);
    }
    lsys_license_free(NULL);
}

static void requests_are_http(void **state) {
    (void)state;
    char out[LSYS_REQUEST_BYTES];
    size_t length = lsys_ask_request(NULL, out);
    assert_int_equal(length, strlen(out));
    assert_string_equal(out, "GET /v1/license HTTP/1.1\r\nHost: localhost\r\n"
                             "Accept: application/json\r\nConnection: close\r\n\r\n");
    assert_true(lsys_ask_request("a/b \r\nX\xC3\xA9", out) > 0);
    assert_ptr_equal(strstr(out, "GET /v1/features/a%2Fb%20%0D%0AX%C3%A9 HTTP/1.1\r\nHost"), out);
    assert_int_equal(lsys_ask_request("", out), 0);
    char name[LSYS_REQUEST_BYTES];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(lsys_ask_request(name, out), 0);
}

#define GRANTED                                                                                    \
    "{\"feature\":\"nodes\",\"allowed\":true,\"limit\":50,\"reason\":\"licensed\","                \
    "\"edition\":\"enterprise\",\"status\":\"valid\"}"
#define DENIED                                                                                     \
    "{\"type\":\"about:blank\",\"status\":403,\"code\":\"expired\",\"detail\":\"too late\"}"

static void answers_are_read_as_they_come(void **state) {
    (void)state;
    char text[512];
    struct lsys_answer answer;
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                          "content-length: %zu\r\n\r\n%s",
                          strlen(GRANTED), GRANTED);
    for (size_t i = 0; i < (size_t)length; i++) {
        assert_int_equal(lsys_ask_response(text, i, 0, &answer), LSYS_NEEDS_MORE);
        assert_int_equal(answer.granted, 0);
        assert_int_equal(lsys_ask_response(text, i, 1, &answer), LSYS_NO_ANSWER);
    }
    assert_int_equal(lsys_ask_response(text, (size_t)length, 0, &answer), LSYS_ANSWERED);
    assert_int_equal(answer.granted, 1);
    assert_true(answer.limit == 50);
    assert_string_equal(answer.edition, "enterprise");
    assert_string_equal(answer.status, "valid");
    assert_string_equal(answer.reason, "licensed");
}

static void answers_have_their_meaning(void **state) {
    (void)state;
    static const struct {
        const char *text; /* whole, and then closed */
        enum lsys_progress progress;
        int granted;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n\r\n" GRANTED, LSYS_ANSWERED, 1},
        {"HTTP/1.1 403 Forbidden\r\n\r\n" DENIED, LSYS_ANSWERED, 0},
        {"HTTP/1.1 403 Forbidden\r\n\r\n" GRANTED, LSYS_ANSWERED, 0},
        {"HTTP/1.1 200 OK\r\n\r\n{\"licensed\":true,\"edition\":\"e\"}", LSYS_ANSWERED, 1},
        {"HTTP/1.1 200 OK\r\n\r\n{\"licensed\":false,\"edition\":\"community\"}", LSYS_ANSWERED, 0},
        {"HTTP/1.1 200 OK\r\n\r\n{}", LSYS_ANSWERED, 0},
        {"HTTP/1.1 500 Oops\r\n\r\n" GRANTED, LSYS_NO_ANSWER, 0},
        {"HTTP/1.1 200 OK\r\n\r\nhello", LSYS_NO_ANSWER, 0},
        {"HTTP/1.1 200 OK\r\n\r\n", LSYS_NO_ANSWER, 0},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" GRANTED, LSYS_NO_ANSWER, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", LSYS_NO_ANSWER, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", LSYS_NO_ANSWER, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{}", LSYS_NO_ANSWER, 0},
        {"SSH-2.0-OpenSSH\r\n\r\n", LSYS_NO_ANSWER, 0},
        {"\r\n\r\n", LSYS_NO_ANSWER, 0},
        {"", LSYS_NO_ANSWER, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lsys_answer answer;
        enum lsys_progress progress =
            lsys_ask_response(rows[i].text, strlen(rows[i].text), 1, &answer);
        if (progress != rows[i].progress || answer.granted != rows[i].granted)
            fail_msg("row %zu: %d, granted %d", i, (int)progress, answer.granted);
        if (progress == LSYS_NO_ANSWER) assert_string_equal(answer.edition, "community");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_license_grants_its_features),
        cmocka_unit_test(verdicts_follow_time_place_and_revocation),
        cmocka_unit_test(what_cannot_be_verified_says_nothing),
        cmocka_unit_test(requests_are_http),
        cmocka_unit_test(answers_are_read_as_they_come),
        cmocka_unit_test(answers_have_their_meaning),
    };
    return cmocka_run_group_tests(tests, make_files, free_files);
}
