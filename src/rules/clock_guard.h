/*
 * The time by which validity is judged. Whoever runs lsys owns its clock and can turn it back to make
 * a license last; and clocks also go wrong by themselves. The guard gives a time that never runs
 * behind the latest moment it has good reason to believe in:
 *
 *     now = the greatest of  the wall clock,
 *                            the mark, moved on with the monotonic clock,
 *                            the latest time a vendor signed (iat)
 *
 * So a clock turned back extends nothing, and a clock set right again is simply right. The mark
 * follows the wall clock only while that agrees with the monotonic clock; a jump forward counts at
 * once for `now`, but moves the mark only after an hour of agreement, so that a glitch of minutes
 * does not poison the mark and heals the moment the clock is right again.
 *
 * An `anchor` is the offset between wall and monotonic clock that is being observed; the two agree
 * with it while they stray less than 2 s.
 *
 *                      agrees                         agrees for an hour, and ahead of the mark:
 *                     +------+                        the mark moves to the anchor
 *                     |      v                                +------+
 *     start --> [ anchor = mark ] -- jump forward --> [ anchor ahead of mark ] -- back within the
 *                     |     ^                                              hour: nothing remains --+
 *           jump back |     +---------- clock set right ----------------------------------------- +
 *                     v     |
 *              [ anchor behind mark: turned back ] -- agrees for an hour, while the mark itself was
 *                                                     never confirmed for one: the mark moves down
 *
 *     | event                          | mark                                  | now             |
 *     |--------------------------------|---------------------------------------|-----------------|
 *     | first start of a data folder   | = wall, not confirmed                 | wall            |
 *     | restart, same boot             | kept exactly (monotonic time goes on) | the rule above  |
 *     | restart, other boot            | stands at its last value, then moves on | the rule above |
 *     | agreement with the mark        | confirmed for that long               | wall            |
 *     | jump forward, less than 1 h    | unchanged                             | wall            |
 *     | jump forward, 1 h agreed       | moves up                              | wall            |
 *     | jump back, mark confirmed 1 h  | unchanged, for ever                   | mark moved on   |
 *     | jump back, mark not confirmed  | unchanged for 1 h, then moves down    | mark, then wall |
 *     | vendor-signed time             | unchanged (a floor of its own)        | at least that   |
 *
 * The last-but-one case is a machine that began with a wrong clock (a dead battery) and was put right
 * by NTP. It gives an attacker no more than deleting the data folder of such a young installation.
 * What no program can see: a clock that is set back across a reboot to just after the mark.
 */
#ifndef LSYS_RULES_CLOCK_GUARD_H
#define LSYS_RULES_CLOCK_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Wall and monotonic clock agree within this: they are read one after the other, and NTP corrects
 * by small steps. */
#define CLOCK_GUARD_TOLERANCE_MS 2000

/* Agreement for this long makes a changed clock believable: longer than NTP takes to notice. */
#define CLOCK_GUARD_SETTLE_MS 3600000

/* What is persisted, and the guard itself. Offsets are wall minus monotonic milliseconds of the boot
 * that `boot_id` names. All fields are plain numbers, so that a store can keep them by name. */
struct clock_guard {
    char boot_id[CLOCK_BOOT_ID_BYTES];
    int64_t mark_offset_ms;
    int64_t mark_confirmed_ms; /* how long the clocks agreed with the mark, all in all */
    int64_t anchor_offset_ms;  /* what the wall clock says now, relative to monotonic time */
    int64_t anchor_since_ms;   /* monotonic; since when it agrees */
    int64_t observed_at_ms;    /* monotonic; the last observation */
    int64_t signed_floor_ms;   /* wall; the latest vendor-signed time */
};

struct clock_reading {
    int64_t now_ms;      /* wall time to judge validity by */
    bool turned_back;    /* the wall clock is behind `now_ms` by more than the tolerance */
    int64_t behind_ms;   /* by how much; 0 when it is not */
    bool jumped_forward; /* the wall clock is ahead of the mark and not believed yet */
    int64_t ahead_ms;    /* by how much; 0 when it is not */
};

/* Begins, with the persisted guard of an earlier run or NULL. `boot_id` is that of this boot ("" when
 * unknown: then nothing is taken as the same boot). A damaged `saved` (values that cannot be) counts
 * as none. Times in milliseconds, wall since 1970 and monotonic. */
void clock_guard_start(struct clock_guard *guard, const struct clock_guard *saved,
                       const char *boot_id, int64_t wall_ms, int64_t monotonic_ms);

/* Observes both clocks, read at the same moment, and gives the time. To be called at least every few
 * seconds, and before every judgement. */
struct clock_reading clock_guard_observe(struct clock_guard *guard, int64_t wall_ms,
                                         int64_t monotonic_ms);

/* Takes a time that a vendor signed and that was verified (`iat` of a license, key ring or list). */
void clock_guard_signed(struct clock_guard *guard, int64_t signed_ms);

/* How long to wait, in monotonic milliseconds, until `now_ms` of a reading reaches `target_ms` if no
 * clock jumps; at least 0. */
int64_t clock_guard_wait_ms(const struct clock_reading *reading, int64_t target_ms);

#endif
