/*
 * What clients must do in time: authenticate, answer PING. All waits of a kind are equally long, so
 * each kind is a list in the order of its deadlines, and only the heads are looked at. One timer
 * for the broker, which runs while there are clients. Private to src/broker.
 */
#ifndef LSYS_BROKER_TIMEOUTS_H
#define LSYS_BROKER_TIMEOUTS_H

#include "broker/client.h"

/* From now on the client must authenticate in time, or, when that is not asked for or done, answer
 * PINGs. A later call replaces what an earlier one asked for. */
void timeouts_await_authentication(struct client *client);
void timeouts_keep_alive(struct client *client);

/* The client answered a PING. */
void timeouts_pong(struct client *client);

/* Forgets the client. */
void timeouts_forget(struct client *client);

/* Looks at every deadline that has come. */
void timeouts_tick(struct broker *broker);

#endif
