/*
 * The time by which validity is judged. Whoever runs lsys owns its clock and can turn it back to
 * make a license last; and clocks also go wrong by themselves. The guard gives a time that never
 * runs behind the latest moment it has good reason to believe in:
 *
 *     now = the latest of  the wall clock,
 *                          the mark,                                moved on by monotonic time
 *                          the latest time a vendor signed (iat),   moved on by monotonic time
 *
 * So a clock turned back extends nothing, and a clock set right again is simply right. The mark
 * follows the wall clock only while that agrees with the monotonic clock; a jump forward counts at
 * once for `now`, but moves the mark only after an hour of agreement, so that a glitch of minutes
 * does not poison the mark and heals the moment the clock is right again.
 *
 * The `anchor` is what the wall clock shows now, as an offset to the monotonic clock. While
 * readings stray less than 2 s from it the clocks agree; beyond, the wall clock jumped, and the
 * anchor is new.
 *
 *                       the anchor is ahead, and agrees for an hour: the mark moves up to it
 *                 +-----------------------------------------------------------------------+
 *                 v                                                                       |
 *     start --> [ anchor = mark ] ---------------- jump forward ----------------> [ anchor ahead ]
 *                 |      ^   ^                                                            |
 *       jump back |      |   +-- jump back within the hour: nothing remains of it --------+
 *                 v      |
 *     [ anchor behind: turned back ] -- the clock is set right again, or: it agrees for an hour and
 *                                       the mark itself never did, then the mark moves down to it
 *
 *   | event                           | mark                                    | now             |
 *   |---------------------------------|-----------------------------------------|-----------------|
 *   | first start of a data folder    | = wall, not confirmed                   | wall            |
 *   | restart, same boot              | kept exactly (monotonic time goes on)   | the rule above  |
 *   | restart, other boot             | its last value, moved on from the start | the rule above  |
 *   | agreement with the mark         | confirmed for that long                 | wall            |
 *   | jump forward, less than 1 h     | unchanged                               | wall            |
 *   | jump forward, 1 h agreed        | moves up                                | wall            |
 *   | jump back, mark confirmed 1 h   | unchanged, for ever                     | the mark's      |
 *   | jump back, mark never confirmed | unchanged for 1 h, then moves down      | mark's, wall    |
 *   | vendor-signed time              | unchanged                               | at least that   |
 *
 * A mark that moves down is that of a machine which began with a wrong clock (a dead battery) and
 * was put right by NTP. It gives an attacker no more than deleting such a young data folder would.
 * What no program can see: a clock that is set, across a reboot, to just after the mark.
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

/* A wall clock this far from the truth is told to people; less is the daily life of clocks. */
#define CLOCK_GUARD_ALARM_MS 10000

/* The guard, and what is persisted of it: all of it. Offsets are wall minus monotonic milliseconds
 * in the boot that `boot_id` names. */
struct clock_guard {
    char boot_id[CLOCK_BOOT_ID_BYTES];
    int64_t observed_at_ms;    /* monotonic; the last observation */
    int64_t mark_offset_ms;    /* the mark */
    int64_t mark_confirmed_ms; /* how long readings agreed with it, all in all; stops at an hour */
    int64_t anchor_offset_ms;  /* the anchor */
    int64_t anchor_since_ms;   /* monotonic; since when readings agree with it */
    bool anchor_jumped;        /* it came from a jump forward, not from a start */
    int64_t signed_offset_ms;  /* the latest vendor-signed time */
};

struct clock_reading {
    int64_t now_ms;      /* wall time to judge validity by */
    int64_t behind_ms;   /* by how much the wall clock is behind `now_ms` */
    bool turned_back;    /* behind by more than CLOCK_GUARD_ALARM_MS */
    int64_t ahead_ms;    /* by how much the wall clock has jumped ahead of the mark, unconfirmed */
    bool jumped_forward; /* ahead by more than CLOCK_GUARD_ALARM_MS */
};

/* Begins, with the persisted guard of an earlier run or NULL. `boot_id` is that of this boot (""
 * when unknown: nothing counts as the same boot then). A `saved` whose values cannot be counts as
 * none. Times in milliseconds, wall since 1970 and monotonic. */
void clock_guard_start(struct clock_guard *guard, const struct clock_guard *saved,
                       const char *boot_id, int64_t wall_ms, int64_t monotonic_ms);

/* Observes both clocks, read at the same moment, and gives the time. To be called every second or
 * so and before each judgement. */
struct clock_reading clock_guard_observe(struct clock_guard *guard, int64_t wall_ms,
                                         int64_t monotonic_ms);

/* Takes a time that a vendor signed and that was verified (`iat` of a license, key ring or
 * list). */
void clock_guard_signed(struct clock_guard *guard, int64_t signed_ms, int64_t monotonic_ms);

/* Takes what an earlier run saved and this one could not read when it began: both marks and signed
 * times count, the later of each. Nothing changes when `saved` cannot be. */
void clock_guard_merge(struct clock_guard *guard, const struct clock_guard *saved, int64_t wall_ms,
                       int64_t monotonic_ms);

/* How long to wait, in monotonic milliseconds, until the time of `reading` reaches `target_ms` if
 * no clock jumps; 0 when it has. */
int64_t clock_guard_wait_ms(const struct clock_reading *reading, int64_t target_ms);

#endif
