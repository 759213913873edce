#include "roles/up/stack.h"

#include <stdlib.h>
#include <string.h>

#include "app/options.h"
#include "base/assertion.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/store.h"

/* Room for the list of flags that need a restart. */
#define RESTART_LIST_BYTES 4096

struct stack {
    struct role_context *parent;
    stack_stopped_callback *stopped;
    stack_failed_callback *failed;
    void *owner;
    /* Members are pointed to by their roles, so each has an allocation of its own. */
    struct stack_member *members[STACK_MEMBERS_MAX];
    size_t count;
    bool stopping;
    bool reported;    /* `stopped` was called */
    char *broker_url; /* where the first broker, and the cache-master, listen; NULL: none does */
    char *master_url;
};

struct stack *stack_new(struct role_context *parent, stack_stopped_callback *stopped,
                        stack_failed_callback *failed, void *owner) {
    struct stack *stack = memory_new(sizeof *stack);
    *stack = (struct stack){.parent = parent, .stopped = stopped, .failed = failed, .owner = owner};
    return stack;
}

static void free_member(struct stack_member *member) {
    ASSERT(!member->running);
    options_free(member->options);
    health_free(member->health);
    free(member);
}

void stack_free(struct stack *stack) {
    if (!stack) return;
    for (size_t i = 0; i < stack->count; i++)
        free_member(stack->members[i]);
    free(stack->broker_url);
    free(stack->master_url);
    free(stack);
}

static bool apply_overrides(struct stack_member *member, const struct stack_override *overrides,
                            size_t count, struct status *status) {
    for (size_t i = 0; i < count; i++) {
        const struct stack_override *override = &overrides[i];
        if (!override->value || strcmp(override->role, member->command->name) != 0) continue;
        if (override->yields && options_is_given(member->options, override->key)) continue;
        if (!options_override(member->options, override->key, override->value, override->flag,
                              status))
            return status_context(status, "%s", override->flag);
    }
    return true;
}

/* The role to add, or NULL with the reason why it cannot be. */
static const struct command *find_role(const struct stack *stack, const char *name,
                                       struct status *status) {
    const struct command *command = command_find(stack->parent->commands, name);
    if (!command || !command->role)
        status_fail(status, STATUS_USAGE, "\"%s\" is not a role; lsys help lists the roles", name);
    else if (strcmp(name, stack->parent->name) == 0)
        status_fail(status, STATUS_USAGE, "\"%s\" cannot run inside itself", name);
    else if (stack_find(stack, name))
        status_fail(status, STATUS_USAGE, "\"%s\" is named twice", name);
    else if (stack->count == STACK_MEMBERS_MAX)
        status_fail(status, STATUS_TOO_LARGE, "at most %d roles run in one process",
                    STACK_MEMBERS_MAX);
    else
        return command;
    return NULL;
}

static void member_stopped(struct role_context *context);
static void member_failed(struct role_context *context, const struct status *status);

bool stack_add(struct stack *stack, const char *role_name, struct status *status) {
    const struct command *command = find_role(stack, role_name, status);
    if (!command) return false;

    struct stack_member *member = memory_new(sizeof *member);
    member->command = command;
    member->stack = stack;
    member->health = health_new();
    member->context = (struct role_context){
        .name = command->name,
        .commands = stack->parent->commands,
        .loop = stack->parent->loop,
        .store = stack->parent->store,
        .persistence = stack->parent->persistence,
        .health = member->health,
        .metrics = stack->parent->metrics,
        .alerts = stack->parent->alerts,
        .stopped = member_stopped,
        .failed = member_failed,
        .owner = member,
    };
    stack->members[stack->count++] = member;
    return true;
}

bool stack_configure(struct stack *stack, const struct stack_override *overrides,
                     size_t override_count, struct status *status) {
    for (size_t i = 0; i < stack->count; i++) {
        struct stack_member *member = stack->members[i];
        member->options = options_load_like(stack->parent->options, member->command, status);
        member->context.options = member->options;
        if (!member->options || !apply_overrides(member, overrides, override_count, status))
            return status_context(status, "%s", member->command->name);
    }
    return true;
}

/* True when the member's option `key` has a value and the text speaks of it. */
static bool text_names_value(const struct stack_member *member, const char *key, const char *text) {
    const struct option *row;
    bool found = false;
    for (size_t i = 0; !found && (row = option_row(member->command, i)); i++) {
        if (strcmp(row->key, key) != 0) continue;
        struct buffer value;
        buffer_init(&value, STATUS_TEXT_BYTES);
        options_show(member->options, row, &value);
        found = value.length > 0 && strstr(text, buffer_text(&value));
        buffer_free(&value);
    }
    return found;
}

/* Which flag of `up` to name when the member's address is taken: the error's text tells which of
 * its addresses it was. */
static const char *flag_for_address(const struct stack_member *member,
                                    const struct stack_override *overrides, size_t count,
                                    const char *error_text) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(overrides[i].role, member->command->name) == 0 &&
            text_names_value(member, overrides[i].key, error_text))
            return overrides[i].flag;
    return NULL;
}

