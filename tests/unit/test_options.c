/* The levels of the configuration: precedence, and an error that names the place for each
 * mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/command.h"
#include "app/options.h"
#include "app/role_options.h"
#include "base/file.h"
#include "net/address.h"

static const struct option server_options[] = {
    {.key = "listen", .type = OPTION_ADDRESS, .fallback = "127.0.0.1:4222", .help = "h"},
    {.key = "heartbeat_interval",
     .type = OPTION_DURATION,
     .fallback = "30s",
     .minimum = 100,
     .maximum = 3600000,
     .change = OPTION_RELOAD,
     .help = "h"},
    {.key = "nats.urls", .flag = "nats", .type = OPTION_LIST, .fallback = "a,b", .help = "h"},
    {.key = "pinning", .type = OPTION_ENUM, .choices = "open|strict", .help = "h"},
    {.key = "retries", .type = OPTION_INTEGER, .minimum = 0, .maximum = 9, .help = "h"},
    {.key = "enable", .type = OPTION_BOOLEAN, .fallback = "true", .help = "h"},
    {.key = "at", .type = OPTION_TIME, .help = "h"},
    {.key = "api_key_file", .type = OPTION_SECRET_FILE, .environment = "THE_API_KEY", .help = "h"},
    {0},
};

static const struct command server = {
    .name = "server",
    .summary = "s",
    .arguments = "[WORD]",
    .arguments_maximum = 1,
    .section = "server",
    .options = server_options,
    .shared = (const struct option *const[]){process_options, NULL},
};

static const struct option client_options[] = {
    {.key = "timeout", .type = OPTION_DURATION, .help = "h"},
    {0},
};

static const struct command client = {
    .name = "client",
    .summary = "c",
    .section = "client",
    .options = client_options,
    .shared = (const struct option *const[]){process_options, NULL},
};

static const struct command *const rows[] = {&server, &client};
static const struct command_table commands = {rows, 2};

/* A folder for conf.d, and what was found. */
struct fixture {
    char folder[64];
    char *environment[8];
    struct status status;
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->folder, "/tmp/lsys-options-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", fixture->folder);
    int removed = system(command);
    free(fixture);
    return removed;
}

static void write_config(struct fixture *fixture, const char *name, const char *text) {
    struct status status = STATUS_INIT;
    char *path = file_join(fixture->folder, name);
    assert_true(file_replace(path, bytes_of_text(text), 0644, &status));
    free(path);
}

/* Loads with --config-dir and up to four more flags. */
static struct options *load(struct fixture *fixture, const char *first, const char *second,
                            const char *third, const char *fourth) {
    const char *flags[] = {"--config-dir", fixture->folder, first, second, third, fourth};
    int count = 2;
    while (count < 6 && flags[count])
        count++;
    status_clear(&fixture->status);
    return options_load(&commands, &server, count, (char *const *)flags, fixture->environment,
                        &fixture->status);
}

/* Expects the loading to fail with this code and text. */
static void expect_failure(struct fixture *fixture, const char *flag, enum status_code code,
                           const char *text) {
    assert_null(load(fixture, flag, NULL, NULL, NULL));
    assert_string_equal(fixture->status.text, text);
    assert_int_equal(fixture->status.code, code);
}

/* Expects the loading to fail because of the file a.conf, with this text after the folder's
 * name. */
static void expect_file_failure(struct fixture *fixture, const char *text) {
    char expected[512];
    snprintf(expected, sizeof expected, "%s/a.conf%s", fixture->folder, text);
    expect_failure(fixture, NULL, STATUS_CONFIG, expected);
}

static void defaults_hold_when_nothing_is_said(void **state) {
    struct address address;
    struct options *options = load(*state, NULL, NULL, NULL, NULL);
    assert_non_null(options);
    assert_true(options_address(options, "listen", &address));
    assert_string_equal(address.host, "127.0.0.1");
    assert_int_equal(address.port, 4222);
    assert_int_equal(options_duration_ms(options, "heartbeat_interval"), 30000);
    assert_int_equal(options_count(options, "nats.urls"), 2);
    assert_string_equal(options_item(options, "nats.urls", 1), "b");
    assert_null(options_text(options, "pinning"));
    assert_true(options_boolean(options, "enable"));
    assert_false(options_is_given(options, "enable"));
    assert_string_equal(options_origin(options, "enable"), "default");
    options_free(options);
}

