/*
 * Who a client of an operator's broker is, as its token says, and what it may do. Private to
 * src/broker.
 */
#ifndef LSYS_BROKER_IDENTITY_H
#define LSYS_BROKER_IDENTITY_H

#include <stdbool.h>

#include "base/attributes.h"
#include "broker/account.h"
#include "broker/users.h"

struct identity {
    struct broker_user user; /* what the message path asks; its name is the user's public key */
    struct permissions permissions;
    struct nats_user claims;
};

/* Takes over the claims of a token, which are empty afterwards, and reads its rights in the
 * account. NULL with STATUS_CONFIG when a right cannot be kept here: a subject that is none, a
 * limit to addresses or times of day, a variable in a template that we do not know. */
struct identity *identity_new(struct nats_user *claims, const struct account *account,
                              struct status *status) MUST_CHECK;

/* The account says something else: reads the rights again. On failure the old ones stay. */
bool identity_renew(struct identity *identity, const struct account *account,
                    struct status *status) MUST_CHECK;

void identity_free(struct identity *identity);

#endif
