/* The state store on full and read-only disks, and killed at any moment. */
#include "tests/lib/unit.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "store/audit.h"
#include "tests/lib/store_fixture.h"

/*
 * Gives this program a mount namespace of its own: what it mounts is gone with it, also when it is
 * killed. (MS_PRIVATE fails in a chroot whose root is no mount point; there a mount is seen outside
 * until umount().)
 */
static int hide_mounts(void **state) {
    (void)state;
    if (unshare(CLONE_NEWNS) == 0) mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return 0;
}

/* Puts a small tmpfs over the folder; false, with the reason printed, where that is not allowed. */
static bool mount_small(const char *folder, const char *options) {
    if (mount("tmpfs", folder, "tmpfs", 0, options) != 0) {
        print_message("not tested: mounting a small tmpfs needs root\n");
        return false;
    }
    return true;
}

static void a_full_disk_refuses_writes_and_recovers(void **state) {
    (void)state;
    char folder[TEST_FOLDER_BYTES];
    test_folder_make(folder);
    if (mount_small(folder, "size=512k,mode=0700")) {
        struct store *store = test_store_open(folder, NULL);
        struct store_health health;
        static uint8_t block[16 * 1024];
        struct status status = STATUS_INIT;
        char key[16];
        test_store_put(store, "kept", "value");
        int written = 0;
        for (bool ok = true; ok && written < 1000; written += ok) {
            snprintf(key, sizeof(key), "k%d", written);
            ok = store_put(store, "test", key, bytes_of(block, sizeof(block)), &status);
        }
        assert_in_range(written, 5, 100);
        assert_int_equal(status.code, STATUS_IO);
        store_health(store, &health);
        assert_false(health.writable);
        assert_int_equal(health.last_write_error.code, STATUS_IO);
        test_store_assert_value(store, "kept", "value");

        /* In a transaction too, nothing of it stays. */
        status_clear(&status);
        assert_true(store_begin(store, NULL));
        bool ok = true;
        for (int i = 0; ok && i < 1000; i++) {
            snprintf(key, sizeof(key), "t%d", i);
            ok = store_put(store, "test", key, bytes_of(block, sizeof(block)), NULL);
        }
        ok = store_commit(store, &status) && ok;
        assert_false(ok);
        char text[64];
        assert_int_equal(test_store_get(store, "t0", text), STATUS_NOT_FOUND);

        assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=8m"), 0);
        test_store_put(store, "later", "works");
        store_health(store, &health);
        assert_true(health.writable);
        store_close(store);
        store = test_store_open(folder, NULL);
        test_store_assert_value(store, "kept", "value");
        test_store_assert_value(store, "later", "works");
        size_t count = 0;
        assert_true(store_count(store, "test", &count, NULL));
        assert_int_equal(count, written + 2);
        store_close(store);
        umount(folder);
    }
    test_folder_remove(folder);
}

static void a_read_only_disk_is_reported(void **state) {
    (void)state;
    char folder[TEST_FOLDER_BYTES];
    test_folder_make(folder);
    if (mount_small(folder, "size=2m,mode=0700")) {
        struct status status = STATUS_INIT;
        struct store *store = test_store_open(folder, NULL);
        test_store_put(store, "a", "one");
        store_close(store);
        assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
        assert_false(store_open(folder, &store, NULL, &status));
        assert_non_null(strstr(status.text, folder));
        assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, NULL), 0);
        store = test_store_open(folder, NULL);
        test_store_assert_value(store, "a", "one");
        store_close(store);
        umount(folder);
    }
    test_folder_remove(folder);
}

/* Counts as fast as it can, telling each number after it was promised, until it is killed. */
static void count_for_ever(const char *folder, int out) {
    struct store *store = NULL;
    uint64_t value = 0;
    if (!store_open(folder, &store, NULL, NULL)) {
        _exit(2);
    }
    while (store_increment(store, "test", "n", 1, &value, NULL) &&
           audit_append(store, 0, "test", "count", "{}", NULL) &&
           write(out, &value, sizeof(value)) == sizeof(value)) {
    }
    _exit(3);
}

/* kill -9 at any moment loses nothing that was promised. */
static void killing_loses_nothing_promised(void **state) {
    struct store_fixture *fixture = *state;
    uint64_t promised = 0;
    store_close(fixture->store);
    for (int round = 0; round < 40; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            count_for_ever(fixture->folder, ends[1]);
        }
        close(ends[1]);
        /* Killed after some promises, at a moment of its own. */
        uint64_t wanted = 1 + random_below(8);
        for (uint64_t i = 0; i < wanted; i++) {
            assert_int_equal(read(ends[0], &promised, sizeof(promised)), sizeof(promised));
        }
        usleep((useconds_t)random_below(2000));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &promised, sizeof(promised)) == sizeof(promised)) {
        }
        close(ends[0]);

        struct store_report report;
        struct store *store = test_store_open(fixture->folder, &report);
        uint64_t next = 0;
        assert_false(report.damaged);
        assert_true(store_increment(store, "test", "n", 1, &next, NULL));
        assert_in_range(next, promised + 1, promised + 2);
        struct status status = STATUS_INIT;
        if (!audit_verify(store, NULL, &status)) {
            fail_msg("%s", status.text);
        }
        store_close(store);
    }
    fixture->store = test_store_open(fixture->folder, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_writes_and_recovers),
        cmocka_unit_test(a_read_only_disk_is_reported),
        cmocka_unit_test_setup_teardown(killing_loses_nothing_promised, store_fixture_set_up,
                                        store_fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, hide_mounts, NULL);
}
