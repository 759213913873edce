/*
 * What the system account's users may ask the broker about accounts, as with nats-server's full
 * resolver:
 *
 *     $SYS.REQ.CLAIMS.UPDATE                  a token -> {"data":...} or {"error":...}
 *     $SYS.REQ.ACCOUNT.<key>.CLAIMS.UPDATE    the same
 *     $SYS.REQ.ACCOUNT.<key>.CLAIMS.LOOKUP    -> the token, or nothing in it
 *     $SYS.REQ.CLAIMS.LIST                    -> {"data":["A...", ...]}
 *     $SYS.REQ.CLAIMS.PACK                    -> "A...|token" for each, then an empty message
 *     $SYS.REQ.CLAIMS.DELETE                  nats_deletion_read -> as UPDATE
 *
 * Better than nats-server in one point: a token of an operator that is not trusted is an error.
 * Private to src/broker.
 */
#ifndef LSYS_BROKER_CLAIMS_SERVICE_H
#define LSYS_BROKER_CLAIMS_SERVICE_H

#include <stdbool.h>

#include "broker/client.h"

/* Answers the request of a client of the system account. False when it is none of the above, so
 * that it is a message like any other. */
bool claims_service_handle(struct client *requester, const struct frame *frame);

#endif
