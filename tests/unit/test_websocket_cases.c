/* The cases of the Autobahn test suite, by its numbers, as conversations over real sockets: a raw
 * peer says what the table says, our side echoes messages, and all that it answers until the end of
 * the connection is compared. Each in both directions: to our server, and to our client. */
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
#include "tests/lib/utf8_cases.h"
#include "tests/lib/websocket_script.h"

/* Largest message of group 9. */
#define LARGEST_BYTES ((size_t)16 << 20)

/* Messages of 9.7 and 9.8, and frames of 9.3 at their smallest. */
#define FRAMES_MAX 65536

struct fixture {
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
    struct fixture *fixture = context;
    fixture->ours_open++;
}

static void echo(void *context, bool is_text, struct bytes message) {
    struct fixture *fixture = context;
    assert_true(websocket_send(fixture->ours, is_text, message));
}

static void ours_ended(void *context, unsigned code, struct bytes reason,
                       const struct status *status) {
    struct fixture *fixture = context;
    (void)code;
    (void)reason;
    (void)status;
    fixture->ours = NULL;
    fixture->ours_closed++;
}

static const struct websocket_handlers handlers = {
    .on_open = ours_opened, .on_message = echo, .on_closed = ours_ended};

static const struct websocket_settings settings = {.message_limit_bytes = LARGEST_BYTES,
                                                   .pending_limit_bytes = 4 * LARGEST_BYTES};

static void accept_websocket(void *context, struct http_request *request) {
    static const struct websocket_accept_options options = {
        .settings = {.message_limit_bytes = LARGEST_BYTES,
                     .pending_limit_bytes = 4 * LARGEST_BYTES}};
    struct fixture *fixture = context;
    fixture->ours = websocket_accept(request, &options, &handlers, fixture);
    assert_non_null(fixture->ours);
    fixture->ours_open++;
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

static void answer_upgrade(struct fixture *fixture) {
    char accept[WEBSOCKET_ACCEPT_TEXT_BYTES], answer[200];
    websocket_make_accept(find_key(&fixture->received), accept);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             accept);
    stream_write(fixture->raw, answer, strlen(answer));
}

/* The server ends the stream when it has our close frame (RFC 6455, 7.1.1). */
static void follow_frames(struct fixture *fixture, struct bytes bytes) {
    for (;;) {
        buffer_clear(&fixture->message);
        switch (websocket_reader_next(&fixture->reader, &bytes, &fixture->message)) {
        case WEBSOCKET_NEEDS_MORE: return;
        case WEBSOCKET_CLOSE_CAME:
            if (fixture->raw_is_server) stream_close(fixture->raw);
            return;
        default: break;
        }
    }
}

static void raw_read(void *context, struct bytes bytes) {
    struct fixture *fixture = context;
    assert_true(buffer_append(&fixture->received, bytes.data, bytes.length));
    if (fixture->raw_is_open) {
        follow_frames(fixture, bytes);
        return;
    }
    const char *end = strstr(buffer_text(&fixture->received), "\r\n\r\n");
    if (!end) return;
    if (fixture->raw_is_server) answer_upgrade(fixture);
    size_t head = (size_t)(end + 4 - (const char *)fixture->received.data);
    buffer_drop_front(&fixture->received, head);
    fixture->raw_is_open = true;
}

static void raw_ended(void *context) {
    struct fixture *fixture = context;
    stream_close(fixture->raw);
}

static void raw_closed(void *context, const struct status *status) {
    struct fixture *fixture = context;
    (void)status;
    fixture->raw = NULL;
    fixture->raw_closed++;
}

static const struct stream_handlers raw_handlers = {
    .on_read = raw_read, .on_end = raw_ended, .on_closed = raw_closed};

static void use_stream(struct fixture *fixture, struct stream *stream) {
    fixture->raw = stream;
    stream_start(stream, &raw_handlers, fixture);
}

static void raw_accepted(void *context, struct stream *stream) {
    use_stream(context, stream);
}

