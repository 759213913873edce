/* Whole files and log lines: what touches the machine on the base floor. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "tests/lib/folder.h"

static char folder[TEST_FOLDER_BYTES];

static int make_folder(void **state) {
    (void)state;
    test_folder_make(folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    test_folder_remove(folder);
    return 0;
}

static const char *path_of(const char *name) {
    static char path[TEST_FOLDER_BYTES + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void reading_stops_at_the_limit(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    struct buffer content;
    assert_true(file_replace(path_of("ten"), bytes_of_text("0123456789"), 0644, &status));

    buffer_init(&content, 10);
    assert_true(file_read(path_of("ten"), &content, &status));
    assert_string_equal(buffer_text(&content), "0123456789");
    buffer_free(&content);

    buffer_init(&content, 9);
    assert_false(file_read(path_of("ten"), &content, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    buffer_free(&content);
}

static void what_is_no_file_is_refused_by_name(void **state) {
    (void)state;
    struct buffer content;
    buffer_init(&content, 100);
    struct status status = STATUS_INIT;
    assert_false(file_read(path_of("absent"), &content, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    assert_non_null(strstr(status.text, "absent"));

    status_clear(&status);
    assert_false(file_read(folder, &content, &status));
    assert_non_null(strstr(status.text, "folder"));

    /* A FIFO without a writer would block an ordinary open for ever. */
    status_clear(&status);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_false(file_read(path_of("fifo"), &content, &status));
    assert_int_equal(status.code, STATUS_IO);
    buffer_free(&content);
}

static void a_secret_that_others_can_read_is_refused(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    struct buffer content;
    buffer_init(&content, 100);
    assert_true(file_create(path_of("secret"), bytes_of_text("s"), 0600, &status));
    assert_true(file_read_secret(path_of("secret"), &content, &status));
    chmod(path_of("secret"), 0640);
    assert_false(file_read_secret(path_of("secret"), &content, &status));
    assert_int_equal(status.code, STATUS_PERMISSION);
    assert_non_null(strstr(status.text, "chmod 600"));
    buffer_free(&content);
}

static void replacing_sets_the_mode_and_leaves_nothing_behind(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    struct stat information;
    assert_true(file_replace(path_of("file"), bytes_of_text("old"), 0600, &status));
    assert_true(file_replace(path_of("file"), bytes_of_text("new"), 0644, &status));
    assert_int_equal(stat(path_of("file"), &information), 0);
    assert_int_equal(information.st_mode & 0777, 0644);
    assert_int_equal(information.st_size, 3);
    assert_int_equal(information.st_nlink, 1);
}

static void what_is_no_file_is_never_replaced(void **state) {
    (void)state;
    char link[TEST_FOLDER_BYTES + 64];
    struct stat information;
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    snprintf(link, sizeof link, "%s", path_of("link"));
    assert_int_equal(symlink(path_of("pipe"), link), 0);
    const char *const names[] = {"pipe", "link", "."};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct status status = STATUS_INIT;
        assert_false(file_replace(path_of(names[i]), bytes_of_text("x"), 0600, &status));
        assert_int_equal(status.code, STATUS_IO);
        assert_non_null(strstr(status.text, names[i]));
    }
    assert_int_equal(lstat(path_of("pipe"), &information), 0);
    assert_true(S_ISFIFO(information.st_mode));
    assert_int_equal(lstat(link, &information), 0);
    assert_true(S_ISLNK(information.st_mode));
}

static void creating_never_overwrites(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    struct buffer content;
    buffer_init(&content, 100);
    assert_true(file_create(path_of("key"), bytes_of_text("first"), 0600, &status));
    assert_false(file_create(path_of("key"), bytes_of_text("second"), 0600, &status));
    assert_int_equal(status.code, STATUS_BUSY);
    status_clear(&status);
    assert_true(file_read(path_of("key"), &content, &status));
    assert_string_equal(buffer_text(&content), "first");
    buffer_free(&content);
}

static void folders_are_made_with_their_parents(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    struct stat information;
    assert_true(file_make_folder(path_of("a/b/c"), 0700, &status));
    assert_true(file_make_folder(path_of("a/b/c"), 0700, &status));
    assert_int_equal(stat(path_of("a/b/c"), &information), 0);
    assert_int_equal(information.st_mode & 0777, 0700);

    assert_true(file_create(path_of("plain"), bytes_of_text(""), 0600, &status));
    assert_false(file_make_folder(path_of("plain"), 0700, &status));
    status_clear(&status);
    assert_false(file_make_folder(path_of("plain/below"), 0700, &status));
}

