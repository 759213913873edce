/*
 * Logging: one line an event, to stderr, as logfmt (the default) or JSON. An event has a level, the
 * role it belongs to, a short text for people, and fields for machines. Values are escaped, so that
 * nothing from outside can forge a line, a field or a terminal sequence. Secrets are never passed
 * in.
 *
 *     log_event(LOG_WARNING, "license-server", "license refused",
 *               "path", path, "code", status_code_name(status.code), "why", status.text, NULL);
 */
#ifndef LSYS_BASE_LOG_H
#define LSYS_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Sets what is printed and how, for the process. Called once before any thread or role starts, and
 * again at a reload; until then LOG_INFO and LOG_LOGFMT. */
void log_configure(enum log_level lowest, enum log_format format);

/* Prints one event when its level is high enough. `role` and `text` are constants of ours. After
 * them pairs of (const char *name, const char *value) and a final NULL; a pair whose value is NULL
 * is left out. One write(2) a line, so that lines of threads and processes do not mix. */
void log_event(enum log_level level, const char *role, const char *text, ...)
    __attribute__((sentinel));

/* Keeps a flood of events from the outside from becoming a flood of log lines: passes one event in
 * each `interval_ms` and counts the rest. Zero-initialise it with the interval set. */
struct log_limiter {
    long long interval_ms;
    long long last_passed_ms; /* monotonic; 0: never */
    unsigned long suppressed; /* since the last one that passed */
};

/* True when an event may be printed now (`now_ms` is monotonic). `*suppressed` (may be NULL) gets
 * how many were withheld since the last one. */
bool log_limiter_pass(struct log_limiter *limiter, long long now_ms, unsigned long *suppressed);

#endif
