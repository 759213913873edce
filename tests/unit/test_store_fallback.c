/* The state store on a disk that does not let it write from the start: what is read, what is
 * refused, and coming back. A small tmpfs is remounted, which needs root. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "rules/persistence.h"
#include "store/store.h"
#include "tests/lib/folder.h"

/* A folder on a disk of its own. */
static int set_up(void **state) {
    char *folder = calloc(1, TEST_FOLDER_BYTES);
    test_folder_make(folder);
    *state = folder;
    if (mount("tmpfs", folder, "tmpfs", 0, "size=2m,mode=0700") == 0) {
        return 0;
    }
    print_message("not tested: mounting a small tmpfs needs root\n");
    test_folder_remove(folder);
    free(folder);
    *state = NULL;
    return 0;
}

static int tear_down(void **state) {
    if (*state != NULL) {
        umount(*state);
        test_folder_remove(*state);
        free(*state);
    }
    return 0;
}

static void make_read_only(const char *folder) {
    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
}

static void make_writable(const char *folder) {
    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, NULL), 0);
}

static struct store *open_at_least(const char *folder, enum persistence_state least,
                                   enum persistence_state expected) {
    struct store *store = NULL;
    struct status status = STATUS_INIT;
    if (!store_open_at_least(folder, least, &store, NULL, &status)) {
        fail_msg("store_open_at_least: %s", status.text);
    }
    assert_int_equal(store_persistence(store, NULL), expected);
    return store;
}

static bool put(struct store *store, const char *key, const char *value, struct status *status) {
    return store_put(store, "test", key, bytes_of_text(value), status);
}

static void assert_value(struct store *store, const char *key, const char *expected) {
    struct status status = STATUS_INIT;
    struct buffer value;
    buffer_init(&value, 64);
    bool found = store_get(store, "test", key, &value, &status);
    assert_int_equal(status.code, expected != NULL ? STATUS_OK : STATUS_NOT_FOUND);
    if (found) {
        assert_string_equal(buffer_text(&value), expected);
    }
    buffer_free(&value);
}

