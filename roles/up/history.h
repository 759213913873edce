/*
 * What happened lately, for the page and the terminal: a ring of the last events. An event is a
 * change of a role's state, of the license as the client tells it, or an alert.
 */
#ifndef LSYS_ROLES_UP_HISTORY_H
#define LSYS_ROLES_UP_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/* As many as a person reads; the log has them all. */
#define HISTORY_EVENTS_MAX 40

/* Longer texts are cut. */
#define HISTORY_TEXT_BYTES 256

struct history_event {
    int64_t happened_ms; /* wall clock */
    const char *level;   /* "info", "warning", "error": constants */
    char role[32];
    char text[HISTORY_TEXT_BYTES];
};

struct history {
    struct history_event events[HISTORY_EVENTS_MAX];
    size_t count;     /* how many of them are filled */
    size_t next;      /* where the next one goes */
    uint64_t changes; /* grows with each event, so that a reader sees that there are new ones */
};

/* Adds an event; the oldest one makes room. `level` must be a constant, the other texts are
 * copied. */
void history_add(struct history *history, int64_t happened_ms, const char *level, const char *role,
                 const char *text);

/* The event `age` places back: 0 is the newest, history->count - 1 the oldest. */
const struct history_event *history_event(const struct history *history, size_t age);

#endif
