/* Licenses: their claims, the moment they stop counting, the place they are for. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tokens.h"
#include "verifier/license.h"

#define DAY_MS INT64_C(86400000)

#define ISSUED_MS TOKENS_ISSUED_MS

#define MINIMAL                                                                                    \
    "\"iss\":\"Vendor\",\"sub\":\"ACME\",\"jti\":\"lic-1\",\"iat\":1800000000,\"exp\":1900000000," \
    "\"edition\":\"enterprise\""

#define DIGEST_1 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct license *read_claims(const char *text, struct status *status) {
    struct json_document *document =
        json_document_parse(bytes_of_text(text), JWS_TOKEN_BYTES_MAX, status);
    assert_non_null(document);
    struct license *license = license_read_claims(json_document_root(document), status);
    json_document_free(document);
    return license;
}

static void claims_are_accepted_or_refused_whole(void **state) {
    (void)state;
    static const struct {
        const char *claims;
        const char *named; /* what the error names; NULL: accepted */
    } rows[] = {
        {"{" MINIMAL "}", NULL},
        {"{" MINIMAL ",\"unknown\":{\"x\":[1]},\"features\":{}}", NULL},
        {"{" MINIMAL ",\"nbf\":1799999999.5}", NULL},
        {"{" MINIMAL ",\"features\":{\"sso\":true,\"nodes\":50,\"tier\":\"gold\",\"off\":false}}",
         NULL},
        {"{\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"edition\":\"e\"}", "iss"},
        {"{\"iss\":\"V\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"edition\":\"e\"}", "sub"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"iat\":1,\"exp\":2,\"edition\":\"e\"}", "jti"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"exp\":2,\"edition\":\"e\"}", "iat"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"edition\":\"e\"}", "exp"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"exp\":2}", "edition"},
        {"{\"iss\":\"\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"edition\":\"e\"}", "iss"},
        {"{\"iss\":7,\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"edition\":\"e\"}", "iss"},
        {"{\"iss\":\"V\",\"sub\":\"a\\nb\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"edition\":\"e\"}",
         "sub"},
        {"{\"iss\":\"V\",\"sub\":\"a\\u009b31m\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"edition\":"
         "\"e\"}",
         "sub"},
        {"{\"iss\":\"V\",\"sub\":\"a\\u007f\",\"jti\":\"1\",\"iat\":1,\"exp\":2,\"edition\":\"e\"}",
         "sub"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"exp\":1,\"edition\":\"e\"}",
         "exp"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":\"1\",\"exp\":2,\"edition\":\"e\"}",
         "iat"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":-1,\"exp\":2,\"edition\":\"e\"}",
         "iat"},
        {"{\"iss\":\"V\",\"sub\":\"A\",\"jti\":\"1\",\"iat\":1,\"exp\":1e15,\"edition\":\"e\"}",
         "exp"},
        {"{" MINIMAL ",\"nbf\":1900000000}", "exp"},
        {"{" MINIMAL ",\"nbf\":null}", "nbf"},
        {"{" MINIMAL ",\"serial\":-1}", "serial"},
        {"{" MINIMAL ",\"serial\":1.5}", "serial"},
        {"{" MINIMAL ",\"serial\":9007199254740992}", "serial"},
        {"{" MINIMAL ",\"seats\":\"5\"}", "seats"},
        {"{" MINIMAL ",\"grace_days\":3651}", "grace_days"},
        {"{" MINIMAL ",\"features\":[\"sso\"]}", "features"},
        {"{" MINIMAL ",\"features\":{\"sso\":null}}", "sso"},
        {"{" MINIMAL ",\"features\":{\"sso\":{}}}", "sso"},
        {"{" MINIMAL ",\"features\":{\"\":true}}", "name"},
        {"{" MINIMAL ",\"features\":{\"a\\u0007\":true}}", "name"},
        {"{" MINIMAL ",\"features\":{\"sso\":true},\"degrade\":{\"sso\":\"explode\"}}", "sso"},
        {"{" MINIMAL ",\"features\":{\"sso\":true},\"degrade\":\"block\"}", "degrade"},
        {"{" MINIMAL ",\"fingerprints\":[\"short\"]}", "fingerprints"},
        {"{" MINIMAL ",\"fingerprints\":\"" DIGEST_1 "\"}", "fingerprints"},
        {"{" MINIMAL ",\"fingerprints\":[\"" DIGEST_1 "\"],\"fingerprint_match\":2}",
         "fingerprint_match"},
        {"{" MINIMAL ",\"fingerprints\":[\"" DIGEST_1 "\"],\"fingerprint_match\":0}",
         "fingerprint_match"},
        {"{" MINIMAL ",\"server_jkts\":[7]}", "server_jkts"},
        {"{" MINIMAL ",\"server_jkts\":[\"" DIGEST_1 "\",\"" DIGEST_1 "\",\"" DIGEST_1
         "\",\"" DIGEST_1 "\",\"" DIGEST_1 "\",\"" DIGEST_1 "\",\"" DIGEST_1 "\",\"" DIGEST_1
         "\",\"" DIGEST_1 "\"]}",
         "server_jkts"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct status status = STATUS_INIT;
        struct license *license = read_claims(rows[i].claims, &status);
        if ((license != NULL) != (rows[i].named == NULL))
            fail_msg("row %zu: %s", i, license ? "accepted" : status.text);
        if (!license) assert_int_equal(status.code, STATUS_BAD_CLAIM);
        if (!license && !strstr(status.text, rows[i].named))
            fail_msg("row %zu does not name %s: %s", i, rows[i].named, status.text);
        license_free(license);
    }
}

