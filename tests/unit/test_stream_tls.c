/* Streams, the HTTP server and the HTTP client over TLS, on real sockets: order, back-pressure,
 * upgrades, every way a handshake fails and a connection ends. */
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/connector.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/listener.h"
#include "net/stream_tls.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/stream_side.h"
#include "tests/lib/tls_peers.h"

/* More than sockets and ENCRYPTED_BYTES_MAX hold. */
#define LARGE_BYTES ((size_t)20 << 20)

static struct tls_peers peers;

struct fixture {
    struct loop *loop;
    struct listener *listener;
    struct tls_server_context *server_context;
    struct tls_client_context *client_context;
    const char *host;     /* that the client expects */
    const char *greeting; /* in plain text, before TLS; NULL: none */
    const char *opening;  /* what the client writes before the handshake; NULL: nothing */
    struct stream_side server;
    struct stream_side client;
    int accepted;
    int concluded;
    int raw; /* a socket without TLS, or -1 */

    struct http_server *http;
    struct http_call *call;
    int called;
    int answer;
    struct status call_status;
    bool client_is_known;
};

static void note_accept(void *context, struct stream *stream) {
    struct fixture *fixture = context;
    fixture->accepted++;
    fixture->server.stream = stream;
    stream_start(stream, &stream_side_handlers, &fixture->server);
    if (!fixture->greeting) return;
    stream_write(stream, fixture->greeting, strlen(fixture->greeting));
    stream_tls_accept(stream, fixture->server_context);
}

static const struct listener_handlers listener_handlers = {.on_accept = note_accept};

static void note_connected(void *context, struct stream *stream, const struct status *status) {
    struct fixture *fixture = context;
    fixture->concluded++;
    assert_true(status_is_ok(status));
    fixture->client.stream = stream;
    if (!fixture->greeting) stream_tls_connect(stream, fixture->client_context, fixture->host, 443);
    stream_start(stream, &stream_side_handlers, &fixture->client);
    if (!fixture->opening) return;
    stream_write(stream, fixture->opening, strlen(fixture->opening));
    assert_int_equal(stream_pending_bytes(stream), strlen(fixture->opening));
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    struct address address = {.kind = ADDRESS_TCP, .host = "127.0.0.1"};
    fixture->loop = loop_create(&status);
    fixture->raw = -1;
    fixture->host = "edge-7";
    fixture->server_context = tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_OPTIONAL);
    fixture->client_context = tls_peers_client(&peers, TLS_CLIENT);
    fixture->listener =
        listener_open(fixture->loop, &address, 0600, &listener_handlers, fixture, &status);
    assert_non_null(fixture->listener);
    listener_use_tls(fixture->listener, fixture->server_context);
    stream_side_init(&fixture->server);
    stream_side_init(&fixture->client);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    listener_close(fixture->listener);
    stream_close(fixture->server.stream);
    stream_close(fixture->client.stream);
    http_call_cancel(fixture->call);
    http_server_close(fixture->http, NULL, NULL);
    if (fixture->raw >= 0) close(fixture->raw);
    loop_wait_end(fixture->loop);
    tls_server_context_release(fixture->server_context);
    tls_client_context_release(fixture->client_context);
    buffer_free(&fixture->server.received);
    buffer_free(&fixture->client.received);
    free(fixture);
    return 0;
}

static int make_peers(void **state) {
    (void)state;
    tls_peers_make(&peers);
    return 0;
}

static int free_peers(void **state) {
    (void)state;
    tls_peers_free(&peers);
    return 0;
}

static void connect_both(struct fixture *fixture) {
    connector_start(fixture->loop, listener_address(fixture->listener), 5000, note_connected,
                    fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->concluded, 1));
}

struct expectation {
    const struct stream_side *side;
    size_t bytes;
};

static bool has_received(void *context) {
    const struct expectation *expectation = context;
    return expectation->side->received.length >= expectation->bytes;
}

static void wait_received(struct fixture *fixture, const struct stream_side *side, size_t bytes) {
    struct expectation expectation = {side, bytes};
    assert_true(loop_wait(fixture->loop, has_received, &expectation));
    assert_int_equal(side->received.length, bytes);
}

