/*
 * Which license is the current one: the highest serial of this deployment. A license that names no
 * deployment is for any. Without --deployment-id the one deployment on the shelf is meant; when
 * there are several, only licenses for any deployment can be.
 */
#include <stdlib.h>
#include <string.h>

#include "app/alerts.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/cache-slave/cache_slave.h"
#include "roles/cache-slave/slave.h"

/* The one deployment that licenses on the shelf name; NULL when there is none; `*several` when
 * there is more than one. */
static const char *only_deployment(struct cache_slave *slave, bool *several) {
    const char *only = NULL;
    struct shelf_entry *entry;
    *several = false;
    for (size_t i = 0; (entry = license_shelf_at(slave->shelf, i)); i++) {
        if (entry->deleted || !entry->deployment_id[0]) continue;
        if (only && strcmp(only, entry->deployment_id) != 0) *several = true;
        only = entry->deployment_id;
    }
    return only;
}

/* The best candidate that has not been refused: the highest serial. */
static struct shelf_entry *best_entry(struct cache_slave *slave, const char *deployment_id) {
    struct shelf_entry *best = NULL, *entry;
    for (size_t i = 0; (entry = license_shelf_at(slave->shelf, i)); i++) {
        bool here = !entry->deployment_id[0] ||
                    (deployment_id && strcmp(entry->deployment_id, deployment_id) == 0);
        if (entry->deleted || entry->proof == SHELF_REFUSED || !here) continue;
        if (!best || entry->serial > best->serial) best = entry;
    }
    return best;
}

static void put_in_force(struct cache_slave *slave, struct license *license) {
    bool changed =
        !slave->current || strcmp(slave->current->token_sha256, license->token_sha256) != 0;
    license_free(slave->current);
    slave->current = license;
    free(slave->current_id);
    slave->current_id = memory_copy_text(license->license_id);
    slave->entry_edits = 0;
    if (changed)
        log_event(LOG_INFO, CACHE_SLAVE_NAME, "current license", "license_id", license->license_id,
                  "edition", license->edition, "customer", license->customer, NULL);
}

static void drop_current(struct cache_slave *slave) {
    if (slave->current)
        log_event(LOG_WARNING, CACHE_SLAVE_NAME, "there is no current license any more", "why",
                  slave->current_problem.text, NULL);
    license_free(slave->current);
    slave->current = NULL;
    free(slave->current_id);
    slave->current_id = NULL;
    slave->entry_edits = 0;
}

/* An older license than one that was in force before never takes its place, also when the newer one
 * was deleted or lost: its serial stays in the ledger. */
static bool is_older(struct cache_slave *slave, const struct license *license) {
    char line[SHA256_TEXT_BYTES];
    license_serial_line(license, line);
    const struct serial_mark *mark = ledger_mark(slave->ledger, line);
    if (serial_guard_check(mark, license->serial, license->token_sha256) == SERIAL_OLDER) {
        status_fail(&slave->current_problem, STATUS_OLD_SERIAL,
                    "license %s has serial %lld, and serial %lld was in force before",
                    license->license_id, (long long)license->serial, (long long)mark->serial);
        return true;
    }
    ledger_advance(slave->ledger, line, license->serial, license->token_sha256);
    return false;
}

/* What is in memory was verified when it came. When only its record on the disk is bad it stays,
 * until the master has sent it again. */
static bool memory_has_it(const struct cache_slave *slave, const struct shelf_entry *entry,
                          enum status_code code) {
    return (code == STATUS_DAMAGED || code == STATUS_IO) && slave->current &&
           slave->current->serial == entry->serial &&
           strcmp(slave->current_id, entry->license_id) == 0;
}

void slave_choose_current(struct cache_slave *slave) {
    bool several = false;
    const char *deployment_id = slave->deployment_id;
    status_clear(&slave->current_problem);
    if (!deployment_id) deployment_id = only_deployment(slave, &several);
    if (several) deployment_id = NULL;
    struct license *license = NULL;
    struct shelf_entry *entry;
    while (!license && (entry = best_entry(slave, deployment_id))) {
        struct status why = STATUS_INIT;
        license = license_shelf_take(slave->shelf, entry, slave->authority->ring, NULL, &why);
        if (license) break;
        if (memory_has_it(slave, entry, why.code)) return;
        status_fail(&slave->current_problem, why.code, "license %s: %s", entry->license_id,
                    why.text);
        if (entry->proof != SHELF_REFUSED) break; /* the disk does not answer: another time */
    }
    if (license && is_older(slave, license)) {
        license_free(license);
        license = NULL;
    }
    if (license) {
        clock_guard_signed(&slave->clock, license->issued_at_ms, slave->monotonic_ms);
        put_in_force(slave, license);
        status_clear(&slave->current_problem);
        return;
    }
    if (several)
        status_fail(&slave->current_problem, STATUS_CONFIG,
                    "there are licenses of several deployments; say which with --deployment-id");
    drop_current(slave);
}
