/* Running a role as a process: signals, reload, failure, and a role that does not stop. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/role.h"
#include "app/role_options.h"
#include "base/clock.h"
#include "base/file.h"
#include "loop/loop.h"
#include "loop/timer.h"

/* How the role of this test behaves, and where it says what happens. */
enum behaviour { STOPS, STOPS_LATER, NEVER_STOPS, CANNOT_START, FAILS };

static enum behaviour behaviour;
static int report; /* the writing end of a pipe: one letter an event */

static void say(char letter) {
    ssize_t written = write(report, &letter, 1);
    (void)written;
}

static void fail_later(void *context) {
    struct status status = STATUS_INIT;
    struct role_context *role = context;
    status_fail(&status, STATUS_DAMAGED, "the disk is gone");
    timer_close(role->state);
    role->failed(role, &status);
}

static void stop_later(void *context) {
    struct role_context *role = context;
    timer_close(role->state);
    role->stopped(role);
}

static bool start_role(struct role_context *context, struct status *status) {
    if (behaviour == CANNOT_START)
        return status_fail(status, STATUS_BUSY, "--listen 127.0.0.1:1 is taken");
    if (behaviour == FAILS) {
        context->state = timer_open(context->loop, fail_later, context);
        timer_start(context->state, 1);
    }
    say('s');
    return true;
}

static void stop_role(struct role_context *context) {
    say('e');
    if (behaviour == STOPS || behaviour == FAILS) context->stopped(context);
    if (behaviour == STOPS_LATER) {
        context->state = timer_open(context->loop, stop_later, context);
        timer_start(context->state, 20);
    }
}

static bool reload_role(struct role_context *context, const struct options *fresh,
                        struct status *status) {
    int64_t old = options_integer(context->options, "number");
    int64_t new = options_integer(fresh, "number");
    if (new == 13) {
        say('r');
        return status_fail(status, STATUS_CONFIG, "13 is refused");
    }
    say(new == old ? '=' : '+');
    return true;
}

static void signal_role(struct role_context *context) {
    (void)context;
    say('u');
}

static const struct role role = {
    .start = start_role,
    .stop = stop_role,
    .reload = reload_role,
    .user_signal = signal_role,
};

static const struct option rows_of_role[] = {
    {.key = "number",
     .type = OPTION_INTEGER,
     .fallback = "1",
     .change = OPTION_RELOAD,
     .help = "h"},
    {0},
};

static const struct command command = {
    .name = "tester",
    .summary = "s",
    .section = "tester",
    .options = rows_of_role,
    .shared = (const struct option *const[]){process_options, NULL},
    .role = &role,
};

static const struct command *const rows[] = {&command};
static const struct command_table commands = {rows, 1};

/* The role in a process of its own. */
struct process {
    pid_t pid;
    int events;
    char folder[64];
};

static void write_number(struct process *process, const char *number) {
    char text[64];
    struct status status = STATUS_INIT;
    char *path = file_join(process->folder, "a.conf");
    snprintf(text, sizeof text, "[tester]\nnumber = %s\n", number);
    assert_true(file_replace(path, bytes_of_text(text), 0644, &status));
    free(path);
}

static void begin(struct process *process, enum behaviour how) {
    int ends[2];
    strcpy(process->folder, "/tmp/lsys-role-XXXXXX");
    assert_non_null(mkdtemp(process->folder));
    write_number(process, "1");
    assert_int_equal(pipe(ends), 0);
    process->pid = fork();
    if (process->pid == 0) {
        const char *flags[] = {"--config-dir", process->folder, "--log-level", "error"};
        behaviour = how;
        report = ends[1];
        /* What is expected to be logged need not be read by people. */
        assert_non_null(freopen("/dev/null", "w", stderr));
        _exit(command_main(&commands, &command, 4, (char *const *)flags));
    }
    close(ends[1]);
    process->events = ends[0];
}

/* Waits for the next event; 0 at the end of the process. */
static char next_event(struct process *process) {
    char letter = 0;
    ssize_t got = read(process->events, &letter, 1);
    return got == 1 ? letter : 0;
}

