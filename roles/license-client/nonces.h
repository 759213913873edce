/*
 * Asking the license servers for a sign of life: a nonce on `license.status.get`, and their answers
 * until the time is over. At most one question is open; a new one replaces it.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_NONCES_H
#define LSYS_ROLES_LICENSE_CLIENT_NONCES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "bus/bus.h"

/* The subject that every license server answers. */
#define NONCES_SUBJECT "license.status.get"

struct nonces {
    struct bus_request *request; /* the open question, or NULL */
    void (*on_answer)(void *context, struct bytes message);
    void (*on_end)(void *context); /* the time for answers is over, or nobody is there */
    void *context;
};

/* Asks. False when the question could not be sent (no connection): nothing is called then. */
bool nonces_ask(struct nonces *nonces, struct bus *bus, const char *nonce, int64_t timeout_ms,
                struct status *status);

/* Forgets the open question. */
void nonces_cancel(struct nonces *nonces);

#endif
