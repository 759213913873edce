/*
 * The parts of a running client, shared by client.c (life) and turn.c (what happens after each
 * event).
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_CLIENT_PARTS_H
#define LSYS_ROLES_LICENSE_CLIENT_CLIENT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/authority.h"
#include "app/ledger.h"
#include "app/role.h"
#include "bus/bus.h"
#include "loop/timer.h"
#include "roles/license-client/client_http.h"
#include "roles/license-client/client_metrics.h"
#include "roles/license-client/follower.h"
#include "roles/license-client/nonces.h"
#include "roles/license-client/on_change.h"
#include "roles/license-client/status_file.h"

struct client {
    struct role_context *context;
    struct ledger *ledger;
    struct authority *authority;
    struct follower *follower;
    struct client_http *http;
    struct bus *bus;
    struct nonces nonces;
    struct timer *timer;
    struct on_change *on_change; /* NULL when no program is configured */
    struct status_file status_file;
    struct client_metrics *metrics;
    uint64_t connects; /* of the bus, as followed last */
    bool announced;    /* the operator's program knows the present state, or will soon */
    bool started;      /* start has succeeded: `stopped` is owed */
    bool stopping;
};

#endif
