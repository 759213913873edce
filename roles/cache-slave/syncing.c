/* Syncs and who waits for them: what rules/cache_sync decides is done here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/alerts.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "roles/cache-slave/cache_slave.h"
#include "roles/cache-slave/intake.h"
#include "roles/cache-slave/slave.h"
#include "roles/cache-slave/syncing.h"

#define CONFIRMED_AGE_MAX_MS (365LL * 86400000)

/* A request that waits. */
struct waiter {
    struct list link;
    struct cache_slave *slave;
    struct http_request *request;
    slave_handler *handle;
    int64_t deadline_ms; /* monotonic */
    int tries;           /* whose end it waits for: the next one, or the one after it */
};

/* ---- waiting ---- */

static void on_gone(void *context) {
    struct waiter *waiter = context;
    list_remove(&waiter->link);
    free(waiter);
}

static void wait_for_tries(struct cache_slave *slave, struct http_request *request,
                           slave_handler *handle, int tries) {
    struct waiter *waiter = memory_new(sizeof *waiter);
    *waiter = (struct waiter){.slave = slave,
                              .request = request,
                              .handle = handle,
                              .tries = tries,
                              .deadline_ms = slave->monotonic_ms + slave->settings.sync_timeout_ms};
    list_init(&waiter->link);
    list_append(&slave->waiters, &waiter->link);
    http_request_defer(request, on_gone, waiter);
}

void slave_wait(struct cache_slave *slave, struct http_request *request, slave_handler *handle) {
    wait_for_tries(slave, request, handle, 1);
}

/* A sync that runs may have asked before the change that somebody now wants to see. */
void slave_sync_by_hand(struct cache_slave *slave, struct http_request *request,
                        slave_handler *handle) {
    bool joins = slave->sync.phase == CACHE_SYNC_RUNNING;
    if (joins)
        slave->bell_rang = true;
    else
        slave_sync(slave, CACHE_BY_HAND);
    wait_for_tries(slave, request, handle, joins ? 2 : 1);
}

/* A try has ended, and the next one follows, or not. */
static void count_try(struct cache_slave *slave, bool next_follows) {
    for (struct list *link = slave->waiters.next; link != &slave->waiters; link = link->next) {
        struct waiter *waiter = LIST_ENTRY(link, struct waiter, link);
        waiter->tries = next_follows ? waiter->tries - 1 : 0;
    }
}

/* The oldest one that is to be answered now. */
static struct waiter *next_due(const struct cache_slave *slave) {
    for (struct list *link = slave->waiters.next; link != &slave->waiters; link = link->next) {
        struct waiter *waiter = LIST_ENTRY(link, struct waiter, link);
        if (waiter->tries <= 0 || waiter->deadline_ms <= slave->monotonic_ms) return waiter;
    }
    return NULL;
}

void slave_answer_waiters(struct cache_slave *slave) {
    struct waiter *waiter;
    while ((waiter = next_due(slave))) {
        struct http_request *request = waiter->request;
        slave_handler *handle = waiter->handle;
        list_remove(&waiter->link);
        free(waiter);
        struct slave_view view;
        slave_look(slave, &view);
        handle(slave, request, &view, true);
    }
}

int64_t slave_waiters_wait_ms(const struct cache_slave *slave) {
    if (list_is_empty(&slave->waiters)) return LICENSE_NEVER;
    const struct waiter *waiter = LIST_ENTRY(slave->waiters.next, struct waiter, link);
    int64_t wait_ms = waiter->deadline_ms - slave->monotonic_ms;
    return wait_ms > 0 ? wait_ms : 0;
}

/* ---- asking ---- */

static void ask_next_page(struct cache_slave *slave) {
    const struct slave_progress *progress = &slave->progress;
    puller_ask(slave->puller, progress->since, progress->stream, progress->etag,
               slave->settings.sync_timeout_ms);
}

void slave_begin_try(struct cache_slave *slave) {
    if (license_shelf_lost(slave->shelf) >
        0) { /* what was damaged comes again from the beginning */
        slave->progress.since = 0;
        slave->progress.etag[0] = '\0';
    }
    slave->sync_was_full = slave->progress.since == 0;
    slave->sync_began_ms = slave->monotonic_ms;
    ask_next_page(slave);
}

bool slave_sync(struct cache_slave *slave, enum cache_trigger trigger) {
    if (slave->stopping) return false;
    bool was_running = slave->sync.phase == CACHE_SYNC_RUNNING;
    if (cache_sync_begin(&slave->sync, trigger, slave->monotonic_ms) && !was_running)
        slave_begin_try(slave);
    return slave->sync.phase == CACHE_SYNC_RUNNING;
}

/* A bell in the middle of a sync is kept: the page may have been written before the change. */
void slave_on_bell(void *owner) {
    struct cache_slave *slave = owner;
    if (slave->stopping) return;
    slave_observe(slave);
    slave->bell_rang = slave->sync.phase == CACHE_SYNC_RUNNING;
    slave_sync(slave, CACHE_BY_PUSH);
}

/* ---- the end of a try ---- */

