/* rules/hint_pace: every row of its table, and what a flood of hints comes to. */
#include "tests/lib/unit.h"

#include "rules/hint_pace.h"

static struct hint_pace pace_at(int64_t now_ms) {
    struct hint_pace pace;
    hint_pace_init(&pace, now_ms);
    return pace;
}

static void a_hint_is_followed_at_once(void **state) {
    struct hint_pace pace = pace_at(5);
    (void)state;
    assert_int_equal(hint_pace_wait_ms(&pace, 5), -1);
    assert_false(hint_pace_take(&pace, 5));
    hint_pace_heard(&pace);
    hint_pace_heard(&pace);
    assert_int_equal(hint_pace_wait_ms(&pace, 5), 0);
    assert_true(hint_pace_take(&pace, 5));
    assert_false(hint_pace_take(&pace, 5));
}

static void what_is_heard_during_a_pull_is_one_more(void **state) {
    struct hint_pace pace = pace_at(0);
    (void)state;
    hint_pace_heard(&pace);
    assert_true(hint_pace_take(&pace, 0));
    hint_pace_heard(&pace);
    assert_int_equal(hint_pace_wait_ms(&pace, 10), -1);
    hint_pace_ended(&pace, true, 0, 10);
    assert_int_equal(hint_pace_wait_ms(&pace, 10), HINT_PACE_NEWS_MS);
    assert_false(hint_pace_take(&pace, 9 + HINT_PACE_NEWS_MS));
    assert_true(hint_pace_take(&pace, 10 + HINT_PACE_NEWS_MS));
}

static void a_pull_of_another_cause_changes_nothing(void **state) {
    struct hint_pace pace = pace_at(0);
    (void)state;
    hint_pace_ended(&pace, false, 0, 10);
    hint_pace_heard(&pace);
    assert_true(hint_pace_take(&pace, 10));
}

static void what_came_otherwise_is_not_pulled(void **state) {
    struct hint_pace pace = pace_at(0);
    (void)state;
    hint_pace_heard(&pace);
    hint_pace_satisfied(&pace);
    assert_false(hint_pace_take(&pace, 0));
}

/* A hint a millisecond for an hour, none of them true. */
static void a_flood_is_followed_less_and_less(void **state) {
    struct hint_pace pace = pace_at(0);
    int pulls = 0, first_minute = 0;
    (void)state;
    for (int64_t now_ms = 0; now_ms < 3600000; now_ms++) {
        hint_pace_heard(&pace);
        if (!hint_pace_take(&pace, now_ms)) continue;
        pulls++;
        if (now_ms < 60000) first_minute++;
        hint_pace_ended(&pace, false, 0, now_ms);
    }
    assert_in_range(first_minute, 2, 8);
    assert_in_range(pulls, 60, 130);
}

static void news_end_the_growing_pause(void **state) {
    struct hint_pace pace = pace_at(0);
    (void)state;
    int64_t now_ms = 0;
    for (int i = 0; i < 10; i++) {
        hint_pace_heard(&pace);
        now_ms += hint_pace_wait_ms(&pace, now_ms);
        assert_true(hint_pace_take(&pace, now_ms));
        hint_pace_ended(&pace, i == 9, UINT64_MAX, now_ms);
    }
    hint_pace_heard(&pace);
    assert_int_equal(hint_pace_wait_ms(&pace, now_ms), HINT_PACE_NEWS_MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hint_is_followed_at_once),
        cmocka_unit_test(what_is_heard_during_a_pull_is_one_more),
        cmocka_unit_test(a_pull_of_another_cause_changes_nothing),
        cmocka_unit_test(what_came_otherwise_is_not_pulled),
        cmocka_unit_test(a_flood_is_followed_less_and_less),
        cmocka_unit_test(news_end_the_growing_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
