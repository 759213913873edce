/*
 * The numbers of a slave for Prometheus; conf.d/prometheus-alerts.yml has the rules that watch
 * them.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_METERS_H
#define LSYS_ROLES_CACHE_SLAVE_METERS_H

#include <stdint.h>

#include "app/metrics.h"
#include "rules/cache_state.h"
#include "rules/cache_sync.h"

struct slave_meters {
    struct metric *hits;   /* answered from memory, by what the master confirmed in time */
    struct metric *misses; /* answered after a sync, by a fallback, or with nothing */
    struct metric *hit_ratio;
    struct metric *answers[CACHE_BASIS_COUNT];
    struct metric *syncs[CACHE_OUTCOME_COUNT];
    struct metric *sync_seconds_sum;
    struct metric *sync_seconds_count;
    struct metric *states[CACHE_STATE_COUNT];
    struct metric *age_seconds;
    struct metric *expires_in_seconds;
    struct metric *licenses;
    struct metric *lost;
    struct metric *refused;
};

void slave_meters_register(struct slave_meters *meters, struct metrics *metrics);

/* Counts one answer. `waited` is true when a sync was waited for. */
void slave_meters_answer(struct slave_meters *meters, enum cache_state state,
                         enum cache_basis basis, bool waited);

/* Counts one try of a sync. */
void slave_meters_sync(struct slave_meters *meters, enum cache_outcome outcome,
                       int64_t duration_ms);

#endif
