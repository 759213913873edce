#include "rules/clock_guard.h"

#include <stdio.h>
#include <string.h>

/* Wall times outside 1970 .. 9999 are damage, not dates. */
#define LATEST_WALL_MS 253402300800000LL

static int64_t add_saturating(int64_t left, int64_t right) {
    int64_t sum;
    if (!__builtin_add_overflow(left, right, &sum)) return sum;
    return right > 0 ? INT64_MAX : INT64_MIN;
}

static int64_t subtract_saturating(int64_t left, int64_t right) {
    int64_t difference;
    if (!__builtin_sub_overflow(left, right, &difference)) return difference;
    return left < right ? INT64_MIN : INT64_MAX;
}

static bool agree(int64_t left_ms, int64_t right_ms) {
    int64_t difference = subtract_saturating(left_ms, right_ms);
    return difference >= -CLOCK_GUARD_TOLERANCE_MS && difference <= CLOCK_GUARD_TOLERANCE_MS;
}

static bool is_wall_time(int64_t wall_ms) {
    return wall_ms >= 0 && wall_ms < LATEST_WALL_MS;
}

/* The wall time that an offset of `saved` stood for when it was saved. */
static int64_t saved_wall_ms(const struct clock_guard *saved, int64_t offset_ms) {
    return add_saturating(offset_ms, saved->observed_at_ms);
}

static bool is_sound(const struct clock_guard *saved) {
    return memchr(saved->boot_id, '\0', sizeof saved->boot_id) && saved->observed_at_ms >= 0 &&
           saved->mark_confirmed_ms >= 0 && saved->mark_confirmed_ms <= CLOCK_GUARD_SETTLE_MS &&
           saved->anchor_since_ms <= saved->observed_at_ms &&
           is_wall_time(saved_wall_ms(saved, saved->mark_offset_ms)) &&
           is_wall_time(saved_wall_ms(saved, saved->anchor_offset_ms)) &&
           is_wall_time(saved_wall_ms(saved, saved->signed_offset_ms));
}

void clock_guard_start(struct clock_guard *guard, const struct clock_guard *saved,
                       const char *boot_id, int64_t wall_ms, int64_t monotonic_ms) {
    int64_t offset_ms = subtract_saturating(wall_ms, monotonic_ms);
    bool known = saved && is_sound(saved);
    if (known && boot_id[0] != '\0' && strcmp(saved->boot_id, boot_id) == 0 &&
        saved->observed_at_ms <= monotonic_ms) {
        *guard = *saved;
        return;
    }
    memset(guard, 0, sizeof *guard);
    snprintf(guard->boot_id, sizeof guard->boot_id, "%s", boot_id);
    guard->observed_at_ms = monotonic_ms;
    guard->mark_offset_ms = offset_ms;
    guard->anchor_offset_ms = offset_ms;
    guard->anchor_since_ms = monotonic_ms;
    guard->signed_offset_ms = -monotonic_ms;
    if (!known) return;
    int64_t mark_ms = saved_wall_ms(saved, saved->mark_offset_ms);
    int64_t signed_ms = saved_wall_ms(saved, saved->signed_offset_ms);
    guard->mark_offset_ms = subtract_saturating(mark_ms, monotonic_ms);
    guard->mark_confirmed_ms = saved->mark_confirmed_ms;
    guard->signed_offset_ms = subtract_saturating(signed_ms, monotonic_ms);
}

/* Notices a jump of the wall clock: from now on it is the new offset that has to agree. */
static void follow_anchor(struct clock_guard *guard, int64_t offset_ms, int64_t monotonic_ms) {
    if (agree(offset_ms, guard->anchor_offset_ms)) return;
    guard->anchor_jumped = offset_ms > guard->anchor_offset_ms;
    guard->anchor_offset_ms = offset_ms;
    guard->anchor_since_ms = monotonic_ms;
}