/* ---- bytes ---- */

static void bytes_travel_both_ways(void **state) {
    struct fixture *fixture = *state;
    fixture->server.echoes = true;
    fixture->opening = "hello ";
    connect_both(fixture);
    stream_write(fixture->client.stream, "world", 5);
    wait_received(fixture, &fixture->client, 11);
    assert_string_equal(buffer_text(&fixture->client.received), "hello world");
    assert_int_equal(fixture->client.drained, 1);
    assert_int_equal(stream_pending_bytes(fixture->client.stream), 0);
    assert_true(stream_is_tls(fixture->server.stream));
    assert_non_null(stream_peer_fingerprint(fixture->server.stream));
    assert_non_null(stream_peer_fingerprint(fixture->client.stream));
}

static void check_numbers(const struct stream_side *side, size_t bytes) {
    assert_int_equal(side->received.length, bytes);
    for (uint32_t i = 0; i < bytes / sizeof i; i++) {
        uint32_t number;
        memcpy(&number, side->received.data + i * sizeof i, sizeof i);
        if (number != i) fail_msg("number %u is %u", i, number);
    }
}

static void write_numbers(struct stream *stream, size_t bytes) {
    for (uint32_t i = 0; i < bytes / sizeof i; i++)
        stream_write(stream, &i, sizeof i);
}

static void much_output_arrives_whole_and_in_order(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    write_numbers(fixture->client.stream, LARGE_BYTES);
    write_numbers(fixture->server.stream, LARGE_BYTES);
    wait_received(fixture, &fixture->server, LARGE_BYTES);
    wait_received(fixture, &fixture->client, LARGE_BYTES);
    check_numbers(&fixture->server, LARGE_BYTES);
    check_numbers(&fixture->client, LARGE_BYTES);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.drained, 1));
}

static void a_peer_that_does_not_read_costs_only_what_waits(void **state) {
    struct fixture *fixture = *state;
    fixture->server.pauses = true;
    connect_both(fixture);
    stream_write(fixture->client.stream, "x", 1);
    wait_received(fixture, &fixture->server, 1);
    write_numbers(fixture->client.stream, LARGE_BYTES);
    loop_wait_ms(fixture->loop, 100);
    assert_true(stream_pending_bytes(fixture->client.stream) > LARGE_BYTES / 2);
    assert_int_equal(fixture->server.received.length, 1);
    fixture->server.pauses = false;
    buffer_clear(&fixture->server.received);
    stream_resume_reading(fixture->server.stream);
    wait_received(fixture, &fixture->server, LARGE_BYTES);
    check_numbers(&fixture->server, LARGE_BYTES);
}

/* A record that was decrypted waits in the engine while the socket is quiet: resuming must find
 * it. */
static void pausing_after_each_read_loses_nothing(void **state) {
    struct fixture *fixture = *state;
    const size_t bytes = 200000;
    fixture->server.pauses = true;
    connect_both(fixture);
    write_numbers(fixture->client.stream, bytes);
    while (fixture->server.received.length < bytes) {
        struct expectation more = {&fixture->server, fixture->server.received.length + 1};
        stream_resume_reading(fixture->server.stream);
        assert_true(loop_wait(fixture->loop, has_received, &more));
    }
    check_numbers(&fixture->server, bytes);
}

static void plain_text_turns_into_tls(void **state) {
    struct fixture *fixture = *state;
    fixture->greeting = "INFO {}\r\n";
    listener_close(fixture->listener);
    struct status status = STATUS_INIT;
    struct address address = {.kind = ADDRESS_TCP, .host = "127.0.0.1"};
    fixture->listener =
        listener_open(fixture->loop, &address, 0600, &listener_handlers, fixture, &status);
    fixture->server.echoes = true;
    connect_both(fixture);
    wait_received(fixture, &fixture->client, 9);
    stream_tls_connect(fixture->client.stream, fixture->client_context, "127.0.0.1", 443);
    stream_write(fixture->client.stream, "secret", 6);
    wait_received(fixture, &fixture->client, 15);
    assert_string_equal(buffer_text(&fixture->client.received), "INFO {}\r\nsecret");
}

