#include "tests/lib/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/unit.h"

struct store *test_store_open(const char *folder, struct store_report *report) {
    struct store *store = NULL;
    struct status status = STATUS_INIT;
    if (!store_open(folder, &store, report, &status)) fail_msg("store_open: %s", status.text);
    return store;
}

int store_fixture_set_up(void **state) {
    struct store_fixture *fixture = calloc(1, sizeof *fixture);
    test_folder_make(fixture->folder);
    fixture->store = test_store_open(fixture->folder, NULL);
    *state = fixture;
    return 0;
}

int store_fixture_tear_down(void **state) {
    struct store_fixture *fixture = *state;
    store_close(fixture->store);
    test_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

void store_fixture_reopen(struct store_fixture *fixture) {
    store_close(fixture->store);
    fixture->store = test_store_open(fixture->folder, NULL);
}

void test_store_put(struct store *store, const char *key, const char *value) {
    struct status status = STATUS_INIT;
    if (!store_put(store, "test", key, bytes_of_text(value), &status))
        fail_msg("store_put: %s", status.text);
}

enum status_code test_store_get(struct store *store, const char *key, char text[64]) {
    struct status status = STATUS_INIT;
    struct buffer value;
    buffer_init(&value, 63);
    if (store_get(store, "test", key, &value, &status))
        snprintf(text, 64, "%s", buffer_text(&value));
    buffer_free(&value);
    return status.code;
}

void test_store_assert_value(struct store *store, const char *key, const char *expected) {
    char text[64] = "";
    assert_int_equal(test_store_get(store, key, text), STATUS_OK);
    assert_string_equal(text, expected);
}
