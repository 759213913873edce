/* rules/cache_sync: every row of its table, the schedule of tries, and who may begin when. */
#include "tests/lib/unit.h"

#include "rules/cache_sync.h"

static const struct cache_sync_settings defaults = {
    .interval_ms = 900000, .retry_delay_ms = 5000, .max_retries = 3, .background = true};

static struct cache_sync idle_at(int64_t now_ms) {
    struct cache_sync sync;
    cache_sync_init(&sync, &defaults, now_ms);
    return sync;
}

/* A sync whose last try ended with `outcome` at `now_ms`, with no tries left. */
static struct cache_sync gave_up(enum cache_outcome outcome, int64_t now_ms) {
    struct cache_sync sync = idle_at(now_ms);
    assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, now_ms));
    sync.failures = sync.settings.max_retries;
    assert_true(cache_sync_ended(&sync, outcome, 0, 0, now_ms));
    return sync;
}

static void one_flight_for_everybody(void **state) {
    struct cache_sync sync = idle_at(1000);
    (void)state;
    assert_true(cache_sync_begin(&sync, CACHE_BY_HIT, 1000));
    for (int i = 0; i < 1000; i++) {
        assert_false(cache_sync_begin(&sync, CACHE_BY_DEMAND, 1000));
        assert_int_equal(sync.phase, CACHE_SYNC_RUNNING);
    }
    assert_false(cache_sync_begin(&sync, CACHE_BY_HAND, 1000));
    assert_int_equal(cache_sync_wait_ms(&sync, 1000), LICENSE_NEVER);
}

static void a_confirmation_waits_for_the_interval(void **state) {
    struct cache_sync sync = idle_at(0);
    (void)state;
    assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, 0));
    assert_true(cache_sync_ended(&sync, CACHE_CONFIRMED, 0, 7, 100));
    assert_int_equal(sync.phase, CACHE_SYNC_IDLE);
    assert_int_equal(cache_sync_wait_ms(&sync, 100), 900000);
    assert_false(cache_sync_begin(&sync, CACHE_BY_TIMER, 900099));
    assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, 900100));
}

static void tries_double_and_then_end(void **state) {
    struct cache_sync sync = idle_at(0);
    int64_t now_ms = 0;
    (void)state;
    assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, now_ms));
    for (int n = 0; n < 3; n++) {
        assert_false(cache_sync_ended(&sync, CACHE_UNREACHABLE, 0, 0, now_ms));
        assert_int_equal(sync.phase, CACHE_SYNC_WAITING);
        assert_int_equal(cache_sync_wait_ms(&sync, now_ms), 5000 << n);
        now_ms += (5000 << n) - 1;
        assert_false(cache_sync_resume(&sync, now_ms));
        assert_true(cache_sync_resume(&sync, ++now_ms));
    }
    assert_true(cache_sync_ended(&sync, CACHE_UNREACHABLE, 0, 0, now_ms));
    assert_int_equal(sync.phase, CACHE_SYNC_IDLE);
    assert_int_equal(cache_sync_wait_ms(&sync, now_ms), 40000); /* the pause: delay * 2^3 */
}

static void jitter_only_adds_and_is_bounded(void **state) {
    (void)state;
    for (uint64_t random = 0; random < 5000; random += 13) {
        struct cache_sync sync = idle_at(0);
        assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, 0));
        assert_false(cache_sync_ended(&sync, CACHE_TIMED_OUT, 0, random, 0));
        assert_in_range(sync.due_at_ms, 5000, 6250);
    }
}

static void what_may_pass(void **state) {
    static const bool expected[CACHE_OUTCOME_COUNT] = {
        [CACHE_SERVER_ERROR] = true,
        [CACHE_THROTTLED] = true,
        [CACHE_TIMED_OUT] = true,
        [CACHE_UNREACHABLE] = true,
    };
    (void)state;
    for (int i = 0; i < CACHE_OUTCOME_COUNT; i++) {
        enum cache_outcome outcome = (enum cache_outcome)i;
        struct cache_sync sync = idle_at(0);
        assert_int_equal(cache_outcome_may_pass(outcome), expected[i]);
        assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, 0));
        assert_int_equal(cache_sync_ended(&sync, outcome, 0, 0, 0), !expected[i]);
    }
}

static void a_refused_key_waits_for_the_interval_and_for_hands(void **state) {
    struct cache_sync sync = gave_up(CACHE_REFUSED_KEY, 0);
    (void)state;
    assert_int_equal(cache_sync_wait_ms(&sync, 0), 900000);
    assert_false(cache_sync_begin(&sync, CACHE_BY_HIT, 899999));
    assert_false(cache_sync_begin(&sync, CACHE_BY_DEMAND, 899999));
    assert_true(cache_sync_begin(&sync, CACHE_BY_HAND, 1));
}

static void a_dead_master_is_asked_once_a_rest(void **state) {
    struct cache_sync sync = gave_up(CACHE_UNREACHABLE, 0);
    (void)state;
    assert_false(cache_sync_begin(&sync, CACHE_BY_DEMAND, 4999));
    assert_true(cache_sync_begin(&sync, CACHE_BY_DEMAND, 5000));
}

