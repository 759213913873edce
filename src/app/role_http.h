/*
 * The HTTP server of a role, with what every role answers alike:
 *
 *   GET /healthz   200 while the process answers: {"status":"ok","role":...,"version":...}
 *   GET /readyz    200 when every condition of the health is met, else 503; the conditions and
 *                  their reasons as JSON
 *   GET /metrics   the process's metrics, Prometheus text
 *
 * The role adds its own routes to the server. With --tls-cert it is https.
 */
#ifndef LSYS_APP_ROLE_HTTP_H
#define LSYS_APP_ROLE_HTTP_H

#include "app/role.h"
#include "base/buffer.h"
#include "base/status.h"
#include "net/address.h"
#include "net/http_server.h"

/* Room for role_http_url's text. */
#define ROLE_HTTP_URL_BYTES (ADDRESS_TEXT_BYTES + 9)

/* Largest body of an answer made with role_http_respond_json; a bound for the caller's buffer. */
#define ROLE_HTTP_ANSWER_BYTES (1024 * 1024)

struct role_http;

/* Makes the server and listens at the address in the role's option `key` ("http"), whose flag is
 * --KEY. The role's shared tables include http_options. Refuses what app/listen_policy.h does;
 * STATUS_BUSY names the flag when the port is taken. Logs where it listens. The result ends with
 * role_http_close. */
struct role_http *role_http_open(struct role_context *context, const char *key,
                                 struct status *status) MUST_CHECK;

/* What a role has beyond the usual. */
struct role_http_service {
    bool api_keys; /* callers from elsewhere show a key: a credential for the listen policy */
    const struct http_limits *limits; /* NULL: http_limits_default */
};

/* As role_http_open. */
struct role_http *role_http_open_service(struct role_context *context, const char *key,
                                         const struct role_http_service *service,
                                         struct status *status) MUST_CHECK;

/* For http_server_add_routes. */
struct http_server *role_http_server(struct role_http *http);

/* "http://127.0.0.1:8001" (or https) with the real port. Lives as long as the server. */
const char *role_http_url(const struct role_http *http);

/* Stops listening and closes, see http_server_close; `on_closed` (may be NULL) is called when the
 * context may go away. NULL is accepted, and `on_closed` is then called at once. */
void role_http_close(struct role_http *http, void (*on_closed)(void *context), void *context);

/* Answers with a JSON text that the caller has written into `json`; when the buffer has failed,
 * with 500 and a problem document. */
void role_http_respond_json(struct http_request *request, int status, const struct buffer *json);

#endif
