/*
 * The message path: from one PUB to everybody who receives it. Private to src/broker.
 */
#ifndef LSYS_BROKER_ROUTER_H
#define LSYS_BROKER_ROUTER_H

#include "broker/client.h"

/* Sends a message to the client's own plain subscription to `reply`; nothing when it has none. */
void router_answer(struct client *requester, struct bytes reply, struct bytes payload);

/* Carries out the frame of a PUB or HPUB. */
void router_publish(struct client *publisher, const struct frame *frame);

#endif
