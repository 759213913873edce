/*
 * SUB and UNSUB. Private to src/broker.
 */
#ifndef LSYS_BROKER_SUBSCRIPTIONS_H
#define LSYS_BROKER_SUBSCRIPTIONS_H

#include "broker/client.h"

/* Carries out the frame of a SUB, of an UNSUB. */
void subscriptions_add(struct client *client, const struct frame *frame);
void subscriptions_remove(struct client *client, const struct frame *frame);

/* The client's permissions have changed: closes what is no longer allowed, and says so. */
void subscriptions_check(struct client *client);

#endif
