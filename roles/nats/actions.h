/*
 * What `lsys nats` can be asked to do: one function and one file an action. Names that an action
 * needs are handed over as texts, as many as its row in nats.c says.
 */
#ifndef LSYS_ROLES_NATS_ACTIONS_H
#define LSYS_ROLES_NATS_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"

struct nats_action_call {
    const struct options *options;
    const char *names[2]; /* ACCOUNT and NAME, as far as the action takes them */
};

/* Each prints what it did to stdout. */
typedef bool nats_action(const struct nats_action_call *call, struct status *status);

nats_action nats_init;
nats_action nats_account_add;
nats_action nats_account_set;
nats_action nats_account_remove;
nats_action nats_operator_set;
nats_action nats_export_add;
nats_action nats_export_remove;
nats_action nats_export_activate;
nats_action nats_export_revoke;
nats_action nats_import_add;
nats_action nats_import_remove;
nats_action nats_user_add;
nats_action nats_user_revoke;
nats_action nats_config;
nats_action nats_push;
nats_action nats_list;

/* The folder of the deployment: --dir, by default the current one. */
const char *nats_folder(const struct options *options);

/* The present second. */
int64_t nats_now_s(void);

#endif