/* The first of the addresses that has one of two schemes, unless one is known already. */
static void remember(char **known, const char *listens, const char *scheme, const char *other) {
    const char *url = strstr(listens, scheme);
    if (!url) url = strstr(listens, other);
    if (url && !*known) *known = memory_copy_bytes(url, strcspn(url, " "));
}

/* What the roles that start after this one need to know of it. */
static void remember_addresses(struct stack *stack, const struct stack_member *member) {
    struct role_view view = {0};
    member->command->role->describe(&member->context, &view);
    remember(&stack->broker_url, view.listens, "nats://", "tls://");
    if (strcmp(member->command->name, "cache-master") == 0)
        remember(&stack->master_url, view.listens, "http://", "https://");
}

static bool start_member(struct stack *stack, struct stack_member *member,
                         const struct stack_override *overrides, size_t override_count,
                         struct status *status) {
    member->context.embedded_nats_url = stack->broker_url;
    member->context.embedded_master_url = stack->master_url;
    if (member->command->role->start(&member->context, status)) {
        member->running = true;
        remember_addresses(stack, member);
        return true;
    }
    const char *flag = status->code == STATUS_BUSY
                           ? flag_for_address(member, overrides, override_count, status->text)
                           : NULL;
    status_context(status, "%s", member->command->name);
    if (!flag) return false;
    struct status cause = *status;
    status_clear(status);
    return status_fail(status, cause.code, "%s; choose another address with %s", cause.text, flag);
}

bool stack_start(struct stack *stack, const struct stack_override *overrides, size_t override_count,
                 struct status *status) {
    for (size_t i = 0; i < stack->count; i++)
        if (!start_member(stack, stack->members[i], overrides, override_count, status))
            return false;
    return true;
}

static void report_when_all_stopped(struct stack *stack) {
    if (!stack->stopping || stack->reported) return;
    for (size_t i = 0; i < stack->count; i++)
        if (stack->members[i]->running) return;
    stack->reported = true;
    stack->stopped(stack->owner);
}

static void member_stopped(struct role_context *context) {
    struct stack_member *member = context->owner;
    ASSERT(member->running);
    member->running = false;
    member->view.condition = ROLE_STOPPED;
    report_when_all_stopped(member->stack);
}

static void member_failed(struct role_context *context, const struct status *status) {
    struct stack_member *member = context->owner;
    struct status named = *status;
    status_context(&named, "%s", context->name);
    member->stack->failed(member->stack->owner, &named);
}

void stack_stop(struct stack *stack) {
    if (stack->stopping) return;
    stack->stopping = true;
    for (size_t i = stack->count; i > 0; i--)
        if (stack->members[i - 1]->running)
            stack->members[i - 1]->command->role->stop(&stack->members[i - 1]->context);
    report_when_all_stopped(stack);
}

static bool reload_member(struct stack_member *member, struct status *status) {
    struct buffer needs_restart;
    buffer_init(&needs_restart, RESTART_LIST_BYTES);
    struct options *fresh = options_load_again(member->options, &needs_restart, status);
    bool ok = fresh && member->command->role->reload(&member->context, fresh, status);
    if (ok) {
        options_free(member->options);
        member->options = fresh;
        member->context.options = fresh;
        if (needs_restart.length > 0)
            log_event(LOG_WARNING, member->command->name, "these settings need a restart", "flags",
                      buffer_text(&needs_restart), NULL);
    } else {
        options_free(fresh);
        status_context(status, "%s", member->command->name);
    }
    buffer_free(&needs_restart);
    return ok;
}

bool stack_reload(struct stack *stack, struct status *status) {
    bool ok = true;
    for (size_t i = 0; i < stack->count; i++) {
        struct stack_member *member = stack->members[i];
        if (member->running && member->command->role->reload && !reload_member(member, status))
            ok = false;
    }
    return ok;
}

void stack_user_signal(struct stack *stack) {
    for (size_t i = 0; i < stack->count; i++) {
        struct stack_member *member = stack->members[i];
        if (member->running && member->command->role->user_signal)
            member->command->role->user_signal(&member->context);
    }
}

void stack_look(struct stack *stack) {
    for (size_t i = 0; i < stack->count; i++) {
        struct stack_member *member = stack->members[i];
        if (!member->running) continue;
        member->view = (struct role_view){0};
        member->command->role->describe(&member->context, &member->view);
        if (member->view.condition == ROLE_SERVING &&
            store_persistence(stack->parent->store, NULL) != PERSISTENCE_DURABLE)
            member->view.condition = ROLE_DEGRADED;
    }
}

size_t stack_count(const struct stack *stack) {
    return stack->count;
}

const struct stack_member *stack_member(const struct stack *stack, size_t index) {
    ASSERT(index < stack->count);
    return stack->members[index];
}

const struct stack_member *stack_find(const struct stack *stack, const char *role_name) {
    for (size_t i = 0; i < stack->count; i++)
        if (strcmp(stack->members[i]->command->name, role_name) == 0) return stack->members[i];
    return NULL;
}
