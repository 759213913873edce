/*
 * An HTTP/1.1 server on the loop: several listeners (TCP and unix), one table of routes. It reads
 * one request at a time from a connection, answers pipelined ones in order, keeps connections
 * alive, and keeps to the limits of net/http_limits.h whatever clients do. HEAD and OPTIONS are
 * answered by themselves from the routes of GET; a known path with another method is 405 with
 * Allow.
 *
 * Before a handler is called: the Host field must name this server (localhost, an IP literal, or an
 * allowed host), which is what stops DNS rebinding, else 421; and a page that asks must be this
 * server's own (Origin, Sec-Fetch-Site), else 403. A person may follow a link here from anywhere.
 */
#ifndef LSYS_NET_HTTP_SERVER_H
#define LSYS_NET_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/status.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/http_limits.h"
#include "net/http_request.h"
#include "net/tls_context.h"

struct http_server;

/* Answers one request, or defers it. */
typedef void http_handler(void *context, struct http_request *request);

/* One row of a constant table. */
struct http_route {
    const char *method; /* "GET", "POST" ... */
    /* "/v1/features/{name}"; a last segment "{rest*}" takes all that follows. */
    const char *pattern;
    http_handler *handle;
    size_t body_limit_bytes; /* 0: HTTP_BODY_BYTES_DEFAULT */
    bool judges_origin;      /* the handler says which pages may ask: websocket_accept */
    /* "{name}" takes escaped slashes, too: for values that lead to no file. */
    bool values_hold_slashes;
};

struct http_server_options {
    const char *name;                 /* for the log: the role */
    const struct http_limits *limits; /* NULL: http_limits_default */
    /* Names without port, ended by NULL; may be NULL. "*": any. */
    const char *const *allowed_hosts;
};

struct http_server_counters {
    uint64_t requests;              /* answered by handlers or with an error */
    uint64_t refused_requests;      /* of these: malformed, wrong host or origin */
    uint64_t refused_connections;   /* over the limits */
    uint64_t displaced_connections; /* closed for a new one while they had no request */
    uint64_t timed_out_connections;
    uint64_t tls_failures; /* connections that ended before TLS was agreed on */
    size_t open_connections;
};

/* Makes a server without routes and listeners. Options are copied. */
struct http_server *http_server_create(struct loop *loop,
                                       const struct http_server_options *options);

/* Adds routes; `routes` stays valid as long as the server; `context` is handed to their handlers.
 * The first row that matches wins, literal segments before `{name}` regardless of order. */
void http_server_add_routes(struct http_server *server, const struct http_route *routes,
                            size_t count, void *context);

/* Listens at one more address; see listener_open for the errors. `*bound` (may be NULL) gets the
 * address with the real port. Unix sockets are made with mode 0660. */
bool http_server_listen(struct http_server *server, const struct address *address,
                        struct address *bound, struct status *status) MUST_CHECK;

/* As http_server_listen, for https: the context is held as long as the server listens there. */
bool http_server_listen_tls(struct http_server *server, const struct address *address,
                            struct tls_server_context *context, struct address *bound,
                            struct status *status) MUST_CHECK;

/* Takes no more connections; those that are there go on. Idempotent. */
void http_server_stop_listening(struct http_server *server);

/* What happened so far. */
void http_server_read_counters(const struct http_server *server, struct http_server_counters *out);

/* Stops listening, tells deferred requests and event streams that their client is gone (from a
 * later turn), lets started responses go out for at most a second, then frees everything.
 * Idempotent until the memory is gone; handlers' contexts must live until loop_run has returned or
 * `on_closed` (may be NULL) was called. */
void http_server_close(struct http_server *server, void (*on_closed)(void *context), void *context);

#endif
