#include "broker/websocket.h"

#include <stdlib.h>

#include "base/memory.h"
#include "broker/limits.h"
#include "net/websocket_stream.h"

struct websocket_listener {
    struct broker *broker;
    struct http_server *server;
    char **allowed_origins; /* NULL-terminated */
};

/* ---- clients ---- */

static void upgrade(void *context, struct http_request *request) {
    const struct websocket_listener *listener = context;
    struct websocket_accept_options options = {.allowed_origins =
                                                   (const char *const *)listener->allowed_origins};
    struct stream *stream = websocket_accept_stream(request, &options);
    if (stream != NULL) broker_accept(listener->broker, stream, true);
}

/* Any path will do, as with nats-server. */
static const struct http_route ROUTES[] = {
    {.method = "GET", .pattern = "/", .handle = upgrade, .judges_origin = true},
    {.method = "GET", .pattern = "/{path*}", .handle = upgrade, .judges_origin = true},
};

/* ---- the listener ---- */

static char **copy_texts(const char *const *texts) {
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL)
        count++;
    char **copy = memory_new_array(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = memory_copy_text(texts[i]);
    return copy;
}

static void free_listener(struct websocket_listener *listener) {
    for (size_t i = 0; listener->allowed_origins[i] != NULL; i++)
        free(listener->allowed_origins[i]);
    free(listener->allowed_origins);
    free(listener);
}

static struct websocket_listener *create_listener(struct broker *broker,
                                                  const struct broker_websocket_options *options) {
    struct http_limits limits = http_limits_default;
    limits.connections = limits.address_connections = LIMIT_WEBSOCKETS;
    struct http_server_options server_options = {
        .name = broker->options.role, .limits = &limits, .allowed_hosts = options->allowed_hosts};
    struct websocket_listener *listener = memory_new(sizeof *listener);
    listener->broker = broker;
    listener->allowed_origins = copy_texts(options->allowed_origins);
    listener->server = http_server_create(broker->loop, &server_options);
    http_server_add_routes(listener->server, ROUTES, sizeof ROUTES / sizeof ROUTES[0], listener);
    return listener;
}

bool broker_listen_websocket(struct broker *broker, const struct address *address,
                             const struct broker_websocket_options *options, struct address *bound,
                             struct status *status) {
    if (broker->websocket == NULL) broker->websocket = create_listener(broker, options);
    struct http_server *server = broker->websocket->server;
    if (options->tls != NULL)
        return http_server_listen_tls(server, address, options->tls, bound, status);
    return http_server_listen(server, address, bound, status);
}

void websocket_stop_listening(struct broker *broker) {
    if (broker->websocket != NULL) http_server_stop_listening(broker->websocket->server);
}

static void closed(void *context) {
    struct websocket_listener *listener = context;
    struct broker *broker = listener->broker;
    broker->websocket = NULL;
    free_listener(listener);
    broker_client_left(broker);
}

void websocket_close_listener(struct broker *broker) {
    if (broker->websocket != NULL)
        http_server_close(broker->websocket->server, closed, broker->websocket);
}
