/* WebSocket connections over real sockets: our client with our server, and raw peers that keep no
 * rules. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "net/connector.h"
#include "net/http_server.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/websocket.h"
#include "net/websocket_handshake.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/tls_peers.h"

/* What one side saw. */
struct side {
    struct websocket *websocket;
    struct buffer received; /* the last message */
    bool last_is_text;
    int opened;
    int messages;
    int drained;
    int closed;
    unsigned code;
    char reason[200];
    struct status status;
    bool echoes;
    bool aborts_when_open;
    bool closes_at_message;
};

/* A peer that sends and receives bytes. */
struct raw_peer {
    struct stream *stream;
    struct buffer received;
    int reads;
    int connected;
    int closed;
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct address address;
    struct websocket_accept_options options;
    struct side accepted; /* the server's side of the last connection */
    int accepts;
    struct side client;
    struct raw_peer raw;
    struct listener *listener; /* for a server that is none of ours */
    const char *answer;        /* that it sends to whatever comes */
};

/* ---- both sides ---- */

static void note_open(void *context) {
    struct side *side = context;
    side->opened++;
    if (side->aborts_when_open) websocket_abort(side->websocket);
}

static void note_message(void *context, bool is_text, struct bytes message) {
    struct side *side = context;
    side->messages++;
    side->last_is_text = is_text;
    buffer_clear(&side->received);
    assert_true(buffer_append(&side->received, message.data, message.length));
    if (side->echoes) assert_true(websocket_send(side->websocket, is_text, message));
    if (side->closes_at_message) websocket_close(side->websocket, 4000, "enough");
}

static void note_drain(void *context) {
    struct side *side = context;
    side->drained++;
}

static void note_closed(void *context, unsigned code, struct bytes reason,
                        const struct status *status) {
    struct side *side = context;
    side->closed++;
    side->websocket = NULL;
    side->code = code;
    side->status = *status;
    snprintf(side->reason, sizeof side->reason, "%.*s", (int)reason.length,
             (const char *)reason.data);
}

static const struct websocket_handlers side_handlers = {.on_open = note_open,
                                                        .on_message = note_message,
                                                        .on_drain = note_drain,
                                                        .on_closed = note_closed};

static void accept_websocket(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    fixture->accepted.websocket =
        websocket_accept(request, &fixture->options, &side_handlers, &fixture->accepted);
    if (fixture->accepted.websocket) fixture->accepts++;
}

static void answer_page(void *context, struct http_request *request) {
    (void)context;
    http_respond(request, 200, "text/plain", bytes_of_text("a page"));
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/ws", .handle = accept_websocket, .judges_origin = true},
    {.method = "GET", .pattern = "/page", .handle = answer_page},
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    struct http_server_options options = {.name = "test"};
    struct address any;
    fixture->loop = loop_create(&status);
    buffer_init(&fixture->accepted.received, 8 << 20);
    buffer_init(&fixture->client.received, 8 << 20);
    buffer_init(&fixture->raw.received, 64 << 20);
    fixture->server = http_server_create(fixture->loop, &options);
    http_server_add_routes(fixture->server, routes, COUNT_OF(routes), fixture);
    assert_true(address_parse(bytes_of_text("127.0.0.1:0"), ADDRESS_PORT_REQUIRED, &any, &status));
    assert_true(http_server_listen(fixture->server, &any, &fixture->address, &status));
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    websocket_abort(fixture->client.websocket);
    stream_close(fixture->raw.stream);
    listener_close(fixture->listener);
    http_server_close(fixture->server, NULL, NULL);
    loop_wait_end(fixture->loop);
    assert_null(fixture->client.websocket);
    assert_null(fixture->accepted.websocket);
    buffer_free(&fixture->accepted.received);
    buffer_free(&fixture->client.received);
    buffer_free(&fixture->raw.received);
    free(fixture);
    return 0;
}