static void raw_is_connected(void *context, struct stream *stream, const struct status *status) {
    struct fixture *fixture = context;
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert_true(status_is_ok(status));
    use_stream(fixture, stream);
    stream_write(stream, request, sizeof request - 1);
}

/* ---- connecting, either way ---- */

static void connect_ours(struct fixture *fixture) {
    struct status status = STATUS_INIT;
    struct url url;
    char address[ADDRESS_TEXT_BYTES], text[ADDRESS_TEXT_BYTES + 10];
    address_format(&fixture->raw_address, address);
    snprintf(text, sizeof text, "ws://%s/", address);
    assert_true(url_parse(bytes_of_text(text), websocket_url_schemes, &url, &status));
    struct websocket_connect_options options = {
        .url = &url, .timeout_ms = LOOP_WAIT_LIMIT_MS, .settings = settings};
    fixture->ours = websocket_connect(fixture->loop, &options, &handlers, fixture, &status);
    assert_non_null(fixture->ours);
}

static bool both_are_open(void *context) {
    const struct fixture *fixture = context;
    return fixture->raw_is_open && fixture->ours_open > 0;
}

static void join(struct fixture *fixture, bool raw_is_server) {
    buffer_clear(&fixture->received);
    fixture->ours_open = fixture->ours_closed = fixture->raw_closed = 0;
    fixture->raw_is_open = false;
    fixture->raw_is_server = raw_is_server;
    websocket_reader_init(&fixture->reader, raw_is_server, LARGEST_BYTES);
    if (raw_is_server)
        connect_ours(fixture);
    else
        connector_start(fixture->loop, &fixture->server_address, LOOP_WAIT_LIMIT_MS,
                        raw_is_connected, fixture);
    assert_true(loop_wait(fixture->loop, both_are_open, fixture));
}

static bool both_are_closed(void *context) {
    const struct fixture *fixture = context;
    return fixture->raw_closed > 0 && fixture->ours_closed > 0;
}

/* ---- one case ---- */

/* Says a prepared conversation, `chop` bytes in each turn, and gives the trace of the answer. */
static void converse(struct fixture *fixture, struct bytes input, size_t chop,
                     struct buffer *trace) {
    for (size_t at = 0; at < input.length && fixture->raw; at += chop) {
        size_t length = input.length - at < chop ? input.length - at : chop;
        stream_write(fixture->raw, input.data + at, length);
        if (chop < input.length) loop_wait_ms(fixture->loop, 0);
    }
    if (!loop_wait(fixture->loop, both_are_closed, fixture)) fail_msg("the connection stays open");
    script_read(buffer_bytes(&fixture->received), SIZE_MAX, fixture->raw_is_server, trace);
}

/* Our close frames have a reason for people; a refusal of ours is told by its code alone. */
static bool is_as_expected(const char *trace, const char *expected) {
    size_t length = strlen(expected);
    return strncmp(trace, expected, length) == 0 &&
           (trace[length] == '\0' || (length > 0 && strchr("([", trace[length])));
}

struct websocket_case {
    const char *number;
    size_t chop; /* 0: whole */
    struct script_frame frames[8];
    const char *expected; /* without the close frame with 1000 that ends a case in order */
};

static bool has_close(const struct script_frame *frames, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (frames[i].first == CLOSE) return true;
    return false;
}

