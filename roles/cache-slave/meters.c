#include "roles/cache-slave/meters.h"

#include "roles/cache-slave/cache_slave.h"

static struct metric *counter(struct metrics *metrics, const char *name, const char *help) {
    return metrics_counter(metrics, name, help, "role", CACHE_SLAVE_NAME, NULL);
}

static struct metric *gauge(struct metrics *metrics, const char *name, const char *help) {
    return metrics_gauge(metrics, name, help, "role", CACHE_SLAVE_NAME, NULL);
}

static void register_by_name(struct slave_meters *meters, struct metrics *metrics) {
    for (int i = 0; i < CACHE_BASIS_COUNT; i++)
        meters->answers[i] = metrics_counter(
            metrics, "lsys_cache_answers_total", "Answers by what they rest on.", "role",
            CACHE_SLAVE_NAME, "basis", cache_basis_name((enum cache_basis)i), NULL);
    for (int i = 0; i < CACHE_OUTCOME_COUNT; i++)
        meters->syncs[i] = metrics_counter(
            metrics, "lsys_cache_syncs_total", "Tries of a sync by outcome.", "role",
            CACHE_SLAVE_NAME, "outcome", cache_outcome_name((enum cache_outcome)i), NULL);
    for (int i = 0; i < CACHE_STATE_COUNT; i++)
        meters->states[i] = metrics_gauge(
            metrics, "lsys_cache_state", "1 for the state of the current license.", "role",
            CACHE_SLAVE_NAME, "state", cache_state_name((enum cache_state)i), NULL);
}

void slave_meters_register(struct slave_meters *meters, struct metrics *metrics) {
    register_by_name(meters, metrics);
    meters->hits = counter(metrics, "lsys_cache_hits_total", "Answers from memory.");
    meters->misses = counter(metrics, "lsys_cache_misses_total",
                             "Answers that waited for the master, or had to do without.");
    meters->hit_ratio =
        gauge(metrics, "lsys_cache_hit_ratio", "Hits among all answers since the start; 1 before.");
    meters->sync_seconds_sum = counter(metrics, "lsys_cache_sync_duration_seconds_sum",
                                       "Time that tries of a sync took, all in all.");
    meters->sync_seconds_count =
        counter(metrics, "lsys_cache_sync_duration_seconds_count", "Tries that were timed.");
    meters->age_seconds = gauge(metrics, "lsys_cache_age_seconds",
                                "Time since the master's last confirmation; -1: never.");
    meters->expires_in_seconds =
        gauge(metrics, "lsys_cache_license_expires_in_seconds",
              "Time until the current license expires; negative after; absent license: 0.");
    meters->licenses = gauge(metrics, "lsys_cache_licenses", "Licenses held.");
    meters->lost = gauge(metrics, "lsys_cache_damaged_licenses",
                         "Licenses found damaged and not fetched again yet.");
    meters->refused = counter(metrics, "lsys_cache_refused_licenses_total",
                              "Licenses from the master that were refused.");
    metric_set(meters->hit_ratio, 1);
}

void slave_meters_answer(struct slave_meters *meters, enum cache_state state,
                         enum cache_basis basis, bool waited) {
    bool hit = !waited && state != CACHE_FAILED;
    metric_increment(hit ? meters->hits : meters->misses);
    metric_increment(meters->answers[basis]);
    metric_set(meters->hit_ratio,
               meters->hits->value / (meters->hits->value + meters->misses->value));
}

void slave_meters_sync(struct slave_meters *meters, enum cache_outcome outcome,
                       int64_t duration_ms) {
    metric_increment(meters->syncs[outcome]);
    meters->sync_seconds_sum->value += (double)duration_ms / 1000;
    metric_increment(meters->sync_seconds_count);
}