static void start_client(struct fixture *fixture, const struct websocket_connect_options *more,
                         const char *path) {
    struct status status = STATUS_INIT;
    struct url url;
    char text[100], address[ADDRESS_TEXT_BYTES];
    address_format(&fixture->address, address);
    snprintf(text, sizeof text, "%s://%s%s", more->tls ? "wss" : "ws", address, path);
    assert_true(url_parse(bytes_of_text(text), websocket_url_schemes, &url, &status));
    struct websocket_connect_options options = *more;
    options.url = &url;
    if (options.timeout_ms == 0) options.timeout_ms = LOOP_WAIT_LIMIT_MS;
    fixture->client.websocket =
        websocket_connect(fixture->loop, &options, &side_handlers, &fixture->client, &status);
    assert_non_null(fixture->client.websocket);
}

static const struct websocket_connect_options plain = {.timeout_ms = 0};

static void connect_both(struct fixture *fixture) {
    start_client(fixture, &plain, "/ws");
    assert_true(loop_wait_count(fixture->loop, &fixture->client.opened, 1));
    assert_non_null(fixture->accepted.websocket);
    assert_true(websocket_is_open(fixture->client.websocket));
    assert_true(websocket_is_open(fixture->accepted.websocket));
}

/* ---- messages ---- */

static void test_messages_of_every_length(void **state) {
    struct fixture *fixture = *state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 65537, 1048576};
    char *text = malloc(1048576);
    for (size_t i = 0; i < 1048576; i++)
        text[i] = (char)('a' + i % 26);
    connect_both(fixture);
    fixture->accepted.echoes = true;
    for (size_t i = 0; i < COUNT_OF(lengths) * 2; i++) {
        struct bytes message = bytes_of(text, lengths[i / 2]);
        assert_true(websocket_send(fixture->client.websocket, i % 2, message));
        assert_true(loop_wait_count(fixture->loop, &fixture->client.messages, (int)i + 1));
        assert_int_equal(fixture->accepted.last_is_text, i % 2);
        assert_int_equal(fixture->client.last_is_text, i % 2);
        assert_true(bytes_equal(message, buffer_bytes(&fixture->accepted.received)));
        assert_true(bytes_equal(message, buffer_bytes(&fixture->client.received)));
    }
    free(text);
}

static void test_what_cannot_be_sent(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    assert_false(websocket_send(fixture->client.websocket, true, bytes_of_text("\xff")));
    assert_true(websocket_send(fixture->client.websocket, false, bytes_of_text("\xff")));
    websocket_close(fixture->client.websocket, 1000, NULL);
    assert_false(websocket_send(fixture->client.websocket, true, bytes_of_text("late")));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->accepted.messages, 1);
}

/* ---- raw peers ---- */

static void raw_read(void *context, struct bytes bytes) {
    struct raw_peer *raw = context;
    raw->reads++;
    assert_true(buffer_append(&raw->received, bytes.data, bytes.length));
}

static void raw_closed(void *context, const struct status *status) {
    struct raw_peer *raw = context;
    (void)status;
    raw->closed++;
    raw->stream = NULL;
}

static const struct stream_handlers raw_handlers = {.on_read = raw_read, .on_closed = raw_closed};

static void raw_connected(void *context, struct stream *stream, const struct status *status) {
    struct raw_peer *raw = context;
    assert_true(status_is_ok(status));
    raw->connected++;
    raw->stream = stream;
    stream_start(stream, &raw_handlers, raw);
}

#define KEY      "dGhlIHNhbXBsZSBub25jZQ=="
#define REQUEST  "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#define UPGRADE  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION  "Sec-WebSocket-Version: 13\r\n"
#define WITH_KEY "Sec-WebSocket-Key: " KEY "\r\n"
#define FINE     REQUEST UPGRADE VERSION WITH_KEY "\r\n"