static void alert(struct cache_slave *slave, enum cache_outcome outcome,
                  const struct status *status) {
    char text[STATUS_TEXT_BYTES + 64];
    if (cache_outcome_may_pass(outcome) || outcome == CACHE_CONFIRMED) return;
    snprintf(text, sizeof text, "the master does not sync this cache: %s", status->text);
    alerts_raise(slave->context->alerts, ALERT_CRITICAL, CACHE_SLAVE_NAME,
                 outcome == CACHE_GARBAGE ? "cache_master_garbage" : "cache_key_refused", text);
}

/* Outages are told when they begin, when their kind changes, and when they end. */
static void report(struct cache_slave *slave, enum cache_outcome outcome,
                   const struct status *status) {
    bool failed_before = !status_is_ok(&slave->sync_problem);
    bool same = failed_before && strcmp(slave->sync_problem.text, status->text) == 0;
    if (outcome == CACHE_CONFIRMED && failed_before) {
        log_event(LOG_INFO, CACHE_SLAVE_NAME, "the master answers again", "master",
                  puller_master(slave->puller), NULL);
    } else if (outcome != CACHE_CONFIRMED && !same) {
        log_event(LOG_WARNING, CACHE_SLAVE_NAME, "a sync failed", "master",
                  puller_master(slave->puller), "outcome", cache_outcome_name(outcome), "why",
                  status->text, NULL);
        alert(slave, outcome, status);
    }
}

/* `age_ms` is how long ago the first master confirmed, when another slave has passed that on; no
 * word is older than a year, so that nothing overflows. */
static void note_confirmation(struct cache_slave *slave, int64_t age_ms) {
    if (age_ms > CONFIRMED_AGE_MAX_MS) age_ms = CONFIRMED_AGE_MAX_MS;
    slave->progress.confirmed_at_ms = slave->reading.now_ms - age_ms;
    slave->progress.confirmed_monotonic_ms = slave->monotonic_ms - age_ms;
    if (slave->sync_was_full) license_shelf_forget_lost(slave->shelf);
    slave_progress_save(slave);
}

/* Slaves of this one hear of what this one has heard of. */
static void ring(struct cache_slave *slave) {
    char etag[LICENSE_FEED_ETAG_BYTES];
    license_feed_etag(slave->shelf, slave->authority, etag);
    if (strcmp(etag, slave->told) == 0) return;
    memcpy(slave->told, etag, sizeof etag);
    license_bell_ring(slave->bell);
}

static void end_try(struct cache_slave *slave, enum cache_outcome outcome,
                    const struct pulled *pulled, const struct status *status) {
    slave_observe(slave);
    slave_meters_sync(&slave->meters, outcome, slave->monotonic_ms - slave->sync_began_ms);
    report(slave, outcome, status);
    slave->sync_problem = *status;
    if (outcome == CACHE_CONFIRMED) note_confirmation(slave, pulled->age_ms);
    ring(slave);
    uint64_t random = random_below(UINT64_MAX);
    cache_sync_ended(&slave->sync, outcome, pulled->retry_after_ms, random, slave->monotonic_ms);
    push_begin(slave->push);
    slave->answering_fresh = outcome == CACHE_CONFIRMED && pulled->age_ms == 0;
    /* Damage that was found meanwhile makes the next one full. */
    bool missed = slave->bell_rang || license_shelf_lost(slave->shelf) > 0;
    bool again = missed && outcome == CACHE_CONFIRMED;
    slave->bell_rang = false;
    count_try(slave, again);
    slave_answer_waiters(slave);
    slave->answering_fresh = false;
    if (again) slave_sync(slave, CACHE_BY_PUSH);
    slave_hints_sync_ended(slave->hints);
    slave_settle(slave);
}

/* Takes a page. True when the master has more. */
static bool take_page(struct cache_slave *slave, const struct pulled *pulled,
                      struct status *status) {
    const struct license_feed_page *page = pulled->page;
    struct slave_progress *progress = &slave->progress;
    bool same = strcmp(progress->stream, page->stream) == 0;
    if (same && page->more && page->through <= progress->since)
        return status_fail(status, STATUS_PROTOCOL, "the master's pages do not go forward");
    if (!intake_page(slave, page, status)) return false;
    snprintf(progress->stream, sizeof progress->stream, "%s", page->stream);
    progress->since = page->through;
    snprintf(progress->etag, sizeof progress->etag, "%s", page->more ? "" : pulled->etag);
    if (page->count > 0 || page->revocations || page->keyring) slave_choose_current(slave);
    return page->more;
}

void slave_on_pulled(void *owner, const struct pulled *pulled) {
    struct cache_slave *slave = owner;
    enum cache_outcome outcome = pulled->outcome;
    struct status status = pulled->status;
    if (slave->stopping) return;
    slave_observe(slave);
    if (pulled->page && take_page(slave, pulled, &status)) {
        ask_next_page(slave);
        return;
    }
    if (outcome == CACHE_CONFIRMED && !status_is_ok(&status)) outcome = CACHE_GARBAGE;
    end_try(slave, outcome, pulled, &status);
}
