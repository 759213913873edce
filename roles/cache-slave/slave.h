/*
 * The running slave and its parts.
 *
 *     master --- puller (HTTP) ---> intake (verify) ---> shelf ---> current license
 *                   ^                                                    |
 *     rules/cache_sync: when                       rules/cache_state: what it is worth
 *                   |                                                    |
 *     timer, requests, push, hands <------ slave_settle -----> answers, metrics, alerts
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_SLAVE_H
#define LSYS_ROLES_CACHE_SLAVE_SLAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/api_keys.h"
#include "app/authority.h"
#include "app/ledger.h"
#include "app/license_bell.h"
#include "app/license_feed.h"
#include "app/license_shelf.h"
#include "app/role.h"
#include "app/role_http.h"
#include "loop/timer.h"
#include "roles/cache-slave/hints.h"
#include "roles/cache-slave/meters.h"
#include "roles/cache-slave/puller.h"
#include "roles/cache-slave/push.h"
#include "roles/cache-slave/settings.h"
#include "rules/cache_state.h"
#include "rules/cache_sync.h"
#include "rules/clock_guard.h"
#include "rules/license_status.h"
#include "verifier/fingerprint.h"

/* The state is looked at this often at least; the clock guard wants to see the clocks. */
#define SLAVE_LOOK_INTERVAL_MS 1000

/* What the master confirmed last, and where to go on. */
struct slave_progress {
    char stream[LICENSE_SHELF_STREAM_BYTES]; /* the master's; "" before the first page */
    int64_t since;
    char etag[PULLED_ETAG_BYTES]; /* "" when the next page must come in full */
    int64_t confirmed_at_ms;      /* guarded wall time; 0: never */
    int64_t confirmed_monotonic_ms;
};

struct kept_answer;

struct cache_slave {
    struct role_context *context;
    struct slave_settings settings;
    char *deployment_id; /* NULL: not configured */
    struct fingerprint fingerprint;
    struct api_keys keys; /* for whoever asks from elsewhere, and for slaves of this one */
    struct ledger *ledger;
    struct authority *authority;
    struct license_shelf *shelf;
    struct clock_guard clock;
    struct clock_reading reading;
    int64_t monotonic_ms;
    int64_t clock_kept_ms; /* monotonic; when the guard was saved */

    struct license *current;                 /* NULL: none */
    char *current_id;                        /* its entry on the shelf */
    const struct shelf_entry *current_entry; /* that one, as of `entry_edits` of the shelf */
    uint64_t entry_edits;                    /* 0: it has to be looked up */
    struct status current_problem;           /* why there is none */
    struct license *development;             /* --fallback-license, verified; NULL: none */

    struct cache_sync sync;
    struct slave_progress progress;
    struct watched_files *watched;
    struct puller *puller;
    struct push *push;                  /* NULL: the master is polled only */
    struct slave_hints *hints;          /* NULL: no NATS is configured */
    struct license_bell *bell;          /* for slaves of this one */
    char told[LICENSE_FEED_ETAG_BYTES]; /* what the bell told last */
    bool bell_rang;                     /* while a sync ran, which may have missed the change */
    int64_t sync_began_ms;
    struct status sync_problem; /* of the last try; STATUS_OK after a good one */
    bool sync_was_full;         /* the sync that runs began at 0 */
    struct list waiters;        /* requests that wait for the sync, oldest first */
    bool answering_fresh;       /* the master confirmed in this very moment */

    enum cache_state told_state; /* as of the last settling */
    bool told_anything;
    size_t proven; /* how far the background verification has come on the shelf */
    struct slave_meters meters;
    struct kept_answer *answer; /* to GET /api/licenses/current */
    struct timer *tick;
    struct timer *proving;
    struct timer *cleanup;
    struct role_http *http;
    bool started;
    bool stopping;
    int open_parts; /* while it stops */
};

/* ---- slave_view.c: what is true at this moment ---- */

struct slave_view {
    enum cache_state state;
    enum license_status status;      /* of the license */
    enum license_status development; /* of the development license */
    enum cache_basis basis;
    const struct license *license;  /* asked for; NULL: none */
    const struct license *granting; /* whose edition and features hold; NULL: community */
    const struct shelf_entry *entry;
    struct license_facts facts;
    struct license_judgement judgement;
    struct status check; /* what license_check says */
    int64_t age_ms;      /* CACHE_NEVER_CONFIRMED: never, or not for what was lost */
    bool may_be_lost;    /* there is none, and damage to the state cost some */
};

/* Room for the sentence that says why. */
#define SLAVE_REASON_BYTES 512

/* Reads both clocks and moves the guard. */
void slave_observe(struct cache_slave *slave);

/* Judges a license of the shelf, or the absence of one, at the last observation. */
void slave_judge(const struct cache_slave *slave, const struct license *license,
                 const struct shelf_entry *entry, struct slave_view *view);

/* Observes, and judges the current license. */
void slave_look(struct cache_slave *slave, struct slave_view *view);

/* One sentence, without a period: why the view is as it is. */
void slave_explain(const struct cache_slave *slave, const struct slave_view *view,
                   char out[SLAVE_REASON_BYTES]);

/* ---- current.c: which license is the current one ---- */

/* Chooses it anew, after a change of the shelf, of keys or of lists. */
void slave_choose_current(struct cache_slave *slave);

/* ---- syncing.c ---- */

/* Begins a sync if its rule allows it; true when one runs now. */
bool slave_sync(struct cache_slave *slave, enum cache_trigger trigger);

/* Has the request answered by `handle`, with `waited` true and the view of that moment, when the try
 * that runs has ended, or at the deadline. */
typedef void slave_handler(struct cache_slave *slave, struct http_request *request,
                           const struct slave_view *view, bool waited);
void slave_wait(struct cache_slave *slave, struct http_request *request, slave_handler *handle);

/* Syncs at once, and has the request answered when that is over: a sync that runs already is
 * followed by another one first. */
void slave_sync_by_hand(struct cache_slave *slave, struct http_request *request,
                        slave_handler *handle);

/* Answers requests that have waited for long enough. */
void slave_answer_waiters(struct cache_slave *slave);
int64_t slave_waiters_wait_ms(const struct cache_slave *slave);

/* ---- progress.c ---- */

void slave_progress_load(struct cache_slave *slave);
void slave_progress_save(struct cache_slave *slave);

/* ---- upkeep.c: verification in the background, cleanup ---- */

void slave_upkeep_begin(struct cache_slave *slave);

/* ---- slave.c ---- */

/* Looks at everything: state, timers, waiters, alerts. Every event ends here. */
void slave_settle(struct cache_slave *slave);

bool slave_start(struct role_context *context, struct status *status);
void slave_stop(struct role_context *context);
bool slave_reload(struct role_context *context, const struct options *fresh, struct status *status);
void slave_describe(const struct role_context *context, struct role_view *view);

/* routes.c */
void slave_add_routes(struct cache_slave *slave);

#endif
