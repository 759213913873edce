/* Child processes: arguments, environment, input, bounded output, deadlines, shutdown. */
#include "tests/lib/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "loop/process.h"
#include "tests/lib/loop_wait.h"

struct run {
    struct loop *loop;
    int calls;
    struct process_result result;
    char output[200];
};

static void note_result(void *context, const struct process_result *result) {
    struct run *run = context;
    run->calls++;
    run->result = *result;
    size_t length = result->output.length;
    if (length >= sizeof run->output) length = sizeof run->output - 1;
    if (length) memcpy(run->output, result->output.data, length);
    run->output[length] = '\0';
}

static int set_up(void **state) {
    struct run *run = calloc(1, sizeof *run);
    struct status status = STATUS_INIT;
    run->loop = loop_create(&status);
    *state = run;
    return 0;
}

static int tear_down(void **state) {
    struct run *run = *state;
    loop_wait_end(run->loop);
    free(run);
    return 0;
}

static struct process *start(struct run *run, struct process_options options) {
    struct status status = STATUS_INIT;
    options.callback = note_result;
    options.context = run;
    if (!options.timeout_ms) options.timeout_ms = 10000;
    struct process *process = process_start(run->loop, &options, &status);
    assert_non_null(process);
    assert_true(process_pid(process) > 0);
    return process;
}

static void arguments_are_passed_without_a_shell(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"printf", "%s|", "two words", "$HOME", "; exit 1", "*", NULL};
    start(run, (struct process_options){.arguments = arguments, .output_limit_bytes = 100});
    loop_run(run->loop);
    assert_int_equal(run->calls, 1);
    assert_int_equal(run->result.exit_status, 0);
    assert_string_equal(run->output, "two words|$HOME|; exit 1|*|");
}

static void environment_is_added_overridden_and_without_our_secrets(void **state) {
    struct run *run = *state;
    setenv("TEST_KEPT", "kept", 1);
    setenv("TEST_OLD", "old", 1);
    setenv("LSYS_NATS_TOKEN", "secret", 1);
    setenv("SECRET_INTERNAL_API_KEY", "secret", 1);
    const char *arguments[] = {
        "sh", "-c", "echo $TEST_KEPT $TEST_OLD $TEST_NEW $LSYS_NATS_TOKEN $SECRET_INTERNAL_API_KEY",
        NULL};
    const char *environment[] = {"TEST_OLD=changed", "TEST_NEW=new", NULL};
    start(run, (struct process_options){
                   .arguments = arguments, .environment = environment, .output_limit_bytes = 100});
    loop_run(run->loop);
    assert_string_equal(run->output, "kept changed new\n");
}

static void input_reaches_the_program_and_ends(void **state) {
    struct run *run = *state;
    const size_t length = 300000; /* more than a pipe holds */
    char *input = memory_new(length);
    memset(input, 'x', length);
    const char *arguments[] = {"wc", "-c", NULL};
    start(run, (struct process_options){.arguments = arguments,
                                        .input = bytes_of(input, length),
                                        .output_limit_bytes = 100});
    free(input);
    loop_run(run->loop);
    assert_string_equal(run->output, "300000\n");
}

/* libuv's own pipes are sockets, which cannot be opened by name: signers written as scripts do
 * that. */
static void input_and_output_can_be_opened_by_name(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"sh", "-c", "cat /dev/stdin >/dev/stdout", NULL};
    start(run, (struct process_options){.arguments = arguments,
                                        .input = bytes_of_text("by name"),
                                        .output_limit_bytes = 100});
    loop_run(run->loop);
    assert_int_equal(run->result.exit_status, 0);
    assert_string_equal(run->output, "by name");
}

static void input_that_nobody_reads_does_no_harm(void **state) {
    struct run *run = *state;
    const size_t length = 300000;
    char *input = memory_new(length);
    const char *arguments[] = {"true", NULL};
    start(run, (struct process_options){.arguments = arguments, .input = bytes_of(input, length)});
    free(input);
    loop_run(run->loop);
    assert_int_equal(run->calls, 1);
    assert_int_equal(run->result.exit_status, 0);
}

static void exit_status_and_signal_are_told(void **state) {
    struct run *run = *state;
    const char *fails[] = {"sh", "-c", "exit 7", NULL};
    start(run, (struct process_options){.arguments = fails});
    loop_run(run->loop);
    assert_int_equal(run->result.exit_status, 7);
    const char *dies[] = {"sh", "-c", "kill -9 $$", NULL};
    start(run, (struct process_options){.arguments = dies});
    loop_run(run->loop);
    assert_int_equal(run->result.term_signal, SIGKILL);
    assert_false(run->result.timed_out);
}

