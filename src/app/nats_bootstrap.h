/*
 * The beginning of a NATS deployment (nats_deployment.h): an operator, the system account, and that
 * account's user, through whom servers are told of accounts.
 */
#ifndef LSYS_APP_NATS_BOOTSTRAP_H
#define LSYS_APP_NATS_BOOTSTRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "app/nats_deployment.h"
#include "base/attributes.h"
#include "base/status.h"

/* Makes all of it in `folder`, issued at `now_s`, with keys of their own; the operator is named
 * `name`. `*out` is the new deployment, given to nats_deployment_close in any case. STATUS_BUSY
 * when there is one already, and the errors of files. */
bool nats_bootstrap(const char *folder, const char *name, int64_t now_s,
                    struct nats_deployment *out, struct status *status) MUST_CHECK;

#endif
