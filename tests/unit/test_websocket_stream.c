/* WebSocket as a stream of bytes, in the clear and over TLS: what is written comes out of frames,
 * what comes in is bytes, and every way to end. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "loop/shared_memory.h"
#include "net/connector.h"
#include "net/http_server.h"
#include "net/stream.h"
#include "net/stream_framing.h"
#include "net/stream_tls.h"
#include "net/websocket_handshake.h"
#include "net/websocket_stream.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/stream_side.h"
#include "tests/lib/tls_peers.h"

#define RECEIVED_LIMIT_BYTES (64 << 20)

/* The client's side: bytes of frames, read with our reader. */
struct client {
    struct stream *stream;
    int connected;
    int closed;
    bool head_came;
    struct buffer head;
    struct websocket_reader reader;
    struct buffer message;
    struct buffer received; /* payload of all messages */
    int messages;
    int pongs;
    int closes; /* close frames */
    size_t largest;
    unsigned close_code;
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct address address;
    struct stream_side owner; /* the server's side */
    struct client client;
    struct tls_peers peers; /* unless in the clear */
    struct tls_server_context *server_context;
    struct tls_client_context *client_context;
};

/* ---- the server ---- */

static void accept_stream(void *context, struct http_request *request) {
    struct fixture *fixture = context;
    static const struct websocket_accept_options options = {.protocols = NULL};
    fixture->owner.stream = websocket_accept_stream(request, &options);
    assert_non_null(fixture->owner.stream);
    assert_true(stream_is_framed(fixture->owner.stream));
    stream_start(fixture->owner.stream, &stream_side_handlers, &fixture->owner);
    stream_write(fixture->owner.stream, "hello", 5);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/", .handle = accept_stream}};

/* ---- the client ---- */

static void take_frames(struct client *client, struct bytes bytes) {
    while (bytes.length > 0) {
        switch (websocket_reader_next(&client->reader, &bytes, &client->message)) {
        case WEBSOCKET_MESSAGE_CAME:
            client->messages++;
            if (client->message.length > client->largest) client->largest = client->message.length;
            assert_true(!client->reader.is_text);
            assert_true(
                buffer_append(&client->received, client->message.data, client->message.length));
            buffer_clear(&client->message);
            break;
        case WEBSOCKET_PONG_CAME: client->pongs++; break;
        case WEBSOCKET_CLOSE_CAME:
            client->closes++;
            client->close_code = client->reader.close_code;
            break;
        case WEBSOCKET_FRAMES_REFUSED: fail_msg("%s", client->reader.refusal); break;
        case WEBSOCKET_PING_CAME:
        case WEBSOCKET_NEEDS_MORE: break;
        }
    }
}

static void client_read(void *context, struct bytes bytes) {
    struct client *client = context;
    for (; !client->head_came && bytes.length > 0; bytes.data++, bytes.length--) {
        assert_true(buffer_append(&client->head, bytes.data, 1));
        client->head_came = strstr(buffer_text(&client->head), "\r\n\r\n") != NULL;
    }
    take_frames(client, bytes);
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
    assert_true(status_is_ok(status));
    fixture->client.stream = stream;
    fixture->client.connected++;
    if (fixture->client_context)
        stream_tls_connect(stream, fixture->client_context, "127.0.0.1", 443);
    stream_start(stream, &client_handlers, &fixture->client);
}

static void send_frame(struct fixture *fixture, enum websocket_opcode opcode, struct bytes payload,
                       bool is_final) {
    static const uint8_t mask[WEBSOCKET_MASK_BYTES] = {1, 2, 3, 4};
    uint8_t header[WEBSOCKET_HEADER_BYTES_MAX];
    uint8_t *masked = malloc(payload.length + 1);
    size_t length = websocket_write_header(header, opcode, is_final, payload.length, mask);
    websocket_apply_mask(masked, payload.data, payload.length, mask, 0);
    stream_write(fixture->client.stream, header, length);
    stream_write(fixture->client.stream, masked, payload.length);
    free(masked);
}

static void send_text(struct fixture *fixture, enum websocket_opcode opcode, const char *text) {
    send_frame(fixture, opcode, bytes_of_text(text), true);
}

/* ---- both ---- */

static void begin(struct fixture *fixture) {
    struct status status = STATUS_INIT;
    struct http_server_options options = {.name = "test"};
    struct address any;
    fixture->loop = loop_create(&status);
    stream_side_init(&fixture->owner);
    buffer_init(&fixture->client.head, 4096);
    buffer_init(&fixture->client.message, LOOP_CHUNK_BYTES);
    buffer_init(&fixture->client.received, RECEIVED_LIMIT_BYTES);
    websocket_reader_init(&fixture->client.reader, false, LOOP_CHUNK_BYTES);
    fixture->server = http_server_create(fixture->loop, &options);
    http_server_add_routes(fixture->server, routes, COUNT_OF(routes), fixture);
    assert_true(address_parse(bytes_of_text("127.0.0.1:0"), ADDRESS_PORT_REQUIRED, &any, &status));
    bool listens = fixture->server_context
                       ? http_server_listen_tls(fixture->server, &any, fixture->server_context,
                                                &fixture->address, &status)
                       : http_server_listen(fixture->server, &any, &fixture->address, &status);
    assert_true(listens);
}

static int set_up_clear(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    begin(fixture);
    *state = fixture;
    return 0;
}

static int set_up_tls(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    tls_peers_make(&fixture->peers);
    fixture->server_context = tls_peers_server(&fixture->peers, TLS_SERVER, TLS_CLIENTS_UNASKED);
    fixture->client_context = tls_peers_client(&fixture->peers, TLS_ROLES);
    begin(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    stream_close(fixture->client.stream);
    http_server_close(fixture->server, NULL, NULL);
    loop_wait_end(fixture->loop);
    assert_int_equal(fixture->owner.closed, 1);
    buffer_free(&fixture->owner.received);
    buffer_free(&fixture->client.head);
    buffer_free(&fixture->client.message);
    buffer_free(&fixture->client.received);
    if (fixture->server_context) tls_peers_free(&fixture->peers);
    tls_server_context_release(fixture->server_context);
    tls_client_context_release(fixture->client_context);
    free(fixture);
    return 0;
}

static void connect_both(struct fixture *fixture) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    connector_start(fixture->loop, &fixture->address, LOOP_WAIT_LIMIT_MS, client_connected,
                    fixture);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.connected, 1));
    stream_write(fixture->client.stream, request, sizeof request - 1);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.messages, 1));
    assert_string_equal(buffer_text(&fixture->client.received), "hello");
    buffer_clear(&fixture->client.received);
    fixture->client.messages = 0;
}

