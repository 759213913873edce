/* app/authority: whose signatures count, with key files, key rings and revocation lists that come,
 * are replaced, are bad, or are older, and across restarts. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/authority.h"
#include "base/file.h"
#include "codec/json_writer.h"
#include "store/store.h"
#include "tests/lib/folder.h"
#include "tests/lib/tokens.h"

#define DAY_MS    INT64_C(86400000)
#define ISSUED_MS TOKENS_ISSUED_MS

struct fixture {
    char folder[TEST_FOLDER_BYTES];
    char *keys_path, *root_path; /* of JWK sets with `first` and `root` */
    struct private_key root, first, second;
    struct store *store;
    struct ledger *ledger;
    struct authority *authority;
};

/* ---- files and tokens ---- */

static void write_keys(const char *path, const struct private_key *key, uint32_t uses) {
    struct key_ring *ring = key_ring_new();
    struct buffer text;
    struct json_writer json;
    assert_true(key_ring_add(ring, &key->public_key, uses, KEY_RING_ALWAYS_FROM_MS,
                             KEY_RING_FOREVER_MS, NULL));
    buffer_init(&text, KEY_RING_JWKS_BYTES_MAX);
    json_writer_init(&json, &text);
    key_ring_write_jwks(ring, uses, &json);
    assert_true(file_replace(path, buffer_bytes(&text), 0644, NULL));
    buffer_free(&text);
    key_ring_free(ring);
}

/* A key ring with this key alone, for tokens issued from ISSUED_MS until `not_after_ms`. */
static struct buffer sign_keyring(const struct private_key *root, int64_t serial,
                                  const struct private_key *key, int64_t not_after_ms) {
    struct keyring_token *keyring = keyring_token_new();
    struct signer signer = signer_from_private_key(root);
    struct buffer token;
    strcpy(keyring->issuer, "Vendor");
    keyring->serial = serial;
    keyring->issued_at_ms = ISSUED_MS;
    assert_true(key_ring_add(&keyring->keys, &key->public_key, TOKEN_USES_VENDOR, ISSUED_MS,
                             not_after_ms, NULL));
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    assert_true(keyring_token_sign(keyring, &signer, &token, NULL));
    keyring_token_free(keyring);
    return token;
}

/* A list that revokes the license `license_id`, or nothing (NULL). */
static struct buffer sign_list(const struct private_key *key, int64_t serial,
                               const char *license_id) {
    struct revocations *list = revocations_new();
    struct signer signer = signer_from_private_key(key);
    struct buffer token;
    strcpy(list->issuer, "Vendor");
    list->serial = serial;
    list->issued_at_ms = ISSUED_MS;
    list->expires_at_ms = INT64_MAX;
    if (license_id) assert_true(revocations_add(list, license_id, "leaked", ISSUED_MS, NULL));
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    assert_true(revocations_sign(list, &signer, &token, NULL));
    revocations_free(list);
    return token;
}

static struct buffer sign_license(const struct private_key *key, int64_t issued_at_ms) {
    struct license *license = tokens_make_license();
    struct signer signer = signer_from_private_key(key);
    struct buffer token;
    license->issued_at_ms = license->not_before_ms = issued_at_ms;
    license->expires_at_ms = issued_at_ms + 300 * DAY_MS;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    assert_true(license_sign(license, &signer, &token, NULL));
    license_free(license);
    return token;
}

/* ---- what the authority says ---- */

/* Of a license signed by the key and issued then: OK, or the code that keeps it from counting. */
static enum status_code code_of_license(struct fixture *fixture, const struct private_key *key,
                                        int64_t issued_at_ms) {
    const struct license_circumstances place = {.now_ms = issued_at_ms};
    struct status status = STATUS_INIT;
    struct buffer token = sign_license(key, issued_at_ms);
    struct license *license =
        authority_verify_license(fixture->authority, buffer_bytes(&token), &status);
    if (license) {
        struct license_facts facts =
            authority_license_facts(fixture->authority, license, &place, &status);
        assert_int_equal(facts.revoked, status.code == STATUS_REVOKED);
    }
    license_free(license);
    buffer_free(&token);
    return status.code;
}

static enum adoption adopt_keyring(struct fixture *fixture, struct buffer token,
                                   enum status_code code) {
    struct status status = STATUS_INIT;
    enum adoption adoption =
        authority_adopt_keyring(fixture->authority, buffer_bytes(&token), &status);
    assert_int_equal(status.code, code);
    buffer_free(&token);
    return adoption;
}