static void too_many_features_are_refused(void **state) {
    (void)state;
    struct buffer text;
    struct status status = STATUS_INIT;
    buffer_init(&text, 65536);
    buffer_append_text(&text, "{" MINIMAL ",\"features\":{");
    for (int i = 0; i <= LICENSE_FEATURES_MAX; i++)
        buffer_append_format(&text, "%s\"f%d\":true", i ? "," : "", i);
    buffer_append_text(&text, "}}");
    assert_null(read_claims(buffer_text(&text), &status));
    assert_int_equal(status.code, STATUS_BAD_CLAIM);
    buffer_free(&text);
}

static struct license *issue_and_verify(const struct license *license,
                                        const struct private_key *key,
                                        const struct key_ring *ring) {
    struct buffer token;
    struct status status = STATUS_INIT;
    struct signer signer = signer_from_private_key(key);
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    if (!license_sign(license, &signer, &token, &status)) fail_msg("%s", status.text);
    struct license *back = license_verify(buffer_bytes(&token), ring, NULL, &status);
    if (!back) fail_msg("%s", status.text);
    buffer_free(&token);
    return back;
}

static void what_is_issued_is_what_is_read(void **state) {
    (void)state;
    for (enum jwk_type type = JWK_P256; type <= JWK_ED25519; type++) {
        struct private_key key;
        struct key_ring *ring = tokens_make_key(type, TOKEN_USES_VENDOR, &key);
        struct license *license = tokens_make_license();
        memset(license->fingerprints.digests, 0, sizeof license->fingerprints.digests);
        strcpy(license->fingerprints.digests[0], DIGEST_1);
        license->fingerprints.count = 1;
        license->fingerprints.match = 1;
        strcpy(license->server_jkts[0], DIGEST_1);
        license->server_jkts_count = 1;
        struct license *back = issue_and_verify(license, &key, ring);
        assert_string_equal(back->issuer, license->issuer);
        assert_string_equal(back->customer, license->customer);
        assert_string_equal(back->license_id, license->license_id);
        assert_string_equal(back->product, license->product);
        assert_string_equal(back->edition, license->edition);
        assert_string_equal(back->deployment_id, license->deployment_id);
        assert_int_equal(back->issued_at_ms, license->issued_at_ms);
        assert_int_equal(back->not_before_ms, license->not_before_ms);
        assert_int_equal(back->expires_at_ms, license->expires_at_ms);
        assert_int_equal(back->grace_days, 3);
        assert_int_equal(back->serial, 9);
        assert_int_equal(back->seats, 25);
        assert_int_equal(back->fingerprints.count, 1);
        assert_string_equal(back->server_jkts[0], DIGEST_1);
        assert_int_equal(back->features_count, 3);
        assert_int_equal(license_find_feature(back, "sso")->degrade, LICENSE_DEGRADE_READONLY);
        assert_true(license_find_feature(back, "nodes")->number == 50);
        assert_string_equal(license_find_feature(back, "tier")->text, "gold");
        assert_null(license_find_feature(back, "audit"));
        assert_string_equal(back->kid, key.public_key.thumbprint);
        assert_int_equal(strlen(back->token_sha256), 43);
        assert_true(license_accepts_server(back, DIGEST_1));
        assert_false(license_accepts_server(back, key.public_key.thumbprint));
        license_free(back);
        license_free(license);
        key_ring_free(ring);
    }
}

