#include "roles/cache-slave/settings.h"

#include <string.h>

/* Bounds: a test wants milliseconds, a ship at sea weeks. */
#define LONGEST_MS (365LL * 86400000)

#define DURATION_ROW(name, variable, default_text, least_ms, text)                                 \
    {                                                                                              \
        .key = name, .type = OPTION_DURATION, .fallback = default_text, .minimum = least_ms,       \
        .maximum = LONGEST_MS, .bare_unit_ms = 1, .environment = variable,                         \
        .change = OPTION_RELOAD, .help = text                                                      \
    }

#define SWITCH_ROW(name, variable, text)                                                           \
    {                                                                                              \
        .key = name, .type = OPTION_BOOLEAN, .fallback = "true", .environment = variable,          \
        .change = OPTION_RELOAD, .help = text                                                      \
    }

const struct option slave_setting_options[] = {
    {.key = "profile",
     .type = OPTION_ENUM,
     .choices = "production|development",
     .fallback = "production",
     .change = OPTION_RELOAD,
     .help = "Which defaults the times below have; development has short ones"},
    DURATION_ROW("cache_ttl", "LICENSE_CACHE_TTL", "30m", 0,
                 "How long after a confirmation by the master the cache is `synced`"),
    DURATION_ROW("stale_grace", "STALE_GRACE_PERIOD", "2h", 0,
                 "How long after that it is `stale` and still grants everything"),
    DURATION_ROW("sync_interval", "BACKGROUND_SYNC_INTERVAL", "15m", 1,
                 "Time between two syncs when nothing else causes one"),
    {.key = "sync_retries",
     .type = OPTION_INTEGER,
     .fallback = "3",
     .minimum = 0,
     .maximum = 100,
     .environment = "MAX_SYNC_RETRIES",
     .change = OPTION_RELOAD,
     .help = "How often a sync is tried again before it has failed"},
    DURATION_ROW("sync_retry_delay", "SYNC_RETRY_DELAY", "5s", 1,
                 "The wait before the first retry; it doubles with each"),
    DURATION_ROW("sync_timeout", "SYNC_TIMEOUT", "10s", 1,
                 "How long one try may take, and how long a request waits for it"),
    DURATION_ROW("cleanup_interval", "CLEANUP_INTERVAL", "1h", 1000,
                 "Time between two cleanups of entries that do not verify"),
    DURATION_ROW("failed_max_age", "FAILED_CACHE_MAX_AGE", "24h", 0,
                 "How long an entry that does not verify is kept"),
    SWITCH_ROW("enable_cache", "ENABLE_CACHE",
               "Answer from the cache; without, the master is asked for every answer"),
    SWITCH_ROW("enable_background_sync", "ENABLE_BACKGROUND_SYNC",
               "Sync in the interval and when a stale answer is given"),
    SWITCH_ROW("enable_cache_cleanup", "ENABLE_CACHE_CLEANUP",
               "Remove entries that have not verified for long"),
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
