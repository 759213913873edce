#include "roles/license-server/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/alerts.h"
#include "app/metrics.h"
#include "app/token_file.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "codec/armor.h"
#include "codec/rfc3339.h"
#include "loop/file_watch.h"

/* How soon a file is read again that the system could not read. */
#define RETRY_MS 2000

struct source {
    char *path; /* owned; NULL when none is configured */
    struct file_watch *watch;
    struct status problem;
    char content[SHA256_TEXT_BYTES]; /* digest of the token that was read last, "" when none was */
};

struct sources {
    struct sources_options options;
    struct source items[SOURCE_KINDS];
    bool has_keys;       /* the key files were read at least once */
    int64_t again_at_ms; /* guarded wall time; the license in the file begins */
    int64_t retry_at_ms; /* monotonic; a file could not be read */
    struct metric *refused;
};

const char *source_name(enum source_kind kind) {
    static const char *const names[SOURCE_KINDS] = {"keys", "root", "keyring", "revocations",
                                                    "license"};
    return names[kind];
}

/* ---- watching ---- */

static void on_change(void *context) {
    struct sources *sources = context;
    sources_read(sources);
    sources->options.on_read(sources->options.context);
}

static void set_path(struct sources *sources, enum source_kind kind, const char *path) {
    struct source *source = &sources->items[kind];
    if (source->path && path && strcmp(source->path, path) == 0) return;
    file_watch_close(source->watch);
    free(source->path);
    memset(source, 0, sizeof *source);
    source->path = memory_copy_text(path);
    if (path) source->watch = file_watch_open(sources->options.loop, path, on_change, sources);
}

void sources_set_paths(struct sources *sources, const struct options *paths) {
    for (int kind = 0; kind < SOURCE_KINDS; kind++)
        set_path(sources, (enum source_kind)kind,
                 options_text(paths, source_name((enum source_kind)kind)));
}

struct sources *sources_open(const struct sources_options *options, const struct options *paths) {
    struct sources *sources = memory_new(sizeof *sources);
    sources->options = *options;
    sources->again_at_ms = LICENSE_NEVER;
    sources->retry_at_ms = LICENSE_NEVER;
    sources->refused = metrics_counter(options->metrics, "lsys_license_refused_total",
                                       "Licenses that were offered and refused.", "role",
                                       options->role, "from", "file", NULL);
    sources_set_paths(sources, paths);
    return sources;
}

void sources_close(struct sources *sources) {
    if (!sources) return;
    for (int kind = 0; kind < SOURCE_KINDS; kind++) {
        file_watch_close(sources->items[kind].watch);
        free(sources->items[kind].path);
    }
    free(sources);
}

/* ---- problems ---- */

/* Notes what came of a file. True when that differs from before, so that it is said once. */
static bool note(struct sources *sources, enum source_kind kind, const struct status *problem) {
    struct source *source = &sources->items[kind];
    bool differs =
        source->problem.code != problem->code || strcmp(source->problem.text, problem->text) != 0;
    source->problem = *problem;
    return differs;
}

static void log_problem(const struct sources *sources, enum source_kind kind) {
    const struct source *source = &sources->items[kind];
    if (status_is_ok(&source->problem)) return;
    bool missing = source->problem.code == STATUS_NOT_FOUND;
    log_event(missing ? LOG_INFO : LOG_ERROR, sources->options.role,
              missing ? "waiting for a file" : "a file is refused; what was in force stays", "what",
              source_name(kind), "path", source->path, "code",
              status_code_name(source->problem.code), "why", source->problem.text, NULL);
}

/* ---- keys and lists ---- */

static void read_keys(struct sources *sources) {
    struct status status = STATUS_INIT;
    const struct source *keys = &sources->items[SOURCE_KEYS];
    const struct source *root = &sources->items[SOURCE_ROOT];
    if (!keys->path && !root->path)
        status_fail(&status, STATUS_NOT_FOUND, "no vendor keys are configured (--keys)");
    else if (authority_load(sources->options.keeper->authority, keys->path, root->path, &status))
        sources->has_keys = true;
    if (note(sources, SOURCE_KEYS, &status)) log_problem(sources, SOURCE_KEYS);
}

typedef enum adoption adopt_function(struct authority *authority, struct bytes token,
                                     struct status *status);

static void read_list(struct sources *sources, enum source_kind kind, const char *label,
                      adopt_function *adopt) {
    struct status status = STATUS_INIT;
    struct token_file file;
    const char *path = sources->items[kind].path;
    enum adoption adoption = ADOPTION_REFUSED;
    if (!path) return;
    if (token_file_read(path, label, &file, &status)) {
        adoption = adopt(sources->options.keeper->authority, token_file_token(&file), &status);
        if (adoption == ADOPTION_REFUSED) status_context(&status, "%s", path);
        token_file_free(&file);
    }
    if (adoption == ADOPTION_TAKEN)
        log_event(LOG_INFO, sources->options.role, "a document of the vendor is in force", "what",
                  source_name(kind), "path", path, NULL);
    if (note(sources, kind, &status)) log_problem(sources, kind);
}

