/*
 * What a client does after each event, whatever it was: tells everybody when the state changed,
 * sends a nonce when one is due, and sets the timer to the next moment at which something will
 * happen by itself.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_TURN_H
#define LSYS_ROLES_LICENSE_CLIENT_TURN_H

#include "roles/license-client/client_parts.h"

/* The condition of /readyz: the client has found out whether there is a license server. Community
 * is an answer, too, so that a missing license server never keeps an application from starting. */
#define CLIENT_CONDITION_DECIDED "decided"

/* Both clocks, now. */
struct moment turn_moment(void);

/* Fills the view of the state, as answers show it. */
void turn_look(const struct client *client, struct follower_view *view);

/* Does what `effect` asks for. */
void turn_settle(struct client *client, enum follower_effect effect);

/* Notes that the client knows whether somebody is there. The operator's program hears of the state
 * with which the client begins here, unless a change has told it already. */
void turn_decided(struct client *client);

/* Writes the status file at the start. */
void turn_begin(struct client *client);

#endif
