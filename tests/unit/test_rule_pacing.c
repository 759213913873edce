/* rules/backoff, rate_limit and heartbeat_sequence: how often, how fast, in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/backoff.h"
#include "rules/heartbeat_sequence.h"
#include "rules/rate_limit.h"

static void backoff_doubles_up_to_its_cap(void **state) {
    (void)state;
    const int64_t longest[] = {100, 200, 400, 800, 1000, 1000, 1000};
    struct backoff lowest;
    struct backoff highest;
    backoff_init(&lowest, 100, 1000);
    backoff_init(&highest, 100, 1000);
    for (size_t i = 0; i < sizeof longest / sizeof longest[0]; i++) {
        int64_t range = longest[i] / 2 + 1;
        assert_int_equal(backoff_failed(&lowest, 0), longest[i] / 2);
        assert_int_equal(backoff_failed(&highest, (uint64_t)range - 1), longest[i]);
    }
    backoff_succeeded(&lowest);
    assert_int_equal(backoff_failed(&lowest, 0), 50);
}

static void backoff_stays_within_bounds_for_ever(void **state) {
    (void)state;
    struct backoff backoff;
    backoff_init(&backoff, 1, INT64_MAX);
    for (int i = 0; i < 200; i++) {
        int64_t delay = backoff_failed(&backoff, UINT64_MAX - (uint64_t)i);
        assert_true(delay >= 0);
    }
    backoff.failures = UINT32_MAX;
    assert_true(backoff_failed(&backoff, 1) > 0);
    assert_int_equal(backoff.failures, UINT32_MAX);
}

static void backoff_mends_senseless_bounds(void **state) {
    (void)state;
    struct backoff backoff;
    backoff_init(&backoff, -5, -10);
    for (int i = 0; i < 5; i++)
        assert_in_range(backoff_failed(&backoff, (uint64_t)i), 0, 1);
    backoff_init(&backoff, 500, 100);
    assert_in_range(backoff_failed(&backoff, 7), 250, 500);
}

static void rate_limit_allows_the_burst_then_the_rate(void **state) {
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 50, 50, 1000);
    for (int i = 0; i < 50; i++)
        assert_true(rate_limit_take(&limit, 1000));
    assert_false(rate_limit_take(&limit, 1000));
    assert_int_equal(rate_limit_wait_ms(&limit, 1000), 20);
    assert_false(rate_limit_take(&limit, 1019));
    assert_true(rate_limit_take(&limit, 1020));
    assert_false(rate_limit_take(&limit, 1020));
    for (int i = 0; i < 50; i++)
        assert_true(rate_limit_take(&limit, 2020));
    assert_false(rate_limit_take(&limit, 2020));
}

static void rate_limit_holds_over_any_second(void **state) {
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 50, 1, 0);
    int allowed = 0;
    for (int64_t now = 0; now < 10000; now++)
        for (int i = 0; i < 3; i++)
            allowed += rate_limit_take(&limit, now);
    assert_in_range(allowed, 499, 501);
}

static void rate_limit_survives_strange_clocks(void **state) {
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 10, 1, 1000);
    assert_true(rate_limit_take(&limit, 1000));
    assert_false(rate_limit_take(&limit, 0));
    assert_false(rate_limit_take(&limit, INT64_MIN));
    assert_true(rate_limit_take(&limit, INT64_MAX));
    assert_false(rate_limit_take(&limit, INT64_MAX));
    rate_limit_init(&limit, INT64_MAX, INT64_MIN, INT64_MIN);
    assert_true(rate_limit_take(&limit, INT64_MAX));
    assert_int_equal(rate_limit_wait_ms(&limit, INT64_MAX), 1);
}

static void sequence_grows_over_starts_and_messages(void **state) {
    (void)state;
    struct heartbeat_sequence sequence;
    int64_t last = 0;
    for (int64_t starts = 0; starts < 5; starts++) {
        assert_true(heartbeat_sequence_start(&sequence, starts));
        assert_int_equal(sequence.starts, starts + 1);
        for (int i = 0; i < 3; i++) {
            int64_t seq;
            assert_true(heartbeat_sequence_next(&sequence, &seq));
            assert_true(seq > last && heartbeat_sequence_is_plausible(seq));
            last = seq;
        }
    }
    assert_true(last == 5 * 4294967296 + 3);
}

static void sequence_ends_before_it_would_repeat(void **state) {
    (void)state;
    struct heartbeat_sequence sequence;
    int64_t seq;
    assert_false(heartbeat_sequence_start(&sequence, -1));
    assert_false(heartbeat_sequence_start(&sequence, HEARTBEAT_STARTS_LIMIT - 1));
    assert_false(heartbeat_sequence_start(&sequence, INT64_MAX));
    assert_true(heartbeat_sequence_start(&sequence, HEARTBEAT_STARTS_LIMIT - 2));
    sequence.messages = HEARTBEAT_MESSAGES_PER_START - 2;
    assert_true(heartbeat_sequence_next(&sequence, &seq));
    assert_true(seq == HEARTBEAT_SEQUENCE_LIMIT - 1);
    assert_false(heartbeat_sequence_next(&sequence, &seq));
}

static void sequence_grows_over_starts_that_no_disk_kept(void **state) {
    (void)state;
    struct heartbeat_sequence sequence;
    int64_t last = 0;
    int64_t seq;
    for (int64_t now_s = 1700000000; now_s < 1700000300; now_s += 100) {
        assert_true(heartbeat_sequence_start_uncommitted(&sequence, 4, now_s));
        for (int i = 0; i < 5; i++) {
            assert_true(heartbeat_sequence_next(&sequence, &seq));
            assert_true(seq > last);
            last = seq;
        }
    }
    assert_true(heartbeat_sequence_start(&sequence, 5)); /* the disk is back */
    assert_true(heartbeat_sequence_next(&sequence, &seq));
    assert_true(seq > last);
    assert_true(heartbeat_sequence_start_uncommitted(&sequence, 4, INT64_MAX));
    assert_true(heartbeat_sequence_start_uncommitted(&sequence, 4, INT64_MIN));
    assert_true(heartbeat_sequence_next(&sequence, &seq));
    assert_false(heartbeat_sequence_start_uncommitted(&sequence, -1, 1));
}

static void implausible_numbers_are_known(void **state) {
    (void)state;
    assert_false(heartbeat_sequence_is_plausible(0));
    assert_false(heartbeat_sequence_is_plausible(-1));
    assert_false(heartbeat_sequence_is_plausible(INT64_MIN));
    assert_true(heartbeat_sequence_is_plausible(1));
    assert_true(heartbeat_sequence_is_plausible(9007199254740991));
    assert_false(heartbeat_sequence_is_plausible(9007199254740992));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_up_to_its_cap),
        cmocka_unit_test(backoff_stays_within_bounds_for_ever),
        cmocka_unit_test(backoff_mends_senseless_bounds),
        cmocka_unit_test(rate_limit_allows_the_burst_then_the_rate),
        cmocka_unit_test(rate_limit_holds_over_any_second),
        cmocka_unit_test(rate_limit_survives_strange_clocks),
        cmocka_unit_test(sequence_grows_over_starts_and_messages),
        cmocka_unit_test(sequence_ends_before_it_would_repeat),
        cmocka_unit_test(sequence_grows_over_starts_that_no_disk_kept),
        cmocka_unit_test(implausible_numbers_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
