/* The HTTP server over real sockets, with raw clients: answers, order, limits, deadlines, leaving. */
#include "tests/lib/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "loop/timer.h"
#include "net/connector.h"
#include "net/http_events.h"
#include "net/http_server.h"
#include "net/listener.h"
#include "net/stream.h"
#include "tests/lib/loop_wait.h"

/* A client that sends raw bytes and keeps what comes. */
struct client {
    struct stream *stream;
    struct buffer received;
    int closed;
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct address address;
    struct client clients[8];
    int connected;
    int closed_servers;
    struct http_request *deferred;
    int gone;
    struct http_events *events;
    int handled;
};

/* ---- handlers ---- */

static void answer_hello(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    fixture->handled++;
    http_respond(request, 200, "text/plain", bytes_of_text("hello\n"));
}

static void answer_value(void *context, struct http_request *request) {
    (void)context;
    const char *parameter = http_request_parameter(request, "q");
    char text[200];
    int length = snprintf(text, sizeof text, "%s|%s", http_request_path_value(request, "name"),
                          parameter ? parameter : "(none)");
    http_respond(request, 200, "text/plain", bytes_of(text, (size_t)length));
}

static void answer_literal(void *context, struct http_request *request) {
    (void)context;
    http_respond(request, 200, "text/plain", bytes_of_text("literal"));
}

static void answer_rest(void *context, struct http_request *request) {
    (void)context;
    http_respond(request, 200, "text/plain",
                 bytes_of_text(http_request_path_value(request, "rest")));
}

static void answer_echo(void *context, struct http_request *request) {
    (void)context;
    http_respond(request, 200, "text/plain", http_request_body(request));
}

static void answer_problem(void *context, struct http_request *request) {
    (void)context;
    http_respond_problem(request, 409, "already_there", "It is already there", "\"%s\" <\x1b",
                         "quoted");
}

static void answer_asset(void *context, struct http_request *request) {
    (void)context;
    http_respond_asset(request, "text/html; charset=utf-8", "\"tag\"", bytes_of_text("<p>page"));
}

static void answer_large(void *context, struct http_request *request) {
    (void)context;
    char *large = memory_new(300000);
    memset(large, 'x', 300000);
    http_respond(request, 200, "text/plain", bytes_of(large, 300000));
    free(large);
}

static void answer_facts(void *context, struct http_request *request) {
    (void)context;
    struct bytes token = http_request_bearer_token(request);
    char text[300];
    int length =
        snprintf(text, sizeof text, "local=%d page=%d token=%.*s peer=%s",
                 http_request_is_local(request), http_request_is_from_page(request),
                 (int)token.length, (const char *)token.data, http_request_peer(request)->host);
    http_response_header(request, "X-Injected", "a\r\nSet-Cookie: b");
    http_respond(request, 200, "text/plain", bytes_of(text, (size_t)length));
}

static void client_has_gone(void *context) {
    struct fixture *fixture = context;
    fixture->gone++;
    fixture->deferred = NULL;
    fixture->events = NULL;
}

static void defer(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    fixture->handled++;
    fixture->deferred = request;
    http_request_defer(request, client_has_gone, fixture);
}

static void open_events(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    fixture->handled++;
    fixture->events = http_request_open_events(request, client_has_gone, fixture);
}

static void note_server_closed(void *context) {
    struct fixture *fixture = context;
    fixture->closed_servers++;
}

static void close_server(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    http_server_close(fixture->server, note_server_closed, fixture);
    http_respond(request, 200, "text/plain", bytes_of_text("closing"));
}

static const struct http_route routes[] = {
    {.method = "POST", .pattern = "/close", .handle = close_server},
    {.method = "GET", .pattern = "/", .handle = answer_hello},
    {.method = "GET", .pattern = "/hello", .handle = answer_hello},
    {.method = "GET", .pattern = "/values/{name}", .handle = answer_value},
    {.method = "GET", .pattern = "/values/literal", .handle = answer_literal},
    {.method = "GET", .pattern = "/files/{rest*}", .handle = answer_rest},
    {.method = "POST", .pattern = "/echo", .handle = answer_echo, .body_limit_bytes = 1000},
    {.method = "PUT", .pattern = "/echo", .handle = answer_echo},
    {.method = "GET", .pattern = "/problem", .handle = answer_problem},
    {.method = "GET", .pattern = "/page", .handle = answer_asset},
    {.method = "GET", .pattern = "/large", .handle = answer_large},
    {.method = "GET", .pattern = "/facts", .handle = answer_facts},
    {.method = "GET", .pattern = "/later", .handle = defer},
    {.method = "POST", .pattern = "/later", .handle = defer},
    {.method = "GET", .pattern = "/events", .handle = open_events},
};