static void raw_send(struct fixture *fixture, const void *bytes, size_t length) {
    struct raw_peer *raw = &fixture->raw;
    if (!raw->stream) {
        int wanted = raw->connected + 1;
        connector_start(fixture->loop, &fixture->address, LOOP_WAIT_LIMIT_MS, raw_connected, raw);
        assert_true(loop_wait_count(fixture->loop, &raw->connected, wanted));
    }
    stream_write(raw->stream, bytes, length);
}

static bool raw_has_head(void *context) {
    struct fixture *fixture = context;
    return strstr(buffer_text(&fixture->raw.received), "\r\n\r\n") != NULL;
}

/* Connects a raw client; what follows the answer's head stays in `received`. */
static void raw_open(struct fixture *fixture) {
    struct buffer *received = &fixture->raw.received;
    raw_send(fixture, FINE, sizeof FINE - 1);
    assert_true(loop_wait(fixture->loop, raw_has_head, fixture));
    assert_memory_equal(received->data, "HTTP/1.1 101 ", 13);
    const char *end = strstr(buffer_text(received), "\r\n\r\n") + 4;
    buffer_drop_front(received, (size_t)((const uint8_t *)end - received->data));
}

static void test_accept_of_the_standard(void **state) {
    struct fixture *fixture = *state;
    char accept[WEBSOCKET_ACCEPT_TEXT_BYTES];
    websocket_make_accept(bytes_of_text(KEY), accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    raw_send(fixture, FINE, sizeof FINE - 1);
    assert_true(loop_wait(fixture->loop, raw_has_head, fixture));
    assert_string_equal(buffer_text(&fixture->raw.received),
                        "HTTP/1.1 101 Switching Protocols\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

struct refusal {
    const char *request;
    const char *expected; /* what the answer begins with, and holds */
    const char *holds;
};

static void test_refused_requests(void **state) {
    struct fixture *fixture = *state;
    static const struct refusal rows[] = {
        {REQUEST "\r\n", "HTTP/1.1 426 ", "Upgrade: websocket"},
        {REQUEST "Connection: Upgrade\r\n" VERSION WITH_KEY "\r\n", "HTTP/1.1 426 ", "required"},
        {REQUEST "Upgrade: websocket\r\n" VERSION WITH_KEY "\r\n", "HTTP/1.1 426 ", "required"},
        {REQUEST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION WITH_KEY "\r\n", "HTTP/1.1 426 ",
         "websocket_required"},
        {REQUEST UPGRADE WITH_KEY "\r\n", "HTTP/1.1 426 ", "Sec-WebSocket-Version: 13"},
        {REQUEST UPGRADE WITH_KEY "Sec-WebSocket-Version: 8\r\n\r\n", "HTTP/1.1 426 ",
         "websocket_version"},
        {REQUEST UPGRADE VERSION "\r\n", "HTTP/1.1 400 ", "Sec-WebSocket-Key"},
        {REQUEST UPGRADE VERSION WITH_KEY WITH_KEY "\r\n", "HTTP/1.1 400 ", "Sec-WebSocket-Key"},
        {REQUEST UPGRADE VERSION "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n", "HTTP/1.1 400 ",
         "Sec-WebSocket-Key"},
        {REQUEST UPGRADE VERSION "Sec-WebSocket-Key: ????\r\n\r\n", "HTTP/1.1 400 ",
         "Sec-WebSocket-Key"},
        {REQUEST UPGRADE VERSION WITH_KEY "Content-Length: 2\r\n\r\n{}", "HTTP/1.1 400 ", "body"},
        {"HEAD /ws HTTP/1.1\r\nHost: localhost\r\n" UPGRADE VERSION WITH_KEY "\r\n",
         "HTTP/1.1 426 ", "Upgrade"},
        {"POST /ws HTTP/1.1\r\nHost: localhost\r\n" UPGRADE VERSION WITH_KEY "\r\n",
         "HTTP/1.1 405 ", "Allow"},
        {"GET /ws HTTP/1.0\r\nHost: localhost\r\n" UPGRADE VERSION WITH_KEY "\r\n", "HTTP/1.1 426 ",
         "Upgrade"},
        {"GET /ws HTTP/1.1\r\nHost: evil.example\r\n" UPGRADE VERSION WITH_KEY "\r\n",
         "HTTP/1.1 421 ", "host_not_allowed"},
        {REQUEST UPGRADE VERSION WITH_KEY "Origin: http://evil.example\r\n\r\n", "HTTP/1.1 403 ",
         "origin_not_allowed"},
        {REQUEST UPGRADE VERSION WITH_KEY "Origin: null\r\n\r\n", "HTTP/1.1 403 ",
         "origin_not_allowed"},
        {REQUEST UPGRADE VERSION WITH_KEY "Sec-Fetch-Site: cross-site\r\n\r\n", "HTTP/1.1 403 ",
         "origin_not_allowed"},
        {REQUEST UPGRADE VERSION WITH_KEY
         "Origin: https://chat.example\r\nOrigin: https://evil.example\r\n\r\n",
         "HTTP/1.1 403 ", "origin_not_allowed"},
    };
    static const char *const allowed[] = {"https://chat.example", NULL};
    fixture->options.allowed_origins = allowed;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *request = rows[i].request, *expected = rows[i].expected;
        buffer_clear(&fixture->raw.received);
        raw_send(fixture, request, strlen(request));
        assert_true(loop_wait(fixture->loop, raw_has_head, fixture));
        const char *answer = buffer_text(&fixture->raw.received);
        if (strncmp(answer, expected, strlen(expected)) != 0 || !strstr(answer, rows[i].holds))
            fail_msg("row %zu: %s", i, answer);
        stream_close(fixture->raw.stream);
        assert_true(loop_wait_count(fixture->loop, &fixture->raw.closed, (int)i + 1));
    }
    assert_int_equal(fixture->accepts, 0);
}

static void test_accepted_requests(void **state) {
    struct fixture *fixture = *state;
    static const char *const requests[] = {
        FINE,
        REQUEST "upgrade: foo, WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\n" VERSION WITH_KEY
                "\r\n",
        REQUEST UPGRADE VERSION WITH_KEY "Origin: http://127.0.0.1\r\n\r\n",
        REQUEST UPGRADE VERSION WITH_KEY "Origin: https://chat.example\r\n"
                                         "Sec-Fetch-Site: cross-site\r\n\r\n",
        REQUEST UPGRADE VERSION WITH_KEY
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
    };
    static const char *const allowed[] = {"https://chat.example", NULL};
    fixture->options.allowed_origins = allowed;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        buffer_clear(&fixture->raw.received);
        raw_send(fixture, requests[i], strlen(requests[i]));
        assert_true(loop_wait(fixture->loop, raw_has_head, fixture));
        const char *answer = buffer_text(&fixture->raw.received);
        assert_memory_equal(answer, "HTTP/1.1 101 ", 13);
        assert_null(strstr(answer, "Extensions"));
        stream_close(fixture->raw.stream);
        assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, (int)i + 1));
        assert_int_equal(fixture->accepted.code, WEBSOCKET_CLOSE_ABNORMAL);
        assert_int_equal(fixture->accepted.status.code, STATUS_UNAVAILABLE);
    }
}

