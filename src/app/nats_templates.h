/*
 * Permissions for those who usually connect, each with the least that it needs: only the license
 * server may say what the status of the license is, and only the cache master that licenses have
 * changed.
 */
#ifndef LSYS_APP_NATS_TEMPLATES_H
#define LSYS_APP_NATS_TEMPLATES_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"
#include "verifier/nats_jwt.h"

/* The names, as choices of an option. */
#define NATS_TEMPLATE_NAMES "license-server|license-client|cache-master|cache-slave|observer|all"

/* Adds the rights of a template to `rights`. */
bool nats_template_apply(const char *name, struct nats_rights *rights,
                         struct status *status) MUST_CHECK;

#endif
