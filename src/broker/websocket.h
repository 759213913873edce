/*
 * The broker's WebSocket listener: browsers' NATS clients speak the protocol in frames. A request
 * for an upgrade becomes a stream, and the stream a client like any other. Private to src/broker,
 * but for broker_listen_websocket.
 */
#ifndef LSYS_BROKER_WEBSOCKET_H
#define LSYS_BROKER_WEBSOCKET_H

#include "broker/broker_state.h"

/* Takes no more connections. Harmless without a listener. */
void websocket_stop_listening(struct broker *broker);

/* Ends the listener with its connections; broker_client_left is called when it is gone. Harmless
 * without a listener. */
void websocket_close_listener(struct broker *broker);

#endif