static void nonsense_is_not_issued(void **state) {
    (void)state;
    struct private_key key;
    private_key_generate(JWK_P256, &key);
    struct signer signer = signer_from_private_key(&key);
    for (int row = 0; row < 8; row++) {
        struct license *license = tokens_make_license();
        struct buffer token;
        struct status status = STATUS_INIT;
        switch (row) {
        case 0: license->expires_at_ms = license->not_before_ms; break;
        case 1: license->customer[0] = '\0'; break;
        case 2: strcpy(license->edition, "a\tb"); break;
        case 3: license->grace_days = -1; break;
        case 4: license->serial = -1; break;
        case 5: license->expires_at_ms = INT64_MAX; break;
        case 6:
            license->fingerprints.count = 1;
            license->fingerprints.match = 2;
            break;
        case 7: strcpy(license->license_id, "\xFF"); break;
        }
        buffer_init(&token, JWS_TOKEN_BYTES_MAX);
        if (license_sign(license, &signer, &token, &status)) fail_msg("row %d was issued", row);
        assert_int_equal(status.code, STATUS_USAGE);
        buffer_free(&token);
        license_free(license);
    }
    struct license *license = license_new();
    assert_false(license_add_feature(license, "", LICENSE_FEATURE_FLAG, 0, NULL, NULL));
    assert_false(license_add_feature(license, "a", LICENSE_FEATURE_NUMBER, 1.0 / 0.0, NULL, NULL));
    assert_false(license_add_feature(license, "a", LICENSE_FEATURE_TEXT, 0, NULL, NULL));
    license_free(license);
}

static enum status_code code_at(const struct license *license, int64_t now_ms) {
    struct status status = STATUS_INIT;
    const struct license_circumstances circumstances = {.now_ms = now_ms};
    bool valid = license_check(license, &circumstances, &status);
    assert_int_equal(valid, status.code == STATUS_OK);
    return status.code;
}

