#include "tests/lib/http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/connector.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/unit.h"

/* ---- handlers ---- */

static void answer_hello(void *context, struct http_request *request) {
    struct http_fixture *fixture = context;
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
    struct http_fixture *fixture = context;
    fixture->gone++;
    fixture->deferred = NULL;
    fixture->events = NULL;
}

static void defer(void *context, struct http_request *request) {
    struct http_fixture *fixture = context;
    fixture->handled++;
    fixture->deferred = request;
    http_request_defer(request, client_has_gone, fixture);
}

static void open_events(void *context, struct http_request *request) {
    struct http_fixture *fixture = context;
    fixture->handled++;
    fixture->events = http_request_open_events(request, client_has_gone, fixture);
}

void http_fixture_server_closed(void *context) {
    struct http_fixture *fixture = context;
    fixture->closed_servers++;
}

static void close_server(void *context, struct http_request *request) {
    struct http_fixture *fixture = context;
    http_server_close(fixture->server, http_fixture_server_closed, fixture);
    http_respond(request, 200, "text/plain", bytes_of_text("closing"));
}

static const struct http_route routes[] = {
    {.method = "POST", .pattern = "/close", .handle = close_server},
    {.method = "GET", .pattern = "/", .handle = answer_hello},
    {.method = "GET", .pattern = "/hello", .handle = answer_hello},
    {.method = "GET", .pattern = "/values/{name}", .handle = answer_value},
    {.method = "GET",
     .pattern = "/slashed/{name}",
     .handle = answer_value,
     .values_hold_slashes = true},
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

const struct http_limits http_fixture_quick_limits = {
    .connections = 4,
    .address_connections = 3,
    .head_timeout_ms = 100,
    .body_timeout_ms = 100,
    .idle_timeout_ms = 200,
    .write_timeout_ms = 200,
    .events_keepalive_ms = 50,
};

static const char *const allowed_hosts[] = {"license.example", NULL};

struct http_fixture *http_fixture_open(const struct http_limits *limits) {
    struct http_fixture *fixture = calloc(1, sizeof *fixture);
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

int http_fixture_set_up(void **state) {
    *state = http_fixture_open(NULL);
    return 0;
}

int http_fixture_set_up_quick(void **state) {
    *state = http_fixture_open(&http_fixture_quick_limits);
    return 0;
}

int http_fixture_tear_down(void **state) {
    struct http_fixture *fixture = *state;
    http_server_close(fixture->server, http_fixture_server_closed, fixture);
    http_server_close(fixture->server, http_fixture_server_closed, fixture);
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
    struct http_test_client *client = context;
    assert_true(buffer_append(&client->received, bytes.data, bytes.length));
}

static void client_closed(void *context, const struct status *status) {
    struct http_test_client *client = context;
    (void)status;
    client->closed++;
    client->stream = NULL;
}

static const struct stream_handlers client_handlers = {.on_read = client_read,
                                                       .on_closed = client_closed};

static void client_connected(void *context, struct stream *stream, const struct status *status) {
    struct http_fixture *fixture = context;
    assert_int_equal(status->code, STATUS_OK);
    struct http_test_client *client = &fixture->clients[fixture->connected++];
    client->stream = stream;
    stream_start(stream, &client_handlers, client);
}

struct http_test_client *http_test_client_connect(struct http_fixture *fixture) {
    int index = fixture->connected;
    connector_start(fixture->loop, &fixture->address, 5000, client_connected, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->connected, index + 1));
    return &fixture->clients[index];
}

void http_test_client_send(struct http_test_client *client, const char *text) {
    stream_write(client->stream, text, strlen(text));
}

struct expectation {
    const struct http_test_client *client;
    const char *text;
    size_t searched; /* bytes of what was received that hold no beginning of the text */
};

/* Looks only at what is new: answers of many megabytes arrive in thousands of pieces. */
static bool has_text(void *context) {
    struct expectation *expectation = context;
    const struct buffer *received = &expectation->client->received;
    size_t length = strlen(expectation->text);
    if (strstr(buffer_text(received) + expectation->searched, expectation->text)) return true;
    expectation->searched = received->length < length ? 0 : received->length - length + 1;
    return false;
}

void expect_text(struct http_fixture *fixture, const struct http_test_client *client,
                 const char *text) {
    struct expectation expectation = {.client = client, .text = text};
    if (!loop_wait(fixture->loop, has_text, &expectation)) {
        print_error("wanted: %s\nreceived: %.2000s\n", text, buffer_text(&client->received));
        fail();
    }
}

void expect_no_text(const struct http_test_client *client, const char *text) {
    assert_null(strstr(buffer_text(&client->received), text));
}

void expect_closed(struct http_fixture *fixture, const struct http_test_client *client) {
    assert_true(loop_wait_count(fixture->loop, &client->closed, 1));
}

/* Sends a request on a connection of its own that ends with it; returns all that came. */
const char *exchange(struct http_fixture *fixture, const char *raw) {
    fixture->connected = 0;
    struct http_test_client *client = &fixture->clients[0];
    buffer_clear(&client->received);
    client->closed = 0;
    http_test_client_connect(fixture);
    http_test_client_send(client, raw);
    expect_closed(fixture, client);
    return buffer_text(&client->received);
}

void assert_has(const char *text, const char *part) {
    if (strstr(text, part)) return;
    print_error("missing: %s\nin: %.1500s\n", part, text);
    fail();
}

void assert_status(const char *answer, int status) {
    char start[20];
    snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
    if (strncmp(answer, start, strlen(start)) != 0)
        print_error("expected %d: %.300s\n", status, answer);
    assert_int_equal(strncmp(answer, start, strlen(start)), 0);
}