static void too_much_output_ends_the_program(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"yes", NULL};
    start(run, (struct process_options){.arguments = arguments, .output_limit_bytes = 10000});
    loop_run(run->loop);
    assert_int_equal(run->calls, 1);
    assert_true(run->result.output_too_large);
    assert_true(run->result.output.length <= 10000);
}

static void output_exactly_at_the_limit_is_fine(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"printf", "12345", NULL};
    start(run, (struct process_options){.arguments = arguments, .output_limit_bytes = 5});
    loop_run(run->loop);
    assert_false(run->result.output_too_large);
    assert_string_equal(run->output, "12345");
}

static void the_deadline_kills_the_program_and_its_children(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"sh", "-c", "sleep 60 & sleep 60", NULL};
    int64_t started_ms = clock_monotonic_ms();
    start(run, (struct process_options){
                   .arguments = arguments, .timeout_ms = 50, .output_limit_bytes = 10});
    loop_run(run->loop);
    assert_true(run->result.timed_out);
    assert_int_equal(run->result.term_signal, SIGTERM);
    assert_in_range(clock_monotonic_ms() - started_ms, 50, 5000);
}

static void a_program_that_ignores_the_deadline_is_killed(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"sh", "-c", "trap '' TERM; echo ready; sleep 60; sleep 60", NULL};
    start(run, (struct process_options){
                   .arguments = arguments, .timeout_ms = 200, .output_limit_bytes = 10});
    loop_run(run->loop);
    assert_true(run->result.timed_out);
    assert_int_equal(run->result.term_signal, SIGKILL);
    assert_string_equal(run->output, "ready\n");
}

static void a_grandchild_holding_the_output_does_not_hold_us(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"sh", "-c", "echo done; sleep 5 &", NULL};
    int64_t started_ms = clock_monotonic_ms();
    start(run, (struct process_options){.arguments = arguments, .output_limit_bytes = 10});
    loop_run(run->loop);
    assert_int_equal(run->calls, 1);
    assert_string_equal(run->output, "done\n");
    assert_in_range(clock_monotonic_ms() - started_ms, 0, 4000);
}

static void a_missing_program_is_named(void **state) {
    struct run *run = *state;
    struct status status = STATUS_INIT;
    const char *arguments[] = {"/no/such/program", NULL};
    struct process_options options = {
        .arguments = arguments, .timeout_ms = 1, .callback = note_result, .context = run};
    assert_null(process_start(run->loop, &options, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    assert_non_null(strstr(status.text, "/no/such/program"));

    status_clear(&status);
    arguments[0] = "/etc/passwd";
    assert_null(process_start(run->loop, &options, &status));
    assert_int_equal(status.code, STATUS_PERMISSION);
    loop_run(run->loop);
    assert_int_equal(run->calls, 0);
}

static void closing_kills_reaps_and_stays_silent(void **state) {
    struct run *run = *state;
    const char *arguments[] = {"sleep", "60", NULL};
    struct process *process =
        start(run, (struct process_options){.arguments = arguments, .output_limit_bytes = 10});
    int pid = process_pid(process);
    process_close(process);
    process_close(process);
    loop_run(run->loop);
    assert_int_equal(run->calls, 0);
    assert_int_equal(kill(pid, 0), -1); /* neither alive nor a zombie */
    assert_int_equal(errno, ESRCH);
}

int main(void) {
#define PROCESS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PROCESS_TEST(arguments_are_passed_without_a_shell),
        PROCESS_TEST(environment_is_added_overridden_and_without_our_secrets),
        PROCESS_TEST(input_reaches_the_program_and_ends),
        PROCESS_TEST(input_and_output_can_be_opened_by_name),
        PROCESS_TEST(input_that_nobody_reads_does_no_harm),
        PROCESS_TEST(exit_status_and_signal_are_told),
        PROCESS_TEST(too_much_output_ends_the_program),
        PROCESS_TEST(output_exactly_at_the_limit_is_fine),
        PROCESS_TEST(the_deadline_kills_the_program_and_its_children),
        PROCESS_TEST(a_program_that_ignores_the_deadline_is_killed),
        PROCESS_TEST(a_grandchild_holding_the_output_does_not_hold_us),
        PROCESS_TEST(a_missing_program_is_named),
        PROCESS_TEST(closing_kills_reaps_and_stays_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
