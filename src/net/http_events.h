/*
 * Server-sent events (WHATWG HTML, section 9.2): one response that never ends, to which the server
 * adds events. A listener that does not read is cut off when HTTP_EVENTS_PENDING_BYTES_MAX are
 * unsent; browsers then reconnect by themselves.
 */
#ifndef LSYS_NET_HTTP_EVENTS_H
#define LSYS_NET_HTTP_EVENTS_H

#include "base/bytes.h"
#include "net/http_request.h"

struct http_events;

/* Answers the request with an event stream; the request pointer is invalid afterwards. Exactly one
 * of these ends it: `on_gone` is called (client gone, too slow, server closing), or the owner calls
 * http_events_close; then the pointer is invalid. For HEAD, which has no body, on_gone follows. */
struct http_events *http_request_open_events(struct http_request *request,
                                             void (*on_gone)(void *context), void *context);

/* Sends one event. `name` (the event's type) and `id` may be NULL and hold no line breaks; `data`
 * may hold any text, its lines are sent as the format wants. */
void http_events_send(struct http_events *events, const char *name, const char *id,
                      struct bytes data);

/* Ends the stream from our side; on_gone does not come. */
void http_events_close(struct http_events *events);

#endif
