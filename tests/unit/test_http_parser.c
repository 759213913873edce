/* Requests as data: raw bytes in, verdict out. Each row is fed whole and byte by byte; both must
 * agree. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "net/http_parser.h"

#define BODY_LIMIT_BYTES 16

#define ACCEPTED   0
#define UNFINISHED 1

struct row {
    const char *what;
    const char *raw;
    int expected;     /* ACCEPTED, UNFINISHED or the status of the refusal */
    const char *body; /* of an accepted one; NULL: none */
    size_t raw_bytes; /* when it holds NUL; else 0 */
};

#define HOST "Host: a\r\n"

static const struct row rows[] = {
    /* what is fine */
    {"smallest", "GET / HTTP/1.1\r\n" HOST "\r\n", ACCEPTED, NULL, 0},
    {"empty line before", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", ACCEPTED, NULL, 0},
    {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", ACCEPTED, NULL, 0},
    {"HTTP/1.0 with Host", "GET / HTTP/1.0\r\n" HOST "\r\n", ACCEPTED, NULL, 0},
    {"Host with port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", ACCEPTED, NULL, 0},
    {"name in other case", "GET / HTTP/1.1\r\nhOST:a\r\n\r\n", ACCEPTED, NULL, 0},
    {"tabs around a value", "GET / HTTP/1.1\r\nHost:\t a \t\r\n\r\n", ACCEPTED, NULL, 0},
    {"empty value", "GET / HTTP/1.1\r\n" HOST "X:\r\n\r\n", ACCEPTED, NULL, 0},
    {"Latin-1 in a value", "GET / HTTP/1.1\r\n" HOST "X: \xe9\r\n\r\n", ACCEPTED, NULL, 0},
    {"length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", ACCEPTED, "hello", 0},
    {"length 0", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", ACCEPTED, NULL, 0},
    {"length with zeros", "POST / HTTP/1.1\r\n" HOST "Content-Length: 005\r\n\r\nhello", ACCEPTED,
     "hello", 0},
    {"chunks",
     "POST / HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
     ACCEPTED, "hello", 0},
    {"chunks in other case",
     "POST / HTTP/1.1\r\n" HOST "transfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     ACCEPTED, "hello", 0},
    {"no chunks at all", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     ACCEPTED, NULL, 0},
    {"expect", "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
     ACCEPTED, "x", 0},
    {"absolute target, same host", "GET http://a/b HTTP/1.1\r\n" HOST "\r\n", ACCEPTED, NULL, 0},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", ACCEPTED, NULL, 0},
    {"an upgrade nobody asked for",
     "POST / HTTP/1.1\r\n" HOST
     "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello",
     ACCEPTED, "hello", 0},
    {"body at the limit", "POST / HTTP/1.1\r\n" HOST "Content-Length: 16\r\n\r\n0123456789abcdef",
     ACCEPTED, "0123456789abcdef", 0},

    /* what is not complete */
    {"nothing but an empty line", "\r\n", UNFINISHED, NULL, 0},
    {"half a head", "GET / HTTP/1.1\r\nHost: a\r\n", UNFINISHED, NULL, 0},
    {"half a body", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel", UNFINISHED, NULL, 0},
    {"a chunk without end",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", UNFINISHED,
     NULL, 0},

    /* request lines */
    {"HTTP/0.9", "GET /\r\n\r\n", 400, NULL, 0},
    {"HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505, NULL, 0},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NULL, 0},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 505, NULL, 0},
    {"HTTP/0.9 spelt out", "GET / HTTP/0.9\r\n" HOST "\r\n", 505, NULL, 0},
    {"version in lower case", "GET / http/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"version with zeros", "GET / HTTP/01.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"other protocol", "GET / RTSP/1.0\r\n" HOST "\r\n", 400, NULL, 0},
    {"method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n", 501, NULL, 0},
    {"unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", 501, NULL, 0},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", 501, NULL, 0},
    {"method is no token", "G(T / HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"space at the end", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400, NULL, 0},
    {"tab instead of space", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"space before", " GET / HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"relative target", "GET a HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"GET *", "GET * HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"unescaped UTF-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"absolute target, other host", "GET http://b/ HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"absolute target without path", "GET http://a HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"absolute target, other scheme", "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"a TLS hello", "\x16\x03\x01\x02", 400, NULL, 0},

    /* line ends and bytes */
    {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400, NULL, 0},
    {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, NULL, 0},
    {"bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, NULL, 0},
    {"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400, NULL, 0},
    {"bare CR as line end", "GET / HTTP/1.1\rHost: a\r\r", 400, NULL, 0},
    {"bare CR before", "\rGET / HTTP/1.1\r\n" HOST "\r\n", 400, NULL, 0},
    {"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 400, NULL, 36},
    {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL, 28},
    {"escape character", "GET / HTTP/1.1\r\n" HOST "X: \x1b[2J\r\n\r\n", 400, NULL, 0},
    {"folded line", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400, NULL, 0},
    {"folded line with a tab", "GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", 400, NULL, 0},
    {"folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, NULL, 0},
    {"folded empty line", "GET / HTTP/1.1\r\n" HOST " \r\n\r\n", 400, NULL, 0},

    /* fields */
    {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, NULL, 0},
    {"no colon", "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400, NULL, 0},
    {"no name", "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400, NULL, 0},
    {"name is no token", "GET / HTTP/1.1\r\n" HOST "X(y): b\r\n\r\n", 400, NULL, 0},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400, NULL, 0},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, NULL, 0},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, NULL, 0},
    {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, NULL, 0},
    {"two names in Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, NULL, 0},
    {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, NULL, 0},
    {"Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, NULL, 0},
    {"Host as a socket", "GET / HTTP/1.1\r\nHost: unix:/a\r\n\r\n", 400, NULL, 0},
    {"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400, NULL, 0},

    /* lengths */
    {"two equal lengths",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, NULL,
     0},
    {"two different lengths",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, NULL,
     0},
    {"list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\nhello", 400, NULL,
     0},
    {"length with a sign", "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello", 400, NULL,
     0},
    {"negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, NULL, 0},
    {"hexadecimal length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nhello", 400, NULL,
     0},
    {"empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400, NULL, 0},
    {"length beyond 64 bits",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551621\r\n\r\nhello", 400, NULL, 0},
    {"length with a space", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\nhello", 400,
     NULL, 0},
    {"length and chunks",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, NULL, 0},
    {"chunks and length",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     400, NULL, 0},
    {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, NULL, 0},
    {"two encodings",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, NULL, 0},
    {"unknown encoding first",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n", 400, NULL, 0},
    {"chunked not last",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n", 400, NULL, 0},
    {"chunked twice",
     "POST / HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, NULL, 0},
    {"identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 400, NULL, 0},
    {"quoted chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
     400, NULL, 0},
    {"empty encoding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 400, NULL,
     0},
    {"length over the limit", "POST / HTTP/1.1\r\n" HOST "Content-Length: 17\r\n\r\n", 413, NULL,
     0},

/* chunks */
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
    {"chunk extension", CHUNKED "5;a=b\r\nhello\r\n0\r\n\r\n", 400, NULL, 0},
    {"nameless extension", CHUNKED "5;\r\nhello\r\n0\r\n\r\n", 400, NULL, 0},
    {"extension on the last chunk", CHUNKED "5\r\nhello\r\n0;a\r\n\r\n", 400, NULL, 0},
    {"space after the size", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 400, NULL, 0},
    {"sign before the size", CHUNKED "+5\r\nhello\r\n0\r\n\r\n", 400, NULL, 0},
    {"0x before the size", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 400, NULL, 0},
    {"size that overflows", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", 400, NULL, 0},
    {"bare LF after the size", CHUNKED "5\nhello\r\n0\r\n\r\n", 400, NULL, 0},
    {"bare LF after the data", CHUNKED "5\r\nhello\n0\r\n\r\n", 400, NULL, 0},
    {"no line end after the data", CHUNKED "5\r\nhello0\r\n\r\n", 400, NULL, 0},
    {"bare LF at the end", CHUNKED "0\r\n\n", 400, NULL, 0},
    {"trailers", CHUNKED "0\r\nHost: b\r\n\r\n", 400, NULL, 0},
    {"chunks over the limit", CHUNKED "9\r\n012345678\r\n9\r\n012345678\r\n0\r\n\r\n", 413, NULL,
     0},

    /* expectations */
    {"other expectation", "POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n",
     417, NULL, 0},
};

static struct bytes raw_of(const struct row *row) {
    return bytes_of(row->raw, row->raw_bytes ? row->raw_bytes : strlen(row->raw));
}

/* Feeds everything in steps of `step` bytes; returns how many bytes were consumed. */
static size_t feed_all(struct http_parser *parser, struct bytes raw, size_t step) {
    size_t at = 0;
    while (at < raw.length) {
        enum http_parser_state state = http_parser_state(parser);
        if (state == HTTP_PARSER_DONE || state == HTTP_PARSER_FAILED) break;
        size_t length = raw.length - at < step ? raw.length - at : step;
        at += http_parser_feed(parser, bytes_of(raw.data + at, length));
        if (http_parser_state(parser) == HTTP_PARSER_READY)
            http_parser_accept_body(parser, BODY_LIMIT_BYTES);
    }
    return at;
}

static int verdict_of(const struct http_parser *parser) {
    if (http_parser_state(parser) == HTTP_PARSER_FAILED) return http_parser_failure(parser)->status;
    return http_parser_state(parser) == HTTP_PARSER_DONE ? ACCEPTED : UNFINISHED;
}

static void every_row_gets_its_verdict(void **state) {
    (void)state;
    const size_t steps[] = {SIZE_MAX, 1, 3};
    int wrong = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t j = 0; j < COUNT_OF(steps); j++) {
            struct http_parser *parser = http_parser_create();
            size_t consumed = feed_all(parser, raw_of(&rows[i]), steps[j]);
            int verdict = verdict_of(parser);
            bool is_right = verdict == rows[i].expected;
            if (verdict == ACCEPTED) {
                const char *body = rows[i].body ? rows[i].body : "";
                is_right &= bytes_equal_text(http_parser_body(parser), body);
                is_right &= consumed == raw_of(&rows[i]).length;
            }
            if (!is_right)
                print_error("%s (step %zu): %d, expected %d\n", rows[i].what, steps[j], verdict,
                            rows[i].expected);
            wrong += !is_right;
            http_parser_free(parser);
        }
    }
    assert_int_equal(wrong, 0);
}

static void refusals_have_a_code_and_a_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_parser *parser = http_parser_create();
        feed_all(parser, raw_of(&rows[i]), SIZE_MAX);
        if (http_parser_state(parser) == HTTP_PARSER_FAILED) {
            assert_non_null(http_parser_failure(parser)->code);
            assert_true(strlen(http_parser_failure(parser)->detail) > 5);
        }
        http_parser_free(parser);
    }
}

static void pipelined_requests_come_one_after_the_other(void **state) {
    (void)state;
    static const char raw[] =
        "POST /1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
        "GET /2?x HTTP/1.1\r\n" HOST "\r\n"
        "POST /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"
        "GET /4 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    const char *targets[] = {"/1", "/2?x", "/3", "/4"};
    const char *bodies[] = {"abc", "", "z", ""};
    struct http_parser *parser = http_parser_create();
    struct bytes rest = bytes_of(raw, sizeof raw - 1);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        size_t consumed = feed_all(parser, rest, SIZE_MAX);
        assert_int_equal(http_parser_state(parser), HTTP_PARSER_DONE);
        assert_true(bytes_equal_text(http_parser_head(parser)->target, targets[i]));
        assert_true(bytes_equal_text(http_parser_body(parser), bodies[i]));
        assert_int_equal(http_parser_head(parser)->keep_alive, i < 3);
        rest = bytes_of(rest.data + consumed, rest.length - consumed);
        http_parser_next(parser);
    }
    assert_int_equal(rest.length, 0);
    http_parser_free(parser);
}

static void the_head_is_read_into_its_parts(void **state) {
    (void)state;
    static const char raw[] = "POST /a?b=c HTTP/1.1\r\nHost: example.org:81\r\nX-One:  1 \r\n"
                              "x-ONE: 2\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    struct http_parser *parser = http_parser_create();
    assert_false(http_parser_is_inside_head(parser));
    http_parser_feed(parser, bytes_of(raw, 10));
    assert_true(http_parser_is_inside_head(parser));
    http_parser_feed(parser, bytes_of(raw + 10, sizeof raw - 11));
    assert_int_equal(http_parser_state(parser), HTTP_PARSER_READY);
    assert_false(http_parser_is_inside_head(parser));
    const struct http_head *head = http_parser_head(parser);
    assert_true(bytes_equal_text(head->method, "POST"));
    assert_true(bytes_equal_text(head->target, "/a?b=c"));
    assert_true(bytes_equal_text(head->host, "example.org:81"));
    assert_int_equal(head->minor_version, 1);
    assert_int_equal(head->field_count, 5);
    assert_int_equal(head->content_length_bytes, 2);
    assert_true(head->has_body);
    assert_true(head->expects_continue);
    assert_true(bytes_equal_text(http_fields_find(head->fields, head->field_count, "X-One"), "1"));
    assert_null(http_fields_find(head->fields, head->field_count, "X-Two").data);
    http_parser_free(parser);
}

static void keep_alive_is_what_the_client_allows(void **state) {
    (void)state;
    const struct {
        const char *raw;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n" HOST "\r\n", false},
        {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_parser *parser = http_parser_create();
        http_parser_feed(parser, bytes_of_text(cases[i].raw));
        assert_int_equal(http_parser_head(parser)->keep_alive, cases[i].keep_alive);
        http_parser_free(parser);
    }
}

/* Feeds a request line, then `count` fields of `length` bytes each, and the end. */
static int verdict_of_fields(size_t count, size_t length) {
    struct http_parser *parser = http_parser_create();
    struct buffer raw;
    buffer_init(&raw, 1 << 20);
    buffer_append_text(&raw, "GET / HTTP/1.1\r\n" HOST);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&raw, "X: ");
        for (size_t j = 5; j < length; j++)
            buffer_append_text(&raw, "y");
        buffer_append_text(&raw, "\r\n");
    }
    buffer_append_text(&raw, "\r\n");
    feed_all(parser, buffer_bytes(&raw), SIZE_MAX);
    int verdict = verdict_of(parser);
    buffer_free(&raw);
    http_parser_free(parser);
    return verdict;
}

static void limits_of_the_head_hold_exactly(void **state) {
    (void)state;
    const size_t overhead = strlen("GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(verdict_of_fields(HTTP_HEADER_COUNT_MAX - 1, 10), ACCEPTED);
    assert_int_equal(verdict_of_fields(HTTP_HEADER_COUNT_MAX, 10), 431);
    assert_int_equal(verdict_of_fields(1, HTTP_HEAD_BYTES_MAX - overhead), ACCEPTED);
    assert_int_equal(verdict_of_fields(1, HTTP_HEAD_BYTES_MAX - overhead + 1), 431);
    assert_int_equal(verdict_of_fields(1, 500000), 431);
}

/* A value with this byte in it, at a place that is any within a machine word. */
static int verdict_of_byte(int byte, int place) {
    struct http_parser *parser = http_parser_create();
    char raw[100];
    int length = sprintf(raw, "GET / HTTP/1.1\r\n" HOST "X: abcdefghijklmnopqrstuvwxyz\r\n\r\n");
    strchr(raw, 'b')[place] = (char)byte;
    feed_all(parser, bytes_of(raw, (size_t)length), sizeof raw);
    int verdict = verdict_of(parser);
    http_parser_free(parser);
    return verdict;
}

static void control_characters_are_refused_wherever_they_are(void **state) {
    (void)state;
    for (int byte = 0; byte < 256; byte++)
        for (int place = 0; place < 20; place++) {
            bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
            assert_int_equal(verdict_of_byte(byte, place), is_control ? 400 : ACCEPTED);
        }
}

static int verdict_of_target(size_t length) {
    struct http_parser *parser = http_parser_create();
    char *raw = memory_new(length + 100);
    char *at = raw + sprintf(raw, "GET /");
    memset(at, 'a', length - 1);
    strcpy(at + length - 1, " HTTP/1.1\r\n" HOST "\r\n");
    feed_all(parser, bytes_of_text(raw), 1000);
    int verdict = verdict_of(parser);
    free(raw);
    http_parser_free(parser);
    return verdict;
}

static void limits_of_the_target_hold_exactly(void **state) {
    (void)state;
    assert_int_equal(verdict_of_target(HTTP_TARGET_BYTES_MAX), ACCEPTED);
    assert_int_equal(verdict_of_target(HTTP_TARGET_BYTES_MAX + 1), 414);
    assert_int_equal(verdict_of_target(100000), 414);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_gets_its_verdict),
        cmocka_unit_test(refusals_have_a_code_and_a_reason),
        cmocka_unit_test(pipelined_requests_come_one_after_the_other),
        cmocka_unit_test(the_head_is_read_into_its_parts),
        cmocka_unit_test(keep_alive_is_what_the_client_allows),
        cmocka_unit_test(limits_of_the_head_hold_exactly),
        cmocka_unit_test(control_characters_are_refused_wherever_they_are),
        cmocka_unit_test(limits_of_the_target_hold_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
