/*
 * Whether a role can serve, and what it waits for. A role names the conditions it depends on
 * ("nats", "license") and keeps each up to date; /readyz and the status views are made from them.
 * Being alive (/healthz) needs no condition: a process that answers is alive.
 */
#ifndef LSYS_APP_HEALTH_H
#define LSYS_APP_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Conditions a role may have; a role that wants more should group them. ASSERTed. */
#define HEALTH_CONDITIONS 16

/* Room for the reason of one condition; longer texts are cut. */
#define HEALTH_REASON_BYTES 256

struct health;

/* Never NULL; the caller's, to be given to health_free. A role without conditions is ready. */
struct health *health_new(void);
void health_free(struct health *health);

/* Sets a condition (`name` is a constant of ours): whether it is met, and in one sentence why not,
 * or what it is ("connected to nats://127.0.0.1:4222"). The text is copied. Returns true when `met`
 * is not what it was before, so that the caller logs the change and not every repetition. */
bool health_set(struct health *health, const char *name, bool met, const char *reason);

/* Forgets a condition that no longer applies. */
void health_remove(struct health *health, const char *name);

/* True when every condition is met. */
bool health_is_ready(const struct health *health);

/* The reason of the first condition that is not met, or "" when ready. */
const char *health_first_reason(const struct health *health);

/* Appends {"ready":bool,"conditions":[{"name":...,"met":bool,"reason":...}]}. */
void health_write_json(const struct health *health, struct buffer *out);

#endif
