/*
 * What the application beside the client asks for, over loopback and over a unix socket:
 *
 *     GET /v1/license           the state
 *     GET /v1/features/{name}   200 with the limit, or 403 with the reason
 *     GET /v1/events            server-sent events: the state at once, then at each change
 *
 * and what every role answers (app/role_http.h).
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_CLIENT_HTTP_H
#define LSYS_ROLES_LICENSE_CLIENT_CLIENT_HTTP_H

#include "app/role.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "roles/license-client/follower.h"

struct client_http;

/* Gives the exact state of this moment. */
typedef void client_http_look(void *owner, struct follower_view *view);

/* Listens at the option `http`, and at the unix socket of the option `socket` if that is given.
 * NULL with the reason when either cannot be had. */
struct client_http *client_http_open(struct role_context *context, client_http_look *look,
                                     void *owner, struct status *status) MUST_CHECK;

/* "http://127.0.0.1:8002", with the real port. */
const char *client_http_url(const struct client_http *http);

/* Sends the state, as one JSON text, to everybody who listens to events. */
void client_http_publish(struct client_http *http, struct bytes json);

/* Closes everything and frees; `on_closed` is called when the owner may go away. */
void client_http_close(struct client_http *http, void (*on_closed)(void *context), void *context);

#endif
