/*
 * Connects to an address, by name if need be, within a deadline: looks the name up off the loop and
 * tries its addresses one after the other.
 */
#ifndef LSYS_NET_CONNECTOR_H
#define LSYS_NET_CONNECTOR_H

#include <stdint.h>

#include "base/status.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/stream.h"

struct connector;

/* Called once. On success `stream` is the callee's (stream_start or stream_close) and `status` is
 * OK. Otherwise `stream` is NULL and `status` names the address and the reason: STATUS_TIMEOUT,
 * STATUS_NOT_FOUND (no such name or socket file), STATUS_UNAVAILABLE (refused, unreachable),
 * STATUS_IO. */
typedef void connector_callback(void *context, struct stream *stream, const struct status *status);

/* Starts connecting. It is freed after the callback, when the pointer becomes invalid. */
struct connector *connector_start(struct loop *loop, const struct address *address,
                                  int64_t timeout_ms, connector_callback *callback, void *context);

/* Gives up: the callback will not come. Not to be called after the callback. */
void connector_cancel(struct connector *connector);

#endif
