/* The HTTP client: against our server, and against servers that misbehave byte for byte. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "loop/timer.h"
#include "net/http_client.h"
#include "net/http_events.h"
#include "net/http_response_parser.h"
#include "net/http_server.h"
#include "net/listener.h"
#include "tests/lib/loop_wait.h"

struct fixture {
    struct loop *loop;
    struct http_server *server;
    char base[100]; /* of URLs: the server's, or the raw listener's */

    /* A listener that sends `script` to whoever connects, then closes if `closes`. */
    struct listener *listener;
    struct stream *raw;
    struct bytes script;
    bool closes;

    struct http_events *events;
    struct http_call *call;
    bool cancels_on_piece;
    int heads;
    int done;
    struct status status;
    int response_status;
    struct buffer body;
    char field[100];
};

/* ---- our server ---- */

static void answer_echo(void *context, struct http_request *request) {
    (void)context;
    struct bytes field = http_request_header(request, "x-test");
    char *value = memory_copy_bytes(field.data, field.length);
    http_response_header(request, "X-Echo", value);
    free(value);
    http_respond(request, 200, "text/plain", http_request_body(request));
}

static void answer_moved(void *context, struct http_request *request) {
    (void)context;
    http_response_header(request, "Location", "/echo");
    http_respond(request, 302, NULL, bytes_of(NULL, 0));
}

static void answer_large(void *context, struct http_request *request) {
    (void)context;
    char *large = memory_new(100000);
    http_respond(request, 200, "application/octet-stream", bytes_of(large, 100000));
    free(large);
}

static void events_gone(void *context) {
    struct fixture *fixture = context;
    fixture->events = NULL;
}

static void open_events(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    fixture->events = http_request_open_events(request, events_gone, fixture);
    http_events_send(fixture->events, NULL, NULL, bytes_of_text("first"));
}

static void never_answer(void *context, struct http_request *request) {
    http_request_defer(request, events_gone, context);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/echo", .handle = answer_echo},
    {.method = "POST", .pattern = "/echo", .handle = answer_echo},
    {.method = "GET", .pattern = "/moved", .handle = answer_moved},
    {.method = "GET", .pattern = "/large", .handle = answer_large},
    {.method = "GET", .pattern = "/events", .handle = open_events},
    {.method = "GET", .pattern = "/never", .handle = never_answer},
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    struct address wanted = {.kind = ADDRESS_TCP, .host = "127.0.0.1"};
    struct address bound;
    fixture->loop = loop_create(&status);
    fixture->server =
        http_server_create(fixture->loop, &(struct http_server_options){.name = "test"});
    http_server_add_routes(fixture->server, routes, COUNT_OF(routes), fixture);
    assert_true(http_server_listen(fixture->server, &wanted, &bound, &status));
    snprintf(fixture->base, sizeof fixture->base, "http://127.0.0.1:%d", bound.port);
    buffer_init(&fixture->body, 1 << 20);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    http_call_cancel(fixture->call);
    http_server_close(fixture->server, NULL, NULL);
    listener_close(fixture->listener);
    stream_close(fixture->raw);
    loop_wait_end(fixture->loop);
    buffer_free(&fixture->body);
    free(fixture);
    return 0;
}

/* ---- a raw server ---- */

static void raw_read(void *context, struct bytes bytes) {
    (void)context;
    (void)bytes;
}

static void raw_closed(void *context, const struct status *status) {
    struct fixture *fixture = context;
    (void)status;
    fixture->raw = NULL;
}

static const struct stream_handlers raw_handlers = {.on_read = raw_read, .on_closed = raw_closed};

static void raw_accept(void *context, struct stream *stream) {
    struct fixture *fixture = context;
    fixture->raw = stream;
    stream_start(stream, &raw_handlers, fixture);
    stream_write(stream, fixture->script.data, fixture->script.length);
    if (fixture->closes) stream_finish(stream, 1000);
}

static const struct listener_handlers raw_listener_handlers = {.on_accept = raw_accept};

