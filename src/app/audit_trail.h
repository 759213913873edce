/*
 * What every role leaves in the audit log without being asked: each alert that it raises. What else
 * a role does that somebody may have to answer for, it appends itself through audit_trail_append.
 */
#ifndef LSYS_APP_AUDIT_TRAIL_H
#define LSYS_APP_AUDIT_TRAIL_H

#include <stdbool.h>

#include "base/buffer.h"

struct alerts;
struct store;

/* Appends every later alert to the store's audit log, until alerts_unlisten with this store as the
 * owner. Both must outlive that. */
void audit_trail_follow(struct store *store, struct alerts *alerts);

/* Appends an entry dated now; `actor` is the role and `action` a constant of ours, `detail` one
 * JSON object. When it cannot be written the role goes on, and the log says what is missing: a full
 * disk must not stop a license. */
void audit_trail_append(struct store *store, const char *actor, const char *action,
                        const struct buffer *detail);

#endif
