/*
 * The roles that `lsys up` runs in this process: each a member with options, health and context of
 * its own, on the one loop and store that `up` was given. Roles know nothing of each other; what
 * connects them is the address of the embedded broker, and NATS.
 */
#ifndef LSYS_ROLES_UP_STACK_H
#define LSYS_ROLES_UP_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "app/command.h"
#include "app/health.h"
#include "app/role.h"
#include "base/attributes.h"
#include "base/status.h"

/* lsys has fewer roles than this; the same role twice in one process is refused. */
#define STACK_MEMBERS_MAX 16

/* An option of a member that `up` sets: from a flag of its own, or because the roles of one process
 * belong together. The flag's name is kept, so that a taken port can be answered by name. */
struct stack_override {
    const char *role;  /* the member's command name */
    const char *key;   /* its option */
    const char *flag;  /* of `up`, with dashes: what a person would type */
    const char *value; /* NULL: nothing is set */
    bool yields;       /* to what the member's files and environment say */
};

struct stack_member {
    const struct command *command;
    struct role_context context;
    struct options *options; /* owned */
    struct health *health;   /* owned */
    struct role_view view;   /* as of the last stack_look */
    bool running;            /* started, and `stopped` has not come */
    struct stack *stack;
};

struct stack;

/* Called once when all members have stopped after stack_stop. */
typedef void stack_stopped_callback(void *owner);

/* Called when a member cannot go on; `up` then ends the process with the status. */
typedef void stack_failed_callback(void *owner, const struct status *status);

/* Makes a stack without members; `owner` is handed to the callbacks. `parent` is the context of
 * `up` and must outlive the stack. Never NULL. */
struct stack *stack_new(struct role_context *parent, stack_stopped_callback *stopped,
                        stack_failed_callback *failed, void *owner);

/* Frees the stack. No member may be running. NULL is fine. */
void stack_free(struct stack *stack);

/* Adds a member, which has no options yet. STATUS_USAGE for an unknown or repeated role. */
bool stack_add(struct stack *stack, const char *role_name, struct status *status) MUST_CHECK;

/* Loads the options of all members from the files and the environment that `up` uses, with the
 * overrides that name them. STATUS_CONFIG and the like, naming the member. */
bool stack_configure(struct stack *stack, const struct stack_override *overrides,
                     size_t override_count, struct status *status) MUST_CHECK;

/* Starts all members in the order they were added. When one cannot start, the text names it and,
 * for a taken address, the flag of `up` to change; the caller then calls stack_stop. */
bool stack_start(struct stack *stack, const struct stack_override *overrides, size_t override_count,
                 struct status *status) MUST_CHECK;

/* Stops all running members, the last one first. Idempotent; `stopped` comes in any case, later or,
 * when nothing runs, at once. */
void stack_stop(struct stack *stack);

/* Has every member take over what changed in its files (SIGHUP). The first refusal is reported, and
 * the other members are still asked. */
bool stack_reload(struct stack *stack, struct status *status) MUST_CHECK;

/* Passes SIGUSR2 on to the members that know what to do with it. */
void stack_user_signal(struct stack *stack);

/* Asks every member for its view. */
void stack_look(struct stack *stack);

size_t stack_count(const struct stack *stack);
const struct stack_member *stack_member(const struct stack *stack, size_t index);

/* The member that runs this role, or NULL. */
const struct stack_member *stack_find(const struct stack *stack, const char *role_name);

#endif
