/*
 * Watches whether the process's state is on the disk (rules/persistence): tells every change in the
 * log, as an alert, as a metric and in the readiness, and tries the disk again by itself. Roles
 * keep what the disk refused and write it when store_persistence says durable again.
 */
#ifndef LSYS_APP_PERSISTENCE_WATCH_H
#define LSYS_APP_PERSISTENCE_WATCH_H

#include "codec/json_writer.h"

struct role_context;
struct persistence_watch;

/* Begins to watch context->store, and tells at once when it is not durable. The context, which
 * outlives the watch, says whom to tell. Never NULL. */
struct persistence_watch *persistence_watch_open(const struct role_context *context);

/* Ends the watch; before store_close. NULL is harmless. */
void persistence_watch_close(struct persistence_watch *watch);

/* Writes the member "persistence": {"state", "saved", "meaning", "why", "since", "retry_in_ms"};
 * the last three are null while the state is saved. NULL, for a role that runs without a watch,
 * writes nothing. */
void persistence_watch_write(const struct persistence_watch *watch, struct json_writer *json);

#endif
