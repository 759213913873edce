/*
 * Watches the roles of the stack by looking at their views and writes what changed into the
 * history. A change of condition or state is an event; a changed detail is only shown.
 */
#ifndef LSYS_ROLES_UP_WATCH_H
#define LSYS_ROLES_UP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "roles/up/history.h"
#include "roles/up/overview.h"
#include "roles/up/stack.h"

struct watch {
    struct role_view seen[STACK_MEMBERS_MAX]; /* as they were at the last look */
    struct heartbeat_view heartbeat;          /* of the license-client, if there is one */
};

/* Looks at all members and updates `watch`, which is zeroed before the first look. Returns true
 * when anything is not as it was, so that the page is told. */
bool watch_look(struct watch *watch, struct stack *stack, struct history *history, int64_t wall_ms);

#endif
