/* What slow, silent, greedy and numerous HTTP clients can do: little. */
#include "tests/lib/unit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/timer.h"
#include "net/listener.h"
#include "tests/lib/http_fixture.h"
#include "tests/lib/loop_wait.h"

/* ---- limits ---- */

static void slow_heads_and_bodies_are_timed_out(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *head = http_test_client_connect(fixture);
    http_test_client_send(head, "GET /hello HTTP/1.1\r\nHost:");
    struct http_test_client *body = http_test_client_connect(fixture);
    http_test_client_send(body,
                          "PUT /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
    expect_text(fixture, head, "HTTP/1.1 408 ");
    expect_text(fixture, body, "HTTP/1.1 408 ");
    expect_closed(fixture, head);
    expect_closed(fixture, body);
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    assert_int_equal(counters.timed_out_connections, 2);
}

static void drop_byte(void *context) {
    struct http_test_client *client = context;
    if (client->stream) stream_write(client->stream, "X", 1);
}

static void a_trickle_of_bytes_does_not_extend_the_deadline(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ");
    struct timer *timer = timer_open(fixture->loop, drop_byte, client);
    timer_start_repeating(timer, 10);
    expect_text(fixture, client, "HTTP/1.1 408 ");
    timer_close(timer);
}

static void silent_connections_are_closed(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *silent = http_test_client_connect(fixture);
    struct http_test_client *idle = http_test_client_connect(fixture);
    http_test_client_send(idle, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_text(fixture, idle, "hello\n");
    expect_closed(fixture, silent);
    assert_int_equal(idle->closed, 0); /* its time is longer */
    expect_closed(fixture, idle);
    expect_no_text(silent, "HTTP");
}

static void a_client_that_does_not_take_its_answer_is_cut_off(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    stream_pause_reading(client->stream);
    for (int i = 0; i < 60; i++)
        http_test_client_send(client, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    loop_wait_ms(fixture->loop, 600);
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    assert_int_equal(counters.open_connections, 0);
}

static struct http_server_counters counters_of(const struct http_fixture *fixture) {
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    return counters;
}

/* Few connections, and the deadlines of a real server, which do not come into play. */
static int set_up_few_connections(void **state) {
    struct http_limits limits = http_limits_default;
    limits.connections = 4;
    limits.address_connections = 3;
    *state = http_fixture_open(&limits);
    return 0;
}

static void connections_of_one_address_are_limited(void **state) {
    struct http_fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        struct http_test_client *listener = http_test_client_connect(fixture);
        http_test_client_send(listener, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        expect_text(fixture, listener, "text/event-stream");
    }
    struct http_test_client *fourth = http_test_client_connect(fixture);
    expect_closed(fixture, fourth);
    expect_text(fixture, fourth, "HTTP/1.1 503 ");
    assert_int_equal(counters_of(fixture).refused_connections, 1);
    assert_int_equal(counters_of(fixture).open_connections, 3);
}

static void who_waits_for_later_makes_room_for_who_asks_now(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *kept[3];
    for (int i = 0; i < 3; i++) {
        kept[i] = http_test_client_connect(fixture);
        http_test_client_send(kept[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        expect_text(fixture, kept[i], "hello\n");
    }
    struct http_test_client *fourth = http_test_client_connect(fixture);
    http_test_client_send(fourth, GET("/hello"));
    expect_text(fixture, fourth, "hello\n");
    expect_closed(fixture, kept[0]);
    assert_int_equal(kept[1]->closed + kept[2]->closed, 0);
    assert_int_equal(counters_of(fixture).refused_connections, 0);
    assert_int_equal(counters_of(fixture).displaced_connections, 1);
}

/* Silent, in the middle of a head, in the middle of a body: none of them asks yet. */
static void who_has_not_asked_makes_room_for_who_asks(void **state) {
    static const char *const beginnings[] = {
        "", "GET /hello HTTP/1.1\r\nHo",
        "PUT /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab"};
    struct http_fixture *fixture = *state;
    struct http_test_client *slow[3];
    for (int i = 0; i < 3; i++) {
        slow[i] = http_test_client_connect(fixture);
        http_test_client_send(slow[i], beginnings[i]);
        loop_wait_ms(fixture->loop, 5); /* each has an age of its own */
    }
    for (int i = 0; i < 3; i++) {
        struct http_test_client *asking = http_test_client_connect(fixture);
        http_test_client_send(asking, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        expect_text(fixture, asking, "hello\n");
        expect_closed(fixture, slow[i]);
        assert_int_equal(counters_of(fixture).displaced_connections, i + 1);
    }
    assert_int_equal(counters_of(fixture).refused_connections, 0);
    assert_int_equal(counters_of(fixture).open_connections, 3);
}

/* Asks on a socket that is not the fixture's; true when it was answered. */
static bool asks(struct http_fixture *fixture, int client) {
    static const char request[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[2000] = "";
    send(client, request, sizeof request - 1, MSG_NOSIGNAL);
    loop_wait_ms(fixture->loop, 20);
    ssize_t received = recv(client, answer, sizeof answer - 1, MSG_DONTWAIT);
    return received > 0 && strstr(answer, "hello\n");
}

static void an_address_with_its_share_displaces_nobody_else(void **state) {
    struct http_fixture *fixture = *state;
    struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002)};
    struct sockaddr_storage where;
    socklen_t length;
    assert_true(address_to_socket(&fixture->address, &where, &length));
    int neighbour = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(neighbour, (struct sockaddr *)&other, sizeof other), 0);
    assert_int_equal(connect(neighbour, (struct sockaddr *)&where, length), 0);
    assert_true(asks(fixture, neighbour));
    for (int i = 0; i < 3; i++) {
        struct http_test_client *listener = http_test_client_connect(fixture);
        http_test_client_send(listener, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        expect_text(fixture, listener, "text/event-stream");
    }
    struct http_test_client *fourth = http_test_client_connect(fixture);
    expect_closed(fixture, fourth);
    expect_text(fixture, fourth, "HTTP/1.1 503 ");
    assert_true(asks(fixture, neighbour));
    assert_int_equal(counters_of(fixture).displaced_connections, 0);
    close(neighbour);
}

static void deferred_requests_have_no_deadline_here(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(loop_wait_count(fixture->loop, &fixture->handled, 1));
    loop_wait_ms(fixture->loop, 300);
    http_respond(fixture->deferred, 200, "text/plain", bytes_of_text("patience"));
    fixture->deferred = NULL;
    expect_text(fixture, client, "patience");
}

/* One attempt of a well-behaved client on a socket of its own. */
static bool is_served(struct http_fixture *fixture) {
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
    struct http_limits limits = http_fixture_quick_limits;
    limits.connections = limits.address_connections = 1000;
    struct http_fixture *crowded = http_fixture_open(&limits);
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
    http_fixture_tear_down(&crowded_state);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_true(served);
}

static void routes_are_the_same_on_a_unix_socket(void **state) {
    struct http_fixture *fixture = *state;
    char folder[] = "/tmp/lsys-http-XXXXXX";
    struct status status = STATUS_INIT;
    assert_non_null(mkdtemp(folder));
    struct address address = {.kind = ADDRESS_UNIX};
    snprintf(address.host, sizeof address.host, "%s/socket", folder);
    assert_true(http_server_listen(fixture->server, &address, &fixture->address, &status));
    const char *answer = exchange(fixture, GET("/facts"));
    assert_has(answer, "local=1");
    http_server_close(fixture->server, http_fixture_server_closed, fixture);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
#define SERVER_TEST(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, http_fixture_set_up, http_fixture_tear_down)
#define QUICK_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, http_fixture_set_up_quick, http_fixture_tear_down)
#define FEW_TEST(name)                                                                             \
    cmocka_unit_test_setup_teardown(name, set_up_few_connections, http_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        QUICK_TEST(slow_heads_and_bodies_are_timed_out),
        QUICK_TEST(a_trickle_of_bytes_does_not_extend_the_deadline),
        QUICK_TEST(silent_connections_are_closed),
        QUICK_TEST(a_client_that_does_not_take_its_answer_is_cut_off),
        FEW_TEST(connections_of_one_address_are_limited),
        FEW_TEST(who_waits_for_later_makes_room_for_who_asks_now),
        FEW_TEST(who_has_not_asked_makes_room_for_who_asks),
        FEW_TEST(an_address_with_its_share_displaces_nobody_else),
        QUICK_TEST(deferred_requests_have_no_deadline_here),
        SERVER_TEST(a_crowd_of_slow_clients_does_not_last),
        SERVER_TEST(routes_are_the_same_on_a_unix_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