/* Leaves a state whose newest record is in the WAL only, as kill -9 does. */
static void leave_killed(const char *folder) {
    pid_t child = fork();
    if (child == 0) {
        struct store *store = NULL;
        _exit(store_open(folder, &store, NULL, NULL) && put(store, "a", "one", NULL) ? 0 : 1);
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
}

/* Comes back to the disk, and closes the store. */
static void recover(struct store *store, const char *folder) {
    struct store_report report;
    struct status status = STATUS_INIT;
    make_writable(folder);
    if (!store_retry(store, &report, &status)) {
        fail_msg("store_retry: %s", status.text);
    }
    assert_int_equal(store_persistence(store, &status), PERSISTENCE_DURABLE);
    assert_true(status_is_ok(&status));
    assert_int_equal(store_generation(store), 1);
    assert_true(put(store, "later", "works", NULL));
    store_close(store);
    assert_true(store_open(folder, &store, NULL, NULL));
    assert_value(store, "later", "works");
    store_close(store);
}

static void check_read_only(const char *folder) {
    struct status status = STATUS_INIT;
    struct store_report report;
    struct store *store = NULL;
    make_read_only(folder);
    assert_false(store_open(folder, &store, NULL, NULL));
    store = open_at_least(folder, PERSISTENCE_READ_ONLY, PERSISTENCE_READ_ONLY);
    assert_value(store, "a", "one");
    assert_false(put(store, "b", "two", &status));
    assert_int_equal(status.code, STATUS_IO);
    assert_non_null(strstr(status.text, "Read-only file system"));
    assert_false(store_begin(store, NULL));
    assert_false(store_retry(store, &report, NULL));
    assert_value(store, "a", "one");
    assert_int_equal(store_generation(store), 0);
    recover(store, folder);
}

static void a_read_only_disk_is_read(void **state) {
    if (*state == NULL) {
        return;
    }
    struct store *store = NULL;
    assert_true(store_open(*state, &store, NULL, NULL));
    assert_true(put(store, "a", "one", NULL));
    store_close(store);
    check_read_only(*state);
}

static void what_is_in_the_log_alone_is_read(void **state) {
    if (*state == NULL) {
        return;
    }
    leave_killed(*state);
    check_read_only(*state);
}

/* A copy of the two files has no index of the WAL with it. */
static void a_log_without_its_index_is_read(void **state) {
    if (*state == NULL) {
        return;
    }
    char path[TEST_FOLDER_BYTES + 32];
    leave_killed(*state);
    snprintf(path, sizeof(path), "%s/state.db-shm", (const char *)*state);
    assert_int_equal(unlink(path), 0);
    check_read_only(*state);
}

static void an_empty_read_only_folder_is_memory(void **state) {
    if (*state == NULL) {
        return;
    }
    struct store *store = NULL;
    struct status status = STATUS_INIT;
    make_read_only(*state);
    assert_false(store_open_at_least(*state, PERSISTENCE_READ_ONLY, &store, NULL, &status));
    assert_non_null(strstr(status.text, "Read-only file system"));
    store = open_at_least(*state, PERSISTENCE_MEMORY, PERSISTENCE_MEMORY);
    assert_value(store, "a", NULL);
    assert_false(put(store, "a", "one", NULL));
    recover(store, *state);
}

static void a_folder_that_cannot_be_made_is_made_later(void **state) {
    if (*state == NULL) {
        return;
    }
    char folder[TEST_FOLDER_BYTES + 32];
    snprintf(folder, sizeof(folder), "%s/var/lsys?100%%", (const char *)*state);
    make_read_only(*state);
    struct store *store = open_at_least(folder, PERSISTENCE_MEMORY, PERSISTENCE_MEMORY);
    make_writable(*state);
    assert_true(store_retry(store, &(struct store_report){0}, NULL));
    assert_true(put(store, "a", "one", NULL));
    store_close(store);
    /* Its name means something in a URI. */
    make_read_only(*state);
    store = open_at_least(folder, PERSISTENCE_READ_ONLY, PERSISTENCE_READ_ONLY);
    assert_value(store, "a", "one");
    store_close(store);
}

static void a_damaged_file_is_salvaged_into_memory(void **state) {
    if (*state == NULL) {
        return;
    }
    char path[TEST_FOLDER_BYTES + 32];
    char value[3000];
    struct store *store = NULL;
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    assert_true(store_open(*state, &store, NULL, NULL));
    assert_true(put(store, "a", "one", NULL));
    for (int i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof(key), "b%02d", i);
        assert_true(put(store, key, value, NULL));
    }
    store_close(store);
    snprintf(path, sizeof(path), "%s/state.db", (const char *)*state);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, -2 * 4096, SEEK_END); /* the header of a page with some records */
    fwrite(value, 1, 2048, file);
    fclose(file);
    make_read_only(*state);
    store = open_at_least(*state, PERSISTENCE_MEMORY, PERSISTENCE_MEMORY);
    assert_value(store, "a", "one");
    make_writable(*state);
    struct store_report report;
    assert_true(store_retry(store, &report, NULL));
    assert_true(report.damaged);
    assert_value(store, "a", "one");
    store_close(store);
}

static void a_full_disk_at_the_start_is_waited_for(void **state) {
    if (*state == NULL) {
        return;
    }
    char path[TEST_FOLDER_BYTES + 32];
    static char block[64 * 1024];
    leave_killed(*state);
    snprintf(path, sizeof(path), "%s/filler", (const char *)*state);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, 1, sizeof(block), file) == sizeof(block)) {
    }
    while (fwrite(block, 1, 4096, file) == 4096) {
    }
    fclose(file);
    snprintf(path, sizeof(path), "%s/state.db-shm", (const char *)*state);
    assert_int_equal(truncate(path, 0), 0);
    file = fopen(path, "r+");
    fclose(file);
    snprintf(path, sizeof(path), "%s/filler", (const char *)*state);
    file = fopen(path, "a");
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, 1, 4096, file) == 4096) {
    }
    fclose(file);
    struct store *store = NULL;
    assert_true(store_open_at_least(*state, PERSISTENCE_MEMORY, &store, NULL, NULL));
    assert_int_not_equal(store_persistence(store, NULL), PERSISTENCE_MEMORY);
    assert_value(store, "a", "one");
    assert_false(put(store, "b", "two", NULL));
    assert_false(store_retry(store, &(struct store_report){0}, NULL));
    assert_int_equal(unlink(path), 0);
    assert_true(store_retry(store, &(struct store_report){0}, NULL));
    assert_true(put(store, "b", "two", NULL));
    store_close(store);
}

/* ---- what stays an error ---- */

