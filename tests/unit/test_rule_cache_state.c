/* rules/cache_state: every state at its exact edges, every basis, the cleanup. */
#include "tests/lib/unit.h"

#include <string.h>

#include "rules/cache_state.h"

/* The defaults of DESIGN: half an hour, and two hours of grace. */
static const struct cache_ages ages = {.ttl_ms = 1800000, .grace_ms = 7200000};

static void exact_edges(void **state) {
    static const struct {
        int64_t age_ms;
        enum cache_state expected;
    } rows[] = {
        {-5, CACHE_SYNCED},
        {0, CACHE_SYNCED},
        {1800000, CACHE_SYNCED},
        {1800001, CACHE_STALE},
        {9000000, CACHE_STALE},
        {9000001, CACHE_FAILED},
        {INT64_MAX - 1, CACHE_FAILED},
        {CACHE_NEVER_CONFIRMED, CACHE_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(cache_state_judge(&ages, rows[i].age_ms, LICENSE_VALID), rows[i].expected);
}

static void only_expired_is_expired(void **state) {
    (void)state;
    for (int i = 0; i < LICENSE_STATUS_COUNT; i++) {
        enum license_status license = (enum license_status)i;
        enum cache_state young = cache_state_judge(&ages, 1, license);
        enum cache_state never = cache_state_judge(&ages, CACHE_NEVER_CONFIRMED, license);
        assert_int_equal(young, license == LICENSE_EXPIRED ? CACHE_EXPIRED : CACHE_SYNCED);
        assert_int_equal(never, license == LICENSE_EXPIRED ? CACHE_EXPIRED : CACHE_FAILED);
    }
}

static void the_wait_ends_exactly_at_the_change(void **state) {
    static const int64_t moments[] = {0, 1, 1799999, 1800000, 1800001, 8999999, 9000000};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        int64_t wait_ms = cache_state_wait_ms(&ages, moments[i]);
        enum cache_state before = cache_state_judge(&ages, moments[i], LICENSE_VALID);
        assert_int_equal(cache_state_judge(&ages, moments[i] + wait_ms - 1, LICENSE_VALID), before);
        assert_int_not_equal(cache_state_judge(&ages, moments[i] + wait_ms, LICENSE_VALID), before);
    }
    assert_int_equal(cache_state_wait_ms(&ages, 9000001), LICENSE_NEVER);
    assert_int_equal(cache_state_wait_ms(&ages, CACHE_NEVER_CONFIRMED), LICENSE_NEVER);
}

static void huge_settings_do_not_overflow(void **state) {
    const struct cache_ages forever = {.ttl_ms = INT64_MAX - 10, .grace_ms = INT64_MAX - 10};
    (void)state;
    assert_int_equal(cache_state_judge(&forever, INT64_MAX - 1, LICENSE_VALID), CACHE_STALE);
    assert_true(cache_state_wait_ms(&forever, 0) > 0);
}

static void no_cache_means_no_age(void **state) {
    const struct cache_ages none = {.ttl_ms = 0, .grace_ms = 0};
    (void)state;
    assert_int_equal(cache_state_judge(&none, 0, LICENSE_VALID), CACHE_SYNCED);
    assert_int_equal(cache_state_judge(&none, 1, LICENSE_VALID), CACHE_FAILED);
}

/* What the table of the header says, in other words. */
static enum cache_basis expected_basis(enum cache_state state, enum license_status license,
                                       bool development) {
    bool grants = license_status_grants(license);
    if (grants && state == CACHE_SYNCED) return CACHE_ON_MASTER;
    if (grants && state == CACHE_STALE) return CACHE_ON_CACHE;
    if (development && state == CACHE_FAILED && (grants || license == LICENSE_MISSING))
        return CACHE_ON_DEVELOPMENT;
    return CACHE_ON_COMMUNITY;
}

static void every_basis(void **unused) {
    (void)unused;
    for (int s = 0; s < CACHE_STATE_COUNT; s++)
        for (int l = 0; l < LICENSE_STATUS_COUNT; l++)
            for (int d = 0; d < LICENSE_STATUS_COUNT; d++) {
                enum license_status development = (enum license_status)d;
                enum cache_basis basis =
                    cache_basis_choose((enum cache_state)s, (enum license_status)l, development);
                enum cache_basis expected =
                    expected_basis((enum cache_state)s, (enum license_status)l,
                                   license_status_grants(development));
                if (basis != expected)
                    fail_msg("%s, %s, development %s: %s", cache_state_name((enum cache_state)s),
                             license_status_word((enum license_status)l),
                             license_status_word(development), cache_basis_name(basis));
            }
}

static void what_has_ended_gets_no_fallback(void **state) {
    (void)state;
    assert_int_equal(cache_basis_choose(CACHE_EXPIRED, LICENSE_EXPIRED, LICENSE_VALID),
                     CACHE_ON_COMMUNITY);
    assert_int_equal(cache_basis_choose(CACHE_FAILED, LICENSE_REVOKED, LICENSE_VALID),
                     CACHE_ON_COMMUNITY);
}

static void cleanup_keeps_the_last_good_one(void **state) {
    const int64_t day_ms = 86400000;
    struct cache_leftover entry = {.failed = true, .failed_for_ms = day_ms + 1};
    (void)state;
    assert_true(cache_cleanup_removes(&entry, day_ms));
    entry.failed_for_ms = day_ms;
    assert_false(cache_cleanup_removes(&entry, day_ms));
    entry = (struct cache_leftover){.failed = true, .failed_for_ms = INT64_MAX, .last_good = true};
    assert_false(cache_cleanup_removes(&entry, day_ms));
    entry = (struct cache_leftover){.failed = false, .failed_for_ms = INT64_MAX};
    assert_false(cache_cleanup_removes(&entry, day_ms));
}

static void names(void **state) {
    (void)state;
    assert_string_equal(cache_state_name(CACHE_SYNCED), "synced");
    assert_string_equal(cache_state_name(CACHE_STALE), "stale");
    assert_string_equal(cache_state_name(CACHE_FAILED), "failed");
    assert_string_equal(cache_state_name(CACHE_EXPIRED), "expired");
    assert_string_equal(cache_basis_name(CACHE_ON_COMMUNITY), "community");
    assert_string_equal(cache_basis_name(CACHE_ON_DEVELOPMENT), "development");
    assert_string_equal(cache_basis_name(CACHE_ON_CACHE), "cache");
    assert_string_equal(cache_basis_name(CACHE_ON_MASTER), "master");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_edges),
        cmocka_unit_test(only_expired_is_expired),
        cmocka_unit_test(the_wait_ends_exactly_at_the_change),
        cmocka_unit_test(huge_settings_do_not_overflow),
        cmocka_unit_test(no_cache_means_no_age),
        cmocka_unit_test(every_basis),
        cmocka_unit_test(what_has_ended_gets_no_fallback),
        cmocka_unit_test(cleanup_keeps_the_last_good_one),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
