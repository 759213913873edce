/* The broker's parser: every kind of frame, cut at every byte, and everything it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/parser.h"

#define MAX_LINE    64
#define MAX_PAYLOAD 32

static struct parser parser_new(void) {
    return (struct parser){.max_line_bytes = MAX_LINE, .max_payload_bytes = MAX_PAYLOAD};
}

/* Writes what a frame says as text, so that runs can be compared. */
static size_t describe(const struct frame *frame, char *out, size_t size) {
    int length = snprintf(
        out, size,
        "%d headers=%d/%zu subject=%.*s reply=%.*s queue=%.*s sid=%.*s max=%lld [%.*s]\n",
        frame->operation, frame->has_headers, frame->header_length, (int)frame->subject.length,
        (const char *)frame->subject.data, (int)frame->reply.length,
        (const char *)frame->reply.data, (int)frame->queue.length, (const char *)frame->queue.data,
        (int)frame->sid.length, (const char *)frame->sid.data, (long long)frame->maximum,
        (int)frame->payload.length, (const char *)frame->payload.data);
    return (size_t)length;
}

/* Feeds one piece, in memory of exactly its size, and appends the frames to `out`. */
static enum parser_result feed(struct parser *parser, const char *piece, size_t length, char *out,
                               size_t *used, size_t size) {
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, piece, length);
    struct bytes input = bytes_of(copy, length);
    enum parser_result result;
    for (;;) {
        struct frame frame;
        memset(&frame, 0, sizeof frame);
        result = parser_next(parser, &input, &frame);
        if (result != PARSER_FRAME) break;
        if (frame.operation == OPERATION_PUB)
            assert_memory_equal(frame.payload.data + frame.payload.length, "\r\n", 2);
        *used += describe(&frame, out + *used, size - *used);
    }
    if (result == PARSER_NEED_MORE) assert_int_equal(input.length, 0);
    free(copy);
    return result;
}

static const char CONVERSATION[] = "CONNECT {\"verbose\":false}\r\n"
                                   "ping\r\n"
                                   "PUB a.b 5\r\nhello\r\n"
                                   "PUB \t a.b \t reply.1   0\n\r\n"
                                   "pub x 2\r\n\r\n\r\n"
                                   "HPUB a.b 12 17\r\nNATS/1.0\r\n\r\nhello\r\n"
                                   "HPUB a.b r 0 2\r\nok\r\n"
                                   "SUB foo.* 1\r\n"
                                   "SUB foo.> group 22\n"
                                   "UNSUB 1\r\n"
                                   "UNSUB 22 5 \r\n"
                                   "PONG\r\nINFO {}\r\n+OK\r\n-ERR 'x'\r\n"
                                   "PUB last 3\r\n\0\n\0\r\n";

static void whole(char *out, size_t size) {
    struct parser parser = parser_new();
    size_t used = 0;
    assert_int_equal(feed(&parser, CONVERSATION, sizeof CONVERSATION - 1, out, &used, size),
                     PARSER_NEED_MORE);
    parser_free(&parser);
}