static void each_level_replaces_the_one_below(void **state) {
    struct fixture *fixture = *state;
    char file_origin[128];
    write_config(fixture, "10-first.conf", "[server]\nretries = 1\npinning = open\n");
    write_config(fixture, "20-second.conf", "; ours\n[server]\nretries = 2\nenable = off\n");
    write_config(fixture, "30-ignored.txt", "not a configuration");
    fixture->environment[0] = "LSYS_SERVER_PINNING=strict";
    fixture->environment[1] = "LSYS_SERVER_RETRIES=3";
    fixture->environment[2] = "LSYS_SERVER_HEARTBEAT_INTERVAL=";
    struct options *options = load(fixture, "--retries", "4", NULL, NULL);
    assert_non_null(options);
    assert_int_equal(options_integer(options, "retries"), 4);
    assert_string_equal(options_origin(options, "retries"), "--retries");
    assert_string_equal(options_text(options, "pinning"), "strict");
    assert_string_equal(options_origin(options, "pinning"), "LSYS_SERVER_PINNING");
    assert_false(options_boolean(options, "enable"));
    snprintf(file_origin, sizeof file_origin, "%s/20-second.conf:4", fixture->folder);
    assert_string_equal(options_origin(options, "enable"), file_origin);
    assert_int_equal(options_duration_ms(options, "heartbeat_interval"), 30000);
    options_free(options);
}

static void lists_are_replaced_as_a_whole_and_flags_add_up(void **state) {
    struct fixture *fixture = *state;
    write_config(fixture, "a.conf", "[server]\nnats.urls = x, y ,z\n");
    struct options *options = load(fixture, NULL, NULL, NULL, NULL);
    assert_non_null(options);
    assert_int_equal(options_count(options, "nats.urls"), 3);
    assert_string_equal(options_item(options, "nats.urls", 1), "y");
    options_free(options);
    options = load(fixture, "--nats", "one,two", "--nats=three", NULL);
    assert_non_null(options);
    assert_int_equal(options_count(options, "nats.urls"), 2);
    assert_string_equal(options_item(options, "nats.urls", 0), "one,two");
    options_free(options);
}

static void flags_are_read_in_every_form(void **state) {
    struct options *options = load(*state, "--listen=[::1]:0", "--no-enable", "--", "--word");
    struct address address;
    assert_non_null(options);
    assert_true(options_address(options, "listen", &address));
    assert_string_equal(address.host, "::1");
    assert_false(options_boolean(options, "enable"));
    assert_int_equal(options_argument_count(options), 1);
    assert_string_equal(options_argument(options, 0), "--word");
    options_free(options);
}

static void mistakes_in_flags_are_named(void **state) {
    struct fixture *fixture = *state;
    expect_failure(fixture, "--retrys=1", STATUS_USAGE,
                   "there is no flag --retrys; did you mean --retries?");
    expect_failure(fixture, "--zzz", STATUS_USAGE, "there is no flag --zzz");
    expect_failure(fixture, "--retries", STATUS_USAGE, "--retries needs a value: --retries NUMBER");
    expect_failure(fixture, "--retries=10", STATUS_USAGE, "--retries: 10 is not between 0 and 9");
    expect_failure(fixture, "--retries=1x", STATUS_USAGE,
                   "--retries: \"1x\" is not a whole number");
    expect_failure(fixture, "--pinning=loose", STATUS_USAGE,
                   "--pinning: \"loose\" is not one of open|strict");
    expect_failure(fixture, "--no-enable=yes", STATUS_USAGE, "--no-enable takes no value");
    expect_failure(fixture, "--heartbeat-interval=30", STATUS_USAGE,
                   "--heartbeat-interval: \"30\" is not a duration: write a number and a unit, as "
                   "in 500ms, 30s, 15m, 2h, 7d, 1y");
    expect_failure(fixture, "--heartbeat-interval=2h", STATUS_USAGE,
                   "--heartbeat-interval: 2h is not between 100ms and 1h");
    expect_failure(fixture, "-r", STATUS_USAGE, "\"-r\" is not a flag: flags begin with --");
    assert_null(load(fixture, "one", "two", NULL, NULL));
    assert_string_equal(fixture->status.text, "\"two\" is one argument too many");
    assert_null(load(fixture, "--retries", "1", "--retries", "2"));
    assert_string_equal(fixture->status.text, "--retries is given twice");
    assert_null(load(fixture, "--retries", "--enable", NULL, NULL));
    assert_string_equal(fixture->status.text, "--retries needs a value: --retries NUMBER");
}

