/*
 * The message path: from one PUB to everybody who receives it. Private to src/broker.
 */
#ifndef LSYS_BROKER_ROUTER_H
#define LSYS_BROKER_ROUTER_H

#include "broker/client.h"

/* Carries out the frame of a PUB or HPUB. */
void router_publish(struct client *publisher, const struct frame *frame);

#endif
