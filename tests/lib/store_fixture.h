/*
 * A state store in a folder of a test's own, and its records as texts.
 */
#ifndef LSYS_TESTS_LIB_STORE_FIXTURE_H
#define LSYS_TESTS_LIB_STORE_FIXTURE_H

#include "store/store.h"
#include "tests/lib/folder.h"

struct store_fixture {
    char folder[TEST_FOLDER_BYTES];
    struct store *store;
};

/* Set-up and tear-down for cmocka: `*state` is a struct store_fixture. */
int store_fixture_set_up(void **state);
int store_fixture_tear_down(void **state);

/* Closes the store and opens it again. */
void store_fixture_reopen(struct store_fixture *fixture);

/* Opens the store of a folder; the caller closes it. Ends the test when that fails. */
struct store *test_store_open(const char *folder, struct store_report *report);

/* Puts a text under a key of the table "test". Ends the test when that fails. */
void test_store_put(struct store *store, const char *key, const char *value);

/* The code of reading that key; `text` gets its value, shorter than 64 bytes. */
enum status_code test_store_get(struct store *store, const char *key, char text[64]);

/* Ends the test unless the key has this value. */
void test_store_assert_value(struct store *store, const char *key, const char *expected);

#endif
