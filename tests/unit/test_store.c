/* The state store: records, counters, transactions, locking, versions. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "store/schema.h"
#include "tests/lib/store_fixture.h"

static void execute_behind_its_back(const char *folder, const char *sql) {
    char *path = file_join(folder, "state.db");
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    }
    sqlite3_close(database);
    free(path);
}

/* ---- Records ---- */

static void records_are_kept_across_reopening(void **state) {
    struct store_fixture *fixture = *state;
    char text[64];
    assert_int_equal(test_store_get(fixture->store, "a", text), STATUS_NOT_FOUND);
    test_store_put(fixture->store, "a", "one");
    test_store_put(fixture->store, "a", "two");
    test_store_put(fixture->store, "empty", "");
    store_fixture_reopen(fixture);
    test_store_assert_value(fixture->store, "a", "two");
    test_store_assert_value(fixture->store, "empty", "");
    assert_true(store_delete(fixture->store, "test", "a", NULL));
    assert_true(store_delete(fixture->store, "test", "never", NULL));
    assert_int_equal(test_store_get(fixture->store, "a", text), STATUS_NOT_FOUND);
}

static void namespaces_do_not_see_each_other(void **state) {
    struct store_fixture *fixture = *state;
    size_t count = 9;
    test_store_put(fixture->store, "a", "ours");
    assert_true(store_put(fixture->store, "other", "a", bytes_of_text("theirs"), NULL));
    test_store_assert_value(fixture->store, "a", "ours");
    assert_true(store_count(fixture->store, "test", &count, NULL));
    assert_int_equal(count, 1);
    assert_true(store_count(fixture->store, "nobody", &count, NULL));
    assert_int_equal(count, 0);
}

