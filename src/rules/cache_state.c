#include "rules/cache_state.h"

/* TTL + grace, or the largest number there is. */
static int64_t end_of_grace_ms(const struct cache_ages *ages) {
    return ages->grace_ms > INT64_MAX - ages->ttl_ms ? INT64_MAX : ages->ttl_ms + ages->grace_ms;
}

enum cache_state cache_state_judge(const struct cache_ages *ages, int64_t age_ms,
                                   enum license_status license) {
    if (license == LICENSE_EXPIRED) return CACHE_EXPIRED;
    if (age_ms == CACHE_NEVER_CONFIRMED) return CACHE_FAILED;
    if (age_ms <= ages->ttl_ms || age_ms < 0) return CACHE_SYNCED;
    return age_ms <= end_of_grace_ms(ages) ? CACHE_STALE : CACHE_FAILED;
}

int64_t cache_state_wait_ms(const struct cache_ages *ages, int64_t age_ms) {
    int64_t last_ms = end_of_grace_ms(ages);
    if (age_ms == CACHE_NEVER_CONFIRMED || age_ms > last_ms) return LICENSE_NEVER;
    if (age_ms < 0) age_ms = 0;
    int64_t edge_ms = age_ms <= ages->ttl_ms ? ages->ttl_ms : last_ms;
    return edge_ms - age_ms == INT64_MAX ? LICENSE_NEVER : edge_ms - age_ms + 1;
}

const char *cache_state_name(enum cache_state state) {
    static const char *const names[] = {"failed", "stale", "synced", "expired"};
    return names[state];
}

enum cache_basis cache_basis_choose(enum cache_state state, enum license_status license,
                                    enum license_status development) {
    bool grants = license_status_grants(license);
    if (state == CACHE_SYNCED && grants) return CACHE_ON_MASTER;
    if (state == CACHE_STALE && grants) return CACHE_ON_CACHE;
    if (state == CACHE_FAILED && (grants || license == LICENSE_MISSING) &&
        license_status_grants(development))
        return CACHE_ON_DEVELOPMENT;
    return CACHE_ON_COMMUNITY;
}

const char *cache_basis_name(enum cache_basis basis) {
    static const char *const names[] = {"community", "development", "cache", "master"};
    return names[basis];
}

bool cache_cleanup_removes(const struct cache_leftover *entry, int64_t failed_max_age_ms) {
    return entry->failed && !entry->last_good && entry->failed_for_ms > failed_max_age_ms;
}
