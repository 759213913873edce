/*
 * Alerts: events that a person must hear of, such as a license that is about to end. One call logs
 * it, counts it in lsys_alerts_total{code}, and tells every listener; the license server's listener
 * publishes it on `license.alert`.
 */
#ifndef LSYS_APP_ALERTS_H
#define LSYS_APP_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

struct metrics;

enum alert_severity { ALERT_INFO, ALERT_WARNING, ALERT_CRITICAL };

struct alert {
    enum alert_severity severity;
    const char *role;  /* who raises it */
    const char *code;  /* stable, snake_case: "license_expires_soon" */
    const char *text;  /* a sentence for people */
    int64_t raised_ms; /* wall clock */
};

struct alerts;

/* Never NULL; `metrics` must live longer. The caller's, to be given to alerts_free. */
struct alerts *alerts_new(struct metrics *metrics);
void alerts_free(struct alerts *alerts);

/* Raises one; `text` is copied by whoever keeps it. */
void alerts_raise(struct alerts *alerts, enum alert_severity severity, const char *role,
                  const char *code, const char *text);

/* Calls `heard(owner, alert)` for each later alert; the alert is valid during the call only. */
void alerts_listen(struct alerts *alerts, void (*heard)(void *owner, const struct alert *alert),
                   void *owner);

/* Ends all listening of this owner. */
void alerts_unlisten(struct alerts *alerts, void *owner);

/* "info", "warning", "critical". */
const char *alert_severity_name(enum alert_severity severity);

#endif