struct amount {
    const struct buffer *buffer;
    size_t bytes;
};

static bool has_amount(void *context) {
    const struct amount *amount = context;
    return amount->buffer->length >= amount->bytes;
}

static void wait_for_bytes(struct fixture *fixture, const struct buffer *buffer, size_t bytes) {
    struct amount amount = {buffer, bytes};
    assert_true(loop_wait(fixture->loop, has_amount, &amount));
    assert_int_equal(buffer->length, bytes);
}

static char *make_text(size_t length) {
    char *text = malloc(length);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + i % 23);
    return text;
}

/* ---- bytes ---- */

static void test_lengths_of_frames(void **state) {
    struct fixture *fixture = *state;
    static const size_t lengths[] = {1,     125,   126,   127,   32731,  32732,
                                     32733, 32768, 65536, 99999, 3000000};
    char *text = make_text(3000000);
    connect_both(fixture);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        stream_write(fixture->owner.stream, text, lengths[i]);
        wait_for_bytes(fixture, &fixture->client.received, lengths[i]);
        assert_memory_equal(fixture->client.received.data, text, lengths[i]);
        assert_true(fixture->client.largest <= LOOP_CHUNK_BYTES - STREAM_FRAME_HEADER_BYTES_MAX);
        buffer_clear(&fixture->client.received);
    }
    free(text);
}