/* Frames in the same packet as the request, also behind another request. */
static void test_frames_right_behind_the_request(void **state) {
    struct fixture *fixture = *state;
    static const char bytes[] = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n" FINE
                                "\x81\x85\0\0\0\0early\x81\x84\0\0\0\0next\x88\x80\0\0\0\0";
    raw_send(fixture, bytes, sizeof bytes - 1);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.messages, 2);
    assert_string_equal(buffer_text(&fixture->accepted.received), "next");
    assert_int_equal(fixture->accepted.code, WEBSOCKET_CLOSE_NO_CODE);
    assert_true(status_is_ok(&fixture->accepted.status));
    assert_non_null(strstr(buffer_text(&fixture->raw.received), "a page"));
    const struct buffer *received = &fixture->raw.received;
    assert_memory_equal(received->data + received->length - 2, "\x88\x00", 2);
}

static void test_pings_are_answered(void **state) {
    struct fixture *fixture = *state;
    raw_open(fixture);
    raw_send(fixture, "\x89\x83\0\0\0\0abc", 9);
    assert_true(loop_wait_count(fixture->loop, &fixture->raw.reads, 2));
    assert_int_equal(fixture->raw.received.length, 5);
    assert_memory_equal(fixture->raw.received.data,
                        "\x8a\x03"
                        "abc",
                        5);
}

