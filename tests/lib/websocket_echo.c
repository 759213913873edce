#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/connector.h"
#include "net/http_server.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/websocket.h"
#include "net/websocket_handshake.h"
#include "tests/lib/loop_wait.h"
#include "tests/lib/websocket_echo.h"

struct websocket_echo {
    struct loop *loop;
    struct http_server *server;
    struct address server_address;
    struct listener *listener; /* of the raw peer when it plays the server */
    struct address raw_address;

    struct websocket *ours;
    int ours_open;
    int ours_closed;

    struct stream *raw;
    int raw_connected;
    int raw_closed;
    bool raw_is_server;
    bool raw_is_open; /* its handshake is done */
    struct buffer received;
    struct websocket_reader reader; /* follows `received`, to end the connection as a server does */
    struct buffer message;
};

/* ---- our side: an echo ---- */

static void ours_opened(void *context) {
    struct websocket_echo *echo = context;
    echo->ours_open++;
}

static void send_back(void *context, bool is_text, struct bytes message) {
    struct websocket_echo *echo = context;
    assert_true(websocket_send(echo->ours, is_text, message));
}

static void ours_ended(void *context, unsigned code, struct bytes reason,
                       const struct status *status) {
    struct websocket_echo *echo = context;
    (void)code;
    (void)reason;
    (void)status;
    echo->ours = NULL;
    echo->ours_closed++;
}

static const struct websocket_handlers handlers = {
    .on_open = ours_opened, .on_message = send_back, .on_closed = ours_ended};

static const struct websocket_settings settings = {.message_limit_bytes = WEBSOCKET_ECHO_BYTES_MAX,
                                                   .pending_limit_bytes =
                                                       4 * WEBSOCKET_ECHO_BYTES_MAX};

static void accept_websocket(void *context, struct http_request *request) {
    static const struct websocket_accept_options options = {
        .settings = {.message_limit_bytes = WEBSOCKET_ECHO_BYTES_MAX,
                     .pending_limit_bytes = 4 * WEBSOCKET_ECHO_BYTES_MAX}};
    struct websocket_echo *echo = context;
    echo->ours = websocket_accept(request, &options, &handlers, echo);
    assert_non_null(echo->ours);
    echo->ours_open++;
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/", .handle = accept_websocket, .judges_origin = true},
};

/* ---- the raw peer ---- */

/* The key that our client sent. */
static struct bytes find_key(const struct buffer *received) {
    static const char field[] = "Sec-WebSocket-Key: ";
    const char *at = strstr(buffer_text(received), field);
    assert_non_null(at);
    return bytes_of(at + sizeof field - 1, WEBSOCKET_KEY_TEXT_BYTES - 1);
}

static void answer_upgrade(struct websocket_echo *echo) {
    char accept[WEBSOCKET_ACCEPT_TEXT_BYTES], answer[200];
    websocket_make_accept(find_key(&echo->received), accept);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             accept);
    stream_write(echo->raw, answer, strlen(answer));
}

/* The server ends the stream when it has our close frame (RFC 6455, 7.1.1). */
static void follow_frames(struct websocket_echo *echo, struct bytes bytes) {
    for (;;) {
        buffer_clear(&echo->message);
        switch (websocket_reader_next(&echo->reader, &bytes, &echo->message)) {
        case WEBSOCKET_NEEDS_MORE: return;
        case WEBSOCKET_CLOSE_CAME:
            if (echo->raw_is_server) stream_close(echo->raw);
            return;
        default: break;
        }
    }
}

static void raw_read(void *context, struct bytes bytes) {
    struct websocket_echo *echo = context;
    assert_true(buffer_append(&echo->received, bytes.data, bytes.length));
    if (echo->raw_is_open) {
        follow_frames(echo, bytes);
        return;
    }
    const char *end = strstr(buffer_text(&echo->received), "\r\n\r\n");
    if (!end) return;
    if (echo->raw_is_server) answer_upgrade(echo);
    size_t head = (size_t)(end + 4 - (const char *)echo->received.data);
    buffer_drop_front(&echo->received, head);
    echo->raw_is_open = true;
}

static void raw_ended(void *context) {
    struct websocket_echo *echo = context;
    stream_close(echo->raw);
}

static void raw_closed(void *context, const struct status *status) {
    struct websocket_echo *echo = context;
    (void)status;
    echo->raw = NULL;
    echo->raw_closed++;
}

static const struct stream_handlers raw_handlers = {
    .on_read = raw_read, .on_end = raw_ended, .on_closed = raw_closed};

static void use_stream(struct websocket_echo *echo, struct stream *stream) {
    echo->raw = stream;
    stream_start(stream, &raw_handlers, echo);
}

static void raw_accepted(void *context, struct stream *stream) {
    use_stream(context, stream);
}

static void raw_is_connected(void *context, struct stream *stream, const struct status *status) {
    struct websocket_echo *echo = context;
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert_true(status_is_ok(status));
    use_stream(echo, stream);
    stream_write(stream, request, sizeof request - 1);
}

/* ---- connecting, either way ---- */

static void connect_ours(struct websocket_echo *echo) {
    struct status status = STATUS_INIT;
    struct url url;
    char address[ADDRESS_TEXT_BYTES], text[ADDRESS_TEXT_BYTES + 10];
    address_format(&echo->raw_address, address);
    snprintf(text, sizeof text, "ws://%s/", address);
    assert_true(url_parse(bytes_of_text(text), websocket_url_schemes, &url, &status));
    struct websocket_connect_options options = {
        .url = &url, .timeout_ms = LOOP_WAIT_LIMIT_MS, .settings = settings};
    echo->ours = websocket_connect(echo->loop, &options, &handlers, echo, &status);
    assert_non_null(echo->ours);
}

