/*
 * Reply subjects that a client under allow_responses may still publish to, because it received a
 * request that names them. Bounded; the oldest are forgotten first. Private to src/broker.
 */
#ifndef LSYS_BROKER_REPLIES_H
#define LSYS_BROKER_REPLIES_H

#include <stdbool.h>

#include "broker/client.h"

/* A request with this reply subject was delivered to the client. */
void replies_remember(struct client *client, struct bytes reply);

/* True when the client may publish to the subject as a reply; counts it as one. */
bool replies_use(struct client *client, struct bytes subject);

/* Forgets all of them. */
void replies_free(struct client *client);

#endif
