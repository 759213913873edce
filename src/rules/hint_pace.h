/*
 * How often a cache follows hints that something has changed. Anybody who may publish on the bus
 * can send hints, so nothing follows from one but a question to the master, and these are paced: a
 * hint that brought nothing new makes the next wait, longer each time, so that a flood of forged
 * ones costs the master less and less. What is heard while waiting is one question afterwards.
 *
 *     | state   | event                  | next    | what follows                              |
 *     |---------|------------------------|---------|-------------------------------------------|
 *     | QUIET   | heard                  | WANTED  | a pull, at once unless a pause runs       |
 *     | WANTED  | heard                  | WANTED  | nothing more                              |
 *     | WANTED  | take, pause is over    | PULLING | the caller pulls                          |
 *     | WANTED  | take, pause runs       | WANTED  | the caller waits hint_pace_wait_ms        |
 *     | PULLING | heard                  | PULLING | and WANTED after it                       |
 *     | WANTED  | satisfied              | QUIET   | another sync has brought it               |
 *     | PULLING | ended with news        | QUIET   | a short pause: changes come in rows       |
 *     | PULLING | ended without          | QUIET   | a pause: 1 s, doubled each time to 60 s   |
 *
 *     [ QUIET ] --heard--> [ WANTED ] --take--> [ PULLING ] --ended--> [ QUIET ] or [ WANTED ]
 */
#ifndef LSYS_RULES_HINT_PACE_H
#define LSYS_RULES_HINT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/backoff.h"

/* After a hint that was true: five questions a second while an operator adds licenses one by
 * one. */
#define HINT_PACE_NEWS_MS 200

/* After one that was not; a true one among many that are not is followed after the last of these,
 * or by the ordinary sync. */
#define HINT_PACE_FIRST_MS   1000
#define HINT_PACE_LONGEST_MS 60000

struct hint_pace {
    struct backoff backoff;
    int64_t rests_until_ms; /* monotonic */
    bool wanted;
    bool pulling;
};

void hint_pace_init(struct hint_pace *pace, int64_t now_ms);

/* A hint came that does not name what is here already. */
void hint_pace_heard(struct hint_pace *pace);

/* What the hint named is here. */
void hint_pace_satisfied(struct hint_pace *pace);

/* True when the caller is to pull now; hint_pace_ended follows. */
bool hint_pace_take(struct hint_pace *pace, int64_t now_ms);

/* A pull ended, also one that no hint began. `news`: it changed something. `random` is any 64
 * random bits. */
void hint_pace_ended(struct hint_pace *pace, bool news, uint64_t random, int64_t now_ms);

/* How long until hint_pace_take has something to do; -1: nothing is wanted, or a pull runs. */
int64_t hint_pace_wait_ms(const struct hint_pace *pace, int64_t now_ms);

#endif
