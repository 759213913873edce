/* The cases of the Autobahn test suite, by its numbers, as conversations: a raw peer says what the
 * table says, our side sends messages back, and all that it answers until the end of the connection
 * is compared. Each in both directions: to our server, and to our client. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/utf8_cases.h"
#include "tests/lib/websocket_echo.h"

/* Frames of 9.3 and 9.4 at their smallest. */
#define FRAMES_MAX 65536

struct websocket_case {
    const char *number;
    size_t chop; /* 0: whole */
    struct script_frame frames[8];
    const char *expected; /* without the close frame with 1000 that ends a case in order */
};

static void run_table(struct websocket_echo *echo, const struct websocket_case *rows,
                      size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t frames = 0;
        while (frames < COUNT_OF(rows[i].frames) && rows[i].frames[frames].payload)
            frames++;
        websocket_echo_run(echo, rows[i].number, rows[i].frames, frames, rows[i].chop,
                           rows[i].expected);
    }
}

/* ---- 1: framing, and 9: limits ---- */

static char *stars(size_t length) {
    char *text = malloc(length + 1);
    memset(text, '*', length);
    return text;
}

/* One message in frames of `part` bytes. */
static void run_message(struct websocket_echo *echo, const char *number, unsigned kind,
                        size_t length, size_t part, size_t chop) {
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
    websocket_echo_run(echo, number, frames, count, chop, expected);
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
    char *text = stars(WEBSOCKET_ECHO_BYTES_MAX + 1);
    struct script_frame whole = {BINARY, text, WEBSOCKET_ECHO_BYTES_MAX + 1};
    struct script_frame parts[] = {{0x02, text, WEBSOCKET_ECHO_BYTES_MAX}, {LAST, text, 1}};
    websocket_echo_run(*state, "over the limit", &whole, 1, 0, "close1009");
    websocket_echo_run(*state, "over the limit, in two", parts, 2, 0, "close1009");
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
        websocket_echo_run(*state, number, alone, 1, 0, "close1002");
        websocket_echo_run(*state, number, with_payload, 1, 0, "close1002");
        websocket_echo_run(*state, number, between, 3, 0, "text(Hello) close1002");
        websocket_echo_run(*state, number, between, 3, 1, "text(Hello) close1002");
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
        websocket_echo_run(*state, cases[i].number, &frame, 1, 0, buffer_text(&expected));
        websocket_echo_run(*state, cases[i].number, &frame, 1, 1, buffer_text(&expected));
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
        websocket_echo_run(*state, rows[i].number, &frame, 1, 0, expected);
    }
}

/* ---- 10: one large frame in pieces of an Ethernet frame ---- */

static void test_10_pieces(void **state) {
    run_message(*state, "10.1.1", TEXT, 65536, SIZE_MAX / 2, 1300);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, websocket_echo_set_up, websocket_echo_tear_down)

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