static void serve_raw(struct fixture *fixture, const char *script, bool closes) {
    struct status status = STATUS_INIT;
    struct address wanted = {.kind = ADDRESS_TCP, .host = "127.0.0.1"};
    fixture->script = bytes_of_text(script);
    fixture->closes = closes;
    if (fixture->listener) return;
    fixture->listener =
        listener_open(fixture->loop, &wanted, 0, &raw_listener_handlers, fixture, &status);
    snprintf(fixture->base, sizeof fixture->base, "http://127.0.0.1:%d",
             listener_address(fixture->listener)->port);
}

/* ---- calls ---- */

static void note_head(void *context, const struct http_response *response) {
    struct fixture *fixture = context;
    fixture->heads++;
    fixture->response_status = response->status;
}

static void note_piece(void *context, struct bytes piece) {
    struct fixture *fixture = context;
    assert_int_equal(fixture->heads, 1);
    buffer_append(&fixture->body, piece.data, piece.length);
    if (!fixture->cancels_on_piece) return;
    http_call_cancel(fixture->call);
    fixture->call = NULL;
}

static void note_done(void *context, const struct http_response *response,
                      const struct status *status) {
    struct fixture *fixture = context;
    fixture->done++;
    fixture->call = NULL;
    fixture->status = *status;
    assert_int_equal(response != NULL, status_is_ok(status));
    if (!response) return;
    fixture->response_status = response->status;
    buffer_append(&fixture->body, response->body.data, response->body.length);
    struct bytes echo = http_response_field(response, "x-echo");
    snprintf(fixture->field, sizeof fixture->field, "%.*s", (int)echo.length,
             (const char *)echo.data);
}

static struct http_call_options options_for(struct fixture *fixture, const char *method) {
    return (struct http_call_options){.method = method,
                                      .timeout_ms = 5000,
                                      .response_limit_bytes = 1000,
                                      .on_done = note_done,
                                      .context = fixture};
}

static void start(struct fixture *fixture, const char *target, struct http_call_options options) {
    struct url url;
    struct status status = STATUS_INIT;
    char text[200];
    snprintf(text, sizeof text, "%s%s", fixture->base, target);
    assert_true(url_parse(bytes_of_text(text), url_web_schemes, &url, &status));
    options.url = &url;
    fixture->done = 0;
    fixture->heads = 0;
    fixture->response_status = 0;
    buffer_clear(&fixture->body);
    fixture->call = http_call_start(fixture->loop, &options, &status);
    assert_non_null(fixture->call);
}

static void call(struct fixture *fixture, const char *target, struct http_call_options options) {
    start(fixture, target, options);
    assert_int_equal(fixture->done, 0);
    assert_true(loop_wait_count(fixture->loop, &fixture->done, 1));
    assert_int_equal(fixture->done, 1);
}

static void a_get_and_a_post_come_back(void **state) {
    struct fixture *fixture = *state;
    struct http_field field = {.name = bytes_of_text("X-Test"), .value = bytes_of_text("abc")};
    struct http_call_options options = options_for(fixture, "GET");
    options.fields = &field;
    options.field_count = 1;
    call(fixture, "/echo", options);
    assert_int_equal(fixture->status.code, STATUS_OK);
    assert_int_equal(fixture->response_status, 200);
    assert_string_equal(fixture->field, "abc");
    assert_int_equal(fixture->body.length, 0);

    options = options_for(fixture, "POST");
    options.body = bytes_of_text("posted");
    call(fixture, "/echo", options);
    assert_string_equal(buffer_text(&fixture->body), "posted");
    options.body = bytes_of(NULL, 0);
    call(fixture, "/echo", options);
    assert_int_equal(fixture->response_status, 200);
    call(fixture, "/echo", options_for(fixture, "HEAD"));
    assert_int_equal(fixture->response_status, 200);
}

static void redirects_are_not_followed(void **state) {
    struct fixture *fixture = *state;
    call(fixture, "/moved", options_for(fixture, "GET"));
    assert_int_equal(fixture->status.code, STATUS_OK);
    assert_int_equal(fixture->response_status, 302);
}

