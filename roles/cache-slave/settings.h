/*
 * The times and switches of a cache slave: the names that installations have in their environment
 * (LICENSE_CACHE_TTL and so on, in milliseconds), under one of two profiles. A profile sets
 * defaults; what is set explicitly always wins.
 *
 *     | setting                  | production | development |
 *     |--------------------------|------------|-------------|
 *     | LICENSE_CACHE_TTL        | 30m        | 30s         |
 *     | STALE_GRACE_PERIOD       | 2h         | 10m         |
 *     | BACKGROUND_SYNC_INTERVAL | 15m        | 10s         |
 *     | MAX_SYNC_RETRIES         | 3          | 3           |
 *     | SYNC_RETRY_DELAY         | 5s         | 1s          |
 *     | SYNC_TIMEOUT             | 10s        | 5s          |
 *     | CLEANUP_INTERVAL         | 1h         | 10m         |
 *     | FAILED_CACHE_MAX_AGE     | 24h        | 1h          |
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_SETTINGS_H
#define LSYS_ROLES_CACHE_SLAVE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/options.h"
#include "rules/cache_state.h"
#include "rules/cache_sync.h"

struct slave_settings {
    struct cache_ages ages;
    struct cache_sync_settings sync;
    int64_t sync_timeout_ms;
    int64_t cleanup_interval_ms;
    int64_t failed_max_age_ms;
    bool cleanup;
    bool development; /* the profile */
};

/* The rows, for the command's shared tables. */
extern const struct option slave_setting_options[];

/* Works them out from the options. ENABLE_CACHE=false makes both ages 0, so that every answer asks
 * the master first. */
struct slave_settings slave_settings_read(const struct options *options);

#endif