struct misdeed {
    const char *name;
    const char *bytes;
    size_t length;
    unsigned code;
    enum status_code status;
};

static void test_misdeeds(void **state) {
    struct fixture *fixture = *state;
    static const struct misdeed rows[] = {
        {"not masked", "\x81\x01x", 3, 1002, STATUS_PROTOCOL},
        {"reserved bit", "\xc1\x80\0\0\0\0", 6, 1002, STATUS_PROTOCOL},
        {"text that is none", "\x81\x81\0\0\0\0\xff", 7, 1007, STATUS_PROTOCOL},
        {"too large", "\x82\xff\0\0\0\0\0\x10\0\1\0\0\0\0", 14, 1009, STATUS_TOO_LARGE},
        {"bad close code", "\x88\x82\0\0\0\0\x03\xed", 8, 1002, STATUS_PROTOCOL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buffer_clear(&fixture->raw.received);
        raw_open(fixture);
        raw_send(fixture, rows[i].bytes, rows[i].length);
        assert_true(loop_wait_count(fixture->loop, &fixture->raw.closed, (int)i + 1));
        assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, (int)i + 1));
        const struct buffer *received = &fixture->raw.received;
        assert_true(received->length > 4);
        assert_int_equal(received->data[0], 0x88);
        assert_int_equal(received->data[2] << 8 | received->data[3], rows[i].code);
        assert_int_equal(fixture->accepted.status.code, rows[i].status);
        assert_int_equal(fixture->accepted.code, WEBSOCKET_CLOSE_ABNORMAL);
    }
    assert_int_equal(fixture->accepted.messages, 0);
}

/* ---- closing ---- */

static void test_close_from_the_client(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    assert_true(websocket_send(fixture->client.websocket, true, bytes_of_text("last words")));
    websocket_close(fixture->client.websocket, 4321, "done");
    websocket_close(fixture->client.websocket, 1000, "again");
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.code, 4321);
    assert_string_equal(fixture->accepted.reason, "done");
    assert_string_equal(buffer_text(&fixture->accepted.received), "last words");
    assert_int_equal(fixture->client.code, 4321);
    assert_true(status_is_ok(&fixture->accepted.status));
    assert_true(status_is_ok(&fixture->client.status));
}

static void test_close_from_the_server(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    fixture->accepted.closes_at_message = true;
    assert_true(websocket_send(fixture->client.websocket, true, bytes_of_text("one")));
    assert_true(websocket_send(fixture->client.websocket, true, bytes_of_text("two")));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.messages, 1);
    assert_int_equal(fixture->client.code, 4000);
    assert_string_equal(fixture->client.reason, "enough");
    assert_true(status_is_ok(&fixture->client.status));
    assert_true(status_is_ok(&fixture->accepted.status));
}

static void test_close_that_is_not_answered(void **state) {
    struct fixture *fixture = *state;
    fixture->options.settings.close_timeout_ms = 50;
    raw_open(fixture);
    websocket_close(fixture->accepted.websocket, 1000, NULL);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.status.code, STATUS_TIMEOUT);
    assert_int_equal(fixture->accepted.code, WEBSOCKET_CLOSE_ABNORMAL);
}

