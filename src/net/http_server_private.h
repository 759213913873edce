/*
 * What an HTTP server holds, for the files of the server.
 */
#ifndef LSYS_NET_HTTP_SERVER_PRIVATE_H
#define LSYS_NET_HTTP_SERVER_PRIVATE_H

#include <time.h>

#include "base/log.h"
#include "loop/timer.h"
#include "net/http_router.h"
#include "net/http_server.h"
#include "net/listener.h"

/* "Fri, 20 Nov 2026 13:51:07 GMT" and its NUL. */
#define HTTP_DATE_BYTES 30

struct http_listener {
    struct listener *listener;
    struct http_listener *next;
};

struct http_server {
    struct loop *loop;
    char *name;
    struct http_limits limits;
    char **allowed_hosts; /* NULL-terminated */
    struct http_route_set *route_sets;
    struct http_listener *listeners;
    struct list connections;
    struct http_server_counters counters;
    struct timer *sweep_timer; /* runs while there are connections */
    struct timer *close_timer; /* while closing: cuts off what is left */
    struct buffer head;        /* of the response being written */
    int64_t date_turn_ms;
    time_t date_second;
    char date[HTTP_DATE_BYTES];
    struct log_limiter exhausted_limiter;
    struct log_limiter tls_limiter;

    bool is_closing;
    struct loop_task closed_task;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* A connection is gone: it is out of the list already. */
void http_server_connection_closed(struct http_server *server);

/* A connection ended before TLS was agreed on: counts it, and logs some. */
void http_server_tls_failed(struct http_server *server, const struct address *peer,
                            const struct status *why);

/* The field Date for now. */
const char *http_server_date(struct http_server *server);

#endif
