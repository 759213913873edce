/* Our WebSocket client and server with npm's ws on the other side. */
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "loop/process.h"
#include "net/http_server.h"
#include "net/websocket.h"
#include "tests/lib/loop_wait.h"

#define PEER_TIMEOUT_MS 60000

struct fixture {
    struct loop *loop;
    struct process *peer;
    char port[8];

    struct websocket *client;
    int opened;
    int messages;
    int closed;
    unsigned code;
    char reason[130];
    struct status status;
    bool is_text;
    struct buffer received;

    struct http_server *server;
    struct websocket *accepted;
    int ended_peers;
    bool peer_is_happy;
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    fixture->loop = loop_create(&status);
    buffer_init(&fixture->received, 2 << 20);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    if (fixture->ended_peers == 0) process_close(fixture->peer);
    websocket_abort(fixture->client);
    http_server_close(fixture->server, NULL, NULL);
    loop_wait_end(fixture->loop);
    buffer_free(&fixture->received);
    free(fixture);
    return 0;
}

static void peer_ended(void *context, const struct process_result *result) {
    struct fixture *fixture = context;
    fixture->ended_peers++;
    fixture->peer_is_happy =
        result->exit_status == 0 && bytes_equal_text(bytes_trim(result->output), "ok");
}

static void start_peer(struct fixture *fixture, const char *role) {
    struct status status = STATUS_INIT;
    const char *const arguments[] = {"node", "tests/lib/websocket_peer.mjs", role, fixture->port,
                                     NULL};
    struct process_options options = {.arguments = arguments,
                                      .output_limit_bytes = 4096,
                                      .timeout_ms = PEER_TIMEOUT_MS,
                                      .callback = peer_ended,
                                      .context = fixture};
    fixture->peer = process_start(fixture->loop, &options, &status);
    assert_non_null(fixture->peer);
}

/* ---- our client ---- */

static void note_open(void *context) {
    struct fixture *fixture = context;
    fixture->opened++;
}

static void note_message(void *context, bool is_text, struct bytes message) {
    struct fixture *fixture = context;
    fixture->messages++;
    fixture->is_text = is_text;
    buffer_clear(&fixture->received);
    assert_true(buffer_append(&fixture->received, message.data, message.length));
}

static void note_closed(void *context, unsigned code, struct bytes reason,
                        const struct status *status) {
    struct fixture *fixture = context;
    fixture->closed++;
    fixture->client = NULL;
    fixture->code = code;
    fixture->status = *status;
    snprintf(fixture->reason, sizeof fixture->reason, "%.*s", (int)reason.length,
             (const char *)reason.data);
}

static const struct websocket_handlers client_handlers = {
    .on_open = note_open, .on_message = note_message, .on_closed = note_closed};

static void choose_free_port(struct fixture *fixture) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    close(descriptor);
    snprintf(fixture->port, sizeof fixture->port, "%d", ntohs(address.sin_port));
}

static void start_client(struct fixture *fixture) {
    static const char *const protocols[] = {"other", "echo", NULL};
    struct status status = STATUS_INIT;
    struct url url;
    char text[40];
    snprintf(text, sizeof text, "ws://127.0.0.1:%s/", fixture->port);
    assert_true(url_parse(bytes_of_text(text), websocket_url_schemes, &url, &status));
    struct websocket_connect_options options = {
        .url = &url, .protocols = protocols, .timeout_ms = LOOP_WAIT_LIMIT_MS};
    fixture->client =
        websocket_connect(fixture->loop, &options, &client_handlers, fixture, &status);
    assert_non_null(fixture->client);
}

static bool is_settled(void *context) {
    const struct fixture *fixture = context;
    return fixture->opened + fixture->closed > 0;
}

/* The peer takes a moment to start. */
static void connect_to_peer(struct fixture *fixture) {
    for (int attempt = 0; fixture->opened == 0; attempt++) {
        assert_true(attempt < LOOP_WAIT_LIMIT_MS / 20);
        fixture->closed = 0;
        start_client(fixture);
        assert_true(loop_wait(fixture->loop, is_settled, fixture));
        if (fixture->opened == 0) loop_wait_ms(fixture->loop, 20);
    }
}

