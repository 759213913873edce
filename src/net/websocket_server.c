#include "net/http_connection.h"
#include "net/http_guard.h"
#include "net/http_upgrade.h"
#include "net/websocket_handshake.h"
#include "net/websocket_private.h"

static void refuse(struct http_request *request, const struct http_failure *failure) {
    if (failure->status == 426) {
        http_response_header(request, "Upgrade", "websocket");
        http_response_header(request, "Connection", "Upgrade");
        http_response_header(request, "Sec-WebSocket-Version", "13");
    }
    http_respond_problem(request, failure->status, failure->code, "No WebSocket", "%s",
                         failure->detail);
}

/* Browsers let any page connect to any WebSocket, with cookies, and leave the decision to the
 * server. */
static bool check_origin(const struct http_head *head, const char *const *allowed,
                         struct http_failure *failure) {
    if (http_guard_origin_is_listed(head, allowed) || http_guard_origin_is_allowed(head))
        return true;
    *failure =
        (struct http_failure){.status = 403,
                              .code = "origin_not_allowed",
                              .detail = "pages of this origin may not connect here; others than "
                                        "this server's own must be configured as allowed"};
    return false;
}

bool websocket_shake_hands(struct http_request *request,
                           const struct websocket_accept_options *options, const char **protocol) {
    const struct http_head *head = request->head;
    char accept[WEBSOCKET_ACCEPT_TEXT_BYTES];
    struct http_failure failure;
    if (!websocket_check_request(head, &failure) ||
        !check_origin(head, options->allowed_origins, &failure)) {
        refuse(request, &failure);
        return false;
    }
    *protocol = websocket_choose_protocol(head, options->protocols);
    websocket_make_accept(http_request_header(request, "sec-websocket-key"), accept);
    http_response_header(request, "Sec-WebSocket-Accept", accept);
    if (*protocol) http_response_header(request, "Sec-WebSocket-Protocol", *protocol);
    return true;
}

struct websocket *websocket_accept(struct http_request *request,
                                   const struct websocket_accept_options *options,
                                   const struct websocket_handlers *handlers, void *context) {
    const char *protocol;
    if (!websocket_shake_hands(request, options, &protocol)) return NULL;
    struct loop *loop = stream_loop(request->connection->stream);
    struct websocket *websocket = websocket_new(loop, false, &options->settings, handlers, context);
    websocket->stream =
        http_request_upgrade(request, "websocket", &websocket_stream_handlers, websocket);
    websocket_become_open(websocket, protocol);
    return websocket;
}
