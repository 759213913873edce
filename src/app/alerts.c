#include "app/alerts.h"

#include <stdlib.h>

#include "app/metrics.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"

struct listener {
    struct list link;
    void (*heard)(void *owner, const struct alert *alert);
    void *owner;
};

struct alerts {
    struct metrics *metrics;
    struct list listeners;
};

struct alerts *alerts_new(struct metrics *metrics) {
    struct alerts *alerts = memory_new(sizeof *alerts);
    alerts->metrics = metrics;
    list_init(&alerts->listeners);
    return alerts;
}

static void free_listener(struct listener *listener) {
    list_remove(&listener->link);
    free(listener);
}

void alerts_free(struct alerts *alerts) {
    if (!alerts) return;
    while (!list_is_empty(&alerts->listeners))
        free_listener(LIST_ENTRY(alerts->listeners.next, struct listener, link));
    free(alerts);
}

const char *alert_severity_name(enum alert_severity severity) {
    static const char *const names[] = {"info", "warning", "critical"};
    return names[severity];
}

static enum log_level level_of(enum alert_severity severity) {
    static const enum log_level levels[] = {LOG_INFO, LOG_WARNING, LOG_ERROR};
    return levels[severity];
}

void alerts_raise(struct alerts *alerts, enum alert_severity severity, const char *role,
                  const char *code, const char *text) {
    struct alert alert = {severity, role, code, text, clock_wall_ms()};
    log_event(level_of(severity), role, "alert", "code", code, "severity",
              alert_severity_name(severity), "why", text, NULL);
    metric_increment(metrics_counter(alerts->metrics, "lsys_alerts_total", "Alerts raised.", "role",
                                     role, "code", code, NULL));
    struct list *next;
    for (struct list *link = alerts->listeners.next; link != &alerts->listeners; link = next) {
        struct listener *listener = LIST_ENTRY(link, struct listener, link);
        next = link->next;
        listener->heard(listener->owner, &alert);
    }
}

void alerts_listen(struct alerts *alerts, void (*heard)(void *owner, const struct alert *alert),
                   void *owner) {
    struct listener *listener = memory_new(sizeof *listener);
    listener->heard = heard;
    listener->owner = owner;
    list_append(&alerts->listeners, &listener->link);
}

void alerts_unlisten(struct alerts *alerts, void *owner) {
    struct list *next;
    for (struct list *link = alerts->listeners.next; link != &alerts->listeners; link = next) {
        struct listener *listener = LIST_ENTRY(link, struct listener, link);
        next = link->next;
        if (listener->owner == owner) free_listener(listener);
    }
}
