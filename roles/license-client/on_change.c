#include "roles/license-client/on_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/command_line.h"
#include "app/metrics.h"
#include "base/log.h"
#include "base/memory.h"
#include "codec/rfc3339.h"
#include "loop/loop.h"
#include "loop/process.h"
#include "roles/license-client/answers.h"
#include "rules/client_state.h"

/* The variables named in the header. */
#define VARIABLES 10

/* One entry of an environment may have 128 KiB (MAX_ARG_STRLEN of Linux); features that need more
 * are left out rather than keep the program from running. */
#define FEATURES_BYTES_MAX ((size_t)100 * 1024)

/* The environment of one run, NULL-terminated for process_start. */
struct variables {
    char *texts[VARIABLES + 1];
};

struct on_change {
    struct loop *loop;
    char **words;
    int64_t timeout_ms;
    struct process *process;  /* running, or NULL */
    struct variables waiting; /* for the run after this one; empty when nothing changed meanwhile */
    struct metric *succeeded;
    struct metric *failed;
};

/* ---- variables ---- */

static void add_variable(struct variables *variables, const char *name, const char *value) {
    char *text = memory_new(strlen(name) + strlen(value) + 2);
    sprintf(text, "%s=%s", name, value);
    for (size_t i = 0; i < VARIABLES; i++) {
        if (variables->texts[i]) continue;
        variables->texts[i] = text;
        return;
    }
}

static void free_variables(struct variables *variables) {
    for (size_t i = 0; i < VARIABLES; i++) {
        free(variables->texts[i]);
        variables->texts[i] = NULL;
    }
}

static void add_features(struct variables *variables, const struct follower_view *view) {
    struct buffer features;
    buffer_init(&features, FEATURES_BYTES_MAX);
    bool written = answer_write_features(view, &features);
    add_variable(variables, "LICENSE_FEATURES", written ? buffer_text(&features) : "{}");
    buffer_free(&features);
}

static struct variables describe(const struct follower_view *view) {
    struct variables variables = {0};
    const struct license *license = view->license;
    char expires_at[RFC3339_BYTES] = "";
    char reason[ANSWER_REASON_BYTES];
    if (license) rfc3339_format(license->expires_at_ms, expires_at);
    answer_reason(view, reason);
    add_variable(&variables, "LICENSE_EDITION", answer_edition(view));
    add_variable(&variables, "LICENSE_STATUS", license_status_word(view->status));
    add_variable(&variables, "LICENSE_LICENSED", view->licensed ? "true" : "false");
    add_features(&variables, view);
    add_variable(&variables, "LICENSE_EXPIRES_AT", expires_at);
    add_variable(&variables, "LICENSE_ID", license ? license->license_id : "");
    add_variable(&variables, "LICENSE_CUSTOMER", license ? license->customer : "");
    add_variable(&variables, "LICENSE_SOURCE", answer_source(view));
    add_variable(&variables, "LICENSE_CAUSE", client_cause_name(view->state->cause));
    add_variable(&variables, "LICENSE_REASON", reason);
    return variables;
}

/* ---- runs ---- */

static void start(struct on_change *on_change, struct variables variables);

static void report(struct on_change *on_change, const struct process_result *result) {
    char number[16];
    if (!result->timed_out && result->term_signal == 0 && result->exit_status == 0) {
        metric_increment(on_change->succeeded);
        return;
    }
    metric_increment(on_change->failed);
    snprintf(number, sizeof number, "%d",
             result->term_signal ? result->term_signal : result->exit_status);
    log_event(LOG_WARNING, LICENSE_CLIENT_NAME,
              result->timed_out ? "the --on-change program took too long and was ended"
                                : "the --on-change program failed",
              "program", on_change->words[0], result->term_signal ? "signal" : "exit_status",
              number, NULL);
}

static void on_end(void *context, const struct process_result *result) {
    struct on_change *on_change = context;
    on_change->process = NULL;
    report(on_change, result);
    if (!on_change->waiting.texts[0]) return;
    struct variables next = on_change->waiting;
    memset(&on_change->waiting, 0, sizeof on_change->waiting);
    start(on_change, next);
}

/* Takes over `variables`. */
static void start(struct on_change *on_change, struct variables variables) {
    struct status status = STATUS_INIT;
    struct process_options options = {
        .arguments = (const char *const *)on_change->words,
        .environment = (const char *const *)variables.texts,
        .timeout_ms = on_change->timeout_ms,
        .callback = on_end,
        .context = on_change,
    };
    on_change->process = process_start(on_change->loop, &options, &status);
    free_variables(&variables);
    if (on_change->process) return;
    metric_increment(on_change->failed);
    log_event(LOG_ERROR, LICENSE_CLIENT_NAME, "the --on-change program cannot be started", "code",
              status_code_name(status.code), "why", status.text, NULL);
}

struct on_change *on_change_open(struct loop *loop, struct metrics *metrics, const char *command,
                                 int64_t timeout_ms, struct status *status) {
    char **words = command_line_split(command, status);
    if (!words) {
        status_context(status, "--on-change");
        return NULL;
    }
    struct on_change *on_change = memory_new(sizeof *on_change);
    on_change->loop = loop;
    on_change->words = words;
    on_change->timeout_ms = timeout_ms;
    static const char name[] = "lsys_client_on_change_runs_total";
    static const char help[] = "Runs of the --on-change program.";
    on_change->succeeded = metrics_counter(metrics, name, help, "result", "ok", NULL);
    on_change->failed = metrics_counter(metrics, name, help, "result", "failed", NULL);
    return on_change;
}

void on_change_run(struct on_change *on_change, const struct follower_view *view) {
    if (!on_change) return;
    struct variables variables = describe(view);
    if (!on_change->process) {
        start(on_change, variables);
        return;
    }
    free_variables(&on_change->waiting);
    on_change->waiting = variables;
}

void on_change_close(struct on_change *on_change) {
    if (!on_change) return;
    if (on_change->process) process_close(on_change->process);
    free_variables(&on_change->waiting);
    command_line_free(on_change->words);
    free(on_change);
}
