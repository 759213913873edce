/* Watching a file through everything operators and orchestrators do to files. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "loop/file_watch.h"
#include "loop/timer.h"
#include "tests/lib/loop_wait.h"

struct fixture {
    struct loop *loop;
    struct file_watch *watch;
    char folder[64];
    char old_folder[PATH_MAX];
    int changes;
};

static void note_change(void *context) {
    struct fixture *fixture = context;
    fixture->changes++;
}

/* Each test works in an empty folder of its own, with relative paths. */
static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    strcpy(fixture->folder, "/tmp/lsys-file-watch-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_non_null(getcwd(fixture->old_folder, sizeof fixture->old_folder));
    assert_int_equal(chdir(fixture->folder), 0);
    fixture->loop = loop_create(&status);
    assert_non_null(fixture->loop);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    char command[100];
    file_watch_close(fixture->watch);
    file_watch_close(fixture->watch);
    loop_wait_end(fixture->loop);
    assert_int_equal(chdir(fixture->old_folder), 0);
    snprintf(command, sizeof command, "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void watch(struct fixture *fixture, const char *path) {
    fixture->watch = file_watch_open(fixture->loop, path, note_change, fixture);
    assert_non_null(fixture->watch);
}

static void write_file(const char *path, const char *text) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

/* One more change is reported, within a second, and no further one follows. */
static void expect_one_change(struct fixture *fixture) {
    int before = fixture->changes;
    int64_t started_ms = clock_monotonic_ms();
    assert_true(loop_wait_count(fixture->loop, &fixture->changes, before + 1));
    assert_in_range(clock_monotonic_ms() - started_ms, 0, 999);
    loop_wait_ms(fixture->loop, FILE_WATCH_POLL_MS + 2 * FILE_WATCH_SETTLE_MS);
    assert_int_equal(fixture->changes, before + 1);
}

static void expect_no_change(struct fixture *fixture) {
    int before = fixture->changes;
    loop_wait_ms(fixture->loop, FILE_WATCH_POLL_MS + FILE_WATCH_SETTLE_LIMIT_MS);
    assert_int_equal(fixture->changes, before);
}

static void what_is_there_is_not_a_change(void **state) {
    struct fixture *fixture = *state;
    write_file("license", "one");
    watch(fixture, "license");
    write_file("neighbour", "another file");
    expect_no_change(fixture);
}

static void rewriting_in_place_is_one_change(void **state) {
    struct fixture *fixture = *state;
    write_file("license", "one");
    watch(fixture, "license");
    write_file("license", "two");
    expect_one_change(fixture);
    write_file("license", "two"); /* same size: noticed all the same */
    expect_one_change(fixture);
}

static void a_file_that_appears_and_disappears(void **state) {
    struct fixture *fixture = *state;
    char path[100];
    snprintf(path, sizeof path, "%s/license", fixture->folder);
    watch(fixture, path);
    write_file("license", "one");
    expect_one_change(fixture);
    unlink("license");
    expect_one_change(fixture);
}

static void atomic_replacement_is_one_change(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    write_file("license", "one");
    watch(fixture, "license");
    for (int i = 0; i < 3; i++) {
        assert_true(file_replace("license", bytes_of_text("new"), 0644, &status));
        expect_one_change(fixture);
    }
}

static void removing_and_writing_again_is_one_change(void **state) {
    struct fixture *fixture = *state;
    write_file("license", "one");
    watch(fixture, "license");
    unlink("license");
    write_file("license", "two");
    expect_one_change(fixture);
}

static void a_change_of_mode_is_a_change(void **state) {
    struct fixture *fixture = *state;
    write_file("license", "one");
    watch(fixture, "license");
    assert_int_equal(chmod("license", 0), 0);
    expect_one_change(fixture);
}

/* What Kubernetes does with a mounted secret: license -> ..data/license, ..data -> ..version1. */
static void a_swapped_link_in_the_middle_is_a_change(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(mkdir("..version1", 0755), 0);
    assert_int_equal(mkdir("..version2", 0755), 0);
    write_file("..version1/license", "one");
    write_file("..version2/license", "two");
    assert_int_equal(symlink("..version1", "..data"), 0);
    assert_int_equal(symlink("..data/license", "license"), 0);
    watch(fixture, "license");
    assert_int_equal(symlink("..version2", "..data_tmp"), 0);
    assert_int_equal(rename("..data_tmp", "..data"), 0);
    expect_one_change(fixture);
}

static void a_change_behind_a_link_into_another_folder_is_noticed(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(mkdir("elsewhere", 0755), 0);
    assert_int_equal(mkdir("here", 0755), 0);
    write_file("elsewhere/license", "one");
    assert_int_equal(symlink("../elsewhere/license", "here/license"), 0);
    watch(fixture, "here/license");
    write_file("elsewhere/license", "two!");
    expect_one_change(fixture);
}

static void a_missing_folder_may_come_later(void **state) {
    struct fixture *fixture = *state;
    watch(fixture, "a/b/license");
    expect_no_change(fixture);
    assert_int_equal(mkdir("a", 0755), 0);
    assert_int_equal(mkdir("a/b", 0755), 0);
    write_file("a/b/license", "one");
    expect_one_change(fixture);
    write_file("a/b/license", "two");
    expect_one_change(fixture);
}

static void a_recreated_folder_is_watched_again(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(mkdir("a", 0755), 0);
    write_file("a/license", "one");
    watch(fixture, "a/license");
    for (int i = 0; i < 2; i++) {
        unlink("a/license");
        assert_int_equal(rmdir("a"), 0);
        expect_one_change(fixture);
        assert_int_equal(mkdir("a", 0755), 0);
        write_file("a/license", "again");
        expect_one_change(fixture);
    }
}

static void a_folder_replaced_by_rename_is_followed(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(mkdir("a", 0755), 0);
    assert_int_equal(mkdir("b", 0755), 0);
    write_file("a/license", "one");
    write_file("b/license", "two");
    watch(fixture, "a/license");
    assert_int_equal(rename("a", "old"), 0);
    assert_int_equal(rename("b", "a"), 0);
    expect_one_change(fixture);
    write_file("old/license", "not ours any more");
    expect_no_change(fixture);
    write_file("a/license", "three");
    expect_one_change(fixture);
}

/* A writer that never rests is still seen. */
static void append_for_ever(void *context) {
    FILE *file = fopen(context, "a");
    assert_non_null(file);
    fputs("more ", file);
    fclose(file);
}

static void a_file_that_never_rests_is_reported_now_and_then(void **state) {
    struct fixture *fixture = *state;
    write_file("license", "one");
    watch(fixture, "license");
    struct timer *writer = timer_open(fixture->loop, append_for_ever, "license");
    timer_start_repeating(writer, 10);
    loop_wait_ms(fixture->loop, 3 * FILE_WATCH_SETTLE_LIMIT_MS);
    assert_in_range(fixture->changes, 1, 5);
    timer_close(writer);
    assert_true(loop_wait_count(fixture->loop, &fixture->changes, fixture->changes));
}

static void a_folder_is_told_of_its_files(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(mkdir("box", 0755), 0);
    write_file("box/one", "1");
    fixture->watch = file_watch_open_folder(fixture->loop, "box", note_change, fixture);
    write_file("neighbour", "another file");
    expect_no_change(fixture);
    write_file("box/two", "2");
    expect_one_change(fixture);
    write_file("box/one", "3"); /* in place */
    expect_one_change(fixture);
    assert_int_equal(rename("box/two", "box/three"), 0);
    expect_one_change(fixture);
    unlink("box/three");
    expect_one_change(fixture);
    assert_int_equal(rename("box", "gone"), 0);
    expect_one_change(fixture);
    assert_int_equal(mkdir("box", 0755), 0);
    expect_one_change(fixture);
    write_file("box/four", "4");
    expect_one_change(fixture);
}

int main(void) {
#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WATCH_TEST(what_is_there_is_not_a_change),
        WATCH_TEST(rewriting_in_place_is_one_change),
        WATCH_TEST(a_file_that_appears_and_disappears),
        WATCH_TEST(atomic_replacement_is_one_change),
        WATCH_TEST(removing_and_writing_again_is_one_change),
        WATCH_TEST(a_change_of_mode_is_a_change),
        WATCH_TEST(a_swapped_link_in_the_middle_is_a_change),
        WATCH_TEST(a_change_behind_a_link_into_another_folder_is_noticed),
        WATCH_TEST(a_missing_folder_may_come_later),
        WATCH_TEST(a_recreated_folder_is_watched_again),
        WATCH_TEST(a_folder_replaced_by_rename_is_followed),
        WATCH_TEST(a_file_that_never_rests_is_reported_now_and_then),
        WATCH_TEST(a_folder_is_told_of_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