/* Runs `write_lines` with stderr in a file and returns what arrived there. */
static const char *captured(void (*write_lines)(void)) {
    static char text[16384];
    const char *path = path_of("stderr");
    int saved = dup(STDERR_FILENO);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    write_lines();
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void write_hostile_values(void) {
    log_event(LOG_INFO, "test", "a text", "plain", "value", "absent", NULL, "forged",
              "x\nlevel=error \x1b[2J\"q\\", "latin1", "caf\xE9", "utf8", "caf\xC3\xA9", NULL);
}

static void log_values_cannot_forge_lines(void **state) {
    (void)state;
    log_configure(LOG_INFO, LOG_LOGFMT);
    const char *text = captured(write_hostile_values);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "absent"));
    assert_non_null(strstr(text, " level=info role=test msg=\"a text\" plain=value "));
    assert_non_null(strstr(text, "forged=\"x\\nlevel=error \\u001b[2J\\\"q\\\\\""));
    assert_non_null(strstr(text, "latin1=\"caf\\u00e9\""));
    assert_non_null(strstr(text, "utf8=\"caf\xC3\xA9\""));
}

static void log_lines_can_be_json(void **state) {
    (void)state;
    log_configure(LOG_INFO, LOG_JSON);
    const char *text = captured(write_hostile_values);
    log_configure(LOG_INFO, LOG_LOGFMT);
    assert_int_equal(text[0], '{');
    assert_string_equal(text + strlen(text) - 2, "}\n");
    assert_non_null(strstr(text, "\"role\":\"test\",\"msg\":\"a text\",\"plain\":\"value\""));
}

static void write_long_value(void) {
    static char value[8000];
    memset(value, 'x', sizeof value - 1);
    log_event(LOG_WARNING, "test", "long", "huge", value, "after", "still here", NULL);
    log_event(LOG_DEBUG, "test", "below the level", NULL);
}

static void a_field_that_does_not_fit_is_left_out(void **state) {
    (void)state;
    const char *text = captured(write_long_value);
    assert_true(strlen(text) < 200);
    assert_null(strstr(text, "huge"));
    assert_non_null(strstr(text, "after=\"still here\"\n"));
    assert_null(strstr(text, "below the level"));
}

static void a_limiter_passes_one_and_counts_the_rest(void **state) {
    (void)state;
    struct log_limiter limiter = {.interval_ms = 1000};
    unsigned long suppressed = 99;
    assert_true(log_limiter_pass(&limiter, 5000, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_false(log_limiter_pass(&limiter, 5001, NULL));
    assert_false(log_limiter_pass(&limiter, 5999, NULL));
    assert_true(log_limiter_pass(&limiter, 6000, &suppressed));
    assert_int_equal(suppressed, 2);
}

static void clocks_and_boot_id_have_their_form(void **state) {
    (void)state;
    char boot_id[CLOCK_BOOT_ID_BYTES];
    clock_boot_id(boot_id);
    assert_int_equal(strlen(boot_id), CLOCK_BOOT_ID_BYTES - 1);
    assert_true(clock_wall_ms() > 1700000000000);
    int64_t before_ms = clock_monotonic_ms();
    assert_true(clock_monotonic_ms() >= before_ms);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_stops_at_the_limit),
        cmocka_unit_test(what_is_no_file_is_refused_by_name),
        cmocka_unit_test(a_secret_that_others_can_read_is_refused),
        cmocka_unit_test(replacing_sets_the_mode_and_leaves_nothing_behind),
        cmocka_unit_test(what_is_no_file_is_never_replaced),
        cmocka_unit_test(creating_never_overwrites),
        cmocka_unit_test(folders_are_made_with_their_parents),
        cmocka_unit_test(log_values_cannot_forge_lines),
        cmocka_unit_test(log_lines_can_be_json),
        cmocka_unit_test(a_field_that_does_not_fit_is_left_out),
        cmocka_unit_test(a_limiter_passes_one_and_counts_the_rest),
        cmocka_unit_test(clocks_and_boot_id_have_their_form),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
