#include "roles/up/watch.h"

#include <stdio.h>
#include <string.h>

#include "app/options.h"

static const char *level_of(enum role_condition condition) {
    return condition == ROLE_DEGRADED ? "warning" : "info";
}

static void note_change(const struct stack_member *member, const struct role_view *before,
                        struct history *history, int64_t wall_ms) {
    const struct role_view *now = &member->view;
    char text[HISTORY_TEXT_BYTES];
    if (before->condition == now->condition && strcmp(before->state, now->state) == 0) return;
    snprintf(text, sizeof text, "%s%s%s%s%s", role_condition_name(now->condition),
             now->state[0] ? ", " : "", now->state, now->detail[0] ? ": " : "", now->detail);
    history_add(history, wall_ms, level_of(now->condition), member->command->name, text);
}

static bool look_at_member(const struct stack_member *member, struct role_view *seen,
                           struct history *history, int64_t wall_ms) {
    bool changed = seen->condition != member->view.condition ||
                   strcmp(seen->state, member->view.state) != 0 ||
                   strcmp(seen->detail, member->view.detail) != 0 ||
                   strcmp(seen->listens, member->view.listens) != 0;
    if (!changed) return false;
    note_change(member, seen, history, wall_ms);
    *seen = member->view;
    return true;
}

static bool look_at_heartbeat(struct heartbeat_view *heartbeat, const struct stack *stack) {
    const struct stack_member *client = stack_find(stack, "license-client");
    if (!client) return false;
    heartbeat->timeout_ms = options_duration_ms(client->options, "heartbeat_timeout");
    int64_t last_ms = client->view.last_heartbeat_monotonic_ms;
    if (last_ms == heartbeat->last_monotonic_ms) return false;
    heartbeat->last_monotonic_ms = last_ms;
    heartbeat->count++;
    return true;
}

bool watch_look(struct watch *watch, struct stack *stack, struct history *history,
                int64_t wall_ms) {
    stack_look(stack);
    bool changed = look_at_heartbeat(&watch->heartbeat, stack);
    for (size_t i = 0; i < stack_count(stack); i++)
        changed |= look_at_member(stack_member(stack, i), &watch->seen[i], history, wall_ms);
    return changed;
}
