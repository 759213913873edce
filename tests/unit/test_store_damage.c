/* State files that decayed or were tampered with: never a crash, never a changed value as a good
 * one. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "store/audit.h"
#include "store/store.h"
#include "tests/lib/folder.h"

#define RECORDS       200
#define AUDIT_ENTRIES 20

struct fixture {
    char folder[TEST_FOLDER_BYTES];
    struct buffer pristine; /* a good state.db */
};

static char *database_path(const struct fixture *fixture) {
    return file_join(fixture->folder, "state.db");
}

static void value_of(int i, char value[120]) {
    snprintf(value, 120, "value %d, written to be found again exactly as it is: %0*d", i,
             20 + i % 40, i);
}

static void fill(const char *folder) {
    struct store *store = NULL;
    char key[16];
    char value[120];
    assert_true(store_open(folder, &store, NULL, NULL));
    assert_true(store_begin(store, NULL));
    for (int i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof(key), "key%03d", i);
        value_of(i, value);
        assert_true(store_put(store, i % 2 ? "odd" : "even", key, bytes_of_text(value), NULL));
    }
    assert_true(store_commit(store, NULL));
    for (int i = 0; i < AUDIT_ENTRIES; i++) {
        assert_true(audit_append(store, i, "test", "fill", "{\"a\":1}", NULL));
    }
    store_close(store);
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    test_folder_make(fixture->folder);
    fill(fixture->folder);
    char *path = database_path(fixture);
    buffer_init(&fixture->pristine, 10 * 1024 * 1024);
    assert_true(file_read(path, &fixture->pristine, NULL));
    free(path);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    buffer_free(&fixture->pristine);
    test_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

/* Puts these bytes in the place of the state file and removes what earlier rounds left. */
static void put_file(const struct fixture *fixture, struct bytes content) {
    char *pattern = file_join(fixture->folder, "state.db*");
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
        globfree(&found);
    }
    free(pattern);
    char *path = database_path(fixture);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, content.data, content.length), (ssize_t)content.length);
    close(file);
    free(path);
}

struct outcome {
    size_t good;    /* records with their value */
    size_t missing; /* or reported as damaged */
};

/* Reads all records; one with another value than was written ends the test. */
static struct outcome read_all(struct store *store, const char *what) {
    struct outcome outcome = {0};
    char key[16];
    char expected[120];
    for (int i = 0; i < RECORDS; i++) {
        struct buffer value;
        struct status status = STATUS_INIT;
        snprintf(key, sizeof(key), "key%03d", i);
        value_of(i, expected);
        buffer_init(&value, 1000);
        if (!store_get(store, i % 2 ? "odd" : "even", key, &value, &status)) {
            if (status.code != STATUS_DAMAGED && status.code != STATUS_NOT_FOUND) {
                fail_msg("%s: %s", what, status.text);
            }
            outcome.missing++;
        } else if (strcmp(buffer_text(&value), expected) != 0) {
            fail_msg("%s: %s has the value \"%s\"", what, key, buffer_text(&value));
        } else {
            outcome.good++;
        }
        buffer_free(&value);
    }
    return outcome;
}

/* Opens the damaged file as a role would, reads everything, and sees that the store can be used. */
static struct outcome live_with(const struct fixture *fixture, const char *what,
                                struct store_report *report) {
    struct store *store = NULL;
    struct status status = STATUS_INIT;
    if (!store_open(fixture->folder, &store, report, &status)) {
        fail_msg("%s: %s", what, status.text);
    }
    struct outcome outcome = read_all(store, what);
    if (report->damaged && access(report->set_aside, F_OK) != 0) {
        fail_msg("%s: %s is not there", what, report->set_aside);
    }
    if (outcome.missing > 0 && !report->damaged && report->lost_records == 0) {
        fail_msg("%s: %zu records are gone and nobody was told", what, outcome.missing);
    }
    /* What the audit log says of itself is checked by the caller; appending works in any case. */
    if (!store_put(store, "after", "a", bytes_of_text("b"), &status) ||
        !audit_append(store, 1, "test", "after", "{}", &status)) {
        fail_msg("%s: %s", what, status.text);
    }
    store_close(store);
    return outcome;
}

