/*
 * What `lsys nats export` and `lsys nats import` have in common: the account that is changed, the
 * other account, and the activation between them.
 */
#ifndef LSYS_ROLES_NATS_SHARE_H
#define LSYS_ROLES_NATS_SHARE_H

#include "app/nats_deployment.h"
#include "base/attributes.h"
#include "roles/nats/actions.h"

/* The other account: of this folder, by name or key, or only a key. */
struct share_other {
    char key[NKEY_PUBLIC_TEXT_BYTES];
    struct nats_account account; /* empty unless `is_here` */
    bool is_here;
};

/* Finds the account that `text`, the value of `flag`, names. `out->account` is given to
 * nats_account_free in any case. STATUS_USAGE, STATUS_NOT_FOUND. */
bool share_find_other(const struct nats_deployment *deployment, const char *flag, const char *text,
                      struct share_other *out, struct status *status) MUST_CHECK;

typedef bool share_change(const struct nats_deployment *deployment,
                          const struct nats_action_call *call, struct nats_account *account,
                          struct status *status);

/* Opens the folder and the account of the first name, has it changed, and writes it if `writes`. */
bool share_with_account(const struct nats_action_call *call, share_change *change, bool writes,
                        struct status *status) MUST_CHECK;

/* The kind that --service chooses. */
enum nats_share_kind share_kind(const struct options *options);

/* Appends a token with which the account `importer` may import the exporter's subject; `life_ms` 0:
 * for ever. */
bool share_make_activation(const struct nats_deployment *deployment,
                           const struct nats_account *exporter, const char *importer,
                           const char *subject, enum nats_share_kind kind, int64_t life_ms,
                           struct buffer *out, struct status *status) MUST_CHECK;

#endif