static void limits_are_kept(void **state) {
    struct store_fixture *fixture = *state;
    char name[STORE_KEY_BYTES_MAX + 2];
    memset(name, 'k', sizeof(name));
    name[STORE_KEY_BYTES_MAX + 1] = '\0';
    struct status status = STATUS_INIT;
    assert_false(store_put(fixture->store, "test", name, bytes_of_text("x"), &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    name[STORE_KEY_BYTES_MAX] = '\0';
    assert_true(store_put(fixture->store, "test", name, bytes_of_text("x"), NULL));
    name[STORE_NAMESPACE_BYTES_MAX + 1] = '\0';
    assert_false(store_put(fixture->store, name, "key", bytes_of_text("x"), NULL));

    uint8_t *large = calloc(1, STORE_VALUE_BYTES_MAX + 1);
    status_clear(&status);
    assert_false(store_put(fixture->store, "test", "l", bytes_of(large, STORE_VALUE_BYTES_MAX + 1),
                           &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    assert_true(
        store_put(fixture->store, "test", "l", bytes_of(large, STORE_VALUE_BYTES_MAX), NULL));
    struct buffer value;
    buffer_init(&value, STORE_VALUE_BYTES_MAX);
    assert_true(store_get(fixture->store, "test", "l", &value, NULL));
    assert_int_equal(value.length, STORE_VALUE_BYTES_MAX);
    buffer_free(&value);
    buffer_init(&value, 10);
    status_clear(&status);
    assert_false(store_get(fixture->store, "test", "l", &value, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    buffer_free(&value);
    free(large);
}

struct visited {
    char keys[256];
    struct store *store;
    size_t stop_after;
    size_t count;
};

static bool visit(void *context, const char *key, struct bytes value) {
    struct visited *visited = context;
    strcat(visited->keys, key);
    strcat(visited->keys, " ");
    assert_true(bytes_equal_text(value, key));
    if (visited->store != NULL) {
        assert_true(store_delete(visited->store, "test", key, NULL));
    }
    return ++visited->count != visited->stop_after;
}

static void iteration_follows_the_keys_and_the_prefix(void **state) {
    struct store_fixture *fixture = *state;
    const char *keys[] = {"b/2", "b/1", "a", "b0", "c", "b/10"};
    for (size_t i = 0; i < 6; i++) {
        test_store_put(fixture->store, keys[i], keys[i]);
    }
    struct visited all = {0};
    assert_true(store_each(fixture->store, "test", "", visit, &all, NULL, NULL));
    assert_string_equal(all.keys, "a b/1 b/10 b/2 b0 c ");
    struct visited some = {0};
    assert_true(store_each(fixture->store, "test", "b/", visit, &some, NULL, NULL));
    assert_string_equal(some.keys, "b/1 b/10 b/2 ");
    struct visited two = {.stop_after = 2};
    assert_true(store_each(fixture->store, "test", "", visit, &two, NULL, NULL));
    assert_string_equal(two.keys, "a b/1 ");
    struct visited deleting = {.store = fixture->store};
    assert_true(store_each(fixture->store, "test", "", visit, &deleting, NULL, NULL));
    assert_int_equal(deleting.count, 6);
    size_t left = 1;
    assert_true(store_count(fixture->store, "test", &left, NULL));
    assert_int_equal(left, 0);
}

static void files_are_for_their_owner_only(void **state) {
    struct store_fixture *fixture = *state;
    const char *names[] = {"state.db", "state.db-wal", "state.db-shm", "state.lock"};
    test_store_put(fixture->store, "a", "x");
    for (size_t i = 0; i < 4; i++) {
        struct stat information;
        char *path = file_join(fixture->folder, names[i]);
        assert_int_equal(stat(path, &information), 0);
        assert_int_equal(information.st_mode & 0777, 0600);
        free(path);
    }
    struct stat information;
    char *folder = file_join(fixture->folder, "new/deep");
    struct store *store = test_store_open(folder, NULL);
    assert_int_equal(stat(folder, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0700);
    store_close(store);
    free(folder);
}

/* ---- Transactions and counters ---- */

static void transactions_are_all_or_nothing(void **state) {
    struct store_fixture *fixture = *state;
    struct status status = STATUS_INIT;
    char text[64];
    test_store_put(fixture->store, "a", "old");
    assert_true(store_begin(fixture->store, NULL));
    assert_false(store_begin(fixture->store, &status));
    assert_int_equal(status.code, STATUS_INTERNAL);
    test_store_put(fixture->store, "a", "new");
    test_store_put(fixture->store, "b", "new");
    store_rollback(fixture->store);
    store_rollback(fixture->store);
    test_store_assert_value(fixture->store, "a", "old");
    assert_int_equal(test_store_get(fixture->store, "b", text), STATUS_NOT_FOUND);

    assert_true(store_begin(fixture->store, NULL));
    test_store_put(fixture->store, "a", "new");
    assert_true(store_commit(fixture->store, NULL));
    assert_true(store_begin(fixture->store, NULL));
    test_store_put(fixture->store, "a", "forgotten at close");
    store_fixture_reopen(fixture);
    test_store_assert_value(fixture->store, "a", "new");

    const struct store_item items[] = {{"x", {(const uint8_t *)"1", 1}},
                                       {"y", {(const uint8_t *)"2", STORE_VALUE_BYTES_MAX + 1}}};
    assert_false(store_put_many(fixture->store, "test", items, 2, NULL));
    assert_int_equal(test_store_get(fixture->store, "x", text), STATUS_NOT_FOUND);
    assert_true(store_put_many(fixture->store, "test", items, 1, NULL));
    test_store_assert_value(fixture->store, "x", "1");
}

static void counters_never_repeat(void **state) {
    struct store_fixture *fixture = *state;
    struct status status = STATUS_INIT;
    uint64_t value = 0;
    assert_true(store_increment(fixture->store, "test", "n", 1, &value, NULL));
    assert_int_equal(value, 1);
    store_fixture_reopen(fixture);
    assert_true(store_increment(fixture->store, "test", "n", 41, &value, NULL));
    assert_int_equal(value, 42);
    assert_false(store_increment(fixture->store, "test", "n", INT64_MAX, &value, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    test_store_put(fixture->store, "text", "not a counter");
    status_clear(&status);
    assert_false(store_increment(fixture->store, "test", "text", 1, &value, &status));
    assert_int_equal(status.code, STATUS_DAMAGED);
}

/* ---- One process at a time; tools that look ---- */

static void a_second_process_is_told_who_has_the_folder(void **state) {
    struct store_fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct store *second = NULL;
    char pid[32];
    snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
    assert_false(store_open(fixture->folder, &second, NULL, &status));
    assert_int_equal(status.code, STATUS_BUSY);
    assert_non_null(strstr(status.text, pid));
    assert_non_null(strstr(status.text, fixture->folder));
    assert_null(second);
}

static void a_tool_reads_while_a_role_writes(void **state) {
    struct store_fixture *fixture = *state;
    struct store *reader = NULL;
    struct status status = STATUS_INIT;
    test_store_put(fixture->store, "a", "one");
    assert_true(store_open_to_read(fixture->folder, &reader, NULL));
    test_store_assert_value(reader, "a", "one");
    test_store_put(fixture->store, "a", "two");
    test_store_assert_value(reader, "a", "two");
    assert_false(store_put(reader, "test", "a", bytes_of_text("x"), &status));
    assert_int_equal(status.code, STATUS_PERMISSION);
    assert_false(store_begin(reader, NULL));
    store_close(reader);

    char *nowhere = file_join(fixture->folder, "nowhere");
    status_clear(&status);
    assert_false(store_open_to_read(nowhere, &reader, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    free(nowhere);
}

static void a_backup_is_a_whole_store(void **state) {
    struct store_fixture *fixture = *state;
    char *folder = file_join(fixture->folder, "copy");
    char *path = file_join(folder, "state.db");
    test_store_put(fixture->store, "a", "one");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_true(store_backup(fixture->store, path, NULL));
    assert_false(store_backup(fixture->store, path, NULL));
    struct store *copy = test_store_open(folder, NULL);
    test_store_assert_value(copy, "a", "one");
    store_close(copy);
    free(path);
    free(folder);
}

/* ---- Versions ---- */

static void a_newer_file_is_refused_and_left_alone(void **state) {
    struct store_fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct store *store = NULL;
    test_store_put(fixture->store, "a", "one");
    store_close(fixture->store);
    execute_behind_its_back(fixture->folder,
                            "UPDATE store_version SET version=7; PRAGMA user_version=7");
    assert_false(store_open(fixture->folder, &store, NULL, &status));
    assert_int_equal(status.code, STATUS_NEWER_VERSION);
    assert_non_null(strstr(status.text, "newer lsys"));
    status_clear(&status);
    assert_false(store_open_to_read(fixture->folder, &store, &status));
    assert_int_equal(status.code, STATUS_NEWER_VERSION);
    execute_behind_its_back(fixture->folder,
                            "UPDATE store_version SET version=1; PRAGMA user_version=1");
    fixture->store = test_store_open(fixture->folder, NULL);
    test_store_assert_value(fixture->store, "a", "one");
}

static void older_files_are_brought_forward_in_order(void **state) {
    (void)state;
    static const char *const steps[] = {
        "CREATE TABLE store_version (version INTEGER NOT NULL);"
        "INSERT INTO store_version VALUES (0)",
        "CREATE TABLE second (a)",
        "INSERT INTO second VALUES ('third')",
        "CREATE TABLE second (fails)",
    };
    sqlite3 *database = NULL;
    enum schema_state found;
    int version = -1;
    int64_t rows = -1;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    const struct schema first = {steps, 1};
    const struct schema third = {steps, 3};
    const struct schema broken = {steps, 4};
    assert_true(schema_examine(database, &first, &found, &version, NULL));
    assert_int_equal(found, SCHEMA_EMPTY);
    assert_true(schema_migrate(database, &first, 0, NULL));
    assert_true(schema_examine(database, &third, &found, &version, NULL));
    assert_int_equal(found, SCHEMA_OLDER);
    assert_int_equal(version, 1);
    assert_true(schema_migrate(database, &third, version, NULL));
    assert_true(schema_examine(database, &third, &found, &version, NULL));
    assert_int_equal(found, SCHEMA_CURRENT);
    assert_true(database_read_integer(database, "SELECT count(*) FROM second", &rows, NULL));
    assert_int_equal(rows, 1);

    struct status status = STATUS_INIT;
    assert_false(schema_migrate(database, &broken, 3, &status));
    assert_non_null(strstr(status.text, "from version 3 to 4"));
    assert_true(schema_examine(database, &third, &found, &version, NULL));
    assert_int_equal(found, SCHEMA_CURRENT);
    assert_true(schema_examine(database, &first, &found, &version, NULL));
    assert_int_equal(found, SCHEMA_NEWER);
    sqlite3_close(database);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_are_kept_across_reopening, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(namespaces_do_not_see_each_other, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(limits_are_kept, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(iteration_follows_the_keys_and_the_prefix,
                                        store_fixture_set_up, store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(files_are_for_their_owner_only, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(transactions_are_all_or_nothing, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(counters_never_repeat, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_second_process_is_told_who_has_the_folder,
                                        store_fixture_set_up, store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_tool_reads_while_a_role_writes, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_backup_is_a_whole_store, store_fixture_set_up,
                                        store_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_newer_file_is_refused_and_left_alone,
                                        store_fixture_set_up, store_fixture_tear_down),
        cmocka_unit_test(older_files_are_brought_forward_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
