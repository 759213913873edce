/* What a role learned while its state could not be read, and what the disk then gives back: the
 * higher of each counts. A small tmpfs is remounted, which needs root. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "app/ledger.h"
#include "app/license_shelf.h"
#include "store/store.h"
#include "tests/lib/folder.h"
#include "tests/lib/tokens.h"

#define ROLE "test-role"

/* A store in memory, over a folder that other runs can fill. */
struct fixture {
    char folder[TEST_FOLDER_BYTES];
    struct store *store;
    struct private_key key;
    struct key_ring *ring;
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    test_folder_make(fixture->folder);
    if (mount("tmpfs", fixture->folder, "tmpfs", 0, "size=4m,mode=0700") != 0) {
        print_message("not tested: mounting a small tmpfs needs root\n");
        test_folder_remove(fixture->folder);
        free(fixture);
        *state = NULL;
        return 0;
    }
    fixture->ring = tokens_make_key(JWK_ED25519, TOKEN_USE(TOKEN_LICENSE), &fixture->key);
    assert_int_equal(mount("tmpfs", fixture->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_true(
        store_open_at_least(fixture->folder, PERSISTENCE_MEMORY, &fixture->store, NULL, NULL));
    assert_int_equal(store_persistence(fixture->store, NULL), PERSISTENCE_MEMORY);
    assert_int_equal(mount("tmpfs", fixture->folder, "tmpfs", MS_REMOUNT, NULL), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    if (!fixture) return 0;
    store_close(fixture->store);
    key_ring_free(fixture->ring);
    private_key_wipe(&fixture->key);
    umount(fixture->folder);
    test_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

static struct store *open_other(const struct fixture *fixture) {
    struct store *store = NULL;
    assert_true(store_open(fixture->folder, &store, NULL, NULL));
    return store;
}

static void come_back(struct fixture *fixture) {
    struct store_report report;
    struct status status = STATUS_INIT;
    if (!store_retry(fixture->store, &report, &status)) fail_msg("%s", status.text);
}

static struct server_pins pins_of(char letter) {
    struct server_pins pins = {0};
    char key_id[SHA256_TEXT_BYTES] = "";
    memset(key_id, letter, SHA256_TEXT_BYTES - 1);
    assert_true(server_pins_add(&pins, key_id, 1));
    return pins;
}

/* ---- the ledger ---- */

/* What an earlier run left on the disk. */
static void leave_on_disk(const struct fixture *fixture, int64_t serial, const char *text) {
    struct store *store = open_other(fixture);
    struct ledger *ledger = ledger_open(store, ROLE);
    struct server_pins pins = pins_of('a');
    struct clock_guard clock;
    clock_guard_start(&clock, NULL, "an earlier boot", 1800000000000, 5000);
    ledger_advance(ledger, "line", serial, text);
    ledger_advance(ledger, "other", 3, "three");
    ledger_keep_document(ledger, LEDGER_REVOCATIONS, serial, bytes_of_text(text));
    ledger_keep_pins(ledger, &pins);
    ledger_keep_clock(ledger, &clock);
    assert_true(ledger_is_saved(ledger));
    ledger_close(ledger);
    store_close(store);
}

static struct ledger *learn(const struct fixture *fixture, int64_t serial, const char *text) {
    struct ledger *ledger = ledger_open(fixture->store, ROLE);
    struct server_pins pins = pins_of('b');
    ledger_advance(ledger, "line", serial, text);
    ledger_keep_document(ledger, LEDGER_REVOCATIONS, serial, bytes_of_text(text));
    ledger_keep_pins(ledger, &pins);
    assert_false(ledger_is_saved(ledger));
    assert_false(ledger_flush(ledger));
    assert_false(ledger_catch_up(ledger));
    return ledger;
}

static void assert_ledger(struct ledger *ledger, int64_t serial, const char *text) {
    assert_int_equal(ledger_mark(ledger, "line")->serial, serial);
    assert_string_equal(ledger_mark(ledger, "line")->digest, text);
    assert_int_equal(ledger_mark(ledger, "other")->serial, 3);
    assert_true(bytes_equal_text(ledger_document_token(ledger, LEDGER_REVOCATIONS), text));
    assert_int_equal(ledger_pins(ledger)->count, 2);
    assert_non_null(ledger_clock(ledger));
}

static void check_ledger(struct fixture *fixture, int64_t on_disk, int64_t learned) {
    const char *highest = on_disk >= learned ? "old" : "new";
    leave_on_disk(fixture, on_disk, "old");
    struct ledger *ledger = learn(fixture, learned, "new");
    come_back(fixture);
    assert_true(ledger_catch_up(ledger));
    assert_true(ledger_is_saved(ledger));
    assert_false(ledger_catch_up(ledger));
    assert_ledger(ledger, on_disk >= learned ? on_disk : learned, highest);
    ledger_close(ledger);
    ledger = ledger_open(fixture->store, ROLE);
    assert_ledger(ledger, on_disk >= learned ? on_disk : learned, highest);
    ledger_close(ledger);
}

static void the_disks_higher_serial_wins(void **state) {
    if (*state) check_ledger(*state, 9, 4);
}

static void the_learned_higher_serial_wins(void **state) {
    if (*state) check_ledger(*state, 4, 9);
}

static void of_equal_ones_the_first_stays(void **state) {
    if (*state) check_ledger(*state, 4, 4);
}

/* Nothing is written before the merge: it could take something back. */
static void a_change_between_the_disk_and_the_merge_waits(void **state) {
    struct fixture *fixture = *state;
    if (!fixture) return;
    leave_on_disk(fixture, 9, "old");
    struct ledger *ledger = learn(fixture, 4, "new");
    come_back(fixture);
    ledger_advance(ledger, "line", 5, "newer");
    struct store_report report;
    assert_true(store_retry(fixture->store, &report, NULL)); /* harmless when durable */
    assert_true(ledger_flush(ledger));
    assert_ledger(ledger, 9, "old");
    ledger_close(ledger);
}

/* ---- the clock ---- */

static void the_later_mark_wins(void **state) {
    (void)state;
    struct clock_guard saved, guard;
    clock_guard_start(&saved, NULL, "earlier", 1800000000000, 5000);
    clock_guard_signed(&saved, 1700000000000, 5000);
    clock_guard_start(&guard, NULL, "now", 1790000000000, 100);
    clock_guard_signed(&guard, 1750000000000, 100);
    clock_guard_merge(&guard, &saved, 1790000000000, 100);
    struct clock_reading reading = clock_guard_observe(&guard, 1790000000000, 100);
    assert_true(reading.now_ms == 1800000000000);
    assert_true(reading.turned_back);
    assert_true(guard.signed_offset_ms == 1750000000000 - 100);

    /* The other way round nothing changes. */
    struct clock_guard later;
    clock_guard_start(&later, NULL, "now", 1810000000000, 100);
    struct clock_guard before = later;
    clock_guard_merge(&later, &saved, 1810000000000, 100);
    assert_true(later.mark_offset_ms == before.mark_offset_ms);
    saved.observed_at_ms = -1;
    clock_guard_merge(&guard, &saved, 1790000000000, 100); /* nonsense counts as none */
}

/* ---- the shelf ---- */

static void put(const struct fixture *fixture, struct license_shelf *shelf, const char *id,
                int64_t serial, enum shelf_promise promise) {
    struct license *license = tokens_make_license();
    struct signer signer = signer_from_private_key(&fixture->key);
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    snprintf(license->license_id, sizeof license->license_id, "%s", id);
    license->serial = serial;
    assert_true(license_sign(license, &signer, &token, NULL));
    const struct shelf_change change = {
        .act = SHELF_PUT, .license_id = id, .license = license, .token = buffer_bytes(&token)};
    assert_true(license_shelf_apply(shelf, &change, 1, promise, NULL, NULL));
    buffer_free(&token);
    license_free(license);
}

static void assert_entry(const struct fixture *fixture, struct license_shelf *shelf, const char *id,
                         int64_t serial) {
    struct shelf_entry *entry = license_shelf_find(shelf, id);
    assert_non_null(entry);
    assert_int_equal(entry->serial, serial);
    struct license *license = license_shelf_take(shelf, entry, fixture->ring, NULL, NULL);
    assert_non_null(license);
    license_free(license);
}

static void licenses_of_both_are_kept(void **state) {
    struct fixture *fixture = *state;
    if (!fixture) return;
    struct store *other = open_other(fixture);
    struct license_shelf *shelf = license_shelf_open(other, "shelf", NULL);
    put(fixture, shelf, "only-on-disk", 1, SHELF_DURABLE);
    put(fixture, shelf, "newer-on-disk", 7, SHELF_DURABLE);
    put(fixture, shelf, "older-on-disk", 1, SHELF_DURABLE);
    license_shelf_close(shelf);
    store_close(other);

    shelf = license_shelf_open(fixture->store, "shelf", NULL);
    put(fixture, shelf, "learned", 1, SHELF_BEST_EFFORT);
    put(fixture, shelf, "newer-on-disk", 6, SHELF_BEST_EFFORT);
    put(fixture, shelf, "older-on-disk", 2, SHELF_BEST_EFFORT);
    assert_false(license_shelf_flush(shelf));
    come_back(fixture);
    assert_true(license_shelf_flush(shelf));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(license_shelf_count(shelf), 4);
        assert_entry(fixture, shelf, "only-on-disk", 1);
        assert_entry(fixture, shelf, "newer-on-disk", 7);
        assert_entry(fixture, shelf, "older-on-disk", 2);
        assert_entry(fixture, shelf, "learned", 1);
        license_shelf_close(shelf);
        shelf = license_shelf_open(fixture->store, "shelf", NULL);
    }
    license_shelf_close(shelf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_disks_higher_serial_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_learned_higher_serial_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_equal_ones_the_first_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_between_the_disk_and_the_merge_waits, set_up,
                                        tear_down),
        cmocka_unit_test(the_later_mark_wins),
        cmocka_unit_test_setup_teardown(licenses_of_both_are_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
