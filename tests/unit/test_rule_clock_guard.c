/* rules/clock_guard: a simulated machine whose wall clock is set as people and attackers do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/clock_guard.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define TODAY  (20000 * DAY)

/* True time goes on by itself; the wall clock is true time plus `shift_ms`. */
struct machine {
    struct clock_guard guard;
    struct clock_reading reading;
    int64_t true_ms;
    int64_t booted_at_ms;
    int64_t shift_ms;
    char boot_id[CLOCK_BOOT_ID_BYTES];
};

static void observe(struct machine *machine) {
    machine->reading = clock_guard_observe(&machine->guard, machine->true_ms + machine->shift_ms,
                                           machine->true_ms - machine->booted_at_ms);
}

static void start(struct machine *machine, const struct clock_guard *saved) {
    clock_guard_start(&machine->guard, saved, machine->boot_id,
                      machine->true_ms + machine->shift_ms,
                      machine->true_ms - machine->booted_at_ms);
    observe(machine);
}

static struct machine new_machine(int64_t shift_ms) {
    struct machine machine = {.true_ms = TODAY, .booted_at_ms = TODAY - DAY, .shift_ms = shift_ms};
    snprintf(machine.boot_id, sizeof machine.boot_id, "boot-1");
    start(&machine, NULL);
    return machine;
}

/* Lets true time pass, observing every second at least. */
static void run_for(struct machine *machine, int64_t duration_ms) {
    for (int64_t end_ms = machine->true_ms + duration_ms; machine->true_ms < end_ms;) {
        int64_t left_ms = end_ms - machine->true_ms;
        machine->true_ms += left_ms < SECOND ? left_ms : SECOND;
        observe(machine);
    }
}

static void set_clock(struct machine *machine, int64_t shift_ms) {
    machine->shift_ms = shift_ms;
    observe(machine);
}

static void restart(struct machine *machine, bool reboot) {
    struct clock_guard saved = machine->guard;
    if (reboot) {
        machine->booted_at_ms = machine->true_ms;
        snprintf(machine->boot_id, sizeof machine->boot_id, "boot-%lld",
                 (long long)machine->true_ms);
    }
    start(machine, &saved);
}

static void expect_true_time(const struct machine *machine) {
    assert_true(machine->reading.now_ms == machine->true_ms);
    assert_false(machine->reading.turned_back);
}

static void an_honest_clock_is_followed(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    for (int i = 0; i < 5; i++) {
        run_for(&machine, 90 * MINUTE);
        expect_true_time(&machine);
        restart(&machine, i % 2 == 0);
        expect_true_time(&machine);
        assert_false(machine.reading.jumped_forward);
    }
}

static void turned_back_live_extends_nothing(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, 5 * SECOND);
    set_clock(&machine, -HOUR);
    assert_true(machine.reading.turned_back);
    assert_true(machine.reading.behind_ms == HOUR);
    assert_true(machine.reading.now_ms == machine.true_ms);
    run_for(&machine, 50 * MINUTE);
    assert_true(machine.reading.now_ms == machine.true_ms);
    set_clock(&machine, 0);
    expect_true_time(&machine);
}

static void turned_back_after_an_hour_is_never_believed(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, HOUR);
    set_clock(&machine, -30 * DAY);
    run_for(&machine, 3 * DAY);
    assert_true(machine.reading.turned_back);
    assert_true(machine.reading.now_ms == machine.true_ms);
    restart(&machine, false);
    run_for(&machine, 3 * HOUR);
    assert_true(machine.reading.now_ms == machine.true_ms);
    set_clock(&machine, 0);
    expect_true_time(&machine);
}

static void turned_back_across_a_reboot_stands_at_the_mark(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, 2 * HOUR);
    int64_t mark = machine.true_ms;
    machine.true_ms += DAY; /* switched off */
    machine.shift_ms = -90 * DAY;
    restart(&machine, true);
    assert_true(machine.reading.now_ms == mark);
    assert_true(machine.reading.turned_back);
    run_for(&machine, 2 * HOUR);
    assert_true(machine.reading.now_ms == mark + 2 * HOUR);
    set_clock(&machine, 0);
    expect_true_time(&machine);
}