static void run_case(struct fixture *fixture, const char *number, const struct script_frame *frames,
                     size_t count, size_t chop, const char *expected) {
    char wanted[400];
    struct buffer trace;
    bool ends_itself = has_close(frames, count) || strstr(expected, "close");
    snprintf(wanted, sizeof wanted, "%s%s%s", expected, *expected && !ends_itself ? " " : "",
             ends_itself ? "" : "close1000");
    buffer_init(&trace, 1 << 20);
    for (int raw_is_server = 0; raw_is_server < 2; raw_is_server++) {
        struct buffer input;
        buffer_init(&input, 4 * LARGEST_BYTES);
        for (size_t i = 0; i < count && frames[i].payload; i++)
            script_append_frame(&input, frames[i].first,
                                bytes_of(frames[i].payload, frames[i].length), !raw_is_server);
        if (!ends_itself)
            script_append_frame(&input, CLOSE, bytes_of_text("\x03\xe8"), !raw_is_server);
        join(fixture, raw_is_server);
        converse(fixture, buffer_bytes(&input), chop ? chop : SIZE_MAX / 2, &trace);
        if (!is_as_expected(buffer_text(&trace), wanted))
            fail_msg("%s with our %s: %s instead of %s", number,
                     raw_is_server ? "client" : "server", buffer_text(&trace), wanted);
        buffer_free(&input);
    }
    buffer_free(&trace);
}

static void run_table(struct fixture *fixture, const struct websocket_case *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t frames = 0;
        while (frames < COUNT_OF(rows[i].frames) && rows[i].frames[frames].payload)
            frames++;
        run_case(fixture, rows[i].number, rows[i].frames, frames, rows[i].chop, rows[i].expected);
    }
}

/* ---- 1: framing, and 9: limits ---- */

static char *stars(size_t length) {
    char *text = malloc(length + 1);
    memset(text, '*', length);
    return text;
}

/* One message in frames of `part` bytes. */
static void run_message(struct fixture *fixture, const char *number, unsigned kind, size_t length,
                        size_t part, size_t chop) {
    static struct script_frame frames[FRAMES_MAX];
    char expected[40], *text = stars(length);
    size_t count = 0;
    for (size_t at = 0; at < length || count == 0; at += part) {
        size_t size = length - at < part ? length - at : part;
        bool is_last = at + size == length;
        frames[count++] = (struct script_frame){
            (is_last ? 0x80U : 0U) | (at == 0 ? kind & 0x0fU : 0U), text + at, size};
    }
    snprintf(expected, sizeof expected, length > 40 ? "%s[%zu]" : "%s()",
             kind == TEXT ? "text" : "binary", length);
    run_case(fixture, number, frames, count, chop, expected);
    free(text);
}

static void test_1_framing(void **state) {
    static const struct {
        const char *text_number, *binary_number;
        size_t length, chop;
    } rows[] = {
        {"1.1.1", "1.2.1", 0, 0},     {"1.1.2", "1.2.2", 125, 0},     {"1.1.3", "1.2.3", 126, 0},
        {"1.1.4", "1.2.4", 127, 0},   {"1.1.5", "1.2.5", 128, 0},     {"1.1.6", "1.2.6", 65535, 0},
        {"1.1.7", "1.2.7", 65536, 0}, {"1.1.8", "1.2.8", 65536, 997},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        run_message(*state, rows[i].text_number, TEXT, rows[i].length, SIZE_MAX / 2, rows[i].chop);
        run_message(*state, rows[i].binary_number, BINARY, rows[i].length, SIZE_MAX / 2,
                    rows[i].chop);
    }
}

static void test_9_large_messages(void **state) {
    static const size_t lengths[] = {65536, 262144, 1048576, 4194304, 8388608, 16777216};
    char number[20];
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        snprintf(number, sizeof number, "9.1.%zu", i + 1);
        run_message(*state, number, TEXT, lengths[i], SIZE_MAX / 2, 0);
        snprintf(number, sizeof number, "9.2.%zu", i + 1);
        run_message(*state, number, BINARY, lengths[i], SIZE_MAX / 2, 0);
    }
}

static void test_9_many_fragments(void **state) {
    static const size_t parts[] = {64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304};
    char number[20];
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        snprintf(number, sizeof number, "9.3.%zu", i + 1);
        run_message(*state, number, TEXT, 4194304, parts[i], 0);
        snprintf(number, sizeof number, "9.4.%zu", i + 1);
        run_message(*state, number, BINARY, 4194304, parts[i], 0);
    }
}