/* The client has said goodbye, and the server keeps the stream open. */
static void test_stream_that_is_not_ended(void **state) {
    struct fixture *fixture = *state;
    fixture->options.settings.close_timeout_ms = 50;
    raw_open(fixture);
    stream_pause_reading(fixture->raw.stream);
    raw_send(fixture, "\x88\x82\0\0\0\0\x03\xe8", 8);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.code, 1000);
    assert_true(status_is_ok(&fixture->accepted.status));
}

static void test_abort(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    websocket_abort(fixture->client.websocket);
    websocket_abort(fixture->client.websocket);
    assert_int_equal(fixture->client.closed, 0);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.status.code, STATUS_CANCELLED);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.status.code, STATUS_UNAVAILABLE);
}

static void close_server(struct fixture *fixture) {
    http_server_close(fixture->server, NULL, NULL);
    fixture->server = NULL;
}

static void test_server_closes(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    close_server(fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.status.code, STATUS_CANCELLED);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.code, WEBSOCKET_CLOSE_ABNORMAL);
}

/* ---- time and memory ---- */

static void test_silent_peer(void **state) {
    struct fixture *fixture = *state;
    fixture->options.settings.ping_interval_ms = 30;
    fixture->options.settings.pong_timeout_ms = 30;
    raw_open(fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_int_equal(fixture->accepted.status.code, STATUS_TIMEOUT);
    assert_memory_equal(fixture->raw.received.data, "\x89\x00", 2);
}

static void test_live_peer(void **state) {
    struct fixture *fixture = *state;
    fixture->options.settings.ping_interval_ms = 20;
    fixture->options.settings.pong_timeout_ms = 2000;
    connect_both(fixture);
    loop_wait_ms(fixture->loop, 200);
    assert_int_equal(fixture->accepted.closed, 0);
    assert_int_equal(fixture->client.closed, 0);
}

static void test_pending_is_bounded(void **state) {
    struct fixture *fixture = *state;
    const size_t limit = 1 << 20, piece = 50000;
    char *message = calloc(1, piece);
    fixture->options.settings.pending_limit_bytes = limit;
    raw_open(fixture);
    stream_pause_reading(fixture->raw.stream);
    int sent = 0;
    while (websocket_send(fixture->accepted.websocket, false, bytes_of(message, piece))) {
        assert_true(websocket_pending_bytes(fixture->accepted.websocket) <= limit + 14);
        assert_true(++sent < 1000);
    }
    assert_false(websocket_send(fixture->accepted.websocket, false, bytes_of(message, piece)));
    assert_true(websocket_is_open(fixture->accepted.websocket));
    stream_resume_reading(fixture->raw.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.drained, 1));
    assert_true(websocket_send(fixture->accepted.websocket, false, bytes_of(message, piece)));
    free(message);
}

/* Pings whose answers are not read: nothing piles up. */
static void test_ping_flood(void **state) {
    struct fixture *fixture = *state;
    static const uint8_t ping[131] = {0x89, 0xfd};
    fixture->options.settings.pending_limit_bytes = 4096;
    raw_open(fixture);
    stream_pause_reading(fixture->raw.stream);
    for (int round = 0; round < 400; round++) {
        for (int i = 0; i < 100; i++)
            raw_send(fixture, ping, sizeof ping);
        loop_wait_ms(fixture->loop, 0);
        assert_true(websocket_pending_bytes(fixture->accepted.websocket) <= 4096 + 127);
    }
    assert_true(websocket_is_open(fixture->accepted.websocket));
}

/* ---- clients that do not get far ---- */