/* One flipped bit at many places, over all pages; the stride is prime so that all fields are
 * hit. */
static void flipped_bits_are_never_believed(void **state) {
    struct fixture *fixture = *state;
    struct bytes pristine = buffer_bytes(&fixture->pristine);
    size_t lost_most = 0;
    size_t rounds = 0;
    for (size_t offset = 0; offset < pristine.length; offset += offset < 100 ? 1 : 127) {
        char what[64];
        struct store_report report;
        fixture->pristine.data[offset] ^= (uint8_t)(1U << (offset % 8));
        put_file(fixture, buffer_bytes(&fixture->pristine));
        fixture->pristine.data[offset] ^= (uint8_t)(1U << (offset % 8));
        snprintf(what, sizeof(what), "bit %zu of byte %zu", offset % 8, offset);
        struct outcome outcome = live_with(fixture, what, &report);
        lost_most = outcome.missing > lost_most ? outcome.missing : lost_most;
        rounds++;
    }
    print_message("%zu files; at most %zu of %d records lost to one bit\n", rounds, lost_most,
                  RECORDS);
    assert_true(lost_most < RECORDS / 2);
}

/* Whole pages gone, as by a bad sector, or replaced by garbage. */
static void lost_pages_cost_only_what_was_on_them(void **state) {
    struct fixture *fixture = *state;
    size_t pages = fixture->pristine.length / 4096;
    size_t saved = 0;
    for (size_t page = 0; page < pages; page++) {
        for (int fill_byte = 0; fill_byte < 256; fill_byte += 85) {
            char what[64];
            struct store_report report;
            uint8_t original[4096];
            uint8_t *place = fixture->pristine.data + page * 4096;
            memcpy(original, place, sizeof(original));
            memset(place, fill_byte, sizeof(original));
            put_file(fixture, buffer_bytes(&fixture->pristine));
            memcpy(place, original, sizeof(original));
            snprintf(what, sizeof(what), "page %zu filled with %d", page, fill_byte);
            struct outcome outcome = live_with(fixture, what, &report);
            saved += outcome.good;
        }
    }
    print_message("%zu pages: %zu of %zu records saved\n", pages, saved, pages * 4 * RECORDS);
    assert_true(saved > pages * 4 * RECORDS / 2);
}

static void cut_and_foreign_files_are_set_aside(void **state) {
    struct fixture *fixture = *state;
    struct bytes pristine = buffer_bytes(&fixture->pristine);
    for (size_t length = 1; length < pristine.length; length += 1531) {
        char what[64];
        struct store_report report;
        snprintf(what, sizeof(what), "cut to %zu bytes", length);
        put_file(fixture, bytes_of(pristine.data, length));
        live_with(fixture, what, &report);
        assert_true(report.damaged);
    }
    struct store_report report;
    put_file(fixture, bytes_of_text("# this is no database at all\n"));
    struct outcome outcome = live_with(fixture, "a text", &report);
    assert_true(report.damaged);
    assert_int_equal(outcome.good, 0);
}

static sqlite3 *open_behind_its_back(const struct fixture *fixture) {
    char *path = database_path(fixture);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    free(path);
    return database;
}

static void tamper(const struct fixture *fixture, const char *sql) {
    sqlite3 *database = open_behind_its_back(fixture);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    }
    sqlite3_close(database);
}

/* A record changed with SQL, so that the file itself is sound: one is lost, the others are
 * served. */