static void edges_are_exact(void **state) {
    (void)state;
    struct license *license = tokens_make_license();
    int64_t expiry = license->expires_at_ms;
    const struct {
        int64_t now_ms;
        enum status_code code;
    } rows[] = {
        {ISSUED_MS - 60001, STATUS_NOT_YET_VALID},
        {ISSUED_MS - 60000, STATUS_OK},
        {ISSUED_MS, STATUS_OK},
        {expiry - 1000, STATUS_OK},
        {expiry - 1, STATUS_OK},
        {expiry, STATUS_GRACE},
        {expiry + 1000, STATUS_GRACE},
        {expiry + 3 * DAY_MS - 1, STATUS_GRACE},
        {expiry + 3 * DAY_MS, STATUS_EXPIRED},
        {0, STATUS_NOT_YET_VALID},
        {INT64_MAX, STATUS_EXPIRED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (code_at(license, rows[i].now_ms) != rows[i].code) fail_msg("row %zu", i);
    license->grace_days = 0;
    assert_int_equal(code_at(license, expiry - 1), STATUS_OK);
    assert_int_equal(code_at(license, expiry), STATUS_EXPIRED);
    license_free(license);
}

static void the_first_reason_wins(void **state) {
    (void)state;
    struct license *license = tokens_make_license();
    struct revocations *revocations = revocations_new();
    struct fingerprint machine = {0};
    struct key_ring *ring = key_ring_new();
    struct status status = STATUS_INIT;
    assert_true(fingerprint_add(&machine, "machine-id", bytes_of_text("abc")));
    assert_true(revocations_add(revocations, "lic-1", "refunded", ISSUED_MS, NULL));
    strcpy(license->fingerprints.digests[0], DIGEST_1);
    license->fingerprints.count = 1;
    license->fingerprints.match = 1;
    struct license_circumstances circumstances = {.ring = ring,
                                                  .revocations = revocations,
                                                  .deployment_id = "site-8",
                                                  .fingerprint = &machine,
                                                  .now_ms = license->expires_at_ms + 9 * DAY_MS};
    assert_false(license_check(license, &circumstances, &status));
    assert_int_equal(status.code, STATUS_UNKNOWN_KEY);

    circumstances.ring = NULL;
    status_clear(&status);
    assert_false(license_check(license, &circumstances, &status));
    assert_int_equal(status.code, STATUS_REVOKED);
    assert_non_null(strstr(status.text, "refunded"));

    circumstances.revocations = NULL;
    status_clear(&status);
    assert_false(license_check(license, &circumstances, &status));
    assert_int_equal(status.code, STATUS_WRONG_DEPLOYMENT);

    circumstances.deployment_id = "site-7";
    status_clear(&status);
    assert_false(license_check(license, &circumstances, &status));
    assert_int_equal(status.code, STATUS_WRONG_FINGERPRINT);

    strcpy(license->fingerprints.digests[0], machine.components[0].digest);
    status_clear(&status);
    assert_false(license_check(license, &circumstances, &status));
    assert_int_equal(status.code, STATUS_EXPIRED);

    circumstances.now_ms = ISSUED_MS;
    status_clear(&status);
    assert_true(license_check(license, &circumstances, &status));
    key_ring_free(ring);
    revocations_free(revocations);
    license_free(license);
}

static void a_place_without_an_id_is_another_place(void **state) {
    (void)state;
    struct license *license = tokens_make_license();
    struct license_circumstances circumstances = {.now_ms = ISSUED_MS};
    assert_true(license_check(license, &circumstances, NULL)); /* a client does not judge it */
    circumstances.deployment_id = "";
    assert_false(license_check(license, &circumstances, NULL));
    license->deployment_id[0] = '\0';
    assert_true(license_check(license, &circumstances, NULL));
    circumstances.deployment_id = "site-8";
    assert_true(license_check(license, &circumstances, NULL));
    license_free(license);
}

static void k_of_n_components_must_be_there(void **state) {
    (void)state;
    static const char *const names[] = {"machine-id", "board", "network", "disk"};
    struct fingerprint full = {0}, machine = {0};
    struct fingerprint_demand demand = {.count = 4, .match = 3};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(fingerprint_add(&full, names[i], bytes_of_text(names[i])));
        strcpy(demand.digests[i], full.components[i].digest);
    }
    for (size_t here = 0; here <= COUNT_OF(names); here++) {
        machine.count = 0;
        for (size_t i = 0; i < here; i++)
            assert_true(fingerprint_add(&machine, names[i], bytes_of_text(names[i])));
        assert_int_equal(fingerprint_count_matches(&demand, &machine), here);
        assert_int_equal(fingerprint_matches(&demand, &machine), here >= 3);
    }
    /* The same value under another name is another component; blanks around a value do not
     * matter. */
    struct fingerprint other = {0};
    assert_true(fingerprint_add(&other, "board", bytes_of_text("machine-id")));
    assert_string_not_equal(other.components[0].digest, full.components[0].digest);
    assert_true(fingerprint_add(&other, "machine-id", bytes_of_text(" machine-id\n")));
    assert_string_equal(other.components[1].digest, full.components[0].digest);
    assert_false(fingerprint_add(&other, "empty", bytes_of_text(" \n")));
    demand = (struct fingerprint_demand){0};
    assert_true(fingerprint_matches(&demand, &(struct fingerprint){0}));
}

static void lines_of_serials_keep_their_parts_apart(void **state) {
    (void)state;
    struct license *a = tokens_make_license(), *b = tokens_make_license();
    char line_a[SHA256_TEXT_BYTES], line_b[SHA256_TEXT_BYTES];
    b->serial = 10;
    strcpy(b->edition, "community");
    license_serial_line(a, line_a);
    license_serial_line(b, line_b);
    assert_string_equal(line_a, line_b);
    strcpy(a->product, "ab");
    strcpy(a->customer, "c");
    strcpy(b->product, "a");
    strcpy(b->customer, "bc");
    license_serial_line(a, line_a);
    license_serial_line(b, line_b);
    assert_string_not_equal(line_a, line_b);
    license_free(a);
    license_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_accepted_or_refused_whole),
        cmocka_unit_test(too_many_features_are_refused),
        cmocka_unit_test(what_is_issued_is_what_is_read),
        cmocka_unit_test(nonsense_is_not_issued),
        cmocka_unit_test(edges_are_exact),
        cmocka_unit_test(the_first_reason_wins),
        cmocka_unit_test(a_place_without_an_id_is_another_place),
        cmocka_unit_test(k_of_n_components_must_be_there),
        cmocka_unit_test(lines_of_serials_keep_their_parts_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
