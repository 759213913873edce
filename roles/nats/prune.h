/*
 * The second half of `lsys nats push --prune`: has servers forget the accounts that are no longer
 * in the folder. They are asked what they have ($SYS.REQ.CLAIMS.LIST), and get a token of the operator
 * that names what is to go ($SYS.REQ.CLAIMS.DELETE).
 */
#ifndef LSYS_ROLES_NATS_PRUNE_H
#define LSYS_ROLES_NATS_PRUNE_H

#include "app/nats_deployment.h"
#include "base/status.h"
#include "bus/bus.h"

struct prune;

/* What it needs to know; borrowed until it has ended. */
struct prune_plan {
    const struct nats_deployment *deployment;
    struct nats_texts kept; /* the public keys of the accounts in the folder */
    int64_t timeout_ms;     /* for the answers of each of the two requests */
};

/* Begins on a bus that is connected; prints what servers say. `on_end` is called once, with
 * `context`, when all is said: errors are in `status`. NULL when it cannot begin. */
struct prune *prune_start(struct bus *bus, const struct prune_plan *plan,
                          void (*on_end)(void *context), void *context,
                          struct status *status) MUST_CHECK;

/* Frees it, after its end or when the bus has closed. NULL is fine. */
void prune_free(struct prune *prune);

#endif