static void the_systems_anchors_are_read_on_a_worker(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    tls_client_context_release(fixture->client_context);
    fixture->client_context = tls_client_context_create(&(struct tls_client_options){0}, &status);
    connect_both(fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_true(fixture->client.why.code == STATUS_UNKNOWN_ISSUER ||
                fixture->client.why.code == STATUS_NOT_FOUND);
}

static void closing_while_the_anchors_are_read(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    tls_client_context_release(fixture->client_context);
    fixture->client_context = tls_client_context_create(&(struct tls_client_options){0}, &status);
    connect_both(fixture);
    stream_close(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
}

/* ---- ends ---- */

static void closing_in_order_is_told_as_an_end(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    stream_write(fixture->client.stream, "last words", 10);
    wait_received(fixture, &fixture->server, 10);
    stream_write(fixture->client.stream, "!", 1);
    stream_close(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.ended, 1));
    wait_received(fixture, &fixture->server, 11);
    stream_finish(fixture->server.stream, 5000);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_int_equal(fixture->server.why.code, STATUS_OK);
}

static void finishing_sends_everything_first(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    write_numbers(fixture->client.stream, LARGE_BYTES); /* before the handshake */
    stream_finish(fixture->client.stream, 5000);
    stream_write(fixture->client.stream, "ignored", 7);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.ended, 1));
    check_numbers(&fixture->server, LARGE_BYTES);
    stream_finish(fixture->server.stream, 5000);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.why.code, STATUS_OK);
}

static void being_cut_off_is_no_end(void **state) {
    struct fixture *fixture = *state;
    fixture->server.echoes = true;
    connect_both(fixture);
    stream_write(fixture->client.stream, "x", 1);
    wait_received(fixture, &fixture->client, 1);
    /* FIN without close_notify, as somebody on the way could send it. */
    struct address peer;
    stream_peer(fixture->server.stream, &peer);
    for (int descriptor = 3; descriptor < 100; descriptor++) {
        struct sockaddr_in name;
        socklen_t length = sizeof name;
        bool is_it = getsockname(descriptor, (struct sockaddr *)&name, &length) == 0 &&
                     name.sin_family == AF_INET && ntohs(name.sin_port) == peer.port;
        if (is_it) shutdown(descriptor, SHUT_WR);
    }
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_int_equal(fixture->server.ended, 0);
    assert_int_equal(fixture->server.why.code, STATUS_TLS);
    assert_non_null(strstr(fixture->server.why.text, "cut off"));
}

/* ---- handshakes that fail ---- */

static void a_wrong_name_is_told_to_both(void **state) {
    struct fixture *fixture = *state;
    fixture->host = "edge-9";
    fixture->opening = "secret";
    connect_both(fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_int_equal(fixture->client.why.code, STATUS_WRONG_NAME);
    assert_int_equal(fixture->server.why.code, STATUS_TLS);
    assert_non_null(strstr(fixture->server.why.text, "bad_certificate"));
    assert_int_equal(fixture->server.received.length, 0);
}

static void a_name_that_cannot_be_closes_the_stream(void **state) {
    struct fixture *fixture = *state;
    fixture->host = "";
    connect_both(fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.why.code, STATUS_USAGE);
}

static void connect_raw(struct fixture *fixture) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(listener_address(fixture->listener)->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fixture->raw = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fixture->raw, (struct sockaddr *)&address, sizeof address), 0);
}

static void leaving_in_the_handshake_is_noticed(void **state) {
    static const char part[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    struct fixture *fixture = *state;
    connect_raw(fixture);
    assert_int_equal(write(fixture->raw, part, sizeof part - 1), sizeof part - 1);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted, 1));
    close(fixture->raw);
    fixture->raw = -1;
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_int_equal(fixture->server.why.code, STATUS_TLS);
    assert_non_null(strstr(fixture->server.why.text, "during the TLS handshake"));
}