static enum status_code refusal(const char *folder) {
    struct store *store = NULL;
    struct status status = STATUS_INIT;
    assert_false(store_open_at_least(folder, PERSISTENCE_MEMORY, &store, NULL, &status));
    assert_null(store);
    return status.code;
}

static void what_a_person_must_put_right_is_an_error(void **state) {
    (void)state;
    char folder[TEST_FOLDER_BYTES];
    char path[TEST_FOLDER_BYTES + 32];
    struct store *store = NULL;
    test_folder_make(folder);
    assert_true(store_open(folder, &store, NULL, NULL));
    assert_int_equal(refusal(folder), STATUS_BUSY);
    store_close(store);

    snprintf(path, sizeof(path), "%s/state.db", folder);
    refusal(path); /* a file where a folder should be */
    snprintf(path, sizeof(path), "%s/state.db/inside", folder);
    refusal(path);
    snprintf(path, sizeof(path), "%s/state.db", folder);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    refusal(folder); /* a folder where the state should be */
    test_folder_remove(folder);
}

/* ---- watching ---- */

static void count(void *context) {
    ++*(int *)context;
}

static void a_watcher_hears_of_the_first_failure_and_of_the_end(void **state) {
    if (*state == NULL) {
        return;
    }
    static uint8_t block[256 * 1024];
    int heard = 0;
    char key[16];
    struct store *store = open_at_least(*state, PERSISTENCE_MEMORY, PERSISTENCE_DURABLE);
    store_watch(store, count, &heard);
    assert_true(put(store, "a", "one", NULL));
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        bool ok = store_put(store, "test", key, bytes_of(block, sizeof(block)), NULL);
        assert_true(ok || i > 0);
    }
    assert_int_equal(heard, 1);
    struct status why = STATUS_INIT;
    assert_int_equal(store_persistence(store, &why), PERSISTENCE_REFUSED);
    assert_int_equal(why.code, STATUS_IO);
    assert_int_equal(mount("tmpfs", *state, "tmpfs", MS_REMOUNT, "size=16m"), 0);
    assert_true(store_retry(store, &(struct store_report){0}, NULL));
    assert_int_equal(heard, 2);
    assert_int_equal(store_generation(store), 0);
    store_close(store);
}

/* ---- locks ---- */

/* Where SQLite has the lock of whoever writes, in the index of the WAL. */
#define WRITE_LOCK_OFFSET 120

/* Another process holds the lock until it is killed. */
static pid_t hold_write_lock(const char *folder) {
    char path[TEST_FOLDER_BYTES + 32];
    char ready;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof(path), "%s/state.db-shm", folder);
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WRITE_LOCK_OFFSET, .l_len = 1};
        int file = open(path, O_RDWR | O_CLOEXEC);
        if (fcntl(file, F_SETLK, &lock) == 0 && write(ends[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    return child;
}

static int64_t milliseconds_of_a_put(struct store *store, enum status_code expected) {
    struct status status = STATUS_INIT;
    int64_t begin_ms = clock_monotonic_ms();
    put(store, "a", "two", &status);
    assert_int_equal(status.code, expected);
    return clock_monotonic_ms() - begin_ms;
}

static void a_lock_that_stays_is_waited_for_once(void **state) {
    (void)state;
    char folder[TEST_FOLDER_BYTES];
    struct store *store = NULL;
    test_folder_make(folder);
    assert_true(store_open(folder, &store, NULL, NULL));
    assert_true(put(store, "a", "one", NULL));
    pid_t holder = hold_write_lock(folder);
    assert_true(milliseconds_of_a_put(store, STATUS_BUSY) >= 900);
    for (int i = 0; i < 20; i++) {
        assert_true(milliseconds_of_a_put(store, STATUS_BUSY) < 500);
    }
    assert_value(store, "a", "one");
    kill(holder, SIGKILL);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    assert_true(store_retry(store, &(struct store_report){0}, NULL));
    milliseconds_of_a_put(store, STATUS_OK);
    assert_value(store, "a", "two");
    store_close(store);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_read_only_disk_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_in_the_log_alone_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_without_its_index_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_read_only_folder_is_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_made_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_salvaged_into_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_at_the_start_is_waited_for, set_up, tear_down),
        cmocka_unit_test(what_a_person_must_put_right_is_an_error),
        cmocka_unit_test_setup_teardown(a_watcher_hears_of_the_first_failure_and_of_the_end, set_up,
                                        tear_down),
        cmocka_unit_test(a_lock_that_stays_is_waited_for_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