static void test_protocols(void **state) {
    struct fixture *fixture = *state;
    static const char *const spoken[] = {"best", "other", NULL};
    static const char *const offered[] = {"unknown", "other", "best", NULL};
    static const char *const foreign[] = {"unknown", NULL};
    struct websocket_connect_options options = {.protocols = offered};
    fixture->options.protocols = spoken;
    start_client(fixture, &options, "/ws");
    assert_true(loop_wait_count(fixture->loop, &fixture->client.opened, 1));
    assert_string_equal(websocket_protocol(fixture->client.websocket), "best");
    assert_string_equal(websocket_protocol(fixture->accepted.websocket), "best");
    websocket_abort(fixture->client.websocket);
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    options.protocols = foreign;
    start_client(fixture, &options, "/ws");
    assert_true(loop_wait_count(fixture->loop, &fixture->client.opened, 2));
    assert_null(websocket_protocol(fixture->client.websocket));
}

static void expect_failure(struct fixture *fixture, enum status_code code) {
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.status.code, code);
    assert_int_equal(fixture->client.code, WEBSOCKET_CLOSE_ABNORMAL);
    assert_int_equal(fixture->client.opened, 0);
}

static void test_server_speaks_no_websocket(void **state) {
    struct fixture *fixture = *state;
    start_client(fixture, &plain, "/page");
    expect_failure(fixture, STATUS_UNAVAILABLE);
    assert_non_null(strstr(fixture->client.status.text, "200"));
}

static void test_server_refuses_the_origin(void **state) {
    struct fixture *fixture = *state;
    struct http_field origin = {bytes_of_text("Origin"), bytes_of_text("http://evil.example")};
    struct websocket_connect_options options = {.fields = &origin, .field_count = 1};
    start_client(fixture, &options, "/ws");
    expect_failure(fixture, STATUS_FORBIDDEN);
}

static void test_fields_with_line_breaks(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct url url;
    struct http_field field = {bytes_of_text("X"), bytes_of_text("a\r\nHost: b")};
    struct websocket_connect_options options = {
        .url = &url, .fields = &field, .field_count = 1, .timeout_ms = 1};
    assert_true(url_parse(bytes_of_text("ws://127.0.0.1"), websocket_url_schemes, &url, &status));
    assert_int_equal(url.port, 80);
    assert_null(websocket_connect(fixture->loop, &options, &side_handlers, NULL, &status));
    assert_int_equal(status.code, STATUS_USAGE);
}

static void test_nobody_listens(void **state) {
    struct fixture *fixture = *state;
    close_server(fixture);
    start_client(fixture, &plain, "/ws");
    expect_failure(fixture, STATUS_UNAVAILABLE);
}

static void test_abort_while_connecting(void **state) {
    struct fixture *fixture = *state;
    start_client(fixture, &plain, "/ws");
    websocket_close(fixture->client.websocket, 1000, NULL);
    assert_int_equal(fixture->client.closed, 0);
    expect_failure(fixture, STATUS_CANCELLED);
}

static void test_abort_when_open(void **state) {
    struct fixture *fixture = *state;
    fixture->client.aborts_when_open = true;
    start_client(fixture, &plain, "/ws");
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.opened, 1);
    assert_int_equal(fixture->client.status.code, STATUS_CANCELLED);
}

/* A server that answers with what the test says. */
static void answer_raw(void *context, struct stream *stream) {
    struct fixture *fixture = context;
    fixture->raw.stream = stream;
    stream_start(stream, &raw_handlers, &fixture->raw);
    stream_write(stream, fixture->answer, strlen(fixture->answer));
}

