#include "roles/license-client/client_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/metrics.h"
#include "app/role_http.h"
#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/http_events.h"
#include "roles/license-client/answers.h"

/* Name of the one kind of event there is. */
#define EVENT_NAME "license"

/* Streams stay open: half of the connections that the server gives to one address (an application
 * that forgets to close its streams must leave the others somewhere to ask). */
#define LISTENERS_MAX 64

struct client_http {
    struct role_http *server;
    client_http_look *look;
    void *owner;
    struct list listeners;
    int listeners_count;
    uint64_t events; /* sent so far; the id of an event */
    struct metric *listening;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* One open event stream. */
struct listener_entry {
    struct list link;
    struct client_http *http;
    struct http_events *events;
};

/* ---- requests ---- */

static void answer_license(void *context, struct http_request *request) {
    struct client_http *http = context;
    struct follower_view view;
    struct buffer body;
    buffer_init(&body, ANSWER_BYTES_MAX);
    http->look(http->owner, &view);
    bool written = answer_write_license(&view, &body);
    role_http_respond_json(request, written ? 200 : 500, &body);
    buffer_free(&body);
}

static void answer_feature_request(void *context, struct http_request *request) {
    struct client_http *http = context;
    const char *name = http_request_path_value(request, "name");
    const struct license_feature *feature;
    struct follower_view view;
    http->look(http->owner, &view);
    struct feature_answer answer = answer_feature(&view, name, &feature);
    if (!answer.allowed) {
        http_respond_problem(request, 403, answer.code, "The feature may not be used", "%s",
                             answer.reason);
        return;
    }
    struct buffer body;
    buffer_init(&body, ANSWER_BYTES_MAX);
    bool written = answer_write_feature(&view, name, feature, answer, &body);
    role_http_respond_json(request, written ? 200 : 500, &body);
    buffer_free(&body);
}

/* ---- events ---- */

static void send_event(struct listener_entry *listener, struct bytes json) {
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)listener->http->events);
    http_events_send(listener->events, EVENT_NAME, id, json);
}

static void on_gone(void *context) {
    struct listener_entry *listener = context;
    listener->http->listening->value -= 1;
    listener->http->listeners_count--;
    list_remove(&listener->link);
    free(listener);
}

static void open_events(void *context, struct http_request *request) {
    struct client_http *http = context;
    struct follower_view view;
    struct buffer body;
    if (http->listeners_count == LISTENERS_MAX) {
        http_respond_problem(request, 503, "too_many_listeners", "Too many listen to the events",
                             "At most %d may; close one of the others, or ask /v1/license",
                             LISTENERS_MAX);
        return;
    }
    buffer_init(&body, ANSWER_BYTES_MAX);
    http->look(http->owner, &view);
    bool written = answer_write_license(&view, &body);
    struct listener_entry *listener = memory_new(sizeof *listener);
    listener->http = http;
    list_append(&http->listeners, &listener->link);
    http->listeners_count++;
    metric_increment(http->listening);
    listener->events = http_request_open_events(request, on_gone, listener);
    if (written) send_event(listener, buffer_bytes(&body));
    buffer_free(&body);
}

void client_http_publish(struct client_http *http, struct bytes json) {
    http->events++;
    for (struct list *link = http->listeners.next; link != &http->listeners; link = link->next)
        send_event(LIST_ENTRY(link, struct listener_entry, link), json);
}

/* ---- opening and closing ---- */

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/v1/license", .handle = answer_license},
    {.method = "GET", .pattern = "/v1/features/{name}", .handle = answer_feature_request},
    {.method = "GET", .pattern = "/v1/events", .handle = open_events},
};

/* Listens at the unix socket, if one is wanted. */
static bool listen_socket(struct client_http *http, const struct role_context *context,
                          struct status *status) {
    const char *path = options_text(context->options, "socket");
    struct address address = {.kind = ADDRESS_UNIX};
    if (!path) return true;
    int length = snprintf(address.host, sizeof address.host, "%s", path);
    if (length < 0 || (size_t)length >= sizeof address.host)
        return status_fail(status, STATUS_CONFIG, "--socket: the path is too long");
    if (!http_server_listen(role_http_server(http->server), &address, NULL, status))
        return status_context(status, "--socket");
    log_event(LOG_INFO, context->name, "listening", "socket", path, NULL);
    return true;
}

struct client_http *client_http_open(struct role_context *context, client_http_look *look,
                                     void *owner, struct status *status) {
    struct role_http *server = role_http_open(context, "http", status);
    if (!server) return NULL;
    struct client_http *http = memory_new(sizeof *http);
    http->server = server;
    http->look = look;
    http->owner = owner;
    list_init(&http->listeners);
    http->listening = metrics_gauge(context->metrics, "lsys_client_event_listeners",
                                    "Open streams of GET /v1/events.", NULL);
    http_server_add_routes(role_http_server(server), routes, sizeof routes / sizeof routes[0],
                           http);
    if (listen_socket(http, context, status)) return http;
    client_http_close(http, NULL, NULL);
    return NULL;
}

const char *client_http_url(const struct client_http *http) {
    return role_http_url(http->server);
}

static void finish_close(void *context) {
    struct client_http *http = context;
    if (http->on_closed) http->on_closed(http->closed_context);
    free(http);
}

void client_http_close(struct client_http *http, void (*on_closed)(void *context), void *context) {
    if (!http || http->on_closed) return;
    http->on_closed = on_closed;
    http->closed_context = context;
    role_http_close(http->server, finish_close, http);
}
