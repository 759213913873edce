/*
 * Operator mode: who is trusted is what an operator has signed. Accounts come from a folder
 * (resolver.h) or from the system account (claims_service.h), users bring their tokens with
 * CONNECT. Private to src/broker; broker_trust_open is in broker.h.
 *
 *     a token of an account comes or changes -> checked against the operator -> in force
 *         -> each of its clients is checked again: revoked, expired, other permissions
 */
#ifndef LSYS_BROKER_TRUST_H
#define LSYS_BROKER_TRUST_H

#include <stdbool.h>

#include "base/attributes.h"
#include "broker/client.h"
#include "broker/identity.h"

/* From now on the broker's clients are looked after, and the folder is watched. */
void trust_attach(struct broker_trust *trust, struct broker *broker);

/* Ends the watching; what the clients use stays until broker_trust_free. */
void trust_detach(struct broker_trust *trust);

/* CONNECT with a token and, unless it is a bearer's, a signature of the nonce. On success the
 * client has an account, its permissions and limits. Otherwise it has been refused. */
bool trust_authenticate(struct client *client, const char *token, const char *signature);

/* The client leaves its account; harmless when it has none. */
void trust_forget(struct client *client);

/* The account with this public key, or NULL. */
struct account *trust_find(const struct broker_trust *trust, const char *key);

/* Takes over an account's token that somebody pushed, keeps it in the folder, and applies it.
 * STATUS_OLD_SERIAL when it was issued before the one in force, else as nats_account_read and
 * nats_account_check. `*account` gets the account. */
bool trust_update(struct broker_trust *trust, struct bytes token, const struct account **account,
                  struct status *status) MUST_CHECK;

/* Shuts the accounts that an operator's token (nats_deletion_read) names, drops their clients, and
 * sets their files in the folder aside as NAME.jwt.deleted. `*deleted` counts them.
 * STATUS_NOT_FOUND when one is not known; the others are deleted all the same. Else as
 * nats_deletion_check. */
bool trust_delete(struct broker_trust *trust, struct bytes token, size_t *deleted,
                  struct status *status) MUST_CHECK;

/* A walk over all accounts: trust_next(trust, NULL) is the first, NULL the end. */
struct account *trust_next(const struct broker_trust *trust, const struct account *previous);

#endif