static void test_answers_of_wrong_servers(void **state) {
    struct fixture *fixture = *state;
    static const struct listener_handlers handlers = {.on_accept = answer_raw};
    static const char *const answers[] = {
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    };
    struct address any = fixture->address;
    struct status status = STATUS_INIT;
    any.port = 0;
    fixture->listener = listener_open(fixture->loop, &any, 0, &handlers, fixture, &status);
    assert_non_null(fixture->listener);
    fixture->address = *listener_address(fixture->listener);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        fixture->answer = answers[i];
        fixture->client.closed = 0;
        start_client(fixture, &plain, "/");
        expect_failure(fixture, STATUS_PROTOCOL);
        assert_true(loop_wait_count(fixture->loop, &fixture->raw.closed, (int)i + 1));
    }
    struct websocket_connect_options impatient = {.timeout_ms = 50};
    fixture->answer = "HTTP/1.1 101";
    fixture->client.closed = 0;
    start_client(fixture, &impatient, "/");
    expect_failure(fixture, STATUS_TIMEOUT);
}

/* ---- wss ---- */

static void test_over_tls(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct tls_peers peers;
    struct address any = fixture->address;
    tls_peers_make(&peers);
    struct tls_server_context *good = tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_UNASKED);
    struct tls_server_context *strange =
        tls_peers_server(&peers, TLS_SERVER_STRANGER, TLS_CLIENTS_UNASKED);
    struct websocket_connect_options options = {.tls = tls_peers_client(&peers, TLS_ROLES)};
    any.port = 0;
    assert_true(http_server_listen_tls(fixture->server, &any, good, &fixture->address, &status));
    fixture->accepted.echoes = true;
    start_client(fixture, &options, "/ws");
    assert_true(loop_wait_count(fixture->loop, &fixture->client.opened, 1));
    assert_true(websocket_send(fixture->client.websocket, true, bytes_of_text("secret")));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.messages, 1));
    assert_string_equal(buffer_text(&fixture->client.received), "secret");
    websocket_close(fixture->client.websocket, 1000, NULL);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_true(status_is_ok(&fixture->client.status));
    assert_true(loop_wait_count(fixture->loop, &fixture->accepted.closed, 1));
    assert_true(status_is_ok(&fixture->accepted.status));

    fixture->client.closed = fixture->client.opened = 0;
    assert_true(http_server_listen_tls(fixture->server, &any, strange, &fixture->address, &status));
    start_client(fixture, &options, "/ws");
    expect_failure(fixture, STATUS_UNKNOWN_ISSUER);
    tls_client_context_release(options.tls);
    tls_server_context_release(good);
    tls_server_context_release(strange);
    tls_peers_free(&peers);
}

static void test_wss_without_trust(void **state) {
    struct fixture *fixture = *state;
    struct status status = STATUS_INIT;
    struct url url;
    struct websocket_connect_options options = {.url = &url, .timeout_ms = 1};
    assert_true(url_parse(bytes_of_text("wss://localhost"), websocket_url_schemes, &url, &status));
    assert_int_equal(url.port, 443);
    assert_null(websocket_connect(fixture->loop, &options, &side_handlers, NULL, &status));
    assert_int_equal(status.code, STATUS_TLS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_messages_of_every_length),
        TEST(test_what_cannot_be_sent),
        TEST(test_accept_of_the_standard),
        TEST(test_refused_requests),
        TEST(test_accepted_requests),
        TEST(test_frames_right_behind_the_request),
        TEST(test_pings_are_answered),
        TEST(test_misdeeds),
        TEST(test_close_from_the_client),
        TEST(test_close_from_the_server),
        TEST(test_close_that_is_not_answered),
        TEST(test_stream_that_is_not_ended),
        TEST(test_abort),
        TEST(test_server_closes),
        TEST(test_silent_peer),
        TEST(test_live_peer),
        TEST(test_pending_is_bounded),
        TEST(test_ping_flood),
        TEST(test_protocols),
        TEST(test_server_speaks_no_websocket),
        TEST(test_server_refuses_the_origin),
        TEST(test_fields_with_line_breaks),
        TEST(test_nobody_listens),
        TEST(test_abort_while_connecting),
        TEST(test_abort_when_open),
        TEST(test_answers_of_wrong_servers),
        TEST(test_over_tls),
        TEST(test_wss_without_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