static void retry_after_is_honoured_and_bounded(void **state) {
    struct cache_sync sync = idle_at(0);
    (void)state;
    assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, 0));
    assert_false(cache_sync_ended(&sync, CACHE_THROTTLED, 30000, 0, 0));
    assert_int_equal(sync.due_at_ms, 30000);
    assert_true(cache_sync_resume(&sync, 30000));
    assert_false(cache_sync_ended(&sync, CACHE_THROTTLED, INT64_MAX, 0, 30000));
    assert_int_equal(sync.due_at_ms, 30000 + CACHE_RETRY_AFTER_MAX_MS);
    assert_true(cache_sync_resume(&sync, sync.due_at_ms));
    sync.failures = 3;
    assert_true(cache_sync_ended(&sync, CACHE_THROTTLED, 60000, 0, 0));
    assert_int_equal(sync.due_at_ms, 60000);
    assert_false(cache_sync_begin(&sync, CACHE_BY_DEMAND, 59999));
}

static void hands_and_push_do_not_wait(void **state) {
    static const enum cache_trigger patient[] = {CACHE_BY_TIMER, CACHE_BY_HIT, CACHE_BY_DEMAND};
    static const enum cache_trigger at_once[] = {CACHE_BY_PUSH, CACHE_BY_HAND};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(at_once); i++) {
        struct cache_sync sync = idle_at(0);
        assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, 0));
        assert_false(cache_sync_ended(&sync, CACHE_UNREACHABLE, 0, 0, 0));
        for (size_t j = 0; j < COUNT_OF(patient); j++)
            assert_false(cache_sync_begin(&sync, patient[j], 100000));
        assert_int_equal(sync.phase, CACHE_SYNC_WAITING);
        assert_true(cache_sync_begin(&sync, at_once[i], 1));
        assert_int_equal(sync.failures, 0);
    }
}

static void without_background_only_demand_and_hands(void **state) {
    struct cache_sync_settings settings = defaults;
    struct cache_sync sync;
    (void)state;
    settings.background = false;
    cache_sync_init(&sync, &settings, 0);
    assert_int_equal(cache_sync_wait_ms(&sync, 0), LICENSE_NEVER);
    assert_false(cache_sync_begin(&sync, CACHE_BY_TIMER, 1));
    assert_false(cache_sync_begin(&sync, CACHE_BY_HIT, 1));
    assert_true(cache_sync_begin(&sync, CACHE_BY_DEMAND, 1));
    assert_false(cache_sync_ended(&sync, CACHE_UNREACHABLE, 0, 0, 1));
    assert_int_equal(cache_sync_wait_ms(&sync, 1), 5000);
}

static void absurd_settings_do_not_overflow(void **state) {
    const struct cache_sync_settings absurd = {.interval_ms = INT64_MAX,
                                               .retry_delay_ms = INT64_MAX / 2,
                                               .max_retries = INT64_MAX,
                                               .background = true};
    struct cache_sync sync;
    (void)state;
    cache_sync_init(&sync, &absurd, 1000);
    assert_true(cache_sync_begin(&sync, CACHE_BY_TIMER, 1000));
    for (int i = 0; i < 40; i++) {
        assert_false(cache_sync_ended(&sync, CACHE_SERVER_ERROR, INT64_MAX, UINT64_MAX, 1000));
        assert_true(sync.due_at_ms > 1000);
        assert_true(cache_sync_resume(&sync, sync.due_at_ms));
    }
}

static void http_codes(void **state) {
    static const struct {
        int http;
        enum cache_outcome outcome;
    } rows[] = {
        {200, CACHE_CONFIRMED},    {304, CACHE_CONFIRMED},    {401, CACHE_REFUSED_KEY},
        {403, CACHE_REFUSED_KEY},  {409, CACHE_CONFLICT},     {429, CACHE_THROTTLED},
        {500, CACHE_SERVER_ERROR}, {503, CACHE_SERVER_ERROR}, {599, CACHE_SERVER_ERROR},
        {204, CACHE_GARBAGE},      {301, CACHE_GARBAGE},      {400, CACHE_GARBAGE},
        {404, CACHE_GARBAGE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(cache_outcome_of_http(rows[i].http), rows[i].outcome);
}

/* Whoever can publish on the bus can neither break the pause after a failure nor a Retry-After. */
static void a_hint_is_no_push(void **state) {
    struct cache_sync sync = idle_at(0);
    (void)state;
    assert_true(cache_sync_begin(&sync, CACHE_BY_HINT, 0));
    assert_false(cache_sync_ended(&sync, CACHE_THROTTLED, 60000, 0, 0));
    assert_false(cache_sync_begin(&sync, CACHE_BY_HINT, 1000));
    assert_int_equal(sync.phase, CACHE_SYNC_WAITING);
    assert_true(cache_sync_begin(&sync, CACHE_BY_PUSH, 1000));
    sync = gave_up(CACHE_UNREACHABLE, 0);
    assert_false(cache_sync_begin(&sync, CACHE_BY_HINT, 4999));
    assert_true(cache_sync_begin(&sync, CACHE_BY_HINT, 5000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_flight_for_everybody),
        cmocka_unit_test(a_hint_is_no_push),
        cmocka_unit_test(a_confirmation_waits_for_the_interval),
        cmocka_unit_test(tries_double_and_then_end),
        cmocka_unit_test(jitter_only_adds_and_is_bounded),
        cmocka_unit_test(what_may_pass),
        cmocka_unit_test(a_refused_key_waits_for_the_interval_and_for_hands),
        cmocka_unit_test(a_dead_master_is_asked_once_a_rest),
        cmocka_unit_test(retry_after_is_honoured_and_bounded),
        cmocka_unit_test(hands_and_push_do_not_wait),
        cmocka_unit_test(without_background_only_demand_and_hands),
        cmocka_unit_test(absurd_settings_do_not_overflow),
        cmocka_unit_test(http_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