static void plain_text_is_answered_with_an_alert(void **state) {
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    struct fixture *fixture = *state;
    char alert[16];
    connect_raw(fixture);
    assert_int_equal(write(fixture->raw, request, sizeof request - 1), sizeof request - 1);
    assert_true(loop_wait_count(fixture->loop, &fixture->server.closed, 1));
    assert_non_null(strstr(fixture->server.why.text, "speak without it"));
    assert_int_equal(read(fixture->raw, alert, sizeof alert), 7);
    assert_int_equal(alert[0], 21);
}

/* ---- http ---- */

static void answer_hello(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    fixture->client_is_known = http_request_peer_fingerprint(request) != NULL;
    http_respond(request, 200, "text/plain", bytes_of_text("hello"));
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/", .handle = answer_hello}};

static void note_done(void *context, const struct http_response *response,
                      const struct status *status) {
    struct fixture *fixture = context;
    fixture->called++;
    fixture->call = NULL;
    fixture->call_status = *status;
    fixture->answer = response ? response->status : 0;
    if (response) assert_true(bytes_equal_text(response->body, "hello"));
}

static void call_over_tls(struct fixture *fixture, const char *host) {
    struct address address = {.kind = ADDRESS_TCP, .host = "127.0.0.1"}, bound;
    struct status status = STATUS_INIT;
    struct url url;
    char text[100];
    if (!fixture->http) {
        fixture->http =
            http_server_create(fixture->loop, &(struct http_server_options){.name = "test"});
        http_server_add_routes(fixture->http, routes, COUNT_OF(routes), fixture);
    }
    assert_true(
        http_server_listen_tls(fixture->http, &address, fixture->server_context, &bound, &status));
    snprintf(text, sizeof text, "https://%s:%d/", host, bound.port);
    assert_true(url_parse(bytes_of_text(text), url_web_schemes, &url, &status));
    struct http_call_options options = {.method = "GET",
                                        .url = &url,
                                        .tls = fixture->client_context,
                                        .timeout_ms = 5000,
                                        .response_limit_bytes = 1000,
                                        .on_done = note_done,
                                        .context = fixture};
    fixture->called = 0;
    fixture->call = http_call_start(fixture->loop, &options, &status);
    assert_non_null(fixture->call);
    assert_true(loop_wait_count(fixture->loop, &fixture->called, 1));
}

static void https_works_at_both_ends(void **state) {
    struct fixture *fixture = *state;
    call_over_tls(fixture, "127.0.0.1");
    assert_string_equal(fixture->call_status.text, "");
    assert_int_equal(fixture->answer, 200);
    assert_true(fixture->client_is_known);
    call_over_tls(fixture, "localhost");
    assert_int_equal(fixture->answer, 200);
}

static void https_says_why_it_does_not_work(void **state) {
    struct fixture *fixture = *state;
    tls_server_context_release(fixture->server_context);
    fixture->server_context = tls_peers_server(&peers, TLS_SERVER_EXPIRED, TLS_CLIENTS_UNASKED);
    call_over_tls(fixture, "127.0.0.1");
    assert_int_equal(fixture->call_status.code, STATUS_EXPIRED);
    assert_non_null(strstr(fixture->call_status.text, "127.0.0.1: certificate expired on 20"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bytes_travel_both_ways),
        TEST(much_output_arrives_whole_and_in_order),
        TEST(a_peer_that_does_not_read_costs_only_what_waits),
        TEST(pausing_after_each_read_loses_nothing),
        TEST(plain_text_turns_into_tls),
        TEST(the_systems_anchors_are_read_on_a_worker),
        TEST(closing_while_the_anchors_are_read),
        TEST(closing_in_order_is_told_as_an_end),
        TEST(finishing_sends_everything_first),
        TEST(being_cut_off_is_no_end),
        TEST(a_wrong_name_is_told_to_both),
        TEST(a_name_that_cannot_be_closes_the_stream),
        TEST(leaving_in_the_handshake_is_noticed),
        TEST(plain_text_is_answered_with_an_alert),
        TEST(https_works_at_both_ends),
        TEST(https_says_why_it_does_not_work),
    };
    return cmocka_run_group_tests(tests, make_peers, free_peers);
}
