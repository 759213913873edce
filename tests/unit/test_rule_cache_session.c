/* rules/cache_session: every row of its tables. */
#include "tests/lib/unit.h"

#include "rules/cache_session.h"

#define LIFETIME_MS 900000

static struct cache_session made_at(int64_t now_ms) {
    struct cache_session session;
    cache_session_init(&session, now_ms);
    cache_session_made(&session, LIFETIME_MS, now_ms);
    return session;
}

static void begins_with_making_one(void **state) {
    struct cache_session session;
    (void)state;
    cache_session_init(&session, 5);
    assert_int_equal(cache_session_next(&session, 5), CACHE_MAKE_SESSION);
}

static void is_shown_until_just_before_its_end(void **state) {
    struct cache_session session = made_at(1000);
    int64_t renewal_ms = 1000 + LIFETIME_MS - CACHE_SESSION_MARGIN_MAX_MS;
    (void)state;
    assert_int_equal(cache_session_next(&session, 1000), CACHE_SHOW_SESSION);
    assert_int_equal(cache_session_next(&session, renewal_ms - 1), CACHE_SHOW_SESSION);
    assert_int_equal(cache_session_next(&session, renewal_ms), CACHE_MAKE_SESSION);
}

static void a_short_one_has_a_short_margin(void **state) {
    struct cache_session session;
    (void)state;
    cache_session_init(&session, 0);
    cache_session_made(&session, 1000, 0);
    assert_int_equal(cache_session_next(&session, 899), CACHE_SHOW_SESSION);
    assert_int_equal(cache_session_next(&session, 900), CACHE_MAKE_SESSION);
}

static void a_lifetime_that_is_none_is_no_session(void **state) {
    static const int64_t lifetimes[] = {0, -1, INT64_MIN};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lifetimes); i++) {
        struct cache_session session;
        cache_session_init(&session, 0);
        cache_session_made(&session, lifetimes[i], 0);
        assert_int_equal(cache_session_next(&session, 0), CACHE_SHOW_KEY);
    }
}

static void a_lifetime_without_end_has_one(void **state) {
    struct cache_session session;
    (void)state;
    cache_session_init(&session, 0);
    cache_session_made(&session, INT64_MAX, 7);
    assert_int_equal(cache_session_next(&session, CACHE_SESSION_LIFETIME_MAX_MS + 7),
                     CACHE_MAKE_SESSION);
}

static void a_master_without_sessions_gets_the_key(void **state) {
    struct cache_session session;
    (void)state;
    cache_session_init(&session, 0);
    cache_session_denied(&session, false, 10);
    assert_int_equal(cache_session_next(&session, 10 + CACHE_SESSION_ABSENT_MS - 1),
                     CACHE_SHOW_KEY);
    assert_int_equal(cache_session_next(&session, 10 + CACHE_SESSION_ABSENT_MS),
                     CACHE_MAKE_SESSION);
    cache_session_denied(&session, true, 10);
    assert_int_equal(cache_session_next(&session, 10 + CACHE_SESSION_FULL_MS), CACHE_MAKE_SESSION);
}

static void a_refused_one_is_made_anew_once(void **state) {
    struct cache_session session = made_at(0);
    (void)state;
    assert_true(cache_session_refused(&session));
    assert_int_equal(cache_session_next(&session, 1), CACHE_MAKE_SESSION);
    cache_session_made(&session, LIFETIME_MS, 1);
    assert_false(cache_session_refused(&session));
    /* The next try begins anew, also when no page came between. */
    cache_session_made(&session, LIFETIME_MS, 2);
    assert_true(cache_session_refused(&session));
    cache_session_made(&session, LIFETIME_MS, 3);
    cache_session_worked(&session);
    assert_true(cache_session_refused(&session));
}

static void a_refusal_elsewhere_does_not_count(void **state) {
    struct cache_session session = made_at(0);
    (void)state;
    cache_session_forget(&session);
    assert_int_equal(cache_session_next(&session, 1), CACHE_MAKE_SESSION);
    assert_true(cache_session_refused(&session));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_making_one),
        cmocka_unit_test(is_shown_until_just_before_its_end),
        cmocka_unit_test(a_short_one_has_a_short_margin),
        cmocka_unit_test(a_lifetime_that_is_none_is_no_session),
        cmocka_unit_test(a_lifetime_without_end_has_one),
        cmocka_unit_test(a_master_without_sessions_gets_the_key),
        cmocka_unit_test(a_refused_one_is_made_anew_once),
        cmocka_unit_test(a_refusal_elsewhere_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
