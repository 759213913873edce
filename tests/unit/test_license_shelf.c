/* app/license_shelf and license_feed: numbers of changes, what survives, what is refused, pages. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/license_feed.h"
#include "app/license_shelf.h"
#include "base/file.h"
#include "store/audit.h"
#include "store/store.h"
#include "tests/lib/folder.h"
#include "tests/lib/tokens.h"

/* A shelf in a folder of its own, and a vendor. */
struct fixture {
    char folder[TEST_FOLDER_BYTES];
    struct store *store;
    struct license_shelf *shelf;
    struct private_key key;
    struct key_ring *ring;
};

static void open_shelf(struct fixture *fixture) {
    struct status status = STATUS_INIT;
    assert_true(store_open(fixture->folder, &fixture->store, NULL, &status));
    fixture->shelf = license_shelf_open(fixture->store, "shelf", &status);
    assert_non_null(fixture->shelf);
}

static void close_shelf(struct fixture *fixture) {
    license_shelf_close(fixture->shelf);
    store_close(fixture->store);
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    test_folder_make(fixture->folder);
    fixture->ring = tokens_make_key(JWK_ED25519, TOKEN_USE(TOKEN_LICENSE), &fixture->key);
    open_shelf(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    close_shelf(fixture);
    key_ring_free(fixture->ring);
    private_key_wipe(&fixture->key);
    test_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

/* Signs a license and puts it on the shelf. */
static bool put(struct fixture *fixture, const char *id, int64_t serial, const char *customer,
                struct status *status) {
    struct license *license = tokens_make_license();
    struct signer signer = signer_from_private_key(&fixture->key);
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    snprintf(license->license_id, sizeof license->license_id, "%s", id);
    snprintf(license->customer, sizeof license->customer, "%s", customer);
    license->serial = serial;
    assert_true(license_sign(license, &signer, &token, status));
    const struct shelf_change change = {
        .act = SHELF_PUT, .license_id = id, .license = license, .token = buffer_bytes(&token)};
    bool applied = license_shelf_apply(fixture->shelf, &change, 1, SHELF_DURABLE, NULL, status);
    buffer_free(&token);
    license_free(license);
    return applied;
}

static bool act(struct fixture *fixture, enum shelf_act what, const char *id,
                struct status *status) {
    const struct shelf_change change = {
        .act = what, .license_id = id, .revoked_at_ms = 7, .reason = "because"};
    return license_shelf_apply(fixture->shelf, &change, 1, SHELF_DURABLE, "tester", status);
}

static void numbers_grow_and_survive(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    char stream[LICENSE_SHELF_STREAM_BYTES];
    assert_true(put(fixture, "b", 1, "ACME", &status));
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_true(put(fixture, "b", 2, "ACME", &status));
    assert_true(act(fixture, SHELF_DELETE, "a", &status));
    snprintf(stream, sizeof stream, "%s", license_shelf_stream(fixture->shelf));
    close_shelf(fixture);
    open_shelf(fixture);
    assert_string_equal(license_shelf_stream(fixture->shelf), stream);
    assert_int_equal(license_shelf_sequence(fixture->shelf), 4);
    assert_int_equal(license_shelf_count(fixture->shelf), 1);
    struct shelf_entry *entry = license_shelf_since(fixture->shelf, 0);
    assert_string_equal(entry->license_id, "b");
    assert_int_equal(entry->change, 3);
    entry = license_shelf_next(fixture->shelf, entry);
    assert_string_equal(entry->license_id, "a");
    assert_true(entry->deleted);
    assert_null(license_shelf_next(fixture->shelf, entry));
    assert_null(license_shelf_since(fixture->shelf, 4));
}

/* Who keeps an entry looks at this number to know whether it still may. */
static void edits_are_counted(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    uint64_t before = license_shelf_edits(fixture->shelf);
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_true(license_shelf_edits(fixture->shelf) != before);
    before = license_shelf_edits(fixture->shelf);
    assert_true(put(fixture, "a", 1, "ACME", &status)); /* the same: nothing changes */
    assert_int_equal(license_shelf_edits(fixture->shelf), before);
    assert_true(act(fixture, SHELF_REVOKE, "a", &status));
    assert_true(license_shelf_edits(fixture->shelf) != before);
    before = license_shelf_edits(fixture->shelf);
    assert_true(act(fixture, SHELF_DELETE, "a", &status));
    assert_true(license_shelf_edits(fixture->shelf) != before);
    before = license_shelf_edits(fixture->shelf);
    struct shelf_entry *entry = license_shelf_find(fixture->shelf, "a");
    assert_true(license_shelf_discard(fixture->shelf, entry, &status));
    assert_true(license_shelf_edits(fixture->shelf) != before);
}

static void older_never_comes_back(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    assert_true(put(fixture, "a", 5, "ACME", &status));
    assert_false(put(fixture, "a", 4, "ACME", &status));
    assert_int_equal(status.code, STATUS_OLD_SERIAL);
    status_clear(&status);
    assert_true(act(fixture, SHELF_DELETE, "a", &status));
    assert_false(put(fixture, "a", 4, "ACME", &status));
    assert_int_equal(status.code, STATUS_OLD_SERIAL);
    assert_int_equal(license_shelf_sequence(fixture->shelf), 2);
}

static void the_same_changes_nothing(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    assert_true(put(fixture, "a", 1, "ACME", &status)); /* Ed25519 gives the same signature again */
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_int_equal(license_shelf_sequence(fixture->shelf), 1);
    assert_true(act(fixture, SHELF_REVOKE, "a", &status));
    assert_true(act(fixture, SHELF_REVOKE, "a", &status));
    assert_int_equal(license_shelf_sequence(fixture->shelf), 2);
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_int_not_equal(license_shelf_find(fixture->shelf, "a")->revoked_at_ms, 0);
    assert_true(put(fixture, "a", 2, "ACME", &status));
    assert_int_equal(license_shelf_find(fixture->shelf, "a")->revoked_at_ms, 0);
}

static void what_is_not_there_is_said(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    assert_false(act(fixture, SHELF_DELETE, "a", &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    status_clear(&status);
    assert_false(act(fixture, SHELF_REVOKE, "a", &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
}

static void taking_verifies(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct key_ring *nobody = key_ring_new();
    assert_true(put(fixture, "a", 1, "ACME", &status));
    struct shelf_entry *entry = license_shelf_find(fixture->shelf, "a");
    struct license *license =
        license_shelf_take(fixture->shelf, entry, fixture->ring, NULL, &status);
    assert_non_null(license);
    license_free(license);
    assert_null(license_shelf_take(fixture->shelf, entry, nobody, NULL, &status));
    assert_int_equal(status.code, STATUS_UNKNOWN_KEY);
    assert_int_equal(entry->proof, SHELF_REFUSED);
    key_ring_free(nobody);
}

/* A record that is whole, but holds what the index does not say. */
static void an_exchanged_record_is_damage(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct buffer record;
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_true(put(fixture, "b", 1, "Other", &status));
    buffer_init(&record, JWS_TOKEN_BYTES_MAX);
    assert_true(store_get(fixture->store, "shelf", "license/b", &record, &status));
    assert_true(store_put(fixture->store, "shelf", "license/a", buffer_bytes(&record), &status));
    buffer_free(&record);
    struct shelf_entry *entry = license_shelf_find(fixture->shelf, "a");
    assert_null(license_shelf_take(fixture->shelf, entry, fixture->ring, NULL, &status));
    assert_int_equal(status.code, STATUS_DAMAGED);
    assert_int_equal(license_shelf_lost(fixture->shelf), 1);
}

/* A hand that edits a token can make the checksum, too. */
static void a_changed_token_is_damage(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct buffer record;
    assert_true(put(fixture, "a", 1, "ACME", &status));
    buffer_init(&record, JWS_TOKEN_BYTES_MAX);
    assert_true(store_get(fixture->store, "shelf", "license/a", &record, &status));
    record.data[record.length - 40] ^= 1; /* a letter of the signature becomes another */
    assert_true(store_put(fixture->store, "shelf", "license/a", buffer_bytes(&record), &status));
    buffer_free(&record);
    struct shelf_entry *entry = license_shelf_find(fixture->shelf, "a");
    assert_null(license_shelf_take(fixture->shelf, entry, fixture->ring, NULL, &status));
    assert_int_equal(status.code, STATUS_DAMAGED);
    assert_int_equal(license_shelf_lost(fixture->shelf), 1);
}

static void a_row_that_is_nonsense_is_lost_and_counted(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    static const char *const rows[] = {"", "x", "{}\n", "{\"change\":0}\nx", "{\"change\":1}"};
    assert_true(put(fixture, "a", 1, "ACME", &status));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char key[32];
        snprintf(key, sizeof key, "license/x%zu", i);
        assert_true(store_put(fixture->store, "shelf", key, bytes_of_text(rows[i]), &status));
    }
    close_shelf(fixture);
    open_shelf(fixture);
    assert_int_equal(license_shelf_lost(fixture->shelf), COUNT_OF(rows));
    assert_int_equal(license_shelf_count(fixture->shelf), 1);
}

/* Writes or, with NULL, removes the file beside the store. */
static void replace_twin(const struct fixture *fixture, const char *content) {
    struct status status = STATUS_INIT;
    char *path = file_join(fixture->folder, "shelf.shelf");
    if (content)
        assert_true(file_replace(path, bytes_of_text(content), 0600, &status));
    else
        assert_int_equal(unlink(path), 0);
    free(path);
}

static void reopen(struct fixture *fixture) {
    close_shelf(fixture);
    open_shelf(fixture);
}

static void a_lost_name_is_found_beside_the_store(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    char stream[LICENSE_SHELF_STREAM_BYTES];
    assert_true(put(fixture, "a", 1, "ACME", &status));
    snprintf(stream, sizeof stream, "%s", license_shelf_stream(fixture->shelf));
    assert_true(store_delete(fixture->store, "shelf", "meta", &status));
    reopen(fixture);
    assert_string_equal(license_shelf_stream(fixture->shelf), stream);
    assert_int_equal(license_shelf_lost(fixture->shelf), 0);
    assert_true(store_delete(fixture->store, "shelf", "meta", &status));
    replace_twin(fixture, NULL);
    reopen(fixture);
    assert_string_not_equal(license_shelf_stream(fixture->shelf), stream);
    assert_int_equal(license_shelf_sequence(fixture->shelf), 1);
}

static void missing_rows_are_counted_until_they_are_fetched(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_true(put(fixture, "b", 1, "ACME", &status));
    assert_true(store_delete(fixture->store, "shelf", "license/a", &status));
    for (int i = 0; i < 2; i++) {
        reopen(fixture);
        assert_int_equal(license_shelf_lost(fixture->shelf), 1);
    }
    license_shelf_forget_lost(fixture->shelf);
    reopen(fixture);
    assert_int_equal(license_shelf_lost(fixture->shelf), 0);
}

static bool count_losses(void *context, const struct audit_entry *entry) {
    int *count = context;
    *count += strcmp(entry->action, "licenses_lost") == 0;
    return true;
}

/* The next change makes the record whole: also when a tool makes it that nobody watches. */
static void losses_are_in_the_audit_log_before_they_are_forgotten(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_true(put(fixture, "b", 1, "ACME", &status));
    assert_true(store_delete(fixture->store, "shelf", "license/a", &status));
    reopen(fixture);
    for (int i = 0; i < 2; i++)
        assert_true(act(fixture, i ? SHELF_DELETE : SHELF_REVOKE, "b", &status));
    reopen(fixture);
    assert_int_equal(license_shelf_lost(fixture->shelf), 0);
    int count = 0;
    assert_true(audit_list(fixture->store, 0, 100, count_losses, &count, &status));
    assert_int_equal(count, 1);
}

/* A log of SQLite's that was cut off: the store is whole, and a change behind what was promised. */
static void a_store_that_went_back_is_noticed(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct buffer meta;
    buffer_init(&meta, 1024);
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_true(store_get(fixture->store, "shelf", "meta", &meta, &status));
    assert_true(put(fixture, "b", 1, "ACME", &status));
    assert_true(store_delete(fixture->store, "shelf", "license/b", &status));
    assert_true(store_put(fixture->store, "shelf", "meta", buffer_bytes(&meta), &status));
    buffer_free(&meta);
    reopen(fixture);
    assert_int_equal(license_shelf_lost(fixture->shelf), 1);
    assert_true(put(fixture, "c", 1, "ACME", &status));
    assert_int_equal(license_shelf_find(fixture->shelf, "c")->change, 3);
}

static void a_twin_that_is_damaged_or_of_another_shelf_says_nothing(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    static const char *const twins[] = {
        "", "x", "{\"stream\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"sequence\":99,\"entries\":99}\n",
        "{\"stream\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"sequence\":99,\"entries\":99}\n"
        "9riYLkeYzXlbwcOMoQzXwy2_WL_9_6MlbeVtINL3jQ8\n"};
    assert_true(put(fixture, "a", 1, "ACME", &status));
    for (size_t i = 0; i < COUNT_OF(twins); i++) {
        replace_twin(fixture, twins[i]);
        reopen(fixture);
        assert_int_equal(license_shelf_lost(fixture->shelf), 0);
        assert_int_equal(license_shelf_sequence(fixture->shelf), 1);
    }
}

/* Slaves ask for a license again and again; one that is damaged is still one. */
static void a_damaged_license_counts_once(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    assert_true(put(fixture, "a", 1, "ACME", &status));
    assert_true(store_delete(fixture->store, "shelf", "license/a", &status));
    for (int i = 0; i < 3; i++) {
        struct shelf_entry *entry = license_shelf_find(fixture->shelf, "a");
        struct status why = STATUS_INIT;
        assert_null(license_shelf_take(fixture->shelf, entry, fixture->ring, NULL, &why));
        assert_int_equal(why.code, STATUS_DAMAGED);
    }
    assert_int_equal(license_shelf_lost(fixture->shelf), 1);
}

static void a_batch_is_all_or_nothing(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    assert_true(put(fixture, "a", 1, "ACME", &status));
    const struct shelf_change changes[] = {{.act = SHELF_DELETE, .license_id = "a"},
                                           {.act = SHELF_DELETE, .license_id = "none"}};
    assert_false(license_shelf_apply(fixture->shelf, changes, 2, SHELF_DURABLE, NULL, &status));
    assert_false(license_shelf_find(fixture->shelf, "a")->deleted);
    assert_int_equal(license_shelf_sequence(fixture->shelf), 1);
}

static void pages_are_read_strictly(void **state) {
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"v\":2,\"stream\":\"s\",\"sequence\":0,\"through\":0,\"more\":false,\"changes\":[]}",
        "{\"v\":1,\"stream\":\"\",\"sequence\":0,\"through\":0,\"more\":false,\"changes\":[]}",
        "{\"v\":1,\"stream\":\"s\",\"sequence\":-1,\"through\":0,\"more\":false,\"changes\":[]}",
        "{\"v\":1,\"stream\":\"s\",\"sequence\":0,\"through\":1,\"more\":false,\"changes\":[]}",
        "{\"v\":1,\"stream\":\"s\",\"sequence\":0,\"through\":0,\"more\":1,\"changes\":[]}",
        "{\"v\":1,\"stream\":\"s\",\"sequence\":0,\"through\":0,\"more\":false,\"changes\":{}}",
    };
    const char *good = "{\"v\":1,\"stream\":\"s\",\"sequence\":3,\"through\":3,\"more\":false,"
                       "\"changes\":[{\"license_id\":\"a\",\"deleted\":true},"
                       "{\"license_id\":\"a\"},{\"deleted\":true},"
                       "{\"license_id\":\"a\",\"token\":\"t\",\"deleted\":true}]}";
    struct license_feed_page page;
    struct license_feed_change change;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct status status = STATUS_INIT;
        assert_false(license_feed_page_read(bytes_of_text(bad[i]), &page, &status));
        assert_false(status_is_ok(&status));
    }
    struct status status = STATUS_INIT;
    assert_true(license_feed_page_read(bytes_of_text(good), &page, &status));
    assert_true(license_feed_page_change(&page, 0, &change, &status));
    assert_true(change.deleted);
    for (size_t i = 1; i < 5; i++)
        assert_false(license_feed_page_change(&page, i, &change, &status));
    license_feed_page_free(&page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_grow_and_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(edits_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(older_never_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(taking_verifies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_exchanged_record_is_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_token_is_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_is_nonsense_is_lost_and_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lost_name_is_found_beside_the_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_rows_are_counted_until_they_are_fetched, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(losses_are_in_the_audit_log_before_they_are_forgotten,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_that_went_back_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_twin_that_is_damaged_or_of_another_shelf_says_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_license_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_is_all_or_nothing, set_up, tear_down),
        cmocka_unit_test(pages_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