static void unix_sockets_work_too(void **state) {
    struct fixture *fixture = *state;
    char folder[] = "/tmp/lsys-client-XXXXXX";
    struct status status = STATUS_INIT;
    struct address address = {.kind = ADDRESS_UNIX};
    assert_non_null(mkdtemp(folder));
    snprintf(address.host, sizeof address.host, "%s/socket", folder);
    assert_true(http_server_listen(fixture->server, &address, NULL, &status));
    struct http_call_options options = options_for(fixture, "POST");
    options.unix_path = address.host;
    options.body = bytes_of_text("through a file");
    strcpy(fixture->base, "http://localhost");
    call(fixture, "/echo", options);
    assert_string_equal(buffer_text(&fixture->body), "through a file");

    char too_long[ADDRESS_HOST_BYTES + 10];
    memset(too_long, '/', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    options.unix_path = too_long;
    struct url url;
    assert_true(url_parse(bytes_of_text("http://localhost/"), url_web_schemes, &url, &status));
    options.url = &url;
    assert_null(http_call_start(fixture->loop, &options, &status));
    assert_int_equal(status.code, STATUS_USAGE);
    http_server_close(fixture->server, NULL, NULL);
    fixture->server = NULL;
    assert_int_equal(rmdir(folder), 0);
}

static void events_can_be_followed(void **state) {
    struct fixture *fixture = *state;
    struct http_call_options options = options_for(fixture, "GET");
    options.on_response = note_head;
    options.on_body = note_piece;
    options.timeout_ms = 200; /* ends with the head: what follows may take for ever */
    start(fixture, "/events", options);
    loop_wait_ms(fixture->loop, 300);
    assert_int_equal(fixture->done, 0);
    assert_non_null(strstr(buffer_text(&fixture->body), "data: first\n\n"));
    http_events_send(fixture->events, NULL, NULL, bytes_of_text("second"));
    loop_wait_ms(fixture->loop, 50);
    assert_non_null(strstr(buffer_text(&fixture->body), "data: second\n\n"));
    http_events_close(fixture->events);
    assert_true(loop_wait_count(fixture->loop, &fixture->done, 1));
    assert_int_equal(fixture->status.code, STATUS_OK);
}

static void silence_on_a_stream_is_noticed(void **state) {
    struct fixture *fixture = *state;
    struct http_call_options options = options_for(fixture, "GET");
    options.on_response = note_head;
    options.on_body = note_piece;
    options.silence_timeout_ms = 50;
    call(fixture, "/events", options);
    assert_int_equal(fixture->status.code, STATUS_TIMEOUT);
}

static void a_call_can_be_cancelled_at_any_point(void **state) {
    struct fixture *fixture = *state;
    struct http_call_options options = options_for(fixture, "GET");
    start(fixture, "/never", options);
    http_call_cancel(fixture->call);
    start(fixture, "/never", options);
    loop_wait_ms(fixture->loop, 30);
    http_call_cancel(fixture->call);
    fixture->call = NULL;

    options.on_response = note_head;
    options.on_body = note_piece;
    fixture->cancels_on_piece = true;
    start(fixture, "/events", options);
    loop_wait_ms(fixture->loop, 50);
    assert_int_equal(fixture->heads, 1);
    assert_int_equal(fixture->done, 0);
}

static void failures_are_told_apart(void **state) {
    struct fixture *fixture = *state;
    struct http_call_options options = options_for(fixture, "GET");
    options.timeout_ms = 50;
    call(fixture, "/never", options);
    assert_int_equal(fixture->status.code, STATUS_TIMEOUT);
    options.timeout_ms = 5000;
    call(fixture, "/large", options);
    assert_int_equal(fixture->status.code, STATUS_TOO_LARGE);
    http_server_close(fixture->server, NULL, NULL);
    fixture->server = NULL;
    loop_wait_ms(fixture->loop, 10);
    call(fixture, "/echo", options);
    assert_int_equal(fixture->status.code, STATUS_UNAVAILABLE);
}

static void impossible_calls_are_refused(void **state) {
    struct fixture *fixture = *state;
    struct url url;
    struct status status = STATUS_INIT;
    struct http_call_options options = options_for(fixture, "GET");
    assert_true(url_parse(bytes_of_text("https://a/"), url_web_schemes, &url, &status));
    options.url = &url;
    assert_null(http_call_start(fixture->loop, &options, &status));
    assert_int_equal(status.code, STATUS_TLS);

    status_clear(&status);
    assert_true(url_parse(bytes_of_text("http://a/"), url_web_schemes, &url, &status));
    struct http_field field = {.name = bytes_of_text("X"), .value = bytes_of_text("a\r\nY: b")};
    options.fields = &field;
    options.field_count = 1;
    assert_null(http_call_start(fixture->loop, &options, &status));
    assert_int_equal(status.code, STATUS_USAGE);
    status_clear(&status);
    options.field_count = 0;
    options.method = "GET /";
    assert_null(http_call_start(fixture->loop, &options, &status));
    assert_int_equal(status.code, STATUS_USAGE);
}

static void answers_of_any_server_are_judged(void **state) {
    struct fixture *fixture = *state;
    const struct {
        const char *script;
        bool closes;
        enum status_code code;
        int status;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, STATUS_OK, 200, "ab"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd", false, STATUS_OK, 200, "ab"},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, STATUS_OK, 200, ""},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", true, STATUS_OK, 200, "until the end"},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, STATUS_OK, 204, ""},
        {"HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx", false, STATUS_OK, 500, "x"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX: y\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
         false, STATUS_OK, 200, "x"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n"
         "X: trailer\r\n\r\n",
         false, STATUS_OK, 200, "abc"},
        {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false,
         STATUS_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", true, STATUS_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", true, STATUS_PROTOCOL, 0,
         ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         false, STATUS_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", false,
         STATUS_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\nContent-Length: 1\n\na", false, STATUS_PROTOCOL, 0, ""},
        {"SSH-2.0-OpenSSH\r\n", true, STATUS_PROTOCOL, 0, ""},
        {"INFO {\"server_id\":\"x\"}\r\n\r\n", false, STATUS_PROTOCOL, 0, ""},
        {"", true, STATUS_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", true, STATUS_PROTOCOL, 0, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        serve_raw(fixture, rows[i].script, rows[i].closes);
        fixture->status = (struct status)STATUS_INIT;
        call(fixture, "/", options_for(fixture, "GET"));
        if (fixture->status.code != rows[i].code)
            print_error("%s: %s\n", rows[i].script, fixture->status.text);
        assert_int_equal(fixture->status.code, rows[i].code);
        assert_int_equal(fixture->response_status, rows[i].status);
        assert_string_equal(buffer_text(&fixture->body), rows[i].body);
        stream_close(fixture->raw);
        loop_wait_ms(fixture->loop, 1);
    }
}

static void a_head_without_end_is_cut_off(void **state) {
    struct fixture *fixture = *state;
    char *script = memory_new(HTTP_RESPONSE_HEAD_BYTES_MAX + 100);
    memset(script, 'x', HTTP_RESPONSE_HEAD_BYTES_MAX + 50);
    memcpy(script, "HTTP/1.1 200 OK\r\nX: ", 20);
    serve_raw(fixture, script, false);
    call(fixture, "/", options_for(fixture, "GET"));
    assert_int_equal(fixture->status.code, STATUS_TOO_LARGE);
    free(script);
}

int main(void) {
#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(a_get_and_a_post_come_back),
        CLIENT_TEST(redirects_are_not_followed),
        CLIENT_TEST(unix_sockets_work_too),
        CLIENT_TEST(events_can_be_followed),
        CLIENT_TEST(silence_on_a_stream_is_noticed),
        CLIENT_TEST(a_call_can_be_cancelled_at_any_point),
        CLIENT_TEST(failures_are_told_apart),
        CLIENT_TEST(impossible_calls_are_refused),
        CLIENT_TEST(answers_of_any_server_are_judged),
        CLIENT_TEST(a_head_without_end_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
