#include "roles/cache-slave/hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/change_hints.h"
#include "base/memory.h"
#include "base/random.h"
#include "roles/cache-slave/slave.h"
#include "rules/hint_pace.h"

struct slave_hints {
    struct cache_slave *slave;
    struct change_hints *bus;
    struct hint_pace pace;
    struct timer *again;            /* for what was heard in a pause */
    char wanted[PULLED_ETAG_BYTES]; /* what the newest hint names */
    char before[PULLED_ETAG_BYTES]; /* what was here when the pull began */
    bool was_connected;
};

static const char *present(const struct slave_hints *hints) {
    return hints->slave->progress.etag;
}

/* Pulls for what was heard, now or when the pause is over; a sync that runs is waited for, since it
 * may bring it. */
static void follow(struct slave_hints *hints) {
    struct cache_slave *slave = hints->slave;
    int64_t wait_ms = hint_pace_wait_ms(&hints->pace, slave->monotonic_ms);
    if (wait_ms > 0) timer_start(hints->again, wait_ms);
    if (slave->sync.phase == CACHE_SYNC_RUNNING) return;
    if (!hint_pace_take(&hints->pace, slave->monotonic_ms)) return;
    snprintf(hints->before, sizeof hints->before, "%s", present(hints));
    if (!slave_sync(slave, CACHE_BY_HINT))
        hint_pace_ended(&hints->pace, false, random_below(UINT64_MAX), slave->monotonic_ms);
}

static void pause_is_over(void *context) {
    struct slave_hints *hints = context;
    slave_observe(hints->slave);
    follow(hints);
}

static void on_hint(void *owner, const char *etag) {
    struct slave_hints *hints = owner;
    if (strlen(etag) >= sizeof hints->wanted || strcmp(etag, present(hints)) == 0) return;
    snprintf(hints->wanted, sizeof hints->wanted, "%s", etag);
    hint_pace_heard(&hints->pace);
    slave_observe(hints->slave);
    follow(hints);
}

/* While there was no connection hints may have been lost. */
static void on_connected(void *owner) {
    struct slave_hints *hints = owner;
    if (!hints->was_connected) {
        hints->was_connected = true;
        return;
    }
    hint_pace_heard(&hints->pace);
    slave_observe(hints->slave);
    follow(hints);
}

void slave_hints_sync_ended(struct slave_hints *hints) {
    if (!hints) return;
    bool news = strcmp(hints->before, present(hints)) != 0;
    hint_pace_ended(&hints->pace, news, random_below(UINT64_MAX), hints->slave->monotonic_ms);
    if (strcmp(hints->wanted, present(hints)) == 0) hint_pace_satisfied(&hints->pace);
    follow(hints);
}

/* ---- life ---- */

bool slave_hints_open(struct cache_slave *slave, struct status *status) {
    static const struct change_hints_callbacks callbacks = {.on_connected = on_connected,
                                                            .on_hint = on_hint};
    struct change_hints *bus;
    struct slave_hints *hints = memory_new(sizeof *hints);
    hints->slave = slave;
    hint_pace_init(&hints->pace, slave->monotonic_ms);
    bool opened = change_hints_open(slave->context, &callbacks, hints, &bus, status);
    if (!bus) {
        free(hints);
        return opened;
    }
    hints->bus = bus;
    hints->again = timer_open(slave->context->loop, pause_is_over, hints);
    slave->hints = hints;
    return opened;
}

bool slave_hints_are_heard(const struct slave_hints *hints) {
    return hints && change_hints_is_connected(hints->bus);
}

void slave_hints_close(struct slave_hints *hints, void (*on_closed)(void *context), void *context) {
    struct change_hints *bus = hints ? hints->bus : NULL;
    if (hints) timer_close(hints->again);
    free(hints);
    change_hints_close(bus, on_closed, context);
}
