#include "roles/cache-slave/settings.h"

#include <string.h>

/* Bounds: a test wants milliseconds, a ship at sea weeks. */
#define LONGEST_MS (365LL * 86400000)

const struct option slave_setting_options[] = {
    {.key = "profile",
     .type = OPTION_ENUM,
     .choices = "production|development",
     .fallback = "production",
     .change = OPTION_RELOAD,
     .help = "Which defaults the times below have; development has short ones"},
    {.key = "cache_ttl",
     .type = OPTION_DURATION,
     .fallback = "30m",
     .minimum = 0,
     .maximum = LONGEST_MS,
     .bare_unit_ms = 1,
     .environment = "LICENSE_CACHE_TTL",
     .change = OPTION_RELOAD,
     .help = "How long after a confirmation by the master the cache is `synced`"},
    {.key = "stale_grace",
     .type = OPTION_DURATION,
     .fallback = "2h",
     .minimum = 0,
     .maximum = LONGEST_MS,
     .bare_unit_ms = 1,
     .environment = "STALE_GRACE_PERIOD",
     .change = OPTION_RELOAD,
     .help = "How long after that it is `stale` and still grants everything"},
    {.key = "sync_interval",
     .type = OPTION_DURATION,
     .fallback = "15m",
     .minimum = 1,
     .maximum = LONGEST_MS,
     .bare_unit_ms = 1,
     .environment = "BACKGROUND_SYNC_INTERVAL",
     .change = OPTION_RELOAD,
     .help = "Time between two syncs when nothing else causes one"},
    {.key = "sync_retries",
     .type = OPTION_INTEGER,
     .fallback = "3",
     .minimum = 0,
     .maximum = 100,
     .environment = "MAX_SYNC_RETRIES",
     .change = OPTION_RELOAD,
     .help = "How often a sync is tried again before it has failed"},
    {.key = "sync_retry_delay",
     .type = OPTION_DURATION,
     .fallback = "5s",
     .minimum = 1,
     .maximum = LONGEST_MS,
     .bare_unit_ms = 1,
     .environment = "SYNC_RETRY_DELAY",
     .change = OPTION_RELOAD,
     .help = "The wait before the first retry; it doubles with each"},
    {.key = "sync_timeout",
     .type = OPTION_DURATION,
     .fallback = "10s",
     .minimum = 1,
     .maximum = LONGEST_MS,
     .bare_unit_ms = 1,
     .environment = "SYNC_TIMEOUT",
     .change = OPTION_RELOAD,
     .help = "How long one try may take, and how long a request waits for it"},
    {.key = "cleanup_interval",
     .type = OPTION_DURATION,
     .fallback = "1h",
     .minimum = 1000,
     .maximum = LONGEST_MS,
     .bare_unit_ms = 1,
     .environment = "CLEANUP_INTERVAL",
     .change = OPTION_RELOAD,
     .help = "Time between two cleanups of entries that do not verify"},
    {.key = "failed_max_age",
     .type = OPTION_DURATION,
     .fallback = "24h",
     .minimum = 0,
     .maximum = LONGEST_MS,
     .bare_unit_ms = 1,
     .environment = "FAILED_CACHE_MAX_AGE",
     .change = OPTION_RELOAD,
     .help = "How long an entry that does not verify is kept"},
    {.key = "enable_cache",
     .type = OPTION_BOOLEAN,
     .fallback = "true",
     .environment = "ENABLE_CACHE",
     .change = OPTION_RELOAD,
     .help = "Answer from the cache; without, the master is asked for every answer"},
    {.key = "enable_background_sync",
     .type = OPTION_BOOLEAN,
     .fallback = "true",
     .environment = "ENABLE_BACKGROUND_SYNC",
     .change = OPTION_RELOAD,
     .help = "Sync in the interval and when a stale answer is given"},
    {.key = "enable_cache_cleanup",
     .type = OPTION_BOOLEAN,
     .fallback = "true",
     .environment = "ENABLE_CACHE_CLEANUP",
     .change = OPTION_RELOAD,
     .help = "Remove entries that have not verified for long"},
    {0},
};

/* What the profile `development` has instead of a row's default. */
static const struct {
    const char *key;
    int64_t value_ms;
} development_defaults[] = {
    {"cache_ttl", 30000},        {"stale_grace", 600000}, {"sync_interval", 10000},
    {"sync_retry_delay", 1000},  {"sync_timeout", 5000},  {"cleanup_interval", 600000},
    {"failed_max_age", 3600000},
};

static int64_t read_ms(const struct options *options, const char *key, bool development) {
    size_t count = sizeof development_defaults / sizeof development_defaults[0];
    if (development && !options_is_given(options, key))
        for (size_t i = 0; i < count; i++)
            if (strcmp(development_defaults[i].key, key) == 0)
                return development_defaults[i].value_ms;
    return options_duration_ms(options, key);
}

struct slave_settings slave_settings_read(const struct options *options) {
    bool development = strcmp(options_text(options, "profile"), "development") == 0;
    bool cache = options_boolean(options, "enable_cache");
    return (struct slave_settings){
        .ages = {.ttl_ms = cache ? read_ms(options, "cache_ttl", development) : 0,
                 .grace_ms = cache ? read_ms(options, "stale_grace", development) : 0},
        .sync = {.interval_ms = read_ms(options, "sync_interval", development),
                 .retry_delay_ms = read_ms(options, "sync_retry_delay", development),
                 .max_retries = options_integer(options, "sync_retries"),
                 .background = options_boolean(options, "enable_background_sync")},
        .sync_timeout_ms = read_ms(options, "sync_timeout", development),
        .cleanup_interval_ms = read_ms(options, "cleanup_interval", development),
        .failed_max_age_ms = read_ms(options, "failed_max_age", development),
        .cleanup = options_boolean(options, "enable_cache_cleanup"),
        .development = development,
    };
}