static void expect_answer(struct fixture *fixture, bool is_text, struct bytes sent,
                          struct bytes expected) {
    int wanted = fixture->messages + 1;
    assert_true(websocket_send(fixture->client, is_text, sent));
    assert_true(loop_wait_count(fixture->loop, &fixture->messages, wanted));
    assert_int_equal(fixture->is_text, is_text);
    assert_true(bytes_equal(buffer_bytes(&fixture->received), expected));
}

static void test_client_with_ws(void **state) {
    struct fixture *fixture = *state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 1048576};
    char *text = malloc(1048576);
    for (size_t i = 0; i < 1048576; i++)
        text[i] = (char)('a' + i % 26);
    choose_free_port(fixture);
    start_peer(fixture, "server");
    connect_to_peer(fixture);
    assert_string_equal(websocket_protocol(fixture->client), "echo");
    for (size_t i = 0; i < COUNT_OF(lengths) * 2; i++) {
        struct bytes message = bytes_of(text, lengths[i / 2]);
        expect_answer(fixture, i % 2, message, message);
    }
    expect_answer(fixture, true, bytes_of_text("ping me"), bytes_of_text("pong are you there"));
    expect_answer(fixture, true, bytes_of_text("send fragments"), bytes_of_text("fragments"));
    assert_true(websocket_send(fixture->client, true, bytes_of_text("close me")));
    assert_true(loop_wait_count(fixture->loop, &fixture->closed, 1));
    assert_int_equal(fixture->code, 4002);
    assert_string_equal(fixture->reason, "as you wish");
    assert_true(status_is_ok(&fixture->status));

    fixture->opened = fixture->closed = 0;
    connect_to_peer(fixture);
    websocket_close(fixture->client, 4003, "goodbye");
    assert_true(loop_wait_count(fixture->loop, &fixture->closed, 1));
    assert_int_equal(fixture->code, 4003);
    assert_true(status_is_ok(&fixture->status));

    fixture->opened = fixture->closed = 0;
    connect_to_peer(fixture);
    assert_true(websocket_send(fixture->client, true, bytes_of_text("cut me off")));
    assert_true(loop_wait_count(fixture->loop, &fixture->closed, 1));
    assert_int_equal(fixture->code, WEBSOCKET_CLOSE_ABNORMAL);
    assert_int_equal(fixture->status.code, STATUS_UNAVAILABLE);
    free(text);
}

/* ---- our server ---- */

static void echo(void *context, bool is_text, struct bytes message) {
    struct fixture *fixture = context;
    assert_true(websocket_send(fixture->accepted, is_text, message));
}

static void echo_closed(void *context, unsigned code, struct bytes reason,
                        const struct status *status) {
    struct fixture *fixture = context;
    (void)reason;
    fixture->closed++;
    fixture->code = code;
    fixture->status = *status;
}

static const struct websocket_handlers echo_handlers = {.on_message = echo,
                                                        .on_closed = echo_closed};

static void accept_websocket(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    static const char *const protocols[] = {"echo", NULL};
    static const struct websocket_accept_options options = {.protocols = protocols};
    fixture->accepted = websocket_accept(request, &options, &echo_handlers, fixture);
    assert_non_null(fixture->accepted);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/", .handle = accept_websocket}};

static void test_server_with_ws(void **state) {
    struct fixture *fixture = *state;
    struct http_server_options options = {.name = "test"};
    struct status status = STATUS_INIT;
    struct address any, bound;
    fixture->server = http_server_create(fixture->loop, &options);
    http_server_add_routes(fixture->server, routes, COUNT_OF(routes), fixture);
    assert_true(address_parse(bytes_of_text("127.0.0.1:0"), ADDRESS_PORT_REQUIRED, &any, &status));
    assert_true(http_server_listen(fixture->server, &any, &bound, &status));
    snprintf(fixture->port, sizeof fixture->port, "%d", bound.port);
    start_peer(fixture, "client");
    assert_true(loop_wait_count(fixture->loop, &fixture->ended_peers, 1));
    assert_true(fixture->peer_is_happy);
    assert_true(loop_wait_count(fixture->loop, &fixture->closed, 1));
    assert_int_equal(fixture->code, 4711);
    assert_true(status_is_ok(&fixture->status));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_client_with_ws, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_server_with_ws, set_up, tear_down),
    };
    if (access("tests/node_modules/ws", R_OK) != 0) {
        printf("not tested: npm's ws is not installed (npm ci in tests)\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
