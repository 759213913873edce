/* What is true at this moment, and why. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/rfc3339.h"
#include "roles/cache-slave/slave.h"

/* The guard's mark moves with monotonic time by itself; in a crash a minute may be lost. */
#define CLOCK_KEEP_INTERVAL_MS 60000

void slave_observe(struct cache_slave *slave) {
    slave->monotonic_ms = clock_monotonic_ms();
    slave->reading = clock_guard_observe(&slave->clock, clock_wall_ms(), slave->monotonic_ms);
    if (slave->monotonic_ms - slave->clock_kept_ms < CLOCK_KEEP_INTERVAL_MS) return;
    slave->clock_kept_ms = slave->monotonic_ms;
    ledger_keep_clock(slave->ledger, &slave->clock);
}

/* By the clock that says more: a machine that slept has a monotonic clock that stood still, and one
 * whose clock was turned back has a wall clock that must not make the cache younger. */
static int64_t age_ms(const struct cache_slave *slave) {
    const struct slave_progress *progress = &slave->progress;
    if (progress->confirmed_at_ms == 0) return CACHE_NEVER_CONFIRMED;
    if (slave->answering_fresh) return 0;
    int64_t by_wall_ms = slave->reading.now_ms - progress->confirmed_at_ms;
    int64_t by_monotonic_ms = slave->monotonic_ms - progress->confirmed_monotonic_ms;
    return by_wall_ms > by_monotonic_ms ? by_wall_ms : by_monotonic_ms;
}

static struct license_facts look_up_facts(const struct cache_slave *slave,
                                          const struct license *license, const char *deployment_id,
                                          struct status *check) {
    const struct license_circumstances place = {
        .deployment_id = deployment_id,
        .fingerprint = &slave->fingerprint,
        .now_ms = slave->reading.now_ms,
    };
    return authority_license_facts(slave->authority, license, &place, check);
}

static enum license_status judge_development(const struct cache_slave *slave) {
    if (!slave->development) return LICENSE_MISSING;
    struct license_facts facts =
        look_up_facts(slave, slave->development, slave->deployment_id, NULL);
    return license_status_judge(&facts, slave->reading.now_ms).status;
}

void slave_judge(const struct cache_slave *slave, const struct license *license,
                 const struct shelf_entry *entry, struct slave_view *view) {
    memset(view, 0, sizeof *view);
    view->license = license;
    view->entry = entry;
    view->may_be_lost = !license && license_shelf_lost(slave->shelf) > 0;
    view->age_ms = view->may_be_lost ? CACHE_NEVER_CONFIRMED : age_ms(slave);
    if (license)
        view->facts = look_up_facts(slave, license, slave->deployment_id, &view->check);
    else
        view->facts = license_status_facts(NULL, STATUS_NOT_FOUND);
    if (license && entry && entry->revoked_at_ms != 0) view->facts.revoked = true;
    view->judgement = license_status_judge(&view->facts, slave->reading.now_ms);
    view->status = license ? view->judgement.status : LICENSE_MISSING;
    view->state = cache_state_judge(&slave->settings.ages, view->age_ms, view->status);
    view->development = judge_development(slave);
    view->basis = cache_basis_choose(view->state, view->status, view->development);
    view->granting = view->basis == CACHE_ON_DEVELOPMENT ? slave->development
                     : view->basis == CACHE_ON_COMMUNITY ? NULL
                                                         : license;
}

/* Looked up when the shelf or the current license has changed only: a request must not cost more
 * the more licenses there are. */
static const struct shelf_entry *find_current_entry(struct cache_slave *slave) {
    uint64_t edits = license_shelf_edits(slave->shelf);
    if (!slave->current) return NULL;
    if (slave->entry_edits != edits) {
        slave->current_entry = license_shelf_find(slave->shelf, slave->current_id);
        slave->entry_edits = edits;
    }
    return slave->current_entry;
}

