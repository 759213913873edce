/*
 * The options of `lsys broker`, and what is made of them.
 */
#ifndef LSYS_ROLES_BROKER_BROKER_OPTIONS_H
#define LSYS_ROLES_BROKER_BROKER_OPTIONS_H

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"
#include "broker/broker.h"

extern const struct option broker_options_table[];

/* Fills in the broker's limits and names; texts are borrowed from the options. */
void broker_options_read(const struct options *options, struct broker_options *out);

/* Reads the users of all sources. `*out` is NULL when none is configured; else the caller's. */
bool broker_options_read_users(const struct options *options, struct broker_users **out,
                               struct status *status) MUST_CHECK;

/* Reads who may connect into `users` or `trust`: both belong to the broker that is made of
 * `out`. */
bool broker_options_read_login(const struct options *options, struct broker_options *out,
                               struct status *status) MUST_CHECK;

#endif
