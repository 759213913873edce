/* Runs one role as this process. */
#include "app/role.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/alerts.h"
#include "app/audit_trail.h"
#include "app/health.h"
#include "app/metrics.h"
#include "app/persistence_watch.h"
#include "app/process_setup.h"
#include "app/version.h"
#include "base/log.h"
#include "loop/loop.h"
#include "loop/signal_watch.h"
#include "loop/timer.h"
#include "store/store.h"

/* Room for the list of flags that need a restart. */
#define RESTART_LIST_BYTES 4096

/* SIGTERM, SIGINT, SIGHUP, SIGUSR2. */
#define RUNNER_SIGNALS 4

/* The process while it runs the role. */
struct runner {
    const struct command *command;
    const struct role *role;
    struct role_context context;
    struct options *reloaded; /* owned: what context.options points to after a reload, or NULL */
    struct signal_watch *signals[RUNNER_SIGNALS];
    struct timer *deadline; /* runs while stopping */
    bool stopping;
    struct status failure;
};

const char *role_condition_name(enum role_condition condition) {
    static const char *const names[] = {"starting", "waiting", "serving", "degraded", "stopped"};
    return names[condition];
}

static void configure_log(const struct options *options) {
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    enum log_level level = LOG_DEBUG;
    while (strcmp(levels[level], options_text(options, "level")) != 0)
        level++;
    log_configure(level, strcmp(options_text(options, "format"), "json") ? LOG_LOGFMT : LOG_JSON);
}

static void close_watches(struct runner *runner) {
    for (size_t i = 0; i < RUNNER_SIGNALS; i++) {
        signal_watch_close(runner->signals[i]);
        runner->signals[i] = NULL;
    }
    timer_close(runner->deadline);
    runner->deadline = NULL;
    persistence_watch_close(runner->context.persistence);
    runner->context.persistence = NULL;
}

static void on_stopped(struct role_context *context) {
    close_watches(context->owner);
}

static void on_deadline(void *context) {
    struct runner *runner = context;
    log_event(LOG_ERROR, runner->context.name, "did not stop in time; ending anyway", NULL);
    store_close(runner->context.store);
    _exit(status_exit_code(STATUS_INTERNAL));
}

static void stop_role(struct runner *runner) {
    if (runner->stopping) return;
    runner->stopping = true;
    timer_start(runner->deadline, ROLE_STOP_DEADLINE_MS);
    runner->role->stop(&runner->context);
}

static void on_failed(struct role_context *context, const struct status *status) {
    struct runner *runner = context->owner;
    log_event(LOG_ERROR, context->name, "cannot go on", "code", status_code_name(status->code),
              "why", status->text, NULL);
    if (status_is_ok(&runner->failure)) runner->failure = *status;
    stop_role(runner);
}

/* Takes over a new configuration as a whole, or not at all. */
static void reload_role(struct runner *runner) {
    struct status status = STATUS_INIT;
    struct buffer needs_restart;
    buffer_init(&needs_restart, RESTART_LIST_BYTES);
    const char *name = runner->context.name;
    struct options *fresh = options_load_again(runner->context.options, &needs_restart, &status);
    if (!fresh ||
        (runner->role->reload && !runner->role->reload(&runner->context, fresh, &status))) {
        log_event(LOG_ERROR, name, "the new configuration is refused, the old one stays", "code",
                  status_code_name(status.code), "why", status.text, NULL);
        options_free(fresh);
    } else {
        options_free(runner->reloaded);
        runner->reloaded = fresh;
        runner->context.options = fresh;
        configure_log(fresh);
        log_event(LOG_INFO, name, "configuration reloaded", "needs_restart",
                  needs_restart.length > 0 ? buffer_text(&needs_restart) : NULL, NULL);
    }
    buffer_free(&needs_restart);
}

static void on_signal(void *context, int number) {
    struct runner *runner = context;
    bool ends = number == SIGTERM || number == SIGINT;
    if (ends && runner->stopping) {
        /* Asked twice: the person does not want to wait. */
        store_close(runner->context.store);
        _exit(status_exit_code(STATUS_CANCELLED));
    }
    if (runner->stopping) return;
    if (ends) {
        log_event(LOG_INFO, runner->context.name, "stopping", "signal",
                  number == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
        stop_role(runner);
    } else if (number == SIGHUP) {
        reload_role(runner);
    } else if (runner->role->user_signal) {
        runner->role->user_signal(&runner->context);
    }
}

static bool open_watches(struct runner *runner, struct status *status) {
    static const int numbers[RUNNER_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};
    runner->deadline = timer_open(runner->context.loop, on_deadline, runner);
    for (size_t i = 0; i < RUNNER_SIGNALS; i++) {
        runner->signals[i] =
            signal_watch_open(runner->context.loop, numbers[i], on_signal, runner, status);
        if (!runner->signals[i]) return false;
    }
    return true;
}

static bool open_store(struct runner *runner, struct status *status) {
    struct store_report report;
    if (!runner->role->wants_store) return true;
    const char *folder = options_text(runner->context.options, "data_dir");
    if (!store_open_at_least(folder, runner->role->least_persistence, &runner->context.store,
                             &report, status))
        return status_context(status, "--data-dir %s", folder);
    runner->context.persistence = persistence_watch_open(&runner->context);
    audit_trail_follow(runner->context.store, runner->context.alerts);
    if (report.damaged)
        alerts_raise(runner->context.alerts, ALERT_CRITICAL, runner->context.name, "state_damaged",
                     "the state file was damaged; it was set aside and what could be verified "
                     "was carried over");
    if (report.migrated)
        log_event(LOG_INFO, runner->context.name, "the state was brought to this version", NULL);
    return true;
}

/* Starts the role and turns the loop until it has stopped. */
static bool run_role(struct runner *runner, struct status *status) {
    struct role_context *context = &runner->context;
    context->loop = loop_create(status);
    if (!context->loop) return false;
    bool started = open_watches(runner, status) && open_store(runner, status) &&
                   runner->role->start(context, status);
    if (!started) close_watches(runner);
    loop_run(context->loop);
    alerts_unlisten(context->alerts, context->store);
    store_close(context->store);
    loop_destroy(context->loop);
    return started;
}

/* Below 64 are the verdicts about a license (base/status.h). What keeps a role from running is
 * never that, but a file that cannot be used. */
static int exit_code_of(const struct status *status) {
    int exit_code = status_exit_code(status->code);
    return exit_code != EX_OK && exit_code < EX__BASE ? EX_DATAERR : exit_code;
}

int role_main(const struct command_call *call) {
    struct runner runner = {.command = call->command, .role = call->command->role};
    struct role_context *context = &runner.context;
    struct status status = STATUS_INIT;
    process_become_init();
    process_raise_descriptor_limit();
    configure_log(call->options);
    context->name = call->command->name;
    context->options = call->options;
    context->commands = call->commands;
    context->health = health_new();
    context->metrics = metrics_new();
    context->alerts = alerts_new(context->metrics);
    context->stopped = on_stopped;
    context->failed = on_failed;
    context->owner = &runner;
    metric_set(metrics_gauge(context->metrics, "lsys_build_info", "Always 1; the version.",
                             "version", lsys_version(), NULL),
               1);

    if (!run_role(&runner, &status))
        command_failed(call->command, &status);
    else
        status = runner.failure;

    alerts_free(context->alerts);
    metrics_free(context->metrics);
    health_free(context->health);
    options_free(runner.reloaded);
    if (status_is_ok(&status)) log_event(LOG_INFO, context->name, "stopped", NULL);
    return exit_code_of(&status);
}