static void mistakes_in_files_name_file_and_line(void **state) {
    struct fixture *fixture = *state;
    write_config(fixture, "a.conf", "[server]\nretries = 1\nretries = 2\n");
    expect_file_failure(fixture, ":3: \"retries\" is given twice, first in line 2");
    write_config(fixture, "a.conf", "[server]\n\nretrys = 1\n");
    expect_file_failure(fixture, ":3: there is no key \"retrys\" in section [server]; did you mean "
                                 "retries");
    write_config(fixture, "a.conf", "[servr]\nretries = 1\n");
    expect_file_failure(fixture, ":2: there is no section [servr]; did you mean server");
    write_config(fixture, "a.conf", "[server]\nenable = perhaps\n");
    expect_file_failure(fixture, ":2: enable: \"perhaps\" is neither yes nor no");
    /* Also when it is about another role: one folder serves all. */
    write_config(fixture, "a.conf", "[client]\ntimeout = soon\n");
    assert_null(load(fixture, NULL, NULL, NULL, NULL));
    assert_non_null(strstr(fixture->status.text, "a.conf:2: timeout: \"soon\" is not a duration"));
    write_config(fixture, "a.conf", "[client]\ntimeout = 5s\n[server]\nlisten =\n");
    expect_file_failure(fixture, ":4: listen: the value is empty");
}

static void a_folder_that_is_named_must_be_there(void **state) {
    struct fixture *fixture = *state;
    const char *flags[] = {"--config-dir=/nowhere/conf.d"};
    assert_null(options_load(&commands, &server, 1, (char *const *)flags, fixture->environment,
                             &fixture->status));
    assert_int_equal(fixture->status.code, STATUS_NOT_FOUND);
    assert_non_null(strstr(fixture->status.text, "/nowhere/conf.d"));
}

static void mistakes_in_variables_are_named(void **state) {
    struct fixture *fixture = *state;
    fixture->environment[0] = "LSYS_SERVER_RETRIES=many";
    expect_failure(fixture, NULL, STATUS_CONFIG,
                   "LSYS_SERVER_RETRIES: \"many\" is not a whole number");
    fixture->environment[0] = "LSYS_SERVER_RETRYS=1";
    expect_failure(fixture, NULL, STATUS_CONFIG,
                   "there is no variable LSYS_SERVER_RETRYS; did you mean LSYS_SERVER_RETRIES");
    /* Of the build, not of ours. */
    fixture->environment[0] = "LSYS_DEBIAN_MIRROR=http://example.org";
    fixture->environment[1] = "LSYS_CLIENT_TIMEOUT=5s";
    struct options *options = load(fixture, NULL, NULL, NULL, NULL);
    assert_non_null(options);
    options_free(options);
}