static void test_9_chopped(void **state) {
    static const size_t chops[] = {64, 128, 256, 512, 1024, 2048};
    char number[20];
    for (size_t i = 0; i < COUNT_OF(chops); i++) {
        snprintf(number, sizeof number, "9.5.%zu", i + 1);
        run_message(*state, number, TEXT, 1048576, SIZE_MAX / 2, chops[i]);
        snprintf(number, sizeof number, "9.6.%zu", i + 1);
        run_message(*state, number, BINARY, 1048576, SIZE_MAX / 2, chops[i]);
    }
}

/* A message over the limit is refused when its length is told. */
static void test_9_over_the_limit(void **state) {
    char *text = stars(LARGEST_BYTES + 1);
    struct script_frame whole = {BINARY, text, LARGEST_BYTES + 1};
    struct script_frame parts[] = {{0x02, text, LARGEST_BYTES}, {LAST, text, 1}};
    run_case(*state, "over the limit", &whole, 1, 0, "close1009");
    run_case(*state, "over the limit, in two", parts, 2, 0, "close1009");
    free(text);
}

/* ---- 2: pings and pongs ---- */

#define BYTES_125                                                                                  \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"  \
    "1234567890123456789012345678901234"

static void test_2_pings(void **state) {
    static const struct websocket_case rows[] = {
        {"2.1", 0, {FRAME(PING, "")}, "pong()"},
        {"2.2", 0, {FRAME(PING, "Hello,_world!")}, "pong(Hello,_world!)"},
        {"2.3", 0, {FRAME(PING, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}, "pong[8]"},
        {"2.4", 0, {FRAME(PING, BYTES_125)}, "pong[125]"},
        {"2.5", 0, {FRAME(PING, BYTES_125 "x")}, "close1002"},
        {"2.6", 1, {FRAME(PING, BYTES_125)}, "pong[125]"},
        {"2.7", 0, {FRAME(PONG, "")}, ""},
        {"2.8", 0, {FRAME(PONG, "unsolicited")}, ""},
        {"2.9", 0, {FRAME(PONG, "unsolicited"), FRAME(PING, "ping")}, "pong(ping)"},
        {"2.10",
         0,
         {FRAME(PING, "0"), FRAME(PING, "1"), FRAME(PING, "2"), FRAME(PING, "3"), FRAME(PING, "4"),
          FRAME(PING, "5"), FRAME(PING, "6"), FRAME(PING, "7")},
         "pong(0) pong(1) pong(2) pong(3) pong(4) pong(5) pong(6) pong(7)"},
        {"2.11",
         1,
         {FRAME(PING, "0"), FRAME(PING, "1"), FRAME(PING, "2"), FRAME(PING, "3"), FRAME(PING, "4"),
          FRAME(PING, "5"), FRAME(PING, "6"), FRAME(PING, "7")},
         "pong(0) pong(1) pong(2) pong(3) pong(4) pong(5) pong(6) pong(7)"},
    };
    run_table(*state, rows, COUNT_OF(rows));
}

/* ---- 3 and 4: reserved bits and opcodes ---- */

#define RESERVED(bits) ((bits) << 4)

static void test_3_reserved_bits(void **state) {
    static const struct websocket_case rows[] = {
        {"3.1", 0, {FRAME(TEXT | RESERVED(1), "Hello")}, "close1002"},
        {"3.2",
         0,
         {FRAME(TEXT, "Hello"), FRAME(TEXT | RESERVED(2), "Hello"), FRAME(PING, "")},
         "text(Hello) close1002"},
        {"3.3",
         0,
         {FRAME(TEXT, "Hello"), FRAME(TEXT | RESERVED(3), "Hello"), FRAME(PING, "")},
         "text(Hello) close1002"},
        {"3.4",
         1,
         {FRAME(TEXT, "Hello"), FRAME(TEXT | RESERVED(4), "Hello"), FRAME(PING, "")},
         "text(Hello) close1002"},
        {"3.5", 0, {FRAME(BINARY | RESERVED(5), "\x00\xff")}, "close1002"},
        {"3.6", 0, {FRAME(PING | RESERVED(6), "Hello")}, "close1002"},
        {"3.7", 0, {FRAME(CLOSE | RESERVED(7), "\x03\xe8")}, "close1002"},
    };
    run_table(*state, rows, COUNT_OF(rows));
}

static void test_4_opcodes(void **state) {
    static const unsigned opcodes[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < COUNT_OF(opcodes); i++) {
        unsigned first = 0x80U | opcodes[i];
        struct script_frame alone[] = {{first, "", 0}};
        struct script_frame with_payload[] = {{first, "reserved", 8}};
        struct script_frame between[] = {FRAME(TEXT, "Hello"), {first, "", 0}, FRAME(PING, "")};
        char number[20];
        snprintf(number, sizeof number, "4.%d.%zu", opcodes[i] < 8 ? 1 : 2, i % 5 + 1);
        run_case(*state, number, alone, 1, 0, "close1002");
        run_case(*state, number, with_payload, 1, 0, "close1002");
        run_case(*state, number, between, 3, 0, "text(Hello) close1002");
        run_case(*state, number, between, 3, 1, "text(Hello) close1002");
    }
}

/* ---- 5: fragments ---- */

static void test_5_fragments(void **state) {
    static const struct websocket_case rows[] = {
        {"5.1", 0, {FRAME(0x09, "fragment1"), FRAME(LAST, "fragment2")}, "close1002"},
        {"5.2", 0, {FRAME(0x0a, "fragment1"), FRAME(LAST, "fragment2")}, "close1002"},
        {"5.3", 0, {FRAME(MORE_TEXT, "frag1"), FRAME(LAST, "frag2")}, "text(frag1frag2)"},
        {"5.4", 1, {FRAME(MORE_TEXT, "frag1"), FRAME(LAST, "frag2")}, "text(frag1frag2)"},
        {"5.5", 3, {FRAME(MORE_TEXT, "frag1"), FRAME(LAST, "frag2")}, "text(frag1frag2)"},
        {"5.6",
         0,
         {FRAME(MORE_TEXT, "frag1"), FRAME(PING, "ping"), FRAME(LAST, "frag2")},
         "pong(ping) text(frag1frag2)"},
        {"5.7",
         2,
         {FRAME(MORE_TEXT, "frag1"), FRAME(PING, "ping"), FRAME(LAST, "frag2")},
         "pong(ping) text(frag1frag2)"},
        {"5.8",
         1,
         {FRAME(MORE_TEXT, "frag1"), FRAME(PING, "ping"), FRAME(LAST, "frag2")},
         "pong(ping) text(frag1frag2)"},
        {"5.9", 0, {FRAME(LAST, "nothing"), FRAME(TEXT, "Hello")}, "close1002"},
        {"5.10", 2, {FRAME(LAST, "nothing"), FRAME(TEXT, "Hello")}, "close1002"},
        {"5.11", 1, {FRAME(LAST, "nothing"), FRAME(TEXT, "Hello")}, "close1002"},
        {"5.12", 0, {FRAME(MORE, "nothing"), FRAME(TEXT, "Hello")}, "close1002"},
        {"5.13", 2, {FRAME(MORE, "nothing"), FRAME(TEXT, "Hello")}, "close1002"},
        {"5.14", 1, {FRAME(MORE, "nothing"), FRAME(TEXT, "Hello")}, "close1002"},
        {"5.15",
         0,
         {FRAME(MORE_TEXT, "frag1"), FRAME(LAST, "frag2"), FRAME(MORE, "frag3"),
          FRAME(TEXT, "Hello")},
         "text(frag1frag2) close1002"},
        {"5.16",
         0,
         {FRAME(MORE, "frag1"), FRAME(MORE_TEXT, "frag2"), FRAME(LAST, "frag3")},
         "close1002"},
        {"5.17",
         0,
         {FRAME(LAST, "frag1"), FRAME(MORE_TEXT, "frag2"), FRAME(LAST, "frag3")},
         "close1002"},
        {"5.18", 0, {FRAME(MORE_TEXT, "frag1"), FRAME(TEXT, "frag2")}, "close1002"},
        {"5.19",
         0,
         {FRAME(MORE_TEXT, "f1"), FRAME(MORE, "f2"), FRAME(PING, "p1"), FRAME(MORE, "f3"),
          FRAME(MORE, "f4"), FRAME(PING, "p2"), FRAME(LAST, "f5")},
         "pong(p1) pong(p2) text(f1f2f3f4f5)"},
        {"5.20",
         1,
         {FRAME(MORE_TEXT, "f1"), FRAME(MORE, "f2"), FRAME(PING, "p1"), FRAME(MORE, "f3"),
          FRAME(MORE, "f4"), FRAME(PING, "p2"), FRAME(LAST, "f5")},
         "pong(p1) pong(p2) text(f1f2f3f4f5)"},
    };
    run_table(*state, rows, COUNT_OF(rows));
}

/* ---- 6: UTF-8 ---- */

static void test_6_texts(void **state) {
    size_t count;
    struct utf8_case *cases = utf8_cases_make(&count);
    struct buffer expected;
    buffer_init(&expected, 1000);
    for (size_t i = 0; i < count; i++) {
        struct script_frame frame = {TEXT, cases[i].text, cases[i].length};
        buffer_clear(&expected);
        if (cases[i].is_valid)
            script_note_payload(&expected, "text", bytes_of(cases[i].text, cases[i].length));
        else
            buffer_append_text(&expected, "close1007");
        run_case(*state, cases[i].number, &frame, 1, 0, buffer_text(&expected));
        run_case(*state, cases[i].number, &frame, 1, 1, buffer_text(&expected));
    }
    buffer_free(&expected);
    utf8_cases_free(cases, count);
}

/* 6.4: what cannot become a text any more is refused before the message has ended. */
static void test_6_wrong_text_fails_at_once(void **state) {
    static const struct websocket_case rows[] = {
        {"6.4.1",
         0,
         {FRAME(MORE_TEXT, "\xce\xba\xe1\xbd\xb9"), FRAME(MORE, "\xf4\x90\x80\x80")},
         "close1007"},
        {"6.4.2",
         0,
         {FRAME(MORE_TEXT, "\xce\xba\xe1\xbd\xb9"), FRAME(MORE, "\xf4\x90")},
         "close1007"},
        {"6.4.3", 1, {FRAME(MORE_TEXT, "\xce\xba\xe1\xbd\xb9\xf4\x90")}, "close1007"},
    };
    run_table(*state, rows, COUNT_OF(rows));
}

/* ---- 7: closing ---- */

static void test_7_closing(void **state) {
    static const struct websocket_case rows[] = {
        {"7.1.1", 0, {FRAME(TEXT, "Hello"), FRAME(CLOSE, "\x03\xe8")}, "text(Hello) close1000"},
        {"7.1.2", 0, {FRAME(CLOSE, "\x03\xe8"), FRAME(CLOSE, "\x03\xe8")}, "close1000"},
        {"7.1.3", 0, {FRAME(CLOSE, "\x03\xe8"), FRAME(PING, "x")}, "close1000"},
        {"7.1.4", 0, {FRAME(CLOSE, "\x03\xe8"), FRAME(TEXT, "x")}, "close1000"},
        {"7.1.5",
         0,
         {FRAME(MORE_TEXT, "f1"), FRAME(CLOSE, "\x03\xe8"), FRAME(LAST, "f2")},
         "close1000"},
        {"7.1.6",
         0,
         {FRAME(TEXT, "Hello"), FRAME(CLOSE, "\x03\xe8"), FRAME(PING, "x"), FRAME(TEXT, "x")},
         "text(Hello) close1000"},
        {"7.3.1", 0, {FRAME(CLOSE, "")}, "close1005"},
        {"7.3.2", 0, {FRAME(CLOSE, "\x03")}, "close1002"},
        {"7.3.3", 0, {FRAME(CLOSE, "\x03\xe8")}, "close1000"},
        {"7.3.4", 0, {FRAME(CLOSE, "\x03\xe8Hello!")}, "close1000"},
        {"7.3.6", 0, {FRAME(CLOSE, "\x03\xe8" BYTES_125)}, "close1002"},
        {"7.5.1", 0, {FRAME(CLOSE, "\x03\xe8\xce\xba\xed\xa0\x80")}, "close1007"},
    };
    run_table(*state, rows, COUNT_OF(rows));
}

static void test_7_close_codes(void **state) {
    static const struct {
        const char *number;
        unsigned code;
        bool may_be_sent;
    } rows[] = {
        {"7.7.1", 1000, true},  {"7.7.2", 1001, true},   {"7.7.3", 1002, true},
        {"7.7.4", 1003, true},  {"7.7.5", 1007, true},   {"7.7.6", 1008, true},
        {"7.7.7", 1009, true},  {"7.7.8", 1010, true},   {"7.7.9", 1011, true},
        {"7.7.10", 3000, true}, {"7.7.11", 3999, true},  {"7.7.12", 4000, true},
        {"7.7.13", 4999, true}, {"7.9.1", 0, false},     {"7.9.2", 999, false},
        {"7.9.3", 1004, false}, {"7.9.4", 1005, false},  {"7.9.5", 1006, false},
        {"7.9.6", 1016, false}, {"7.9.7", 1100, false},  {"7.9.8", 2000, false},
        {"7.9.9", 2999, false}, {"7.13.1", 5000, false}, {"7.13.2", 65535, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char payload[] = {(char)(rows[i].code >> 8), (char)rows[i].code}, expected[20];
        struct script_frame frame = {CLOSE, payload, sizeof payload};
        snprintf(expected, sizeof expected, "close%u", rows[i].may_be_sent ? rows[i].code : 1002);
        run_case(*state, rows[i].number, &frame, 1, 0, expected);
    }
}

/* ---- 10: one large frame in pieces of an Ethernet frame ---- */

static void test_10_pieces(void **state) {
    run_message(*state, "10.1.1", TEXT, 65536, SIZE_MAX / 2, 1300);
}

/* ---- life ---- */

static int set_up(void **state) {
    static const struct listener_handlers raw_listener = {.on_accept = raw_accepted};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct status status = STATUS_INIT;
    struct http_server_options options = {.name = "test"};
    struct address any;
    fixture->loop = loop_create(&status);
    buffer_init(&fixture->received, 4 * LARGEST_BYTES);
    buffer_init(&fixture->message, 2 * LARGEST_BYTES);
    fixture->server = http_server_create(fixture->loop, &options);
    http_server_add_routes(fixture->server, routes, COUNT_OF(routes), fixture);
    assert_true(address_parse(bytes_of_text("127.0.0.1:0"), ADDRESS_PORT_REQUIRED, &any, &status));
    assert_true(http_server_listen(fixture->server, &any, &fixture->server_address, &status));
    fixture->listener = listener_open(fixture->loop, &any, 0, &raw_listener, fixture, &status);
    assert_non_null(fixture->listener);
    fixture->raw_address = *listener_address(fixture->listener);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    websocket_abort(fixture->ours);
    stream_close(fixture->raw);
    listener_close(fixture->listener);
    http_server_close(fixture->server, NULL, NULL);
    loop_wait_end(fixture->loop);
    buffer_free(&fixture->received);
    buffer_free(&fixture->message);
    free(fixture);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_1_framing),
        TEST(test_2_pings),
        TEST(test_3_reserved_bits),
        TEST(test_4_opcodes),
        TEST(test_5_fragments),
        TEST(test_6_texts),
        TEST(test_6_wrong_text_fails_at_once),
        TEST(test_7_closing),
        TEST(test_7_close_codes),
        TEST(test_9_large_messages),
        TEST(test_9_many_fragments),
        TEST(test_9_chopped),
        TEST(test_9_over_the_limit),
        TEST(test_10_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