static void test_one_turn_is_one_frame(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    for (int i = 0; i < 100; i++) {
        uint8_t *room = stream_reserve(fixture->owner.stream, 10);
        memcpy(room, "0123456789", 10);
        stream_commit(fixture->owner.stream, 10);
    }
    stream_reserve(fixture->owner.stream, 10);
    stream_commit(fixture->owner.stream, 0);
    wait_for_bytes(fixture, &fixture->client.received, 1000);
    assert_int_equal(fixture->client.messages, 1);
}

static void test_bytes_of_messages(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    fixture->owner.echoes = true;
    send_frame(fixture, WEBSOCKET_BINARY, bytes_of_text("PI"), false);
    send_text(fixture, WEBSOCKET_PING, "in between");
    send_frame(fixture, WEBSOCKET_CONTINUATION, bytes_of_text("NG\r\nSUB "), true);
    send_text(fixture, WEBSOCKET_TEXT, "a 1\r\n");
    send_text(fixture, WEBSOCKET_BINARY, "");
    wait_for_bytes(fixture, &fixture->owner.received, 15);
    assert_string_equal(buffer_text(&fixture->owner.received), "PING\r\nSUB a 1\r\n");
    wait_for_bytes(fixture, &fixture->client.received, 15);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.pongs, 1));
}

static void test_much_in_both_directions(void **state) {
    struct fixture *fixture = *state;
    const size_t length = 100000, count = 40;
    char *text = make_text(length);
    connect_both(fixture);
    fixture->owner.echoes = true;
    for (size_t i = 0; i < count; i++)
        send_frame(fixture, WEBSOCKET_BINARY, bytes_of(text, length), true);
    wait_for_bytes(fixture, &fixture->client.received, length * count);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(fixture->client.received.data + i * length, text, length);
    free(text);
}

/* Small messages for a client that does not read: they gather, and pings do not tear them apart. */
static void test_slow_client(void **state) {
    struct fixture *fixture = *state;
    char *text = make_text(1 << 20);
    connect_both(fixture);
    stream_pause_reading(fixture->client.stream);
    size_t written = 0;
    while (stream_pending_bytes(fixture->owner.stream) < 1 << 20) {
        stream_write(fixture->owner.stream, text, 1 << 20);
        written += 1 << 20;
        loop_wait_ms(fixture->loop, 0);
    }
    for (int turn = 0; turn < 1000; turn++) {
        stream_write(fixture->owner.stream, "x", 1);
        if (turn % 100 == 0) send_text(fixture, WEBSOCKET_PING, "ping");
        loop_wait_ms(fixture->loop, 0);
        written++;
    }
    assert_int_equal(fixture->client.pongs, 0);
    stream_resume_reading(fixture->client.stream);
    wait_for_bytes(fixture, &fixture->client.received, written);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.pongs, 1));
    assert_true(fixture->owner.drained >= 1);
    assert_int_equal(stream_pending_bytes(fixture->owner.stream), 0);
    /* The thousand small ones came in a few frames. */
    assert_true((size_t)fixture->client.messages < written / 32000 + 40);
    free(text);
}

/* ---- ends ---- */

