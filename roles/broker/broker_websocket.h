/*
 * The WebSocket listener of `lsys broker`, from its options.
 */
#ifndef LSYS_ROLES_BROKER_BROKER_WEBSOCKET_H
#define LSYS_ROLES_BROKER_BROKER_WEBSOCKET_H

#include "app/role.h"
#include "app/role_tls.h"
#include "base/attributes.h"
#include "base/status.h"
#include "broker/broker.h"
#include "net/address.h"

/* "wss://", an address, and NUL. */
#define BROKER_WEBSOCKET_URL_BYTES (ADDRESS_TEXT_BYTES + 8)

/* Listens at the address in --websocket, with TLS when there is a certificate; writes where. `*tls`
 * is NULL without TLS, else the caller's to close, also on failure. */
bool broker_websocket_listen(struct role_context *context, struct broker *broker,
                             struct role_tls **tls, char url[BROKER_WEBSOCKET_URL_BYTES],
                             struct status *status) MUST_CHECK;

#endif