/* ---- fixture ---- */

static const struct http_limits quick_limits = {
    .connections = 4,
    .address_connections = 3,
    .head_timeout_ms = 100,
    .body_timeout_ms = 100,
    .idle_timeout_ms = 200,
    .write_timeout_ms = 200,
    .events_keepalive_ms = 50,
};

static const char *const allowed_hosts[] = {"license.example", NULL};

static struct fixture *open_fixture(const struct http_limits *limits) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    struct address wanted = {.kind = ADDRESS_TCP, .host = "127.0.0.1"};
    struct http_server_options options = {
        .name = "test", .limits = limits, .allowed_hosts = allowed_hosts};
    fixture->loop = loop_create(&status);
    fixture->server = http_server_create(fixture->loop, &options);
    http_server_add_routes(fixture->server, routes, COUNT_OF(routes), fixture);
    assert_true(http_server_listen(fixture->server, &wanted, &fixture->address, &status));
    for (size_t i = 0; i < COUNT_OF(fixture->clients); i++)
        buffer_init(&fixture->clients[i].received, 64 << 20);
    return fixture;
}

static int set_up(void **state) {
    *state = open_fixture(NULL);
    return 0;
}

static int set_up_quick(void **state) {
    *state = open_fixture(&quick_limits);
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    http_server_close(fixture->server, note_server_closed, fixture);
    http_server_close(fixture->server, note_server_closed, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->closed_servers, 1));
    for (size_t i = 0; i < COUNT_OF(fixture->clients); i++)
        stream_close(fixture->clients[i].stream);
    loop_wait_end(fixture->loop);
    for (size_t i = 0; i < COUNT_OF(fixture->clients); i++)
        buffer_free(&fixture->clients[i].received);
    assert_int_equal(fixture->closed_servers, 1);
    free(fixture);
    return 0;
}

/* ---- clients ---- */

static void client_read(void *context, struct bytes bytes) {
    struct client *client = context;
    assert_true(buffer_append(&client->received, bytes.data, bytes.length));
}

static void client_closed(void *context, const struct status *status) {
    struct client *client = context;
    (void)status;
    client->closed++;
    client->stream = NULL;
}

static const struct stream_handlers client_handlers = {.on_read = client_read,
                                                       .on_closed = client_closed};

static void client_connected(void *context, struct stream *stream, const struct status *status) {
    struct fixture *fixture = context;
    assert_int_equal(status->code, STATUS_OK);
    struct client *client = &fixture->clients[fixture->connected++];
    client->stream = stream;
    stream_start(stream, &client_handlers, client);
}

static struct client *connect_client(struct fixture *fixture) {
    int index = fixture->connected;
    connector_start(fixture->loop, &fixture->address, 5000, client_connected, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->connected, index + 1));
    return &fixture->clients[index];
}

static void send_text(struct client *client, const char *text) {
    stream_write(client->stream, text, strlen(text));
}

struct expectation {
    const struct client *client;
    const char *text;
};

static bool has_text(void *context) {
    const struct expectation *expectation = context;
    return strstr(buffer_text(&expectation->client->received), expectation->text) != NULL;
}

static void expect_text(struct fixture *fixture, const struct client *client, const char *text) {
    struct expectation expectation = {client, text};
    if (!loop_wait(fixture->loop, has_text, &expectation)) {
        print_error("wanted: %s\nreceived: %.2000s\n", text, buffer_text(&client->received));
        fail();
    }
}

static void expect_no_text(const struct client *client, const char *text) {
    assert_null(strstr(buffer_text(&client->received), text));
}

static void expect_closed(struct fixture *fixture, const struct client *client) {
    assert_true(loop_wait_count(fixture->loop, &client->closed, 1));
}