void slave_look(struct cache_slave *slave, struct slave_view *view) {
    slave_observe(slave);
    slave_judge(slave, slave->current, find_current_entry(slave), view);
}

/* ---- why ---- */

/* "45m", or "never". */
static void write_age(int64_t age, char out[TEXT_DURATION_BYTES]) {
    if (age == CACHE_NEVER_CONFIRMED)
        snprintf(out, TEXT_DURATION_BYTES, "never");
    else
        text_format_duration(age, out);
}

/* How far the master is away, and what the last try met. */
static void explain_outage(const struct cache_slave *slave, const struct slave_view *view,
                           const char *consequence, char out[SLAVE_REASON_BYTES]) {
    char age[TEXT_DURATION_BYTES], standing[TEXT_DURATION_BYTES + 128];
    bool known = !status_is_ok(&slave->sync_problem);
    write_age(view->age_ms, age);
    if (view->may_be_lost)
        snprintf(standing, sizeof standing,
                 "licenses were lost with damage to the state, and the master has to send them "
                 "again");
    else if (view->age_ms == CACHE_NEVER_CONFIRMED)
        snprintf(standing, sizeof standing, "the master has never confirmed this cache");
    else
        snprintf(standing, sizeof standing, "the master confirmed this cache %s ago", age);
    snprintf(out, SLAVE_REASON_BYTES, "%s; %s%s%.200s", standing, consequence,
             known ? "; last try: " : "", known ? slave->sync_problem.text : "");
}

static void explain_license(const struct cache_slave *slave, const struct slave_view *view,
                            char out[SLAVE_REASON_BYTES]) {
    char text[LICENSE_STATUS_TEXT_BYTES];
    if (view->entry && view->entry->revoked_at_ms != 0) {
        snprintf(out, SLAVE_REASON_BYTES, "the master says that this license is revoked%s%.200s",
                 view->entry->revoked_reason[0] ? ": " : "", view->entry->revoked_reason);
    } else if (view->facts.verdict != STATUS_OK) {
        snprintf(out, SLAVE_REASON_BYTES, "%s", view->check.text);
    } else {
        license_status_explain(&view->facts, &view->judgement, slave->reading.now_ms, text);
        snprintf(out, SLAVE_REASON_BYTES, "%s", text);
    }
}

static void explain_community(const struct cache_slave *slave, const struct slave_view *view,
                              char out[SLAVE_REASON_BYTES]) {
    if (view->license && !license_status_grants(view->status))
        explain_license(slave, view, out);
    else if (view->state == CACHE_FAILED)
        explain_outage(slave, view, "without it there is no license to go by", out);
    else if (!status_is_ok(&slave->current_problem))
        snprintf(out, SLAVE_REASON_BYTES, "%s", slave->current_problem.text);
    else
        snprintf(out, SLAVE_REASON_BYTES, "the master has no license for this place");
}

/* In nearly every answer, so it is put together without snprintf. */
static void explain_master(const struct slave_view *view, char out[SLAVE_REASON_BYTES]) {
    char *at = stpcpy(out, "the master confirmed this cache ");
    text_format_duration(view->age_ms, at);
    at = stpcpy(at + strlen(at), " ago");
    if (view->status == LICENSE_GRACE) stpcpy(at, "; the license is in its grace period");
}

void slave_explain(const struct cache_slave *slave, const struct slave_view *view,
                   char out[SLAVE_REASON_BYTES]) {
    switch (view->basis) {
    case CACHE_ON_MASTER: explain_master(view, out); break;
    case CACHE_ON_CACHE:
        explain_outage(slave, view, "the cached license counts until its grace is over", out);
        break;
    case CACHE_ON_DEVELOPMENT:
        explain_outage(slave, view, "the vendor's development license stands in", out);
        break;
    case CACHE_ON_COMMUNITY: explain_community(slave, view, out); break;
    }
}
