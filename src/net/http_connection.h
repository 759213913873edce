/*
 * One client connection of the HTTP server, and the request it is at. Private to the server's
 * files: http_server.c owns connections, http_connection.c reads requests, http_request.c is what
 * handlers see of them, http_response.c answers, http_events.c keeps answering, http_upgrade.c
 * leaves HTTP.
 */
#ifndef LSYS_NET_HTTP_CONNECTION_H
#define LSYS_NET_HTTP_CONNECTION_H

#include <stdbool.h>

#include "base/list.h"
#include "net/http_parser.h"
#include "net/http_router.h"
#include "net/http_server.h"
#include "net/stream.h"

/* An answer is head and body in one; beyond this much unsent, further pipelined requests wait. */
#define HTTP_UNSENT_BYTES_MAX 262144

/* How long a client may take to close its side after the last answer. */
#define HTTP_FINISH_MS 5000

/* A parameter of the query: offsets into http_request.query_text. */
struct http_parameter {
    size_t name_start;
    size_t value_start;
};

struct http_request {
    struct http_connection *connection;
    const struct http_head *head;
    char method[8];
    struct bytes raw_path;
    struct http_route_match match;
    size_t parameter_count;

    /* The answer so far. */
    const char *security_policy; /* constant, or in `security_policy_text` */
    char *security_policy_text;
    char *cache_control;

    bool is_deferred;
    void (*on_gone)(void *context);
    void *gone_context;

    /* From here on nothing is zeroed for the next request: buffers are empty then, and the rest is
     * read only as far as counts say. */
    struct buffer query_text;   /* decoded names and values, each ended by NUL */
    struct buffer rest;         /* value of "{name*}" */
    struct buffer extra_fields; /* of the answer */
    struct http_parameter parameters[HTTP_PARAMETERS_MAX];
    struct http_path path; /* empty when a literal route was found */
};

/*
 *                 request complete            answered, kept alive
 *   READING ---------------------> ANSWERING ------------------> READING
 *      |                            |  |  | open_events
 *      | refused                    |  |  '-----------> EVENTS
 *      v                            v  | answered, not kept alive |
 *   FINISHING <---------------------'<-+--------------------------'  closed by the owner
 *                                      | upgrade
 *                                      '-----> UPGRADED: the stream is the new owner's
 *
 * The stream's end leads out of each state; then the owner of a deferred request, an event stream
 * or an upgraded one is told.
 */
enum http_connection_state {
    HTTP_CONNECTION_READING,
    HTTP_CONNECTION_ANSWERING,
    HTTP_CONNECTION_EVENTS,
    HTTP_CONNECTION_UPGRADED,
    HTTP_CONNECTION_FINISHING,
};

struct http_connection {
    struct list link; /* in http_server.connections */
    struct http_server *server;
    struct stream *stream;
    struct http_parser *parser; /* NULL when upgraded */
    struct address peer;
    bool is_local;
    enum http_connection_state state;
    bool is_processing;   /* requests are being taken from input: an answer need not start that */
    bool is_fresh;        /* no request yet */
    bool must_close;      /* after the answer under way */
    bool host_is_allowed; /* the Host field of the last request */
    struct http_request request;
    struct http_events *events;
    const struct stream_handlers *upgraded; /* of the new owner */
    void *upgraded_context;
    struct buffer waiting_input; /* of later requests, or of the new protocol */
    struct loop_task continue_task;
    int64_t since_ms; /* when the present wait began: for a head, a body, or the next request */
    uint64_t bytes_written_before;
    int64_t write_progress_ms; /* when the client last took a byte, or nothing was unsent */
};

/* ---- http_connection.c ---- */

/* Takes a new stream. */
void http_connection_open(struct http_server *server, struct stream *stream);

/* The answer was written: goes on to the next request or ends. Invalidates the request. */
void http_connection_answered(struct http_connection *connection);

/* True when it waits for its first or next request to come whole, and owes no answer: it may be
 * closed in favour of somebody else. */
bool http_connection_awaits_request(const struct http_connection *connection);

/* Looks at the deadlines. */
void http_connection_sweep(struct http_connection *connection, int64_t now_ms);

/* Ends it because the server closes. */
void http_connection_server_closes(struct http_connection *connection);

/* ---- http_request.c ---- */

/* Makes an empty request, of a connection without one. */
void http_request_init(struct http_request *request);

/* Prepares the request of a complete head; answers it if it cannot be handed to a handler, and
 * returns false then. */
bool http_request_begin(struct http_request *request, struct http_connection *connection);

/* Frees what the request holds; it is empty again. */
void http_request_clear(struct http_request *request);

/* ---- http_response.c ---- */

/* Writes status line and fields. `content_length` below 0: none is sent (204, 304, events). */
void http_response_write_head(struct http_request *request, int status, const char *content_type,
                              int64_t content_length);

/* Answers a request that the parser refused, and ends the connection. */
void http_response_refuse(struct http_connection *connection, const struct http_failure *failure);

/* ---- http_upgrade.c ---- */

/* Gives the owner of an upgraded connection what waits, and `bytes` behind it, in one piece. */
void http_upgrade_read(struct http_connection *connection, struct bytes bytes);

/* Tells the owner that the client will send no more. */
void http_upgrade_ended(struct http_connection *connection);

/* ---- http_events.c ---- */

/* Sends a sign of life if the last event was long ago. */
void http_events_keep_alive(struct http_events *events, int64_t now_ms);

/* Tells the owner that the client is gone, and frees. */
void http_events_gone(struct http_events *events);

#endif