static void move_mark(struct clock_guard *guard, int64_t offset_ms, int64_t monotonic_ms) {
    if (agree(offset_ms, guard->mark_offset_ms)) {
        int64_t sum = add_saturating(guard->mark_confirmed_ms,
                                     subtract_saturating(monotonic_ms, guard->observed_at_ms));
        guard->mark_confirmed_ms = sum < CLOCK_GUARD_SETTLE_MS ? sum : CLOCK_GUARD_SETTLE_MS;
        return;
    }
    bool settled =
        subtract_saturating(monotonic_ms, guard->anchor_since_ms) >= CLOCK_GUARD_SETTLE_MS;
    bool may_move_down = guard->mark_confirmed_ms < CLOCK_GUARD_SETTLE_MS;
    if (!settled || (guard->anchor_offset_ms < guard->mark_offset_ms && !may_move_down)) return;
    guard->mark_offset_ms = guard->anchor_offset_ms;
    guard->mark_confirmed_ms = CLOCK_GUARD_SETTLE_MS;
    guard->anchor_jumped = false;
}

static struct clock_reading read_guard(const struct clock_guard *guard, int64_t wall_ms,
                                       int64_t monotonic_ms) {
    struct clock_reading reading = {0};
    int64_t mark_ms = add_saturating(guard->mark_offset_ms, monotonic_ms);
    int64_t signed_ms = add_saturating(guard->signed_offset_ms, monotonic_ms);
    reading.now_ms = wall_ms;
    if (mark_ms > reading.now_ms) reading.now_ms = mark_ms;
    if (signed_ms > reading.now_ms) reading.now_ms = signed_ms;
    reading.behind_ms = subtract_saturating(reading.now_ms, wall_ms);
    reading.turned_back = reading.behind_ms > CLOCK_GUARD_ALARM_MS;
    if (guard->anchor_jumped && wall_ms > mark_ms)
        reading.ahead_ms = subtract_saturating(wall_ms, mark_ms);
    reading.jumped_forward = reading.ahead_ms > CLOCK_GUARD_ALARM_MS;
    return reading;
}

struct clock_reading clock_guard_observe(struct clock_guard *guard, int64_t wall_ms,
                                         int64_t monotonic_ms) {
    if (monotonic_ms < guard->observed_at_ms) monotonic_ms = guard->observed_at_ms;
    int64_t offset_ms = subtract_saturating(wall_ms, monotonic_ms);
    follow_anchor(guard, offset_ms, monotonic_ms);
    move_mark(guard, offset_ms, monotonic_ms);
    guard->observed_at_ms = monotonic_ms;
    return read_guard(guard, wall_ms, monotonic_ms);
}

void clock_guard_signed(struct clock_guard *guard, int64_t signed_ms, int64_t monotonic_ms) {
    if (!is_wall_time(signed_ms)) return;
    int64_t offset_ms = subtract_saturating(signed_ms, monotonic_ms);
    if (offset_ms > guard->signed_offset_ms) guard->signed_offset_ms = offset_ms;
}

void clock_guard_merge(struct clock_guard *guard, const struct clock_guard *saved, int64_t wall_ms,
                       int64_t monotonic_ms) {
    struct clock_guard earlier;
    if (!is_sound(saved)) return;
    clock_guard_start(&earlier, saved, guard->boot_id, wall_ms, monotonic_ms);
    if (earlier.mark_offset_ms > guard->mark_offset_ms) {
        guard->mark_offset_ms = earlier.mark_offset_ms;
        guard->mark_confirmed_ms = earlier.mark_confirmed_ms;
    }
    if (earlier.signed_offset_ms > guard->signed_offset_ms)
        guard->signed_offset_ms = earlier.signed_offset_ms;
}

int64_t clock_guard_wait_ms(const struct clock_reading *reading, int64_t target_ms) {
    return target_ms > reading->now_ms ? subtract_saturating(target_ms, reading->now_ms) : 0;
}