static void a_glitch_forward_poisons_nothing(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, 2 * MINUTE);
    set_clock(&machine, 400 * DAY);
    assert_true(machine.reading.now_ms == machine.true_ms + 400 * DAY);
    assert_true(machine.reading.jumped_forward);
    assert_true(machine.reading.ahead_ms == 400 * DAY);
    run_for(&machine, HOUR - SECOND);
    set_clock(&machine, 0);
    expect_true_time(&machine);
    assert_false(machine.reading.jumped_forward);
}

static void a_glitch_across_a_restart_poisons_nothing(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, MINUTE);
    machine.shift_ms = 400 * DAY;
    restart(&machine, false);
    assert_true(machine.reading.now_ms == machine.true_ms + 400 * DAY);
    run_for(&machine, MINUTE);
    machine.shift_ms = 0;
    restart(&machine, false);
    expect_true_time(&machine);
}

static void a_reboot_with_a_wrong_clock_poisons_nothing(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, 2 * HOUR);
    machine.shift_ms = 400 * DAY;
    restart(&machine, true);
    run_for(&machine, 10 * MINUTE);
    set_clock(&machine, 0);
    expect_true_time(&machine);
}

static void an_hour_of_agreement_makes_a_jump_believable(void **state) {
    (void)state;
    struct machine machine = new_machine(-7 * DAY); /* the clock was wrong, and is put right */
    run_for(&machine, 2 * HOUR);
    set_clock(&machine, 0);
    assert_true(machine.reading.jumped_forward);
    run_for(&machine, HOUR - 1);
    assert_true(machine.reading.jumped_forward);
    run_for(&machine, 1);
    assert_false(machine.reading.jumped_forward);
    set_clock(&machine, -7 * DAY);
    assert_true(machine.reading.now_ms == machine.true_ms);
    assert_true(machine.reading.turned_back);
}

static void a_wrong_first_clock_heals_within_an_hour(void **state) {
    (void)state;
    struct machine machine = new_machine(900 * DAY);
    run_for(&machine, MINUTE);
    set_clock(&machine, 0);
    assert_true(machine.reading.now_ms == machine.true_ms + 900 * DAY);
    run_for(&machine, HOUR);
    expect_true_time(&machine);
    set_clock(&machine, -DAY); /* and is believed from then on */
    run_for(&machine, 5 * HOUR);
    assert_true(machine.reading.now_ms == machine.true_ms);
}

static void signed_times_are_a_floor(void **state) {
    (void)state;
    struct machine machine = new_machine(-50 * 365 * DAY); /* 1970s: no battery */
    clock_guard_signed(&machine.guard, TODAY - 10 * DAY, machine.true_ms - machine.booted_at_ms);
    observe(&machine);
    assert_true(machine.reading.now_ms == TODAY - 10 * DAY);
    assert_true(machine.reading.turned_back);
    run_for(&machine, HOUR);
    assert_true(machine.reading.now_ms == TODAY - 10 * DAY + HOUR);
    clock_guard_signed(&machine.guard, TODAY - 11 * DAY, machine.true_ms - machine.booted_at_ms);
    clock_guard_signed(&machine.guard, INT64_MAX, machine.true_ms - machine.booted_at_ms);
    clock_guard_signed(&machine.guard, -5, machine.true_ms - machine.booted_at_ms);
    observe(&machine);
    assert_true(machine.reading.now_ms == TODAY - 10 * DAY + HOUR);
    restart(&machine, true);
    assert_true(machine.reading.now_ms == TODAY - 10 * DAY + HOUR);
    set_clock(&machine, 0);
    expect_true_time(&machine);
}