static enum adoption adopt_list(struct fixture *fixture, struct buffer token,
                                enum status_code code) {
    struct status status = STATUS_INIT;
    enum adoption adoption =
        authority_adopt_revocations(fixture->authority, buffer_bytes(&token), &status);
    assert_int_equal(status.code, code);
    buffer_free(&token);
    return adoption;
}

/* ---- beginning, restarting, ending ---- */

static void load(struct fixture *fixture) {
    struct status status = STATUS_INIT;
    if (!authority_load(fixture->authority, fixture->keys_path, fixture->root_path, &status))
        fail_msg("%s", status.text);
}

static void begin(struct fixture *fixture) {
    assert_true(store_open(fixture->folder, &fixture->store, NULL, NULL));
    fixture->ledger = ledger_open(fixture->store, "test-role");
    fixture->authority = authority_open(fixture->ledger);
}

static void end(struct fixture *fixture) {
    authority_close(fixture->authority);
    ledger_close(fixture->ledger);
    store_close(fixture->store);
}

static void restart(struct fixture *fixture) {
    end(fixture);
    begin(fixture);
    load(fixture);
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    test_folder_make(fixture->folder);
    fixture->keys_path = file_join(fixture->folder, "vendor.jwks");
    fixture->root_path = file_join(fixture->folder, "root.jwks");
    private_key_generate(JWK_P256, &fixture->root);
    private_key_generate(JWK_P256, &fixture->first);
    private_key_generate(JWK_ED25519, &fixture->second);
    write_keys(fixture->keys_path, &fixture->first, TOKEN_USES_VENDOR);
    write_keys(fixture->root_path, &fixture->root, TOKEN_USE(TOKEN_KEYRING));
    begin(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    end(fixture);
    test_folder_remove(fixture->folder);
    free(fixture->keys_path);
    free(fixture->root_path);
    free(fixture);
    return 0;
}

/* ---- key files ---- */

static void nothing_counts_before_keys_are_loaded(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_UNKNOWN_KEY);
    load(fixture);
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_OK);
    assert_int_equal(code_of_license(fixture, &fixture->second, ISSUED_MS), STATUS_UNKNOWN_KEY);
    assert_int_equal(code_of_license(fixture, &fixture->root, ISSUED_MS), STATUS_UNKNOWN_KEY);
}

static void replaced_key_files_count_from_the_next_load(void **state) {
    struct fixture *fixture = *state;
    load(fixture);
    write_keys(fixture->keys_path, &fixture->second, TOKEN_USES_VENDOR);
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_OK);
    load(fixture);
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_UNKNOWN_KEY);
    assert_int_equal(code_of_license(fixture, &fixture->second, ISSUED_MS), STATUS_OK);
}

static void a_bad_key_file_is_named_and_changes_nothing(void **state) {
    static const char *const texts[] = {"",        "{", "[]", "{\"keys\":{}}", "{\"keys\":[{}]}",
                                        "\x01\xff"};
    struct fixture *fixture = *state;
    load(fixture);
    for (size_t i = 0; i < COUNT_OF(texts) * 2; i++) {
        char *path = i % 2 ? fixture->keys_path : fixture->root_path;
        struct status status = STATUS_INIT;
        assert_true(file_replace(path, bytes_of_text(texts[i / 2]), 0644, NULL));
        assert_false(
            authority_load(fixture->authority, fixture->keys_path, fixture->root_path, &status));
        assert_non_null(strstr(status.text, path));
        assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_OK);
        write_keys(fixture->keys_path, &fixture->first, TOKEN_USES_VENDOR);
        write_keys(fixture->root_path, &fixture->root, TOKEN_USE(TOKEN_KEYRING));
    }
    struct status status = STATUS_INIT;
    assert_false(authority_load(fixture->authority, "/no/such/file", NULL, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    assert_int_equal(adopt_keyring(fixture,
                                   sign_keyring(&fixture->root, 1, &fixture->second, INT64_MAX),
                                   STATUS_OK),
                     ADOPTION_TAKEN); /* the root of before still counts */
}

/* ---- key rings ---- */

static void a_key_ring_replaces_the_configured_keys(void **state) {
    struct fixture *fixture = *state;
    load(fixture);
    assert_int_equal(adopt_keyring(fixture,
                                   sign_keyring(&fixture->root, 1, &fixture->second, INT64_MAX),
                                   STATUS_OK),
                     ADOPTION_TAKEN);
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_UNKNOWN_KEY);
    assert_int_equal(code_of_license(fixture, &fixture->second, ISSUED_MS), STATUS_OK);
    load(fixture); /* the file of configured keys does not bring its own back */
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_UNKNOWN_KEY);
    restart(fixture);
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_UNKNOWN_KEY);
    assert_int_equal(code_of_license(fixture, &fixture->second, ISSUED_MS), STATUS_OK);
}

