/*
 * Connections that have not yet proved who they are, in all and by address: a flood of them from
 * one place must not use up the room for those that would. Private to src/broker.
 */
#ifndef LSYS_BROKER_LOGINS_H
#define LSYS_BROKER_LOGINS_H

#include "broker/client.h"

/* Counts the client, until logins_end, as one that has to authenticate. When there are too many
 * already, of its address or in all, the one that has kept us waiting longest is turned away: who
 * sends CONNECT at once gets in while others only hold connections. Connections of this machine are
 * counted in all only. */
void logins_begin(struct client *client);

/* The client has authenticated or is going away; harmless when it is not counted. */
void logins_end(struct client *client);

#endif