static void a_changed_record_is_set_aside_alone(void **state) {
    struct fixture *fixture = *state;
    struct store_report report;
    tamper(fixture, "UPDATE record SET value='forged' WHERE key='key007'");
    struct outcome outcome = live_with(fixture, "changed", &report);
    assert_int_equal(outcome.missing, 1);
    assert_false(report.damaged);
    assert_int_equal(report.lost_records, 1);

    struct store *store = NULL;
    assert_true(store_open(fixture->folder, &store, &report, NULL));
    assert_int_equal(report.lost_records, 0);
    assert_int_equal(read_all(store, "changed, next start").missing, 1);
    assert_true(store_put(store, "odd", "key007", bytes_of_text("afresh"), NULL));
    struct buffer value;
    buffer_init(&value, 100);
    assert_true(store_get(store, "odd", "key007", &value, NULL));
    assert_string_equal(buffer_text(&value), "afresh");
    buffer_free(&value);
    store_close(store);
}

static bool count_visit(void *context, const char *key, struct bytes value) {
    size_t *count = context;
    (void)key;
    (void)value;
    ++*count;
    return true;
}

/* Records found bad while running: reported once as damaged, then as missing; iterations skip
 * them. */
static void a_record_that_decays_while_running_is_reported(void **state) {
    struct fixture *fixture = *state;
    struct store *store = NULL;
    struct status status = STATUS_INIT;
    struct buffer value;
    size_t damaged = 0;
    size_t count = 0;
    buffer_init(&value, 1000);
    assert_true(store_open(fixture->folder, &store, NULL, NULL));
    tamper(fixture, "UPDATE record SET key='key999' WHERE key='key003';"
                    "UPDATE record SET value=x'00' WHERE key='key005'");
    assert_false(store_get(store, "odd", "key005", &value, &status));
    assert_int_equal(status.code, STATUS_DAMAGED);
    status_clear(&status);
    assert_false(store_get(store, "odd", "key005", &value, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    status_clear(&status);
    assert_false(store_get(store, "odd", "key003", &value, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    assert_true(store_each(store, "odd", "", count_visit, &count, &damaged, NULL));
    assert_int_equal(damaged, 1);
    assert_int_equal(count, RECORDS / 2 - 2);
    assert_true(store_count(store, "odd", &count, NULL));
    assert_int_equal(count, RECORDS / 2 - 2);

    struct store_health health;
    store_health(store, &health);
    assert_int_equal(health.damaged_records, 2);
    store_close(store);

    struct store_report report;
    assert_true(store_open(fixture->folder, &store, &report, NULL));
    assert_int_equal(report.lost_records, 0);
    store_close(store);
    buffer_free(&value);
}

/* A header that claims a newer version, while the table knows better, is damage and not a newer
 * lsys. */
static void a_flipped_version_is_not_a_newer_lsys(void **state) {
    struct fixture *fixture = *state;
    struct store_report report;
    tamper(fixture, "PRAGMA user_version=9");
    struct outcome outcome = live_with(fixture, "version", &report);
    assert_true(report.damaged);
    assert_int_equal(outcome.good, RECORDS);
    assert_int_equal(report.salvaged_records, RECORDS + AUDIT_ENTRIES + 1);
}

/* SQL hidden in the file never runs. */
static void triggers_in_the_file_do_not_run(void **state) {
    struct fixture *fixture = *state;
    struct store_report report;
    tamper(fixture, "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM audit; END");
    live_with(fixture, "trigger", &report);
    sqlite3 *database = open_behind_its_back(fixture);
    sqlite3_stmt *count = NULL;
    sqlite3_prepare_v2(database, "SELECT count(*) FROM audit", -1, &count, NULL);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(count, 0), AUDIT_ENTRIES + 1);
    sqlite3_finalize(count);
    sqlite3_close(database);
}

/* ---- The audit log ---- */

static enum status_code verify(const struct fixture *fixture, uint64_t *checked) {
    struct store *store = NULL;
    struct status status = STATUS_INIT;
    assert_true(store_open_to_read(fixture->folder, &store, NULL));
    audit_verify(store, checked, &status) ? (void)0 : print_message("%s\n", status.text);
    store_close(store);
    return status.code;
}

static void the_audit_log_shows_tampering(void **state) {
    struct fixture *fixture = *state;
    static const char *const tamperings[] = {
        "UPDATE audit SET detail='{}' WHERE number=7",
        "UPDATE audit SET time_ms=time_ms+1 WHERE number=1",
        "UPDATE audit SET actor='someone' WHERE number=20",
        "DELETE FROM audit WHERE number=8",
        "DELETE FROM audit WHERE number=20",
        "DELETE FROM audit",
        "UPDATE audit SET number=21 WHERE number=20",
        "INSERT INTO audit SELECT 21, time_ms, actor, action, detail, hash FROM audit WHERE "
        "number=20",
        "UPDATE audit SET actor='tes', action='tfill' WHERE number=3",
    };
    uint64_t checked = 0;
    assert_int_equal(verify(fixture, &checked), STATUS_OK);
    assert_int_equal(checked, AUDIT_ENTRIES);
    for (size_t i = 0; i < COUNT_OF(tamperings); i++) {
        put_file(fixture, buffer_bytes(&fixture->pristine));
        tamper(fixture, tamperings[i]);
        if (verify(fixture, &checked) != STATUS_DAMAGED) {
            fail_msg("not noticed: %s", tamperings[i]);
        }
    }
}

struct listed {
    uint64_t first;
    uint64_t last;
    size_t count;
};

static bool list_entry(void *context, const struct audit_entry *entry) {
    struct listed *listed = context;
    listed->first = listed->count == 0 ? entry->number : listed->first;
    listed->last = entry->number;
    listed->count++;
    assert_string_equal(entry->actor, "test");
    return true;
}

static void the_audit_log_is_listed_in_order(void **state) {
    struct fixture *fixture = *state;
    struct store *store = NULL;
    struct listed listed = {0};
    assert_true(store_open(fixture->folder, &store, NULL, NULL));
    assert_true(audit_list(store, 5, 10, list_entry, &listed, NULL));
    assert_int_equal(listed.first, 6);
    assert_int_equal(listed.last, 15);
    assert_int_equal(listed.count, 10);

    /* With the transaction it belongs to. */
    struct audit_head head;
    assert_true(store_begin(store, NULL));
    assert_true(audit_append(store, 1, "test", "undone", "{}", NULL));
    store_rollback(store);
    assert_true(audit_head(store, &head, NULL));
    assert_int_equal(head.number, AUDIT_ENTRIES);

    char long_name[AUDIT_NAME_BYTES_MAX + 2];
    struct status status = STATUS_INIT;
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    assert_false(audit_append(store, 1, long_name, "a", "{}", &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    store_close(store);
}

/* The chain goes on from a new start when the oldest entries go. */
static void the_audit_log_is_bounded(void **state) {
    struct fixture *fixture = *state;
    struct store *store = NULL;
    struct listed listed = {0};
    uint64_t checked = 0;
    char sql[400];
    /* A log of the greatest size, made quickly: the entry at the new start, and the newest. */
    snprintf(sql, sizeof(sql),
             "INSERT INTO audit SELECT %d, 0, 'test', 'a', '{}', hash FROM audit WHERE number=1;"
             "INSERT INTO audit SELECT %d, 0, 'test', 'a', '{}', hash FROM audit WHERE number=1",
             AUDIT_PRUNE_ENTRIES, AUDIT_ENTRIES_MAX);
    tamper(fixture, sql);
    assert_true(store_open(fixture->folder, &store, NULL, NULL));
    assert_true(audit_append(store, 1, "test", "one more", "{}", NULL));
    assert_true(audit_list(store, 0, SIZE_MAX, list_entry, &listed, NULL));
    assert_int_equal(listed.first, AUDIT_ENTRIES_MAX);
    assert_int_equal(listed.last, AUDIT_ENTRIES_MAX + 1);
    assert_false(audit_verify(store, &checked, NULL));
    assert_true(audit_append(store, 1, "test", "and another", "{}", NULL));
    store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flipped_bits_are_never_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_pages_cost_only_what_was_on_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_and_foreign_files_are_set_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_record_is_set_aside_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_decays_while_running_is_reported, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_flipped_version_is_not_a_newer_lsys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(triggers_in_the_file_do_not_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_audit_log_shows_tampering, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_audit_log_is_listed_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_audit_log_is_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
