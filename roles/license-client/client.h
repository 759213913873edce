/*
 * The running license client: connects the follower with NATS, the application and the disk.
 *
 *     NATS --> subscription --+                          +--> HTTP, events
 *          --> answers -------+--> follower --> settle --+--> status file, --on-change
 *                 timer ------+                          +--> nonce --> NATS
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_CLIENT_H
#define LSYS_ROLES_LICENSE_CLIENT_CLIENT_H

#include "app/role.h"

/* The functions of the role, see app/role.h. */
extern const struct role license_client_role;

#endif
