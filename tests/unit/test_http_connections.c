/* The life of HTTP connections: kept alive, pipelined, deferred, followed, closed. */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tests/lib/http_fixture.h"
#include "tests/lib/loop_wait.h"

/* ---- connections ---- */

static void connections_are_kept_and_requests_answered_in_order(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client,
                          "GET /values/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
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
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /values/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect_text(fixture, client, "Connection: keep-alive\r\n");
    http_test_client_send(client, "GET /values/2 HTTP/1.0\r\n\r\n");
    expect_text(fixture, client, "2|");
    expect_closed(fixture, client);
}

static void a_client_that_half_closes_gets_its_answer(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream_shutdown(client->stream);
    expect_text(fixture, client, "hello\n");
    expect_closed(fixture, client);
}

static void many_pipelined_requests_do_not_pile_up(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    stream_pause_reading(client->stream);
    for (int i = 0; i < 100; i++)
        http_test_client_send(client, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    http_test_client_send(client, GET("/values/last"));
    loop_wait_ms(fixture->loop, 50);
    stream_resume_reading(client->stream);
    expect_text(fixture, client, "last|");
    assert_true(client->received.length > 100 * 300000);
}

static void a_deferred_answer_keeps_the_order(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
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
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int i = 0; i < 200000; i++)
        http_test_client_send(client, "GET /values/flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    loop_wait_ms(fixture->loop, 50);
    assert_true(stream_pending_bytes(client->stream) > 1000000); /* it has to keep them itself */
    http_respond(fixture->deferred, 200, "text/plain", bytes_of_text("first"));
    fixture->deferred = NULL;
    expect_text(fixture, client, "flood|");
}

static void a_deferred_request_hears_that_the_client_left(void **state) {
    struct http_fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        struct http_test_client *client = http_test_client_connect(fixture);
        http_test_client_send(
            client, "POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
        assert_true(loop_wait_count(fixture->loop, &fixture->handled, i + 1));
        if (i == 0)
            stream_abort(client->stream);
        else
            stream_close(client->stream);
        assert_true(loop_wait_count(fixture->loop, &fixture->gone, i + 1));
    }
}

static void answering_a_client_that_just_left_is_harmless(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    stream_abort(client->stream);
    http_respond(fixture->deferred, 200, "text/plain", bytes_of_text("too late"));
    fixture->deferred = NULL;
    expect_closed(fixture, client);
    loop_wait_ms(fixture->loop, 20);
    assert_int_equal(fixture->gone, 0);
}

static void closing_the_server_does_not_wait_for_slow_readers(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    stream_pause_reading(client->stream);
    for (int i = 0; i < 60; i++)
        http_test_client_send(client, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    loop_wait_ms(fixture->loop, 50);
    int64_t started_ms = loop_now_ms(fixture->loop);
    http_server_close(fixture->server, http_fixture_server_closed, fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->closed_servers, 1));
    assert_in_range(loop_now_ms(fixture->loop) - started_ms, 0, 1900);
    fixture->closed_servers = 0;
    fixture->server = http_server_create(fixture->loop, &(struct http_server_options){.name = ""});
}

static void closing_the_server_tells_those_who_wait(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *waiting = http_test_client_connect(fixture);
    struct http_test_client *idle = http_test_client_connect(fixture);
    http_test_client_send(waiting, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    http_server_close(fixture->server, http_fixture_server_closed, fixture);
    assert_int_equal(fixture->gone, 0); /* from a later turn */
    assert_true(loop_wait_count(fixture->loop, &fixture->closed_servers, 1));
    assert_int_equal(fixture->gone, 1);
    expect_closed(fixture, waiting);
    expect_closed(fixture, idle);
    fixture->closed_servers = 0;
    fixture->server = http_server_create(fixture->loop, &(struct http_server_options){.name = ""});
}

static void a_handler_may_close_the_server(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "POST /close HTTP/1.1\r\nHost: localhost\r\n\r\n"
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
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
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
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    http_events_send(fixture->events, NULL, NULL, bytes_of_text("last"));
    http_events_close(fixture->events);
    expect_text(fixture, client, "data: last\n\n");
    expect_closed(fixture, client);
    assert_int_equal(fixture->gone, 0);
}

static void a_reader_that_does_not_read_is_cut_off(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    struct http_test_client *other = http_test_client_connect(fixture);
    char *large = memory_new(10000);
    memset(large, 'e', 10000);
    http_test_client_send(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    stream_pause_reading(client->stream);
    for (int i = 0; i < 5000 && fixture->gone == 0; i++) {
        if (fixture->events) http_events_send(fixture->events, NULL, NULL, bytes_of(large, 10000));
        if (i % 100 == 0) loop_wait_ms(fixture->loop, 1);
    }
    free(large);
    assert_true(loop_wait_count(fixture->loop, &fixture->gone, 1));
    http_test_client_send(other, GET("/hello"));
    expect_text(fixture, other, "hello\n");
}

static void head_of_events_has_no_body(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->gone, 1));
    expect_closed(fixture, client);
    expect_no_text(client, "retry");
}

static void silent_events_show_a_sign_of_life(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_text(fixture, client, "retry: 2000\n\n:\n\n:\n\n");
    assert_int_equal(fixture->gone, 0);
}

int main(void) {
#define SERVER_TEST(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, http_fixture_set_up, http_fixture_tear_down)
#define QUICK_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, http_fixture_set_up_quick, http_fixture_tear_down)
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
