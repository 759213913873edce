/*
 * A folder of account tokens, one in each file NAME.jwt, as nats-server's full resolver and `lsys
 * nats` keep them. What changes is noticed within a quarter of a second: files that come and go by
 * the time of the folder, files that are written over by looking at some of them in turn. Private
 * to src/broker.
 */
#ifndef LSYS_BROKER_RESOLVER_H
#define LSYS_BROKER_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"

/* How often resolver_poll is meant to be called. */
#define RESOLVER_POLL_MS 250

/* Files that one poll looks at: 2 microseconds each. */
#define RESOLVER_SWEEP_FILES 256

/* Most files: a token takes about 2 KiB of memory. */
#define RESOLVER_FILES_MAX 100000

struct resolver;

struct resolver_handlers {
    /* A file has come or changed; `token` is what is in it, without blanks around. */
    void (*on_token)(void *context, const char *file, struct bytes token);
    /* A file has gone. */
    void (*on_gone)(void *context, const char *file);
    /* A file or the folder cannot be read; what was known stays in force. */
    void (*on_problem)(void *context, const char *file, const struct status *status);
};

/* Opens the folder; made with mode 0700 when it is missing. Nothing is read before
 * resolver_poll. */
struct resolver *resolver_open(const char *folder, const struct resolver_handlers *handlers,
                               void *context, struct status *status) MUST_CHECK;
void resolver_close(struct resolver *resolver);

/* Looks for changes and calls the handlers; the first time for every file. */
void resolver_poll(struct resolver *resolver);

/* Has the next resolver_poll read every file again: who may have signed them has changed. */
void resolver_read_again(struct resolver *resolver);

/* Replaces or makes the file, durably. */
bool resolver_store(struct resolver *resolver, const char *file, struct bytes token,
                    struct status *status) MUST_CHECK;

/* Sets the file aside: renames it to NAME.jwt.deleted, as nats-server does. */
bool resolver_set_aside(struct resolver *resolver, const char *file,
                        struct status *status) MUST_CHECK;

#endif
