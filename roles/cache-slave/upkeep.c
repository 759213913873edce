/*
 * What the slave does when it has nothing to do: verify the licenses that nobody has asked for yet,
 * a few at a time, and clean up those that have not verified for long.
 */
#include <string.h>

#include "base/log.h"
#include "roles/cache-slave/cache_slave.h"
#include "roles/cache-slave/slave.h"

/* Licenses verified in one go, some 4 ms; and the pause after it, in which requests are
 * answered. */
#define PROVING_AT_ONCE  4
#define PROVING_PAUSE_MS 4

/* A license that is on the shelf twice as a new one is behind the point where proving is: it was
 * verified when it came. */
static void prove_some(void *context) {
    struct cache_slave *slave = context;
    for (int i = 0; i < PROVING_AT_ONCE; i++) {
        struct shelf_entry *entry = license_shelf_at(slave->shelf, slave->proven);
        struct status ignored = STATUS_INIT;
        if (!entry) {
            log_event(LOG_INFO, CACHE_SLAVE_NAME, "all licenses of the shelf were verified", NULL);
            if (license_shelf_lost(slave->shelf) > 0) slave_sync(slave, CACHE_BY_PUSH);
            return;
        }
        slave->proven++;
        if (entry->deleted || entry->proof != SHELF_UNPROVEN) continue;
        license_free(
            license_shelf_take(slave->shelf, entry, slave->authority->ring, NULL, &ignored));
    }
    timer_start(slave->proving, PROVING_PAUSE_MS);
}

/* The last one of a deployment that verified is the current one, or would be if its key came back:
 * what no other license of its deployment replaces stays. */
static bool is_last_of_deployment(struct cache_slave *slave, const struct shelf_entry *entry) {
    struct shelf_entry *other;
    for (size_t i = 0; (other = license_shelf_at(slave->shelf, i)); i++)
        if (other != entry && !other->deleted && other->proof != SHELF_REFUSED &&
            strcmp(other->deployment_id, entry->deployment_id) == 0)
            return false;
    return true;
}

static void clean_up(void *context) {
    struct cache_slave *slave = context;
    struct shelf_entry *entry;
    slave_observe(slave);
    for (size_t i = 0; (entry = license_shelf_at(slave->shelf, i));) {
        struct status status = STATUS_INIT;
        const struct cache_leftover leftover = {
            .failed = entry->proof == SHELF_REFUSED && !entry->deleted,
            .failed_for_ms = slave->reading.now_ms - entry->refused_since_ms,
            .last_good = entry->proof == SHELF_REFUSED && is_last_of_deployment(slave, entry),
        };
        bool removes = cache_cleanup_removes(&leftover, slave->settings.failed_max_age_ms);
        if (removes) {
            log_event(LOG_INFO, CACHE_SLAVE_NAME,
                      "removing a license that has not verified for long", "license_id",
                      entry->license_id, NULL);
            if (license_shelf_discard(slave->shelf, entry, &status)) continue;
        }
        i++;
    }
}

void slave_upkeep_begin(struct cache_slave *slave) {
    if (!slave->proving) slave->proving = timer_open(slave->context->loop, prove_some, slave);
    if (!slave->cleanup) slave->cleanup = timer_open(slave->context->loop, clean_up, slave);
    slave->proven = 0;
    timer_start(slave->proving, PROVING_PAUSE_MS);
    if (slave->settings.cleanup)
        timer_start_repeating(slave->cleanup, slave->settings.cleanup_interval_ms);
    else
        timer_stop(slave->cleanup);
}