/* Waits for the end and gives the exit code. */
static int end(struct process *process) {
    char remove[96];
    int how;
    assert_int_equal(waitpid(process->pid, &how, 0), process->pid);
    close(process->events);
    snprintf(remove, sizeof remove, "rm -r %s", process->folder);
    assert_int_equal(system(remove), 0);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static void both_signals_stop_it_cleanly(void **state) {
    static const int signals[] = {SIGTERM, SIGINT};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct process process;
        begin(&process, i < 2 ? STOPS : STOPS_LATER);
        assert_int_equal(next_event(&process), 's');
        kill(process.pid, signals[i % 2]);
        assert_int_equal(next_event(&process), 'e');
        assert_int_equal(next_event(&process), 0);
        assert_int_equal(end(&process), 0);
    }
}

static void a_role_that_hangs_is_left_behind_in_time(void **state) {
    struct process process;
    (void)state;
    begin(&process, NEVER_STOPS);
    assert_int_equal(next_event(&process), 's');
    int64_t asked_ms = clock_monotonic_ms();
    kill(process.pid, SIGTERM);
    assert_int_equal(next_event(&process), 'e');
    assert_int_equal(next_event(&process), 0);
    assert_true(clock_monotonic_ms() - asked_ms < 2000);
    assert_int_equal(end(&process), 70);
}

static void asking_twice_ends_it_at_once(void **state) {
    struct process process;
    (void)state;
    begin(&process, NEVER_STOPS);
    assert_int_equal(next_event(&process), 's');
    kill(process.pid, SIGINT);
    assert_int_equal(next_event(&process), 'e');
    int64_t asked_ms = clock_monotonic_ms();
    kill(process.pid, SIGINT);
    assert_int_equal(next_event(&process), 0);
    assert_true(clock_monotonic_ms() - asked_ms < ROLE_STOP_DEADLINE_MS / 2);
    assert_int_equal(end(&process), 75);
}

static void a_role_that_cannot_start_gives_its_exit_code(void **state) {
    struct process process;
    (void)state;
    begin(&process, CANNOT_START);
    assert_int_equal(next_event(&process), 0);
    assert_int_equal(end(&process), 75);
}

static void a_role_that_fails_is_stopped_and_gives_its_exit_code(void **state) {
    struct process process;
    (void)state;
    begin(&process, FAILS);
    assert_int_equal(next_event(&process), 's');
    assert_int_equal(next_event(&process), 'e');
    assert_int_equal(end(&process), 65);
}

static void a_reload_is_taken_whole_or_not_at_all(void **state) {
    struct process process;
    (void)state;
    begin(&process, STOPS);
    assert_int_equal(next_event(&process), 's');
    write_number(&process, "2");
    kill(process.pid, SIGHUP);
    assert_int_equal(next_event(&process), '+');
    kill(process.pid, SIGHUP);
    assert_int_equal(next_event(&process), '=');
    write_number(&process, "13");
    kill(process.pid, SIGHUP);
    assert_int_equal(next_event(&process), 'r');
    /* A file that cannot be read never reaches the role; the signal after it shows that it was
     * seen. */
    write_number(&process, "nonsense");
    kill(process.pid, SIGHUP);
    kill(process.pid, SIGUSR2);
    assert_int_equal(next_event(&process), 'u');
    write_number(&process, "2");
    kill(process.pid, SIGHUP);
    assert_int_equal(next_event(&process), '=');
    kill(process.pid, SIGTERM);
    assert_int_equal(next_event(&process), 'e');
    assert_int_equal(end(&process), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_signals_stop_it_cleanly),
        cmocka_unit_test(a_role_that_hangs_is_left_behind_in_time),
        cmocka_unit_test(asking_twice_ends_it_at_once),
        cmocka_unit_test(a_role_that_cannot_start_gives_its_exit_code),
        cmocka_unit_test(a_role_that_fails_is_stopped_and_gives_its_exit_code),
        cmocka_unit_test(a_reload_is_taken_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
