/*
 * A role: a part of the stack that runs until it is told to stop. Several may run in one process on
 * one loop (`lsys up`), so a role keeps everything in its context and nothing in globals, never
 * blocks, and never ends the process.
 *
 * Life:  start --> (running) --> stop --> context->stopped(context) --> the context is freed
 *
 * start returns at once. It listens and begins to look for its peers, and does not wait for them:
 * what is missing is said through health. stop may be called at any time after a successful start,
 * also before the role is ready, and more than once; when the last handle is closed, within two
 * seconds, the role frees its state and calls `stopped` exactly once. After a failed start nothing
 * of the role remains on the loop that needs it, and stop is not called.
 */
#ifndef LSYS_APP_ROLE_H
#define LSYS_APP_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/command.h"
#include "app/options.h"
#include "base/status.h"
#include "rules/persistence.h"

struct alerts;
struct health;
struct loop;
struct metrics;
struct persistence_watch;
struct store;

/* A role that has not stopped after this time is left behind when the process exits, so that a stop
 * takes less than two seconds whatever happens. */
#define ROLE_STOP_DEADLINE_MS 1800

enum role_condition {
    ROLE_STARTING,
    ROLE_WAITING,  /* alive, misses something that it needs, and keeps trying */
    ROLE_SERVING,  /* does its work */
    ROLE_DEGRADED, /* does its work, and a person should look at it */
    ROLE_STOPPED,
};

/* One line about a role, for the terminal view and the status page of `up`. */
struct role_view {
    enum role_condition condition;
    char state[48];    /* a word or two: "valid", "community", "3 clients" */
    char detail[200];  /* one sentence about what it does or waits for */
    char listens[160]; /* addresses in use, separated by blanks: "nats://127.0.0.1:4222" */
    int64_t last_heartbeat_monotonic_ms; /* base/clock; 0: none heard or sent */
};

/* What a role is given. Owned by whoever runs the role and valid until after `stopped`. */
struct role_context {
    const char *name; /* for log_event and labels: the command's name */
    struct loop *loop;
    const struct command_table *commands; /* everything that lsys knows, for `up` */
    /* Replaced when a reload was accepted; texts read from it live until then: copy what is
     * kept. */
    const struct options *options;
    struct store *store;                   /* open; NULL unless the role wants one */
    struct persistence_watch *persistence; /* of the store, for answers; NULL without one */
    struct health *health;                 /* this role's own */
    struct metrics *metrics;         /* the process's; roles put {role="name"} on their series */
    struct alerts *alerts;           /* the process's */
    const char *embedded_nats_url;   /* where a broker in this same process listens, or NULL */
    const char *embedded_master_url; /* the same of a cache-master */
    void *state;                     /* the role's own, set by its start */

    /* Called once by the role when it is completely stopped. */
    void (*stopped)(struct role_context *context);
    /* Called by a role that cannot go on at all (never for a missing peer): the runner stops it,
     * and a role that runs alone ends the process with the status's exit code. */
    void (*failed)(struct role_context *context, const struct status *status);
    void *owner; /* the runner's own; roles leave it alone */
};

struct role {
    bool wants_store; /* needs --data-dir and the store in it */

    /* How little of the store is enough to start with, when the disk does not let it be written;
     * durable unless the role says that it serves with less. */
    enum persistence_state least_persistence;

    /* Begins. False with the reason when it cannot: a taken port, an unreadable key. */
    bool (*start)(struct role_context *context, struct status *status);

    /* Ends, see above. */
    void (*stop)(struct role_context *context);

    /* SIGHUP: takes over from `fresh` what may change while running (rows with OPTION_RELOAD) and
     * reads its files again. On false nothing has changed and the role goes on as it was. NULL: the
     * role has nothing to reload. */
    bool (*reload)(struct role_context *context, const struct options *fresh,
                   struct status *status);

    /* SIGUSR2: the broker's lame duck mode. NULL: the signal is ignored. */
    void (*user_signal)(struct role_context *context);

    /* Fills the view. Called on the loop thread at any time between start and stopped. */
    void (*describe)(const struct role_context *context, struct role_view *view);
};

/* The word for a condition: "starting", "waiting", "serving", "degraded", "stopped". */
const char *role_condition_name(enum role_condition condition);

/* Runs one role as this process: hardens the process, configures logging, opens the store, starts
 * the role, and serves signals until it has stopped. Returns the exit code: 0 after SIGTERM or
 * SIGINT, else that of the first failure. */
int role_main(const struct command_call *call);

#endif
