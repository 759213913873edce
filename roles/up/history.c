#include "roles/up/history.h"

#include <stdio.h>

#include "base/assertion.h"

void history_add(struct history *history, int64_t happened_ms, const char *level, const char *role,
                 const char *text) {
    struct history_event *event = &history->events[history->next];
    event->happened_ms = happened_ms;
    event->level = level;
    snprintf(event->role, sizeof event->role, "%s", role);
    snprintf(event->text, sizeof event->text, "%s", text);
    history->next = (history->next + 1) % HISTORY_EVENTS_MAX;
    if (history->count < HISTORY_EVENTS_MAX) history->count++;
    history->changes++;
}

const struct history_event *history_event(const struct history *history, size_t age) {
    ASSERT(age < history->count);
    return &history->events[(history->next + HISTORY_EVENTS_MAX - 1 - age) % HISTORY_EVENTS_MAX];
}