/* Sends a request on a connection of its own that ends with it; returns all that came. */
static const char *exchange(struct fixture *fixture, const char *raw) {
    fixture->connected = 0;
    struct client *client = &fixture->clients[0];
    buffer_clear(&client->received);
    client->closed = 0;
    connect_client(fixture);
    send_text(client, raw);
    expect_closed(fixture, client);
    return buffer_text(&client->received);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static void assert_has(const char *text, const char *part) {
    if (strstr(text, part)) return;
    print_error("missing: %s\nin: %.1500s\n", part, text);
    fail();
}

static void assert_status(const char *answer, int status) {
    char start[20];
    snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
    if (strncmp(answer, start, strlen(start)) != 0)
        print_error("expected %d: %.300s\n", status, answer);
    assert_int_equal(strncmp(answer, start, strlen(start)), 0);
}

/* ---- answers ---- */

static void an_answer_has_its_fields(void **state) {
    struct fixture *fixture = *state;
    const char *answer = exchange(fixture, GET("/hello"));
    assert_status(answer, 200);
    assert_has(answer, "\r\nContent-Type: text/plain\r\n");
    assert_has(answer, "\r\nContent-Length: 6\r\n");
    assert_has(answer, "\r\nCache-Control: no-store\r\n");
    assert_has(answer, "\r\nX-Content-Type-Options: nosniff\r\n");
    assert_has(answer, "\r\nContent-Security-Policy: default-src 'none'");
    assert_has(answer, "\r\nConnection: close\r\n");
    assert_has(answer, " GMT\r\n");
    assert_has(answer, "\r\n\r\nhello\n");
}

static void paths_find_their_routes(void **state) {
    struct fixture *fixture = *state;
    const struct {
        const char *raw;
        int status;
        const char *body;
    } rows[] = {
        {GET("/"), 200, "hello"},
        {GET("/values/a"), 200, "\r\n\r\na|(none)"},
        {GET("/values/a%20b%C3%A9?q=1%2B1"), 200, "\r\n\r\na b\xc3\xa9|1+1"},
        {GET("/values/a?x=1&q=a+b&q=c"), 200, "\r\n\r\na|a b"},
        {GET("/values/a?q"), 200, "\r\n\r\na|"},
        {GET("/values/a?&&q=1"), 200, "\r\n\r\na|1"},
        {GET("/values/literal"), 200, "\r\n\r\nliteral"},
        {GET("/values/%6Citeral"), 200, "\r\n\r\nliteral"},
        {GET("/files/a/b.css"), 200, "\r\n\r\na/b.css"},
        {GET("/files/a%20b/..c"), 200, "\r\n\r\na b/..c"},
        {GET("/values/"), 404, "not_found"},
        {GET("/values"), 404, "not_found"},
        {GET("/values/a/b"), 404, "not_found"},
        {GET("//hello"), 404, "not_found"},
        {GET("/hello/"), 404, "not_found"},
        {GET("/HELLO"), 404, "not_found"},
        {GET("/values/a%2Fb"), 404, "not_found"},
        {GET("/files/a/../../etc/passwd"), 404, "not_found"},
        {GET("/files/%2e%2e/etc/passwd"), 404, "not_found"},
        {GET("/files/.%2E/x"), 404, "not_found"},
        {GET("/files/./x"), 404, "not_found"},
        {GET("/files/..%5cx"), 404, "not_found"},
        {GET("/files/a%00b"), 404, "not_found"},
        {GET("/files/a%0ab"), 404, "not_found"},
        {GET("/values/%"), 400, "bad_request"},
        {GET("/values/%zz"), 400, "bad_request"},
        {GET("/values/%4"), 400, "bad_request"},
        {GET("/values/a?q=%"), 400, "bad_request"},
        {GET("/values/a?q=%00"), 400, "bad_request"},
        {GET("/values/a?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17"), 400, "bad_request"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *answer = exchange(fixture, rows[i].raw);
        if (!strstr(answer, rows[i].body)) print_error("%s", rows[i].raw);
        assert_status(answer, rows[i].status);
        assert_has(answer, rows[i].body);
    }
}

static void other_methods_are_told_what_is_allowed(void **state) {
    struct fixture *fixture = *state;
    const char *answer =
        exchange(fixture, "DELETE /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 405);
    assert_has(answer, "\r\nAllow: GET, HEAD, OPTIONS\r\n");
    answer =
        exchange(fixture, "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 204);
    assert_has(answer, "\r\nAllow: POST, PUT, OPTIONS\r\n");
    assert_null(strstr(answer, "Content-Length"));
    answer =
        exchange(fixture, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 204);
    answer =
        exchange(fixture, "OPTIONS /no HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 404);
}

static void head_has_the_fields_of_get_and_no_body(void **state) {
    struct fixture *fixture = *state;
    const char *answer =
        exchange(fixture, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 200);
    assert_has(answer, "\r\nContent-Length: 6\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void problems_are_escaped_json(void **state) {
    struct fixture *fixture = *state;
    const char *answer = exchange(fixture, GET("/problem"));
    assert_status(answer, 409);
    assert_has(answer, "Content-Type: application/problem+json\r\n");
    assert_has(answer, "\"code\":\"already_there\"");
    assert_has(answer, "\"title\":\"It is already there\"");
    assert_has(answer, "\"status\":409");
    assert_has(answer, "\"detail\":\"\\\"quoted\\\" \\u003c\\u001b\"");
}

static void assets_are_not_sent_twice(void **state) {
    struct fixture *fixture = *state;
    const char *answer = exchange(fixture, GET("/page"));
    assert_status(answer, 200);
    assert_has(answer, "\r\nETag: \"tag\"\r\n");
    assert_has(answer, "\r\nCache-Control: no-cache\r\n");
    assert_has(answer, "Content-Security-Policy: default-src 'self'");
    assert_has(answer, "<p>page");
    static const char *const tags[] = {"\"tag\"", "W/\"tag\"", "\"other\", \"tag\"", "*"};
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        char raw[200];
        snprintf(raw, sizeof raw,
                 "GET /page HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n"
                 "Connection: close\r\n\r\n",
                 tags[i]);
        answer = exchange(fixture, raw);
        assert_status(answer, 304);
        assert_has(answer, "\r\nETag: \"tag\"\r\n");
        assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    }
    answer = exchange(fixture, "GET /page HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"o\"\r\n"
                               "Connection: close\r\n\r\n");
    assert_status(answer, 200);
}

static void facts_of_the_request_are_right(void **state) {
    struct fixture *fixture = *state;
    const char *answer = exchange(fixture, "GET /facts HTTP/1.1\r\nHost: localhost\r\n"
                                           "Authorization: bEaReR  s3cret \r\n"
                                           "Connection: close\r\n\r\n");
    assert_has(answer, "local=1 page=0 token=s3cret peer=127.0.0.1");
    assert_has(answer, "\r\nX-Injected: a??Set-Cookie: b\r\n");
    answer = exchange(fixture, "GET /facts HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n"
                               "Authorization: Basic abc\r\nConnection: close\r\n\r\n");
    assert_has(answer, "page=1 token= ");
}

static void bodies_are_read_and_limited(void **state) {
    struct fixture *fixture = *state;
    const char *answer =
        exchange(fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                          "Connection: close\r\n\r\nabc");
    assert_has(answer, "\r\n\r\nabc");
    answer = exchange(fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    assert_has(answer, "\r\n\r\nabc");
    answer =
        exchange(fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
    assert_status(answer, 413);
    assert_has(answer, "body_too_large");
    assert_has(answer, "Connection: close");
    answer = exchange(fixture, "POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"
                               "GET /hello HTTP/1.1\r\n\r\n");
    assert_status(answer, 404);
    assert_null(strstr(answer, "hello\n")); /* the unread body is not taken for a request */
}

static void a_client_that_asks_first_is_told_to_go_on(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                      "Expect: 100-continue\r\n\r\n");
    expect_text(fixture, client, "HTTP/1.1 100 Continue\r\n\r\n");
    expect_no_text(client, "200");
    send_text(client, "abc");
    expect_text(fixture, client, "\r\n\r\nabc");
    buffer_clear(&client->received);
    send_text(client, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000\r\n"
                      "Expect: 100-continue\r\n\r\n");
    expect_text(fixture, client, "413");
    expect_no_text(client, "100 Continue");
}

/* ---- guards ---- */

static void strangers_hosts_and_origins_are_refused(void **state) {
    struct fixture *fixture = *state;
    const struct {
        const char *method;
        const char *fields;
        int status;
    } rows[] = {
        {"GET /hello", "Host: localhost:8080", 200},
        {"GET /hello", "Host: demo.localhost", 200},
        {"GET /hello", "Host: 127.0.0.1", 200},
        {"GET /hello", "Host: 192.168.1.1:80", 200},
        {"GET /hello", "Host: [::1]:80", 200},
        {"GET /hello", "Host: License.Example", 200},
        {"GET /hello", "Host: license.example.:80", 200},
        {"GET /hello", "Host: evil.example", 421},
        {"GET /hello", "Host: localhost.evil.example", 421},
        {"GET /hello", "Host: 127.0.0.1.evil.example", 421},
        {"GET /hello", "Host: xlicense.example", 421},
        {"PUT /echo", "Host: localhost", 200},
        {"PUT /echo", "Host: localhost:80\r\nOrigin: http://localhost:80", 200},
        {"PUT /echo", "Host: license.example\r\nOrigin: https://license.example", 200},
        {"PUT /echo", "Host: localhost\r\nSec-Fetch-Site: same-origin", 200},
        {"PUT /echo", "Host: localhost:80\r\nOrigin: http://localhost:81", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin: http://localhost.evil.example", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin: null", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin:", 403},
        {"PUT /echo", "Host: localhost\r\nSec-Fetch-Site: cross-site", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://e.example",
         403},
        {"GET /hello", "Host: localhost\r\nOrigin: http://evil.example", 200},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char raw[300];
        snprintf(raw, sizeof raw, "%s HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n", rows[i].method,
                 rows[i].fields);
        const char *answer = exchange(fixture, raw);
        if (strncmp(answer + 9, "200", 3) != 0 && rows[i].status == 200) print_error("%s", raw);
        assert_status(answer, rows[i].status);
    }
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    assert_int_equal(counters.requests, COUNT_OF(rows));
    assert_int_equal(counters.refused_requests, 10);
}

static void malformed_requests_are_refused_and_closed(void **state) {
    struct fixture *fixture = *state;
    const char *answer = exchange(fixture, "GET / HTTP/1.1\nHost: localhost\n\n");
    assert_status(answer, 400);
    assert_has(answer, "bad_request");
    assert_has(answer, "Connection: close");
    answer = exchange(fixture, "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n");
    assert_status(answer, 505);
    answer = exchange(fixture, "\x16\x03\x01 a TLS client");
    assert_status(answer, 400);
    assert_int_equal(fixture->handled, 0);
}

/* ---- connections ---- */

static void connections_are_kept_and_requests_answered_in_order(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /values/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      "PUT /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n2"
                      "GET /values/3 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_text(fixture, client, "3|(none)");
    const char *received = buffer_text(&client->received);
    const char *first = strstr(received, "\r\n\r\n1|");
    const char *second = strstr(received, "\r\n\r\n2");
    const char *third = strstr(received, "\r\n\r\n3|");
    assert_true(first && second && third && first < second && second < third);
    expect_no_text(client, "Connection: close");
    buffer_clear(&client->received);
    for (const char *at = "GET /values/slow HTTP/1.1\r\nHost: localhost\r\n\r\n"; *at; at++) {
        stream_write(client->stream, at, 1);
        stream_flush(client->stream);
        loop_wait_ms(fixture->loop, 1);
    }
    expect_text(fixture, client, "slow|");
}

static void http_1_0_connections_are_kept_when_asked(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /values/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect_text(fixture, client, "Connection: keep-alive\r\n");
    send_text(client, "GET /values/2 HTTP/1.0\r\n\r\n");
    expect_text(fixture, client, "2|");
    expect_closed(fixture, client);
}

static void a_client_that_half_closes_gets_its_answer(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream_shutdown(client->stream);
    expect_text(fixture, client, "hello\n");
    expect_closed(fixture, client);
}

static void many_pipelined_requests_do_not_pile_up(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    stream_pause_reading(client->stream);
    for (int i = 0; i < 100; i++)
        send_text(client, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    send_text(client, GET("/values/last"));
    loop_wait_ms(fixture->loop, 50);
    stream_resume_reading(client->stream);
    expect_text(fixture, client, "last|");
    assert_true(client->received.length > 100 * 300000);
}

static void a_deferred_answer_keeps_the_order(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      "GET /values/second HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    loop_wait_ms(fixture->loop, 20);
    assert_int_equal(client->received.length, 0);
    http_respond(fixture->deferred, 200, "text/plain", bytes_of_text("first"));
    fixture->deferred = NULL;
    expect_text(fixture, client, "second|");
    assert_true(strstr(buffer_text(&client->received), "first") <
                strstr(buffer_text(&client->received), "second|"));
    assert_int_equal(fixture->gone, 0);
}

static void a_flood_behind_a_deferred_request_is_not_stored(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int i = 0; i < 200000; i++)
        send_text(client, "GET /values/flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    loop_wait_ms(fixture->loop, 50);
    assert_true(stream_pending_bytes(client->stream) > 1000000); /* it has to keep them itself */
    http_respond(fixture->deferred, 200, "text/plain", bytes_of_text("first"));
    fixture->deferred = NULL;
    expect_text(fixture, client, "flood|");
}

static void a_deferred_request_hears_that_the_client_left(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        struct client *client = connect_client(fixture);
        send_text(client, "POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
        assert_true(loop_wait_count(fixture->loop, &fixture->handled, i + 1));
        if (i == 0)
            stream_abort(client->stream);
        else
            stream_close(client->stream);
        assert_true(loop_wait_count(fixture->loop, &fixture->gone, i + 1));
    }
}

static void answering_a_client_that_just_left_is_harmless(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    stream_abort(client->stream);
    http_respond(fixture->deferred, 200, "text/plain", bytes_of_text("too late"));
    fixture->deferred = NULL;
    expect_closed(fixture, client);
    loop_wait_ms(fixture->loop, 20);
    assert_int_equal(fixture->gone, 0);
}

static void closing_the_server_does_not_wait_for_slow_readers(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    stream_pause_reading(client->stream);
    for (int i = 0; i < 60; i++)
        send_text(client, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    loop_wait_ms(fixture->loop, 50);
    int64_t started_ms = loop_now_ms(fixture->loop);
    http_server_close(fixture->server, note_server_closed, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->closed_servers, 1));
    assert_in_range(loop_now_ms(fixture->loop) - started_ms, 0, 1900);
    fixture->closed_servers = 0;
    fixture->server = http_server_create(fixture->loop, &(struct http_server_options){.name = ""});
}

static void closing_the_server_tells_those_who_wait(void **state) {
    struct fixture *fixture = *state;
    struct client *waiting = connect_client(fixture);
    struct client *idle = connect_client(fixture);
    send_text(waiting, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    http_server_close(fixture->server, note_server_closed, fixture);
    assert_int_equal(fixture->gone, 0); /* from a later turn */
    assert_true(loop_wait_count(fixture->loop, &fixture->closed_servers, 1));
    assert_int_equal(fixture->gone, 1);
    expect_closed(fixture, waiting);
    expect_closed(fixture, idle);
    fixture->closed_servers = 0;
    fixture->server = http_server_create(fixture->loop, &(struct http_server_options){.name = ""});
}

static void a_handler_may_close_the_server(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "POST /close HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_text(fixture, client, "Connection: close\r\n\r\nclosing");
    expect_closed(fixture, client);
    expect_no_text(client, "hello\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->closed_servers, 1));
    fixture->closed_servers = 0;
    fixture->server = http_server_create(fixture->loop, &(struct http_server_options){.name = ""});
}

/* ---- events ---- */

static void events_are_framed_and_end_with_the_client(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_text(fixture, client, "Content-Type: text/event-stream\r\n");
    expect_no_text(client, "Content-Length");
    expect_text(fixture, client, "\r\n\r\nretry: 2000\n\n");
    http_events_send(fixture->events, "status", "7", bytes_of_text("one\ntwo\r\nthree\rfour"));
    expect_text(fixture, client,
                "event: status\nid: 7\ndata: one\ndata: two\ndata: three\n"
                "data: four\n\n");
    http_events_send(fixture->events, NULL, NULL, bytes_of_text(""));
    expect_text(fixture, client, "\n\ndata: \n\n");
    stream_close(client->stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->gone, 1));
}

static void events_can_be_ended_by_the_owner(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    http_events_send(fixture->events, NULL, NULL, bytes_of_text("last"));
    http_events_close(fixture->events);
    expect_text(fixture, client, "data: last\n\n");
    expect_closed(fixture, client);
    assert_int_equal(fixture->gone, 0);
}

static void a_reader_that_does_not_read_is_cut_off(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    struct client *other = connect_client(fixture);
    char *large = memory_new(10000);
    memset(large, 'e', 10000);
    send_text(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    stream_pause_reading(client->stream);
    for (int i = 0; i < 5000 && fixture->gone == 0; i++) {
        if (fixture->events) http_events_send(fixture->events, NULL, NULL, bytes_of(large, 10000));
        if (i % 100 == 0) loop_wait_ms(fixture->loop, 1);
    }
    free(large);
    assert_true(loop_wait_count(fixture->loop, &fixture->gone, 1));
    send_text(other, GET("/hello"));
    expect_text(fixture, other, "hello\n");
}

static void head_of_events_has_no_body(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->gone, 1));
    expect_closed(fixture, client);
    expect_no_text(client, "retry");
}

static void silent_events_show_a_sign_of_life(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_text(fixture, client, "retry: 2000\n\n:\n\n:\n\n");
    assert_int_equal(fixture->gone, 0);
}

/* ---- limits ---- */

static void slow_heads_and_bodies_are_timed_out(void **state) {
    struct fixture *fixture = *state;
    struct client *head = connect_client(fixture);
    send_text(head, "GET /hello HTTP/1.1\r\nHost:");
    struct client *body = connect_client(fixture);
    send_text(body, "PUT /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
    expect_text(fixture, head, "HTTP/1.1 408 ");
    expect_text(fixture, body, "HTTP/1.1 408 ");
    expect_closed(fixture, head);
    expect_closed(fixture, body);
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    assert_int_equal(counters.timed_out_connections, 2);
}

static void drop_byte(void *context) {
    struct client *client = context;
    if (client->stream) stream_write(client->stream, "X", 1);
}

static void a_trickle_of_bytes_does_not_extend_the_deadline(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ");
    struct timer *timer = timer_open(fixture->loop, drop_byte, client);
    timer_start_repeating(timer, 10);
    expect_text(fixture, client, "HTTP/1.1 408 ");
    timer_close(timer);
}

static void silent_connections_are_closed(void **state) {
    struct fixture *fixture = *state;
    struct client *silent = connect_client(fixture);
    struct client *idle = connect_client(fixture);
    send_text(idle, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_text(fixture, idle, "hello\n");
    expect_closed(fixture, silent);
    assert_int_equal(idle->closed, 0); /* its time is longer */
    expect_closed(fixture, idle);
    expect_no_text(silent, "HTTP");
}

static void a_client_that_does_not_take_its_answer_is_cut_off(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    stream_pause_reading(client->stream);
    for (int i = 0; i < 60; i++)
        send_text(client, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    loop_wait_ms(fixture->loop, 600);
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    assert_int_equal(counters.open_connections, 0);
}

static void connections_of_one_address_are_limited(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++)
        connect_client(fixture);
    struct client *fourth = connect_client(fixture);
    expect_closed(fixture, fourth);
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    assert_int_equal(counters.refused_connections, 1);
    assert_int_equal(counters.open_connections, 3);
}

static void deferred_requests_have_no_deadline_here(void **state) {
    struct fixture *fixture = *state;
    struct client *client = connect_client(fixture);
    send_text(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    loop_wait_ms(fixture->loop, 300);
    http_respond(fixture->deferred, 200, "text/plain", bytes_of_text("patience"));
    fixture->deferred = NULL;
    expect_text(fixture, client, "patience");
}

/* One attempt of a well-behaved client on a socket of its own. */
static bool is_served(struct fixture *fixture) {
    static const char request[] = GET("/hello");
    struct sockaddr_storage where;
    socklen_t length;
    char answer[2000] = "";
    assert_true(address_to_socket(&fixture->address, &where, &length));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(client >= 0); /* connections do not get the last descriptors */
    connect(client, (struct sockaddr *)&where, length);
    send(client, request, sizeof request - 1, MSG_NOSIGNAL);
    loop_wait_ms(fixture->loop, 20);
    ssize_t received = recv(client, answer, sizeof answer - 1, 0);
    close(client);
    return received > 0 && strstr(answer, "hello\n");
}

/* Slow clients take every descriptor that connections may have; their deadlines give them back. */
static void a_crowd_of_slow_clients_does_not_last(void **state) {
    (void)state;
    struct rlimit old;
    struct sockaddr_storage where;
    socklen_t length;
    int sockets[60];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    for (size_t i = 0; i < COUNT_OF(sockets); i++)
        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct rlimit few = {.rlim_cur = (rlim_t)sockets[COUNT_OF(sockets) - 1] +
                                     LISTENER_RESERVED_DESCRIPTORS + 20,
                         .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct http_limits limits = quick_limits;
    limits.connections = limits.address_connections = 1000;
    struct fixture *crowded = open_fixture(&limits);
    assert_true(address_to_socket(&crowded->address, &where, &length));

    for (size_t i = 0; i < COUNT_OF(sockets); i++) {
        connect(sockets[i], (struct sockaddr *)&where, length);
        send(sockets[i], "GET / HT", 8, MSG_NOSIGNAL);
    }
    loop_wait_ms(crowded->loop, 10);
    assert_false(is_served(crowded));
    bool served = false;
    for (int attempt = 0; attempt < 200 && !served; attempt++)
        served = is_served(crowded);
    for (size_t i = 0; i < COUNT_OF(sockets); i++)
        close(sockets[i]);
    void *crowded_state = crowded;
    tear_down(&crowded_state);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_true(served);
}

static void routes_are_the_same_on_a_unix_socket(void **state) {
    struct fixture *fixture = *state;
    char folder[] = "/tmp/lsys-http-XXXXXX";
    struct status status = STATUS_INIT;
    assert_non_null(mkdtemp(folder));
    struct address address = {.kind = ADDRESS_UNIX};
    snprintf(address.host, sizeof address.host, "%s/socket", folder);
    assert_true(http_server_listen(fixture->server, &address, &fixture->address, &status));
    const char *answer = exchange(fixture, GET("/facts"));
    assert_has(answer, "local=1");
    http_server_close(fixture->server, note_server_closed, fixture);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define QUICK_TEST(name)  cmocka_unit_test_setup_teardown(name, set_up_quick, tear_down)
    const struct CMUnitTest tests[] = {
        SERVER_TEST(an_answer_has_its_fields),
        SERVER_TEST(paths_find_their_routes),
        SERVER_TEST(other_methods_are_told_what_is_allowed),
        SERVER_TEST(head_has_the_fields_of_get_and_no_body),
        SERVER_TEST(problems_are_escaped_json),
        SERVER_TEST(assets_are_not_sent_twice),
        SERVER_TEST(facts_of_the_request_are_right),
        SERVER_TEST(bodies_are_read_and_limited),
        SERVER_TEST(a_client_that_asks_first_is_told_to_go_on),
        SERVER_TEST(strangers_hosts_and_origins_are_refused),
        SERVER_TEST(malformed_requests_are_refused_and_closed),
        SERVER_TEST(connections_are_kept_and_requests_answered_in_order),
        SERVER_TEST(http_1_0_connections_are_kept_when_asked),
        SERVER_TEST(a_client_that_half_closes_gets_its_answer),
        SERVER_TEST(many_pipelined_requests_do_not_pile_up),
        SERVER_TEST(a_deferred_answer_keeps_the_order),
        SERVER_TEST(a_flood_behind_a_deferred_request_is_not_stored),
        SERVER_TEST(a_deferred_request_hears_that_the_client_left),
        SERVER_TEST(answering_a_client_that_just_left_is_harmless),
        SERVER_TEST(closing_the_server_does_not_wait_for_slow_readers),
        SERVER_TEST(closing_the_server_tells_those_who_wait),
        SERVER_TEST(a_handler_may_close_the_server),
        SERVER_TEST(events_are_framed_and_end_with_the_client),
        SERVER_TEST(events_can_be_ended_by_the_owner),
        SERVER_TEST(a_reader_that_does_not_read_is_cut_off),
        SERVER_TEST(head_of_events_has_no_body),
        QUICK_TEST(silent_events_show_a_sign_of_life),
        QUICK_TEST(slow_heads_and_bodies_are_timed_out),
        QUICK_TEST(a_trickle_of_bytes_does_not_extend_the_deadline),
        QUICK_TEST(silent_connections_are_closed),
        QUICK_TEST(a_client_that_does_not_take_its_answer_is_cut_off),
        QUICK_TEST(connections_of_one_address_are_limited),
        QUICK_TEST(deferred_requests_have_no_deadline_here),
        SERVER_TEST(a_crowd_of_slow_clients_does_not_last),
        SERVER_TEST(routes_are_the_same_on_a_unix_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
