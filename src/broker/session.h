/*
 * What a client sends becomes what the broker does: the parser's frames are dispatched here.
 * Private to src/broker.
 */
#ifndef LSYS_BROKER_SESSION_H
#define LSYS_BROKER_SESSION_H

#include "broker/client.h"

/* The handlers of a client's stream; the context is the client. */
extern const struct stream_handlers session_handlers;

/* Prepares the client's resume task. */
void session_init(struct client *client);

/* Goes on with input that was left, and with reading, before the loop next waits. */
void session_resume_soon(struct client *client);

#endif