static void small_steps_are_the_daily_life_of_clocks(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, 2 * HOUR);
    for (int64_t shift = -1500; shift <= 1500; shift += 500) {
        set_clock(&machine, shift);
        assert_false(machine.reading.turned_back);
        assert_false(machine.reading.jumped_forward);
        assert_true(machine.reading.now_ms == machine.true_ms + (shift > 0 ? shift : 0));
        run_for(&machine, MINUTE);
    }
    set_clock(&machine, 0);
    assert_true(machine.reading.now_ms == machine.true_ms);
}

static void the_alarm_has_an_exact_edge(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    run_for(&machine, MINUTE);
    set_clock(&machine, -CLOCK_GUARD_ALARM_MS);
    assert_false(machine.reading.turned_back);
    set_clock(&machine, -CLOCK_GUARD_ALARM_MS - 1);
    assert_true(machine.reading.turned_back);
    set_clock(&machine, CLOCK_GUARD_ALARM_MS + 1);
    assert_true(machine.reading.jumped_forward);
}

static void damaged_state_counts_as_none(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    struct clock_guard good = machine.guard;
    struct clock_guard damaged[7];
    for (size_t i = 0; i < 7; i++)
        damaged[i] = good;
    damaged[0].mark_offset_ms = INT64_MAX;
    damaged[1].mark_offset_ms = INT64_MIN;
    damaged[2].mark_confirmed_ms = -1;
    damaged[3].anchor_since_ms = INT64_MAX;
    damaged[4].signed_offset_ms = INT64_MIN;
    damaged[5].observed_at_ms = -1;
    memset(damaged[6].boot_id, 'x', sizeof damaged[6].boot_id);
    for (size_t i = 0; i < 7; i++) {
        start(&machine, &damaged[i]);
        expect_true_time(&machine);
        run_for(&machine, MINUTE);
        expect_true_time(&machine);
    }
}

static void an_unknown_boot_id_is_another_boot(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    machine.boot_id[0] = '\0';
    start(&machine, NULL);
    run_for(&machine, 2 * HOUR);
    struct clock_guard saved = machine.guard;
    machine.shift_ms = -DAY;
    start(&machine, &saved);
    assert_true(machine.reading.now_ms == machine.true_ms);
}

static void strange_clocks_do_not_wrap(void **state) {
    (void)state;
    struct machine machine = new_machine(0);
    const int64_t odd[] = {INT64_MIN, -1, 0, INT64_MAX, TODAY};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            struct clock_reading reading = clock_guard_observe(&machine.guard, odd[i], odd[k]);
            assert_true(reading.now_ms >= odd[i]);
        }
}

static void waiting_time_follows_from_a_reading(void **state) {
    (void)state;
    struct clock_reading reading = {.now_ms = 5000};
    assert_int_equal(clock_guard_wait_ms(&reading, 7500), 2500);
    assert_int_equal(clock_guard_wait_ms(&reading, 5000), 0);
    assert_int_equal(clock_guard_wait_ms(&reading, 10), 0);
    reading.now_ms = INT64_MIN;
    assert_true(clock_guard_wait_ms(&reading, INT64_MAX) == INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_clock_is_followed),
        cmocka_unit_test(turned_back_live_extends_nothing),
        cmocka_unit_test(turned_back_after_an_hour_is_never_believed),
        cmocka_unit_test(turned_back_across_a_reboot_stands_at_the_mark),
        cmocka_unit_test(a_glitch_forward_poisons_nothing),
        cmocka_unit_test(a_glitch_across_a_restart_poisons_nothing),
        cmocka_unit_test(a_reboot_with_a_wrong_clock_poisons_nothing),
        cmocka_unit_test(an_hour_of_agreement_makes_a_jump_believable),
        cmocka_unit_test(a_wrong_first_clock_heals_within_an_hour),
        cmocka_unit_test(signed_times_are_a_floor),
        cmocka_unit_test(small_steps_are_the_daily_life_of_clocks),
        cmocka_unit_test(the_alarm_has_an_exact_edge),
        cmocka_unit_test(damaged_state_counts_as_none),
        cmocka_unit_test(an_unknown_boot_id_is_another_boot),
        cmocka_unit_test(strange_clocks_do_not_wrap),
        cmocka_unit_test(waiting_time_follows_from_a_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
