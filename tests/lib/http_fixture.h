/*
 * An HTTP server with a route for everything its tests want to see, and raw clients that send bytes
 * as they are told and keep what comes.
 */
#ifndef LSYS_TESTS_LIB_HTTP_FIXTURE_H
#define LSYS_TESTS_LIB_HTTP_FIXTURE_H

#include "base/buffer.h"
#include "loop/loop.h"
#include "net/http_events.h"
#include "net/http_server.h"
#include "net/stream.h"

struct http_test_client {
    struct stream *stream; /* NULL when closed */
    struct buffer received;
    int closed;
};

struct http_fixture {
    struct loop *loop;
    struct http_server *server;
    struct address address; /* to which clients connect */
    struct http_test_client clients[8];
    int connected; /* of the clients */
    int closed_servers;
    int handled;                   /* requests that reached /hello, /later and /events */
    struct http_request *deferred; /* the last one of /later */
    struct http_events *events;    /* the last one of /events */
    int gone;                      /* times that one of these two was told so */
};

/* Deadlines and counts that a test can wait for. */
extern const struct http_limits http_fixture_quick_limits;

/* A request on a connection that ends with it. */
#define GET(target) "GET " target " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

/* Makes loop and server; `limits` may be NULL. */
struct http_fixture *http_fixture_open(const struct http_limits *limits);

/* For cmocka. The tear-down also checks that the server closes and nothing is left. */
int http_fixture_set_up(void **state);
int http_fixture_set_up_quick(void **state);
int http_fixture_tear_down(void **state);

/* For http_server_close with the fixture as context. */
void http_fixture_server_closed(void *context);

/* Connects the next client. */
struct http_test_client *http_test_client_connect(struct http_fixture *fixture);

void http_test_client_send(struct http_test_client *client, const char *text);

/* Waits until the text has come, or fails the test. */
void expect_text(struct http_fixture *fixture, const struct http_test_client *client,
                 const char *text);

/* Fails if the text has come by now. */
void expect_no_text(const struct http_test_client *client, const char *text);

/* Waits until the server has closed the connection. */
void expect_closed(struct http_fixture *fixture, const struct http_test_client *client);

/* Sends a request on a connection of its own that ends with it; returns all that came. */
const char *exchange(struct http_fixture *fixture, const char *raw);

/* Fails unless the answer holds the part. */
void assert_has(const char *answer, const char *part);

/* Fails unless the answer begins with this status. */
void assert_status(const char *answer, int status);

#endif
