/*
 * Hearing hints on NATS that the master's licenses have changed (app/change_hints.h): each leads at
 * most to a pull, paced by rules/hint_pace.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_HINTS_H
#define LSYS_ROLES_CACHE_SLAVE_HINTS_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"

struct cache_slave;
struct slave_hints;

/* Begins to listen where NATS is configured; else `slave->hints` stays NULL and the result is true.
 * The errors of change_hints_open. */
bool slave_hints_open(struct cache_slave *slave, struct status *status) MUST_CHECK;

/* True while hints can be heard. */
bool slave_hints_are_heard(const struct slave_hints *hints);

/* A sync has ended, which may have been for a hint. NULL is harmless. */
void slave_hints_sync_ended(struct slave_hints *hints);

/* Ends it; `on_closed(context)` (may be NULL) comes when everything is closed, for NULL at once. */
void slave_hints_close(struct slave_hints *hints, void (*on_closed)(void *context), void *context);

#endif
