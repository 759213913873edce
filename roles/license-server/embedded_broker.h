/*
 * The broker that a license server brings along when its `nats.urls` is `embedded`, the default: a
 * small site then needs no NATS server of its own. When several roles run in one process (`lsys
 * up`) and one of them is the broker, that one is used and this file has nothing to do.
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_EMBEDDED_BROKER_H
#define LSYS_ROLES_LICENSE_SERVER_EMBEDDED_BROKER_H

#include <stdbool.h>

#include "app/role.h"
#include "base/attributes.h"
#include "base/status.h"

/* "nats://" and an address. */
#define EMBEDDED_BROKER_URL_BYTES 300

struct embedded_broker;

/* True when the options ask for a broker in this process and there is none yet. */
bool embedded_broker_is_wanted(const struct role_context *context);

/* False with STATUS_CONFIG when a flag speaks of the embedded broker, and `nats.urls` of others. */
bool embedded_broker_check_unused(const struct role_context *context,
                                  struct status *status) MUST_CHECK;

/* Listens at the option `nats.listen`, with the TLS and the users of `nats.listen_tls` and
 * `nats.listen_users_file`. NULL with STATUS_BUSY naming the flag when the port is taken, with what
 * app/listen_policy.h says, or with STATUS_CONFIG when the server itself could not connect to
 * it. */
struct embedded_broker *embedded_broker_open(struct role_context *context,
                                             struct status *status) MUST_CHECK;

/* Reads the users again (SIGHUP). On failure the old ones stay. NULL is fine. */
bool embedded_broker_reload(struct embedded_broker *broker, const struct options *fresh,
                            struct status *status) MUST_CHECK;

/* Where the server itself connects to, with the real port. */
const char *embedded_broker_url(const struct embedded_broker *broker);

/* Closes; `on_closed` is called when it is done. For NULL it is called at once. */
void embedded_broker_close(struct embedded_broker *broker, void (*on_closed)(void *context),
                           void *context);

#endif
