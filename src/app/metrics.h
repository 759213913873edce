/*
 * Numbers about the process in the Prometheus text format (version 0.0.4). A role registers a
 * series once, keeps the pointer, and changes a plain number on its hot path: no lookup, no lock
 * (the loop thread owns them all), no allocation.
 */
#ifndef LSYS_APP_METRICS_H
#define LSYS_APP_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Series a process may have: label values are ours, so more means a leak of names. ASSERTed. */
#define METRICS_SERIES 1024

struct metrics;

/* One series. Roles may write `value` directly. */
struct metric {
    double value;
};

/* Never NULL; the caller's, to be given to metrics_free, which also frees every series. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* Registers a series, or returns the one that has the same name and labels. `name` follows
 * Prometheus' rules ("lsys_license_refused_total"; counters end in _total, units are base units);
 * `help` is one sentence. After them pairs of label name and value, then NULL. Names and help are
 * constants of ours and are not copied; label values are copied. The series lives as long as
 * `metrics`. */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help, ...)
    __attribute__((sentinel));
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help, ...)
    __attribute__((sentinel));

/* Adds one. */
static inline void metric_increment(struct metric *metric) {
    metric->value += 1;
}

/* Sets a gauge. */
static inline void metric_set(struct metric *metric, double value) {
    metric->value = value;
}

/* Has `refresh(owner)` called before each metrics_write, for gauges that are cheaper to ask than to
 * keep. metrics_remove_refresh with the same owner ends that. */
void metrics_add_refresh(struct metrics *metrics, void (*refresh)(void *owner), void *owner);
void metrics_remove_refresh(struct metrics *metrics, void *owner);

/* Appends all series, grouped by name with HELP and TYPE. */
void metrics_write(struct metrics *metrics, struct buffer *out);

#endif