static void frames_are_read(void **state) {
    (void)state;
    char out[4096];
    whole(out, sizeof out);
    static const char *const parts[] = {
        "1 headers=0/0 subject=a.b reply= queue= sid= max=0 [hello]\n",
        "1 headers=0/0 subject=a.b reply=reply.1 queue= sid= max=0 []\n",
        "1 headers=0/0 subject=x reply= queue= sid= max=0 [\r\n]\n",
        "1 headers=1/12 subject=a.b reply= queue= sid= max=0 [NATS/1.0\r\n\r\nhello]\n",
        "1 headers=1/0 subject=a.b reply=r queue= sid= max=0 [ok]\n",
        "2 headers=0/0 subject=foo.* reply= queue= sid=1 max=0 []\n",
        "2 headers=0/0 subject=foo.> reply= queue=group sid=22 max=0 []\n",
        "3 headers=0/0 subject= reply= queue= sid=1 max=0 []\n",
        "3 headers=0/0 subject= reply= queue= sid=22 max=5 []\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_non_null(strstr(out, parts[i]));
}

static void a_cut_at_every_byte_changes_nothing(void **state) {
    (void)state;
    char expected[4096], out[4096];
    whole(expected, sizeof expected);
    for (size_t first = 0; first < sizeof CONVERSATION; first++) {
        for (size_t second = first; second < sizeof CONVERSATION; second++) {
            struct parser parser = parser_new();
            size_t used = 0, end = sizeof CONVERSATION - 1;
            feed(&parser, CONVERSATION, first, out, &used, sizeof out);
            size_t middle = second < end ? second : end;
            if (first < middle)
                feed(&parser, CONVERSATION + first, middle - first, out, &used, sizeof out);
            feed(&parser, CONVERSATION + middle, end - middle, out, &used, sizeof out);
            parser_free(&parser);
            assert_string_equal(out, expected);
        }
    }
}

static void one_byte_at_a_time_changes_nothing(void **state) {
    (void)state;
    char expected[4096], out[4096];
    whole(expected, sizeof expected);
    struct parser parser = parser_new();
    size_t used = 0;
    for (size_t i = 0; i + 1 < sizeof CONVERSATION; i++)
        assert_int_equal(feed(&parser, CONVERSATION + i, 1, out, &used, sizeof out),
                         PARSER_NEED_MORE);
    assert_true(parser.held == NULL || parser.given);
    parser_free(&parser);
    assert_string_equal(out, expected);
}

struct refusal {
    const char *text;
    enum parser_result result;
};

#define LINE_65 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct refusal REFUSALS[] = {
    {"\r\n", PARSER_UNKNOWN_OPERATION},
    {"FOO\r\n", PARSER_UNKNOWN_OPERATION},
    {"G", PARSER_UNKNOWN_OPERATION},
    {"GET / HTTP/1.1\r\n", PARSER_UNKNOWN_OPERATION},
    {"PUBX a 1\r\n", PARSER_UNKNOWN_OPERATION},
    {"PUB\r\n", PARSER_UNKNOWN_OPERATION},
    {"SUB\r\n", PARSER_UNKNOWN_OPERATION},
    {"UNSUB\r\n", PARSER_UNKNOWN_OPERATION},
    {"PUB a 1\r\nxy\r\n", PARSER_UNKNOWN_OPERATION},
    {"PUB a 1\r\nx\n", PARSER_NEED_MORE},
    {"PUB a 1\r\nx\n\n", PARSER_UNKNOWN_OPERATION},
    {"PUB \r\n", PARSER_BAD_ARGUMENTS},
    {"PUB a\r\n", PARSER_BAD_ARGUMENTS},
    {"PUB a -1\r\n", PARSER_BAD_ARGUMENTS},
    {"PUB a 1x\r\n", PARSER_BAD_ARGUMENTS},
    {"PUB a 1234567890\r\n", PARSER_BAD_ARGUMENTS},
    {"PUB a b c 1\r\n", PARSER_BAD_ARGUMENTS},
    {"PUB a\rb 1\r\n", PARSER_BAD_ARGUMENTS},
    {"PUB a 33\r\n", PARSER_PAYLOAD_TOO_LARGE},
    {"PUB a 999999999\r\n", PARSER_PAYLOAD_TOO_LARGE},
    {"HPUB a 1\r\n", PARSER_BAD_ARGUMENTS},
    {"HPUB a 4 3\r\n", PARSER_BAD_ARGUMENTS},
    {"HPUB a b c 1 1\r\n", PARSER_BAD_ARGUMENTS},
    {"SUB a\r\n", PARSER_BAD_ARGUMENTS},
    {"SUB a b c d\r\n", PARSER_BAD_ARGUMENTS},
    {"SUB a b c d e f\r\n", PARSER_BAD_ARGUMENTS},
    {"UNSUB 1 2 3\r\n", PARSER_BAD_ARGUMENTS},
    {"SUB " LINE_65 " 1\r\n", PARSER_LINE_TOO_LONG},
    {"CONNECT " LINE_65 "\r\n", PARSER_LINE_TOO_LONG},
    {"PUB " LINE_65 LINE_65, PARSER_LINE_TOO_LONG},
    {"CONNECT " LINE_65 LINE_65, PARSER_LINE_TOO_LONG},
};

static void nonsense_is_refused_wherever_it_is_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        const struct refusal *row = &REFUSALS[i];
        size_t length = strlen(row->text);
        for (size_t cut = 0; cut <= length; cut++) {
            struct parser parser = parser_new();
            char out[1024];
            size_t used = 0;
            enum parser_result result = feed(&parser, row->text, cut, out, &used, sizeof out);
            if (result == PARSER_NEED_MORE && cut < length)
                result = feed(&parser, row->text + cut, length - cut, out, &used, sizeof out);
            if (result != row->result) print_message("row %zu cut %zu: %d\n", i, cut, result);
            assert_int_equal(result, row->result);
            parser_free(&parser);
        }
    }
}

static void nothing_but_connect_before_authentication(void **state) {
    (void)state;
    static const char *const others[] = {"PING\r\n", "P", "SUB a 1\r\n", "PUB a 1\r\n", "x"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct parser parser = parser_new();
        parser.connect_only = true;
        char out[64];
        size_t used = 0;
        assert_int_equal(feed(&parser, others[i], strlen(others[i]), out, &used, sizeof out),
                         PARSER_NOT_CONNECT);
        parser_free(&parser);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read),
        cmocka_unit_test(a_cut_at_every_byte_changes_nothing),
        cmocka_unit_test(one_byte_at_a_time_changes_nothing),
        cmocka_unit_test(nonsense_is_refused_wherever_it_is_cut),
        cmocka_unit_test(nothing_but_connect_before_authentication),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
