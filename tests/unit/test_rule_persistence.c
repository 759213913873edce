/* rules/persistence: when a change is news, and when the disk is tried again. */
#include "tests/lib/unit.h"

#include "rules/persistence.h"

/* The longest wait that the backoff's jitter allows. */
#define LONGEST (UINT64_MAX)

static void durable_is_quiet(void **state) {
    (void)state;
    struct persistence persistence;
    persistence_init(&persistence, 100);
    assert_false(persistence_observe(&persistence, PERSISTENCE_DURABLE, 200, 0));
    assert_int_equal(persistence.since_ms, 100);
}

static void each_change_is_told_once(void **state) {
    (void)state;
    struct persistence persistence;
    persistence_init(&persistence, 0);
    assert_true(persistence_observe(&persistence, PERSISTENCE_REFUSED, 1000, 0));
    assert_false(persistence_observe(&persistence, PERSISTENCE_REFUSED, 1500, 0));
    assert_int_equal(persistence.since_ms, 1000);
    assert_true(persistence_observe(&persistence, PERSISTENCE_DURABLE, 2000, 0));
    assert_int_equal(persistence.since_ms, 2000);
}

/* From half a second after the failure to half a minute between tries, whatever the jitter. */
static void retries_slow_down_to_the_cap(void **state) {
    (void)state;
    for (uint64_t random = 0; random < 2; random++) {
        struct persistence persistence;
        int64_t now_ms = 0, wait_ms = 0;
        persistence_init(&persistence, now_ms);
        persistence_observe(&persistence, PERSISTENCE_MEMORY, now_ms, random ? LONGEST : 0);
        assert_in_range(persistence.retry_at_ms, PERSISTENCE_RETRY_FIRST_MS / 2,
                        PERSISTENCE_RETRY_FIRST_MS);
        for (int i = 0; i < 50; i++) {
            now_ms = persistence.retry_at_ms;
            persistence_retry_failed(&persistence, now_ms, random ? LONGEST : 0);
            wait_ms = persistence.retry_at_ms - now_ms;
            assert_in_range(wait_ms, PERSISTENCE_RETRY_FIRST_MS / 2, PERSISTENCE_RETRY_CAP_MS);
        }
        assert_true(wait_ms >= PERSISTENCE_RETRY_CAP_MS / 2);
    }
}

/* From memory to read-only is news, but no reason to try less often or more. */
static void getting_better_in_part_keeps_the_pace(void **state) {
    (void)state;
    struct persistence persistence;
    persistence_init(&persistence, 0);
    persistence_observe(&persistence, PERSISTENCE_MEMORY, 0, 0);
    int64_t retry_at_ms = persistence.retry_at_ms;
    assert_true(persistence_observe(&persistence, PERSISTENCE_READ_ONLY, 10, 0));
    assert_int_equal(persistence.retry_at_ms, retry_at_ms);
}

static void only_a_disk_that_worked_for_a_while_is_trusted_again(void **state) {
    (void)state;
    struct persistence persistence;
    int64_t now_ms = 0;
    persistence_init(&persistence, now_ms);
    for (int i = 0; i < 20; i++) {
        persistence_observe(&persistence, PERSISTENCE_REFUSED, now_ms, 0);
        now_ms = persistence.retry_at_ms;
        persistence_observe(&persistence, PERSISTENCE_DURABLE, now_ms, 0);
    }
    persistence_observe(&persistence, PERSISTENCE_REFUSED, now_ms, 0);
    assert_true(persistence.retry_at_ms - now_ms >= PERSISTENCE_RETRY_CAP_MS / 2);
    persistence_observe(&persistence, PERSISTENCE_DURABLE, now_ms, 0);
    now_ms += PERSISTENCE_STEADY_MS;
    persistence_observe(&persistence, PERSISTENCE_REFUSED, now_ms, LONGEST);
    assert_in_range(persistence.retry_at_ms - now_ms, 1, PERSISTENCE_RETRY_FIRST_MS);
}

static void names_are_stable(void **state) {
    (void)state;
    assert_string_equal(persistence_name(PERSISTENCE_DURABLE), "durable");
    assert_string_equal(persistence_name(PERSISTENCE_REFUSED), "refused");
    assert_string_equal(persistence_name(PERSISTENCE_READ_ONLY), "read_only");
    assert_string_equal(persistence_name(PERSISTENCE_MEMORY), "memory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durable_is_quiet),
        cmocka_unit_test(each_change_is_told_once),
        cmocka_unit_test(retries_slow_down_to_the_cap),
        cmocka_unit_test(getting_better_in_part_keeps_the_pace),
        cmocka_unit_test(only_a_disk_that_worked_for_a_while_is_trusted_again),
        cmocka_unit_test(names_are_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