/* ---- the license ---- */

static void log_taken(const struct sources *sources, const struct keeper_answer *answer) {
    const struct license *license = sources->options.keeper->license;
    char serial[24];
    char expires_at[RFC3339_BYTES];
    snprintf(serial, sizeof serial, "%lld", (long long)license->serial);
    rfc3339_format(license->expires_at_ms, expires_at);
    log_event(answer->changes_line ? LOG_WARNING : LOG_INFO, sources->options.role,
              "a license is in force", "from", "file", "why", answer->text, "customer",
              license->customer, "edition", license->edition, "license_id", license->license_id,
              "serial", serial, "expires_at", expires_at, NULL);
}

static void log_waiting(struct sources *sources) {
    char takes_over_at[RFC3339_BYTES];
    rfc3339_format(sources->again_at_ms, takes_over_at);
    log_event(LOG_INFO, sources->options.role, "the license in the file begins later and waits",
              "path", sources->items[SOURCE_LICENSE].path, "takes_over_at", takes_over_at, NULL);
}

/* A file that was good and is gone or bad now, or was never good: said once, as an alert. */
static void report_refusal(const struct sources *sources, const struct status *problem) {
    const struct keeper *keeper = sources->options.keeper;
    char text[STATUS_TEXT_BYTES + 64];
    if (problem->code == STATUS_NOT_FOUND && !keeper->license) {
        log_problem(sources, SOURCE_LICENSE);
        return;
    }
    snprintf(text, sizeof text, "the license file is refused%s: %s",
             keeper->license ? " and the license in force stays" : "", problem->text);
    alerts_raise(sources->options.alerts, ALERT_WARNING, sources->options.role, "license_refused",
                 text);
}

static void offer(struct sources *sources, struct bytes token, struct status *problem) {
    struct keeper_answer answer = keeper_offer(sources->options.keeper, token, LICENSE_FROM_FILE);
    sha256_digest_text(token, sources->items[SOURCE_LICENSE].content);
    sources->again_at_ms = answer.again_at_ms;
    if (answer.decision == LICENSE_TAKE) log_taken(sources, &answer);
    if (answer.decision == LICENSE_WAIT) log_waiting(sources);
    if (answer.decision != LICENSE_REFUSE) return;
    *problem = answer.status;
    status_context(problem, "%s", sources->items[SOURCE_LICENSE].path);
}

static void read_license(struct sources *sources) {
    struct status problem = STATUS_INIT;
    struct token_file file;
    const char *path = sources->items[SOURCE_LICENSE].path;
    char before[SHA256_TEXT_BYTES];
    memcpy(before, sources->items[SOURCE_LICENSE].content, sizeof before);
    sources->items[SOURCE_LICENSE].content[0] = '\0';
    sources->again_at_ms = LICENSE_NEVER;
    if (!path) {
        status_fail(&problem, STATUS_NOT_FOUND, "no license file is configured (--license)");
    } else if (!sources->has_keys) {
        problem = sources->items[SOURCE_KEYS].problem;
    } else if (token_file_read(path, ARMOR_LICENSE, &file, &problem)) {
        offer(sources, token_file_token(&file), &problem);
        token_file_free(&file);
    }
    /* Another bad file is another attempt, also when it is refused in the same words. */
    bool differs = note(sources, SOURCE_LICENSE, &problem) ||
                   strcmp(before, sources->items[SOURCE_LICENSE].content) != 0;
    sources->options.keeper->file_problem = problem;
    if (status_is_ok(&problem) || !sources->has_keys) return;
    bool again = problem.code == STATUS_IO && !differs; /* the same trouble with the disk */
    if (problem.code != STATUS_NOT_FOUND && !again) metric_increment(sources->refused);
    if (differs) report_refusal(sources, &problem);
}

/* A file that could not be read need not change for being readable again. */
static void plan_retry(struct sources *sources) {
    sources->retry_at_ms = LICENSE_NEVER;
    for (int kind = 0; kind < SOURCE_KINDS; kind++)
        if (sources->items[kind].problem.code == STATUS_IO)
            sources->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
}

void sources_read(struct sources *sources) {
    keeper_observe(sources->options.keeper);
    read_keys(sources);
    read_list(sources, SOURCE_KEYRING, ARMOR_KEYRING, authority_adopt_keyring);
    read_list(sources, SOURCE_REVOCATIONS, ARMOR_REVOCATIONS, authority_adopt_revocations);
    keeper_restore(sources->options.keeper);
    read_license(sources);
    plan_retry(sources);
    keeper_judge(sources->options.keeper);
}

bool sources_want_reading(const struct sources *sources) {
    return sources->again_at_ms <= sources->options.keeper->reading.now_ms ||
           sources->retry_at_ms <= clock_monotonic_ms();
}

int64_t sources_again_at_ms(const struct sources *sources) {
    return sources->again_at_ms;
}

const struct status *sources_problem(const struct sources *sources, enum source_kind kind) {
    return &sources->items[kind].problem;
}

const char *sources_path(const struct sources *sources, enum source_kind kind) {
    return sources->items[kind].path;
}