static void a_window_is_judged_by_the_time_of_issue(void **state) {
    struct fixture *fixture = *state;
    load(fixture);
    adopt_keyring(fixture,
                  sign_keyring(&fixture->root, 1, &fixture->second, ISSUED_MS + 100 * DAY_MS),
                  STATUS_OK);
    const struct {
        int64_t issued_at_ms;
        enum status_code code;
    } rows[] = {
        {ISSUED_MS - 1000, STATUS_KEY_NOT_VALID},
        {ISSUED_MS, STATUS_OK},
        {ISSUED_MS + 100 * DAY_MS - 1000, STATUS_OK},
        {ISSUED_MS + 100 * DAY_MS, STATUS_KEY_NOT_VALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(code_of_license(fixture, &fixture->second, rows[i].issued_at_ms),
                         rows[i].code);
}

/* A license that was verified is judged anew when a ring comes that leaves its key out. */
static void facts_follow_the_ring(void **state) {
    struct fixture *fixture = *state;
    const struct license_circumstances place = {.now_ms = ISSUED_MS};
    struct status status = STATUS_INIT;
    load(fixture);
    struct buffer token = sign_license(&fixture->first, ISSUED_MS);
    struct license *license =
        authority_verify_license(fixture->authority, buffer_bytes(&token), &status);
    assert_non_null(license);
    struct license_facts facts = authority_license_facts(fixture->authority, license, &place, NULL);
    assert_true(facts.present);
    assert_int_equal(facts.verdict, STATUS_OK);
    adopt_keyring(fixture, sign_keyring(&fixture->root, 1, &fixture->second, INT64_MAX), STATUS_OK);
    facts = authority_license_facts(fixture->authority, license, &place, NULL);
    assert_int_equal(facts.verdict, STATUS_UNKNOWN_KEY);
    facts = authority_license_facts(fixture->authority, NULL, &place, NULL);
    assert_false(facts.present);
    license_free(license);
    buffer_free(&token);
}

static void key_rings_only_grow_and_only_roots_make_them(void **state) {
    struct fixture *fixture = *state;
    struct private_key *second = &fixture->second;
    load(fixture);
    assert_int_equal(adopt_keyring(fixture, sign_keyring(&fixture->first, 9, second, INT64_MAX),
                                   STATUS_UNKNOWN_KEY),
                     ADOPTION_REFUSED);
    struct buffer token = sign_keyring(&fixture->root, 5, second, INT64_MAX);
    struct buffer same;
    buffer_init(&same, JWS_TOKEN_BYTES_MAX);
    assert_true(buffer_append(&same, token.data, token.length));
    assert_int_equal(adopt_keyring(fixture, token, STATUS_OK), ADOPTION_TAKEN);
    assert_true(authority_has_keyring(fixture->authority, buffer_bytes(&same)));
    assert_true(bytes_equal(authority_keyring_token(fixture->authority), buffer_bytes(&same)));
    assert_int_equal(adopt_keyring(fixture, same, STATUS_OK), ADOPTION_SAME);
    for (int64_t serial = 4; serial <= 5; serial++) {
        assert_int_equal(
            adopt_keyring(fixture, sign_keyring(&fixture->root, serial, &fixture->first, INT64_MAX),
                          STATUS_OLD_SERIAL),
            ADOPTION_REFUSED);
        assert_int_equal(code_of_license(fixture, second, ISSUED_MS), STATUS_OK);
        restart(fixture);
    }
    assert_int_equal(adopt_keyring(fixture,
                                   sign_keyring(&fixture->root, 6, &fixture->first, INT64_MAX),
                                   STATUS_OK),
                     ADOPTION_TAKEN);
    assert_int_equal(code_of_license(fixture, second, ISSUED_MS), STATUS_UNKNOWN_KEY);
}

/* The ring of an earlier run ends with its root; its serial stays. */
static void a_new_root_ends_the_ring_of_the_old_one(void **state) {
    struct fixture *fixture = *state;
    load(fixture);
    adopt_keyring(fixture, sign_keyring(&fixture->root, 5, &fixture->second, INT64_MAX), STATUS_OK);
    private_key_generate(JWK_P256, &fixture->root);
    write_keys(fixture->root_path, &fixture->root, TOKEN_USE(TOKEN_KEYRING));
    load(fixture);
    assert_int_equal(authority_keyring_token(fixture->authority).length, 0);
    assert_int_equal(code_of_license(fixture, &fixture->first, ISSUED_MS), STATUS_OK);
    assert_int_equal(adopt_keyring(fixture,
                                   sign_keyring(&fixture->root, 4, &fixture->second, INT64_MAX),
                                   STATUS_OLD_SERIAL),
                     ADOPTION_REFUSED);
}

/* ---- revocation lists ---- */

static void a_revoked_license_stays_revoked(void **state) {
    struct fixture *fixture = *state;
    struct private_key *first = &fixture->first;
    load(fixture);
    assert_int_equal(adopt_list(fixture, sign_list(first, 5, "lic-1"), STATUS_OK), ADOPTION_TAKEN);
    assert_int_equal(code_of_license(fixture, first, ISSUED_MS), STATUS_REVOKED);
    assert_int_equal(adopt_list(fixture, sign_list(&fixture->second, 9, NULL), STATUS_UNKNOWN_KEY),
                     ADOPTION_REFUSED);
    for (int64_t serial = 4; serial <= 5; serial++) {
        assert_int_equal(adopt_list(fixture, sign_list(first, serial, NULL), STATUS_OLD_SERIAL),
                         ADOPTION_REFUSED);
        assert_int_equal(code_of_license(fixture, first, ISSUED_MS), STATUS_REVOKED);
        restart(fixture);
    }
    assert_int_equal(code_of_license(fixture, first, ISSUED_MS), STATUS_REVOKED);
    struct buffer kept;
    buffer_init(&kept, JWS_TOKEN_BYTES_MAX);
    struct bytes token = authority_revocations_token(fixture->authority);
    assert_true(buffer_append(&kept, token.data, token.length));
    assert_true(authority_has_revocations(fixture->authority, buffer_bytes(&kept)));
    assert_int_equal(adopt_list(fixture, kept, STATUS_OK), ADOPTION_SAME);
    assert_int_equal(adopt_list(fixture, sign_list(first, 6, NULL), STATUS_OK), ADOPTION_TAKEN);
    assert_int_equal(code_of_license(fixture, first, ISSUED_MS), STATUS_OK);
}

/* Taking the signing key of a list away must not bring back what it revoked. */
static void a_list_outlives_its_key(void **state) {
    struct fixture *fixture = *state;
    load(fixture);
    adopt_list(fixture, sign_list(&fixture->first, 5, "lic-1"), STATUS_OK);
    adopt_keyring(fixture, sign_keyring(&fixture->root, 1, &fixture->second, INT64_MAX), STATUS_OK);
    assert_int_equal(code_of_license(fixture, &fixture->second, ISSUED_MS), STATUS_REVOKED);
    load(fixture);
    assert_int_equal(code_of_license(fixture, &fixture->second, ISSUED_MS), STATUS_REVOKED);
    assert_int_equal(adopt_list(fixture, sign_list(&fixture->second, 6, NULL), STATUS_OK),
                     ADOPTION_TAKEN);
    assert_int_equal(code_of_license(fixture, &fixture->second, ISSUED_MS), STATUS_OK);
}

int main(void) {
#define AUTHORITY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        AUTHORITY_TEST(nothing_counts_before_keys_are_loaded),
        AUTHORITY_TEST(replaced_key_files_count_from_the_next_load),
        AUTHORITY_TEST(a_bad_key_file_is_named_and_changes_nothing),
        AUTHORITY_TEST(a_key_ring_replaces_the_configured_keys),
        AUTHORITY_TEST(a_window_is_judged_by_the_time_of_issue),
        AUTHORITY_TEST(facts_follow_the_ring),
        AUTHORITY_TEST(key_rings_only_grow_and_only_roots_make_them),
        AUTHORITY_TEST(a_new_root_ends_the_ring_of_the_old_one),
        AUTHORITY_TEST(a_revoked_license_stays_revoked),
        AUTHORITY_TEST(a_list_outlives_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