static void test_client_closes(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    fixture->owner.closes_at_end = true;
    send_text(fixture, WEBSOCKET_BINARY, "last");
    send_text(fixture, WEBSOCKET_CLOSE,
              "\x0f\xa1"
              "bye");
    send_text(fixture, WEBSOCKET_BINARY, "too late");
    assert_true(loop_wait_count(fixture->loop, &fixture->owner.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_string_equal(buffer_text(&fixture->owner.received), "last");
    assert_int_equal(fixture->owner.ended, 1);
    assert_true(status_is_ok(&fixture->owner.why));
    assert_int_equal(fixture->client.closes, 1);
    assert_int_equal(fixture->client.close_code, 4001);
}

/* An owner that paused has not taken everything: it hears of the end when it goes on. */
static void test_client_closes_while_paused(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    fixture->owner.closes_at_end = fixture->owner.pauses = true;
    send_text(fixture, WEBSOCKET_BINARY, "last");
    send_text(fixture, WEBSOCKET_CLOSE, "\x03\xe8");
    wait_for_bytes(fixture, &fixture->owner.received, 4);
    loop_wait_ms(fixture->loop, 50);
    assert_int_equal(fixture->owner.ended, 0);
    assert_int_equal(fixture->client.closes, 0);
    stream_write(fixture->owner.stream, "answer", 6);
    stream_resume_reading(fixture->owner.stream);
    assert_int_equal(fixture->owner.ended, 0);
    assert_true(loop_wait_count(fixture->loop, &fixture->owner.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->owner.ended, 1);
    assert_string_equal(buffer_text(&fixture->client.received), "answer");
    assert_int_equal(fixture->client.close_code, 1000);
}

static void test_client_breaks_rules(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    fixture->owner.closes_at_end = true;
    send_text(fixture, WEBSOCKET_TEXT, "\xff");
    assert_true(loop_wait_count(fixture->loop, &fixture->owner.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.close_code, WEBSOCKET_CLOSE_BAD_TEXT);
}

static void test_client_vanishes(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    fixture->owner.closes_at_end = true;
    stream_abort(fixture->client.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->owner.closed, 1));
    assert_false(status_is_ok(&fixture->owner.why));
}

static void test_owner_closes(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    stream_write(fixture->owner.stream, "last words", 10);
    stream_close(fixture->owner.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_string_equal(buffer_text(&fixture->client.received), "last words");
    assert_int_equal(fixture->client.closes, 1);
    assert_int_equal(fixture->client.close_code, WEBSOCKET_CLOSE_GOING_AWAY);
}

static void test_owner_finishes(void **state) {
    struct fixture *fixture = *state;
    const size_t length = 5000000;
    char *text = make_text(length);
    connect_both(fixture);
    stream_write(fixture->owner.stream, text, length);
    stream_finish(fixture->owner.stream, LOOP_WAIT_LIMIT_MS);
    stream_write(fixture->owner.stream, "ignored", 7);
    assert_true(loop_wait_count(fixture->loop, &fixture->owner.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.received.length, length);
    assert_memory_equal(fixture->client.received.data, text, length);
    assert_int_equal(fixture->client.closes, 1);
    assert_int_equal(fixture->client.close_code, WEBSOCKET_CLOSE_GOING_AWAY);
    free(text);
}

static void test_owner_aborts(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    stream_write(fixture->owner.stream, "dropped", 7);
    stream_abort(fixture->owner.stream);
    assert_true(loop_wait_count(fixture->loop, &fixture->owner.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.closes, 0);
    assert_int_equal(fixture->client.received.length, 0);
}

static void test_server_closes(void **state) {
    struct fixture *fixture = *state;
    connect_both(fixture);
    http_server_close(fixture->server, NULL, NULL);
    fixture->server = NULL;
    assert_true(loop_wait_count(fixture->loop, &fixture->owner.closed, 1));
    assert_true(loop_wait_count(fixture->loop, &fixture->client.closed, 1));
    assert_int_equal(fixture->client.close_code, WEBSOCKET_CLOSE_GOING_AWAY);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, set_up_clear, tear_down), {                              \
#name " over TLS", name, set_up_tls, tear_down, NULL                                       \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_lengths_of_frames),
        TEST(test_one_turn_is_one_frame),
        TEST(test_bytes_of_messages),
        TEST(test_much_in_both_directions),
        TEST(test_slow_client),
        TEST(test_client_closes),
        TEST(test_client_closes_while_paused),
        TEST(test_client_breaks_rules),
        TEST(test_client_vanishes),
        TEST(test_owner_closes),
        TEST(test_owner_finishes),
        TEST(test_owner_aborts),
        TEST(test_server_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
