#include "app/persistence_watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/alerts.h"
#include "app/health.h"
#include "app/metrics.h"
#include "app/role.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "loop/timer.h"
#include "rules/persistence.h"
#include "store/store.h"

/* The condition in /readyz. It is always met: what a role serves does not wait for the disk. */
#define CONDITION "state"

struct persistence_watch {
    const struct role_context *context;
    struct persistence persistence;
    struct timer *timer; /* the next retry, or a look at what a write has changed */
    bool looking;        /* the timer runs for a look */
    struct metric *states[PERSISTENCE_STATES];
    struct metric *retries;
};

static uint64_t random_number(void) {
    uint64_t number;
    random_bytes(&number, sizeof number);
    return number;
}

/* ---- telling ---- */

static void set_health(const struct persistence_watch *watch, const struct status *why) {
    char reason[HEALTH_REASON_BYTES];
    if (watch->persistence.state == PERSISTENCE_DURABLE) {
        health_remove(watch->context->health, CONDITION);
        return;
    }
    snprintf(reason, sizeof reason, "not persisted (%s): %s",
             persistence_name(watch->persistence.state), why->text);
    health_set(watch->context->health, CONDITION, true, reason);
}

static void set_meters(const struct persistence_watch *watch) {
    for (int i = 0; i < PERSISTENCE_STATES; i++)
        metric_set(watch->states[i], i == (int)watch->persistence.state);
}

static void tell_change(const struct persistence_watch *watch, const struct status *why) {
    const struct role_context *context = watch->context;
    enum persistence_state state = watch->persistence.state;
    char text[2 * STATUS_TEXT_BYTES];
    if (state == PERSISTENCE_DURABLE) {
        log_event(LOG_INFO, context->name, "the disk works: the state is saved again", NULL);
        return;
    }
    snprintf(text, sizeof text, "%s; the disk is tried again by itself: %s",
             persistence_text(state), why->text);
    alerts_raise(context->alerts, ALERT_CRITICAL, context->name, "state_not_saved", text);
}

/* ---- looking and retrying ---- */

static void set_timer(struct persistence_watch *watch) {
    watch->looking = false;
    if (watch->persistence.state == PERSISTENCE_DURABLE)
        timer_stop(watch->timer);
    else
        timer_start(watch->timer, watch->persistence.retry_at_ms - clock_monotonic_ms());
}

static void look(struct persistence_watch *watch) {
    struct status why;
    enum persistence_state state = store_persistence(watch->context->store, &why);
    bool news =
        persistence_observe(&watch->persistence, state, clock_monotonic_ms(), random_number());
    set_health(watch, &why);
    set_meters(watch);
    set_timer(watch);
    if (news) tell_change(watch, &why);
}

static void retry(struct persistence_watch *watch) {
    const struct role_context *context = watch->context;
    struct store_report report;
    struct status status = STATUS_INIT;
    metric_increment(watch->retries);
    if (!store_retry(context->store, &report, &status)) {
        persistence_retry_failed(&watch->persistence, clock_monotonic_ms(), random_number());
        log_event(LOG_DEBUG, context->name, "the disk still refuses the state", "why", status.text,
                  NULL);
    }
    look(watch);
    if (report.damaged)
        alerts_raise(context->alerts, ALERT_CRITICAL, context->name, "state_damaged",
                     "the state file was damaged; it was set aside and what could be verified "
                     "was carried over");
}

static void on_timer(void *context) {
    struct persistence_watch *watch = context;
    if (watch->looking)
        look(watch);
    else
        retry(watch);
}

/* Inside a write: looked at in the next turn of the loop. */
static void on_write_changed(void *context) {
    struct persistence_watch *watch = context;
    watch->looking = true;
    timer_start(watch->timer, 0);
}

/* ---- opening and closing ---- */

struct persistence_watch *persistence_watch_open(const struct role_context *context) {
    struct persistence_watch *watch = memory_new(sizeof *watch);
    watch->context = context;
    persistence_init(&watch->persistence, clock_monotonic_ms());
    watch->timer = timer_open(context->loop, on_timer, watch);
    timer_unref(watch->timer);
    for (int i = 0; i < PERSISTENCE_STATES; i++)
        watch->states[i] = metrics_gauge(
            context->metrics, "lsys_state_persistence",
            "1 for how the state is kept now: durable is on the disk, everything else is not.",
            "state", persistence_name((enum persistence_state)i), NULL);
    watch->retries = metrics_counter(context->metrics, "lsys_state_retries_total",
                                     "Tries of a disk that refused the state.", NULL);
    store_watch(context->store, on_write_changed, watch);
    look(watch);
    return watch;
}

void persistence_watch_close(struct persistence_watch *watch) {
    if (!watch) return;
    store_watch(watch->context->store, NULL, NULL);
    timer_close(watch->timer);
    free(watch);
}

void persistence_watch_write(const struct persistence_watch *watch, struct json_writer *json) {
    struct status why;
    if (!watch) return;
    enum persistence_state state = store_persistence(watch->context->store, &why);
    bool saved = state == PERSISTENCE_DURABLE;
    int64_t now_ms = clock_monotonic_ms();
    json_writer_name(json, "persistence");
    json_writer_begin_object(json);
    json_writer_member_text(json, "state", persistence_name(state));
    json_writer_member_boolean(json, "saved", saved);
    json_writer_member_text(json, "meaning", persistence_text(state));
    json_writer_member_text(json, "why", saved ? NULL : why.text);
    if (saved) {
        json_writer_member_null(json, "since");
        json_writer_member_null(json, "retry_in_ms");
    } else {
        int64_t retry_ms = watch->persistence.retry_at_ms - now_ms;
        json_writer_member_time(json, "since",
                                clock_wall_ms() - (now_ms - watch->persistence.since_ms));
        json_writer_member_integer(json, "retry_in_ms", retry_ms > 0 ? retry_ms : 0);
    }
    json_writer_end_object(json);
}
