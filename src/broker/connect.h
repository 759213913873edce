/*
 * CONNECT: who the client is and what it understands. Private to src/broker.
 */
#ifndef LSYS_BROKER_CONNECT_H
#define LSYS_BROKER_CONNECT_H

#include "broker/client.h"

/* Carries out CONNECT with its argument; refuses the client when it does not prove who it is. */
void connect_client(struct client *client, struct bytes json);

#endif
