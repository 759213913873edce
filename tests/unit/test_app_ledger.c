/* app/ledger: what was kept is there after a restart; what is damaged or cannot be written does no
 * harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/ledger.h"
#include "app/ledger_records.h"
#include "store/store.h"

#define ROLE "test-role"

struct fixture {
    char folder[64];
    struct store *store;
    struct ledger *ledger;
};

static void open_ledger(struct fixture *fixture) {
    struct status status = STATUS_INIT;
    assert_true(store_open(fixture->folder, &fixture->store, NULL, &status));
    fixture->ledger = ledger_open(fixture->store, ROLE);
}

static void close_ledger(struct fixture *fixture) {
    ledger_close(fixture->ledger);
    store_close(fixture->store);
}

static void restart(struct fixture *fixture) {
    close_ledger(fixture);
    open_ledger(fixture);
}

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/lsys-ledger-XXXXXX");
    if (!mkdtemp(fixture->folder)) return -1;
    open_ledger(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    char command[128];
    close_ledger(fixture);
    snprintf(command, sizeof command, "rm -rf '%s'", fixture->folder);
    int result = system(command);
    free(fixture);
    return result;
}

static void a_new_ledger_is_empty(void **state) {
    struct fixture *fixture = *state;
    assert_false(ledger_mark(fixture->ledger, "line")->seen);
    assert_false(ledger_document_mark(fixture->ledger, LEDGER_LICENSE)->seen);
    assert_int_equal(ledger_document_token(fixture->ledger, LEDGER_KEYRING).length, 0);
    assert_int_equal(ledger_announced(fixture->ledger, "d"), EXPIRY_ALERT_NONE);
    assert_null(ledger_clock(fixture->ledger));
    assert_int_equal(ledger_pins(fixture->ledger)->count, 0);
    assert_string_equal(ledger_role(fixture->ledger), ROLE);
}

static void serials_survive_a_restart_and_never_go_back(void **state) {
    struct fixture *fixture = *state;
    ledger_advance(fixture->ledger, "line-a", 7, "seven");
    ledger_advance(fixture->ledger, "line-b", 1, "one");
    restart(fixture);
    ledger_advance(fixture->ledger, "line-a", 6, "six");
    restart(fixture);
    assert_true(ledger_mark(fixture->ledger, "line-a")->serial == 7);
    assert_string_equal(ledger_mark(fixture->ledger, "line-a")->digest, "seven");
    assert_true(ledger_mark(fixture->ledger, "line-b")->serial == 1);
    assert_false(ledger_mark(fixture->ledger, "line-c")->seen);
}

static void more_lines_than_memory_holds(void **state) {
    struct fixture *fixture = *state;
    char name[16];
    for (int i = 0; i < LEDGER_LINES_MAX * 2; i++) {
        snprintf(name, sizeof name, "line-%d", i);
        ledger_advance(fixture->ledger, name, i + 1, "x");
    }
    for (int i = 0; i < LEDGER_LINES_MAX * 2; i++) {
        snprintf(name, sizeof name, "line-%d", i);
        assert_true(ledger_mark(fixture->ledger, name)->serial == i + 1);
    }
}

static void documents_alerts_pins_and_clock_survive(void **state) {
    struct fixture *fixture = *state;
    char key[SHA256_TEXT_BYTES] = "";
    memset(key, 'k', SHA256_TEXT_BYTES - 1);
    struct server_pins pins = {0};
    assert_true(server_pins_add(&pins, key, 12345));
    struct clock_guard clock;
    clock_guard_start(&clock, NULL, "boot", 1700000000000, 5000);
    clock.anchor_jumped = true;

    ledger_keep_document(fixture->ledger, LEDGER_LICENSE, 3, bytes_of_text("a.b.c"));
    ledger_keep_announced(fixture->ledger, "digest", EXPIRY_ALERT_7_DAYS);
    ledger_keep_pins(fixture->ledger, &pins);
    ledger_keep_clock(fixture->ledger, &clock);
    restart(fixture);

    assert_true(bytes_equal_text(ledger_document_token(fixture->ledger, LEDGER_LICENSE), "a.b.c"));
    assert_true(ledger_document_mark(fixture->ledger, LEDGER_LICENSE)->serial == 3);
    assert_int_equal(ledger_announced(fixture->ledger, "digest"), EXPIRY_ALERT_7_DAYS);
    assert_int_equal(ledger_announced(fixture->ledger, "other"), EXPIRY_ALERT_NONE);
    assert_string_equal(ledger_pins(fixture->ledger)->items[0].key_id, key);
    assert_true(ledger_pins(fixture->ledger)->items[0].pinned_at_ms == 12345);
    assert_memory_equal(ledger_clock(fixture->ledger), &clock, sizeof clock);
}

static void damaged_records_count_as_absent(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    const char *const texts[] = {"",
                                 "{",
                                 "[]",
                                 "{}",
                                 "{\"serial\":\"7\",\"digest\":\"x\"}",
                                 "{\"serial\":7}",
                                 "\x01\x02\xff"};
    const char *const keys[] = {"serial/line", "keyring", "license", "announced", "pins", "clock"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            assert_true(store_put(fixture->store, ROLE, keys[k], bytes_of_text(texts[i]), &status));
        restart(fixture);
        a_new_ledger_is_empty(state);
        assert_false(ledger_mark(fixture->ledger, "line")->seen);
    }
}

static void without_a_store_it_works_in_memory(void **state) {
    (void)state;
    struct ledger *ledger = ledger_open(NULL, ROLE);
    ledger_advance(ledger, "line", 5, "five");
    ledger_keep_document(ledger, LEDGER_KEYRING, 1, bytes_of_text("t"));
    assert_true(ledger_mark(ledger, "line")->serial == 5);
    assert_true(ledger_is_saved(ledger));
    assert_true(ledger_flush(ledger));
    ledger_close(ledger);
    ledger_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_ledger_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(serials_survive_a_restart_and_never_go_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_lines_than_memory_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(documents_alerts_pins_and_clock_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_records_count_as_absent, setup, teardown),
        cmocka_unit_test(without_a_store_it_works_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