static void secrets_come_from_files_or_their_variable(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct buffer secret, shown;
    buffer_init(&secret, 100);
    buffer_init(&shown, 100);
    struct options *options = load(fixture, NULL, NULL, NULL, NULL);
    assert_false(options_secret(options, "api_key_file", &secret, &status));
    assert_true(status_is_ok(&status));
    options_free(options);

    char *path = file_join(fixture->folder, "key");
    assert_true(file_replace(path, bytes_of_text("hush\n"), 0600, &status));
    options = load(fixture, "--api-key-file", path, NULL, NULL);
    assert_true(options_secret(options, "api_key_file", &secret, &status));
    assert_string_equal(buffer_text(&secret), "hush");
    options_free(options);
    buffer_clear(&secret);
    assert_true(file_replace(path, bytes_of_text("hush\n"), 0644, &status));
    options = load(fixture, "--api-key-file", path, NULL, NULL);
    assert_false(options_secret(options, "api_key_file", &secret, &status));
    assert_int_equal(status.code, STATUS_PERMISSION);
    options_free(options);
    free(path);

    fixture->environment[0] = "THE_API_KEY=aloud";
    options = load(fixture, NULL, NULL, NULL, NULL);
    buffer_clear(&secret);
    status_clear(&status);
    assert_true(options_secret(options, "api_key_file", &secret, &status));
    assert_string_equal(buffer_text(&secret), "aloud");
    assert_null(options_text(options, "api_key_file"));
    options_show(options, &server_options[7], &shown);
    assert_string_equal(buffer_text(&shown), "***");
    options_free(options);

    fixture->environment[1] = "LSYS_SERVER_API_KEY_FILE=/some/file";
    expect_failure(fixture, NULL, STATUS_CONFIG,
                   "LSYS_SERVER_API_KEY_FILE and THE_API_KEY are both set; unset one");
    buffer_free(&secret);
    buffer_free(&shown);
}

static void a_reload_takes_what_may_change_and_names_the_rest(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct buffer needs_restart;
    buffer_init(&needs_restart, 200);
    write_config(fixture, "a.conf", "[server]\nretries = 1\nheartbeat_interval = 1s\n");
    struct options *old = load(fixture, "--enable", NULL, NULL, NULL);
    assert_true(options_override(old, "pinning", "strict", "the demo", &status));
    write_config(fixture, "a.conf", "[server]\nretries = 2\nheartbeat_interval = 2s\n");
    struct options *fresh = options_load_again(old, &needs_restart, &status);
    assert_non_null(fresh);
    assert_int_equal(options_integer(fresh, "retries"), 1);
    assert_int_equal(options_duration_ms(fresh, "heartbeat_interval"), 2000);
    assert_string_equal(options_text(fresh, "pinning"), "strict");
    assert_string_equal(buffer_text(&needs_restart), "--retries");
    options_free(fresh);

    write_config(fixture, "a.conf", "[server]\nretries = none\n");
    assert_null(options_load_again(old, &needs_restart, &status));
    assert_int_equal(options_integer(old, "retries"), 1);
    options_free(old);
    buffer_free(&needs_restart);
}

static void another_role_reads_the_same_folder(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    write_config(fixture, "a.conf", "[client]\ntimeout = 7s\n[log]\nlevel = debug\n");
    struct options *options = load(fixture, "--log-level", "error", NULL, NULL);
    struct options *other = options_load_like(options, &client, &status);
    assert_non_null(other);
    assert_int_equal(options_duration_ms(other, "timeout"), 7000);
    assert_string_equal(options_text(other, "level"), "debug");
    assert_string_equal(options_text(options, "level"), "error");
    options_free(other);
    options_free(options);
}

static void help_wins_over_mistakes_behind_it(void **state) {
    struct options *options = load(*state, "--help", "--zzz", NULL, NULL);
    assert_non_null(options);
    assert_true(options_want_help(options));
    options_free(options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(defaults_hold_when_nothing_is_said),
        TEST(each_level_replaces_the_one_below),
        TEST(lists_are_replaced_as_a_whole_and_flags_add_up),
        TEST(flags_are_read_in_every_form),
        TEST(mistakes_in_flags_are_named),
        TEST(mistakes_in_files_name_file_and_line),
        TEST(a_folder_that_is_named_must_be_there),
        TEST(mistakes_in_variables_are_named),
        TEST(secrets_come_from_files_or_their_variable),
        TEST(a_reload_takes_what_may_change_and_names_the_rest),
        TEST(another_role_reads_the_same_folder),
        TEST(help_wins_over_mistakes_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