static bool both_are_open(void *context) {
    const struct websocket_echo *echo = context;
    return echo->raw_is_open && echo->ours_open > 0;
}

static void join(struct websocket_echo *echo, bool raw_is_server) {
    buffer_clear(&echo->received);
    echo->ours_open = echo->ours_closed = echo->raw_closed = 0;
    echo->raw_is_open = false;
    echo->raw_is_server = raw_is_server;
    websocket_reader_init(&echo->reader, raw_is_server, WEBSOCKET_ECHO_BYTES_MAX);
    if (raw_is_server)
        connect_ours(echo);
    else
        connector_start(echo->loop, &echo->server_address, LOOP_WAIT_LIMIT_MS, raw_is_connected,
                        echo);
    assert_true(loop_wait(echo->loop, both_are_open, echo));
}

static bool both_are_closed(void *context) {
    const struct websocket_echo *echo = context;
    return echo->raw_closed > 0 && echo->ours_closed > 0;
}

/* ---- one case ---- */

/* Says a prepared conversation, `chop` bytes in each turn, and gives the trace of the answer. */
static void converse(struct websocket_echo *echo, struct bytes input, size_t chop,
                     struct buffer *trace) {
    for (size_t at = 0; at < input.length && echo->raw; at += chop) {
        size_t length = input.length - at < chop ? input.length - at : chop;
        stream_write(echo->raw, input.data + at, length);
        if (chop < input.length) loop_wait_ms(echo->loop, 0);
    }
    if (!loop_wait(echo->loop, both_are_closed, echo)) fail_msg("the connection stays open");
    script_read(buffer_bytes(&echo->received), SIZE_MAX, echo->raw_is_server, trace);
}

/* Our close frames have a reason for people; a refusal of ours is told by its code alone. */
static bool is_as_expected(const char *trace, const char *expected) {
    size_t length = strlen(expected);
    return strncmp(trace, expected, length) == 0 &&
           (trace[length] == '\0' || (length > 0 && strchr("([", trace[length])));
}

static bool has_close(const struct script_frame *frames, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (frames[i].first == CLOSE) return true;
    return false;
}

void websocket_echo_run(struct websocket_echo *echo, const char *number,
                        const struct script_frame *frames, size_t count, size_t chop,
                        const char *expected) {
    char wanted[400];
    struct buffer trace;
    bool ends_itself = has_close(frames, count) || strstr(expected, "close");
    snprintf(wanted, sizeof wanted, "%s%s%s", expected, *expected && !ends_itself ? " " : "",
             ends_itself ? "" : "close1000");
    buffer_init(&trace, 1 << 20);
    for (int raw_is_server = 0; raw_is_server < 2; raw_is_server++) {
        struct buffer input;
        buffer_init(&input, 4 * WEBSOCKET_ECHO_BYTES_MAX);
        for (size_t i = 0; i < count && frames[i].payload; i++)
            script_append_frame(&input, frames[i].first,
                                bytes_of(frames[i].payload, frames[i].length), !raw_is_server);
        if (!ends_itself)
            script_append_frame(&input, CLOSE, bytes_of_text("\x03\xe8"), !raw_is_server);
        join(echo, raw_is_server);
        converse(echo, buffer_bytes(&input), chop ? chop : SIZE_MAX / 2, &trace);
        if (!is_as_expected(buffer_text(&trace), wanted))
            fail_msg("%s with our %s: %s instead of %s", number,
                     raw_is_server ? "client" : "server", buffer_text(&trace), wanted);
        buffer_free(&input);
    }
    buffer_free(&trace);
}

/* ---- life ---- */

int websocket_echo_set_up(void **state) {
    static const struct listener_handlers raw_listener = {.on_accept = raw_accepted};
    struct websocket_echo *echo = calloc(1, sizeof *echo);
    struct status status = STATUS_INIT;
    struct http_server_options options = {.name = "test"};
    struct address any;
    echo->loop = loop_create(&status);
    buffer_init(&echo->received, 4 * WEBSOCKET_ECHO_BYTES_MAX);
    buffer_init(&echo->message, 2 * WEBSOCKET_ECHO_BYTES_MAX);
    echo->server = http_server_create(echo->loop, &options);
    http_server_add_routes(echo->server, routes, COUNT_OF(routes), echo);
    assert_true(address_parse(bytes_of_text("127.0.0.1:0"), ADDRESS_PORT_REQUIRED, &any, &status));
    assert_true(http_server_listen(echo->server, &any, &echo->server_address, &status));
    echo->listener = listener_open(echo->loop, &any, 0, &raw_listener, echo, &status);
    assert_non_null(echo->listener);
    echo->raw_address = *listener_address(echo->listener);
    *state = echo;
    return 0;
}

int websocket_echo_tear_down(void **state) {
    struct websocket_echo *echo = *state;
    websocket_abort(echo->ours);
    stream_close(echo->raw);
    listener_close(echo->listener);
    http_server_close(echo->server, NULL, NULL);
    loop_wait_end(echo->loop);
    buffer_free(&echo->received);
    buffer_free(&echo->message);
    free(echo);
    return 0;
}
