/*
 * --on-change CMD: runs a program of the operator's at each change of the state, for applications
 * that can neither ask nor listen. No shell is involved: CMD is split into words once
 * (app/command_line.h), and the state travels in environment variables:
 *
 *     LICENSE_EDITION  LICENSE_STATUS  LICENSE_LICENSED (true, false)  LICENSE_FEATURES (a JSON object)
 *     LICENSE_EXPIRES_AT  LICENSE_ID  LICENSE_CUSTOMER ("" when there is none)
 *     LICENSE_SOURCE  LICENSE_CAUSE  LICENSE_REASON
 *
 * One program runs at a time. Changes that happen meanwhile are coalesced: when it has ended it
 * runs once more, with the state of then. Each run has a deadline.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_ON_CHANGE_H
#define LSYS_ROLES_LICENSE_CLIENT_ON_CHANGE_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/status.h"
#include "roles/license-client/follower.h"

struct loop;
struct metrics;
struct on_change;

/* `command` is the option's text. NULL with STATUS_CONFIG when it cannot be split. */
struct on_change *on_change_open(struct loop *loop, struct metrics *metrics, const char *command,
                                 int64_t timeout_ms, struct status *status) MUST_CHECK;

/* Runs the program with this state, now or when the present run has ended. NULL is harmless. */
void on_change_run(struct on_change *on_change, const struct follower_view *view);

/* Ends a running program and frees. NULL is harmless. */
void on_change_close(struct on_change *on_change);

#endif
