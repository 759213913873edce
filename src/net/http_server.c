#include "net/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/memory.h"
#include "net/http_connection.h"
#include "net/http_server_private.h"

/* Head of a response: the request's target is never in it, so this is ample. */
#define RESPONSE_HEAD_BYTES_MAX 16384

/* Deadlines are looked at this often, or four times within the shortest. */
#define SWEEP_INTERVAL_MS 1000

/* For what is still being sent when the server closes. */
#define CLOSE_MS 1000

#define UNIX_SOCKET_MODE 0660

#define EXHAUSTED_LOG_INTERVAL_MS 10000

/* Anybody can fail a handshake a thousand times a second. */
#define TLS_LOG_INTERVAL_MS 100

const struct http_limits http_limits_default = {
    .connections = 512,
    .address_connections = 128,
    .head_timeout_ms = 10000,
    .body_timeout_ms = 10000,
    .idle_timeout_ms = 60000,
    .write_timeout_ms = 20000,
    .events_keepalive_ms = 15000,
};

/* ---- making ---- */

static char **copy_names(const char *const *names) {
    size_t count = 0;
    while (names && names[count])
        count++;
    char **copy = memory_new_array(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = memory_copy_text(names[i]);
    return copy;
}

static int64_t sweep_interval_ms(const struct http_limits *limits) {
    const int64_t timeouts_ms[] = {limits->head_timeout_ms, limits->body_timeout_ms,
                                   limits->idle_timeout_ms, limits->write_timeout_ms,
                                   limits->events_keepalive_ms};
    int64_t interval_ms = SWEEP_INTERVAL_MS;
    for (size_t i = 0; i < sizeof timeouts_ms / sizeof timeouts_ms[0]; i++)
        if (timeouts_ms[i] / 4 < interval_ms) interval_ms = timeouts_ms[i] / 4;
    return interval_ms > 0 ? interval_ms : 1;
}

static void sweep(void *context) {
    struct http_server *server = context;
    int64_t now_ms = loop_now_ms(server->loop);
    for (struct list *link = server->connections.next; link != &server->connections;
         link = link->next)
        http_connection_sweep(LIST_ENTRY(link, struct http_connection, link), now_ms);
}

static void cut_off(void *context) {
    struct http_server *server = context;
    for (struct list *link = server->connections.next; link != &server->connections;
         link = link->next)
        stream_abort(LIST_ENTRY(link, struct http_connection, link)->stream);
}

static void server_is_closed(struct loop_task *task);

struct http_server *http_server_create(struct loop *loop,
                                       const struct http_server_options *options) {
    struct http_server *server = memory_new(sizeof *server);
    server->loop = loop;
    server->name = memory_copy_text(options->name);
    server->limits = options->limits ? *options->limits : http_limits_default;
    server->limits.connections = listener_limit_connections(server->limits.connections);
    server->allowed_hosts = copy_names(options->allowed_hosts);
    server->exhausted_limiter.interval_ms = EXHAUSTED_LOG_INTERVAL_MS;
    server->tls_limiter.interval_ms = TLS_LOG_INTERVAL_MS;
    list_init(&server->connections);
    buffer_init(&server->head, RESPONSE_HEAD_BYTES_MAX);
    loop_task_init(&server->closed_task, server_is_closed);
    server->sweep_timer = timer_open(loop, sweep, server);
    server->close_timer = timer_open(loop, cut_off, server);
    return server;
}

void http_server_add_routes(struct http_server *server, const struct http_route *routes,
                            size_t count, void *context) {
    for (size_t i = 0; i < count; i++)
        ASSERT(routes[i].method && routes[i].pattern[0] == '/' && routes[i].handle);
    struct http_route_set *set = memory_new(sizeof *set);
    *set = (struct http_route_set){.routes = routes, .count = count, .context = context};
    struct http_route_set **end = &server->route_sets;
    while (*end)
        end = &(*end)->next;
    *end = set;
}

/* ---- connections ---- */

static size_t count_of_address(const struct http_server *server, const struct address *peer) {
    size_t count = 0;
    for (struct list *link = server->connections.next; link != &server->connections;
         link = link->next) {
        const struct http_connection *connection = LIST_ENTRY(link, struct http_connection, link);
        count += strcmp(connection->peer.host, peer->host) == 0;
    }
    return count;
}

/* Displaces the connection that has kept us waiting longest for a request, of this address or of any
 * when it is NULL: who keeps connections for later, or opens them and says nothing, must not keep
 * others from asking now. False when each of them is being answered. */
static bool make_room(struct http_server *server, const char *host) {
    struct http_connection *oldest = NULL;
    for (struct list *link = server->connections.next; link != &server->connections;
         link = link->next) {
        struct http_connection *connection = LIST_ENTRY(link, struct http_connection, link);
        if (host && strcmp(connection->peer.host, host) != 0) continue;
        if (!http_connection_awaits_request(connection)) continue;
        if (!oldest || connection->since_ms < oldest->since_ms) oldest = connection;
    }
    if (!oldest) return false;
    server->counters.displaced_connections++;
    stream_close(oldest->stream);
    return true;
}

static bool has_room(struct http_server *server, const struct address *peer) {
    const struct http_limits *limits = &server->limits;
    /* An address that has its share takes a place of its own: nobody else goes for it. */
    if (peer->kind == ADDRESS_TCP && count_of_address(server, peer) >= limits->address_connections)
        return make_room(server, peer->host);
    return server->counters.open_connections < limits->connections || make_room(server, NULL);
}

static void refuse_connection(struct stream *stream) {
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                 "Retry-After: 1\r\nConnection: close\r\n\r\n";
    stream_write(stream, answer, sizeof answer - 1);
    stream_close(stream);
}

static void accept_connection(void *context, struct stream *stream) {
    struct http_server *server = context;
    struct address peer;
    stream_peer(stream, &peer);
    if (!has_room(server, &peer)) {
        server->counters.refused_connections++;
        refuse_connection(stream);
        return;
    }
    server->counters.open_connections++;
    /* An idle server does not wake up. */
    if (!timer_is_running(server->sweep_timer))
        timer_start_repeating(server->sweep_timer, sweep_interval_ms(&server->limits));
    http_connection_open(server, stream);
}

static void note_exhausted(void *context, const struct status *status) {
    struct http_server *server = context;
    if (log_limiter_pass(&server->exhausted_limiter, loop_now_ms(server->loop), NULL))
        log_event(LOG_WARNING, server->name, "out of descriptors", "why", status->text, NULL);
}

void http_server_tls_failed(struct http_server *server, const struct address *peer,
                            const struct status *why) {
    char from[ADDRESS_TEXT_BYTES], more[24] = "";
    unsigned long suppressed;
    server->counters.tls_failures++;
    if (!log_limiter_pass(&server->tls_limiter, loop_now_ms(server->loop), &suppressed)) return;
    if (suppressed > 0) snprintf(more, sizeof more, "%lu", suppressed);
    address_format(peer, from);
    log_event(LOG_INFO, server->name, "a TLS client was not let in", "peer", from, "why", why->text,
              "more_not_logged", suppressed > 0 ? more : NULL, NULL);
}

static const struct listener_handlers listener_handlers = {.on_accept = accept_connection,
                                                           .on_exhausted = note_exhausted};

/* `context` is NULL for plain text. */
static bool listen_at(struct http_server *server, const struct address *address,
                      struct tls_server_context *context, struct address *bound,
                      struct status *status) {
    struct listener *listener =
        listener_open(server->loop, address, UNIX_SOCKET_MODE, &listener_handlers, server, status);
    if (!listener) return false;
    if (context) listener_use_tls(listener, context);
    struct http_listener *row = memory_new(sizeof *row);
    row->listener = listener;
    row->next = server->listeners;
    server->listeners = row;
    if (bound) *bound = *listener_address(listener);
    return true;
}

bool http_server_listen(struct http_server *server, const struct address *address,
                        struct address *bound, struct status *status) {
    return listen_at(server, address, NULL, bound, status);
}

bool http_server_listen_tls(struct http_server *server, const struct address *address,
                            struct tls_server_context *context, struct address *bound,
                            struct status *status) {
    return listen_at(server, address, context, bound, status);
}

void http_server_read_counters(const struct http_server *server, struct http_server_counters *out) {
    *out = server->counters;
}

/* The clock is read once a turn of the loop; answers of one turn have the same date. */
const char *http_server_date(struct http_server *server) {
    int64_t turn_ms = loop_now_ms(server->loop);
    if (turn_ms == server->date_turn_ms) return server->date;
    server->date_turn_ms = turn_ms;
    time_t now = (time_t)(clock_wall_ms() / 1000);
    if (now != server->date_second || server->date[0] == '\0') {
        struct tm parts;
        gmtime_r(&now, &parts);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        server->date_second = now;
    }
    return server->date;
}

/* ---- closing ---- */

static void free_server(struct http_server *server) {
    while (server->route_sets) {
        struct http_route_set *set = server->route_sets;
        server->route_sets = set->next;
        free(set);
    }
    for (size_t i = 0; server->allowed_hosts[i]; i++)
        free(server->allowed_hosts[i]);
    free(server->allowed_hosts);
    buffer_free(&server->head);
    free(server->name);
    free(server);
}

static void server_is_closed(struct loop_task *task) {
    struct http_server *server = LIST_ENTRY(task, struct http_server, closed_task);
    void (*on_closed)(void *context) = server->on_closed;
    void *context = server->closed_context;
    timer_close(server->close_timer);
    free_server(server);
    if (on_closed) on_closed(context);
}

void http_server_connection_closed(struct http_server *server) {
    server->counters.open_connections--;
    if (!list_is_empty(&server->connections)) return;
    if (server->is_closing)
        loop_schedule(server->loop, &server->closed_task);
    else
        timer_stop(server->sweep_timer);
}

void http_server_stop_listening(struct http_server *server) {
    while (server->listeners) {
        struct http_listener *row = server->listeners;
        server->listeners = row->next;
        listener_close(row->listener);
        free(row);
    }
}

void http_server_close(struct http_server *server, void (*on_closed)(void *context),
                       void *context) {
    if (!server || server->is_closing) return;
    server->is_closing = true;
    server->on_closed = on_closed;
    server->closed_context = context;
    timer_close(server->sweep_timer);
    timer_start(server->close_timer, CLOSE_MS);
    http_server_stop_listening(server);
    for (struct list *link = server->connections.next; link != &server->connections;
         link = link->next)
        http_connection_server_closes(LIST_ENTRY(link, struct http_connection, link));
    if (list_is_empty(&server->connections)) loop_schedule(server->loop, &server->closed_task);
}
