#include "rules/hint_pace.h"

#include <string.h>

void hint_pace_init(struct hint_pace *pace, int64_t now_ms) {
    memset(pace, 0, sizeof *pace);
    backoff_init(&pace->backoff, HINT_PACE_FIRST_MS, HINT_PACE_LONGEST_MS);
    pace->rests_until_ms = now_ms;
}

void hint_pace_heard(struct hint_pace *pace) {
    pace->wanted = true;
}

void hint_pace_satisfied(struct hint_pace *pace) {
    pace->wanted = false;
}

bool hint_pace_take(struct hint_pace *pace, int64_t now_ms) {
    if (hint_pace_wait_ms(pace, now_ms) != 0) return false;
    pace->wanted = false;
    pace->pulling = true;
    return true;
}

void hint_pace_ended(struct hint_pace *pace, bool news, uint64_t random, int64_t now_ms) {
    if (!pace->pulling) return;
    pace->pulling = false;
    if (news) {
        backoff_succeeded(&pace->backoff);
        pace->rests_until_ms = now_ms + HINT_PACE_NEWS_MS;
    } else {
        pace->rests_until_ms = now_ms + backoff_failed(&pace->backoff, random);
    }
}

int64_t hint_pace_wait_ms(const struct hint_pace *pace, int64_t now_ms) {
    if (!pace->wanted || pace->pulling) return -1;
    return pace->rests_until_ms > now_ms ? pace->rests_until_ms - now_ms : 0;
}
