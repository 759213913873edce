/*
 * The `explain` member of the state: which rule gave it, what that rule was given, and what will
 * change it next. For people who ask why; `lsys status --explain` prints it.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_EXPLAIN_H
#define LSYS_ROLES_LICENSE_CLIENT_EXPLAIN_H

#include "codec/json_writer.h"
#include "roles/license-client/follower.h"

/* Writes one object as the next value. */
void explain_write(const struct follower_view *view, struct json_writer *json);

/* Until when the state holds if nothing more is heard and no clock jumps, in wall milliseconds;
 * LICENSE_NEVER when only an event can change it. */
int64_t explain_valid_until_ms(const struct follower_view *view);

#endif
