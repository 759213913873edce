/* WebSocket frames: cases in the order of the Autobahn test suite (1 framing, 2 pings, 3 reserved
 * bits, 4 opcodes, 5 fragments, 6 UTF-8, 7 closing, 10 odd sizes), each read whole, byte by byte
 * and in pieces, from both sides. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "tests/lib/websocket_script.h"

#define LONGEST_BYTES 1000000

/* ---- 1: framing ---- */

static void test_lengths(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1000000};
    static const unsigned kinds[] = {TEXT, BINARY};
    char *payload = malloc(LONGEST_BYTES), expected[64];
    memset(payload, '*', LONGEST_BYTES);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        for (size_t j = 0; j < COUNT_OF(kinds); j++) {
            struct script_frame frame = {kinds[j], payload, lengths[i]};
            const char *kind = kinds[j] == TEXT ? "text" : "binary";
            if (lengths[i] == 0)
                snprintf(expected, sizeof expected, "%s()", kind);
            else if (lengths[i] == 1)
                snprintf(expected, sizeof expected, "%s(*)", kind);
            else
                snprintf(expected, sizeof expected, "%s[%zu]", kind, lengths[i]);
            script_check("1: lengths", &frame, 1, expected);
        }
    }
    free(payload);
}

static void test_written_headers(void **state) {
    (void)state;
    static const struct {
        uint64_t length;
        const char *unmasked;
        size_t unmasked_length;
    } rows[] = {
        {0, "\x81\x00", 2},
        {125, "\x81\x7d", 2},
        {126, "\x81\x7e\x00\x7e", 4},
        {65535, "\x81\x7e\xff\xff", 4},
        {65536, "\x81\x7f\0\0\0\0\0\x01\0\0", 10},
    };
    uint8_t header[WEBSOCKET_HEADER_BYTES_MAX];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t used = websocket_write_header(header, WEBSOCKET_TEXT, true, rows[i].length, NULL);
        assert_int_equal(used, rows[i].unmasked_length);
        assert_memory_equal(header, rows[i].unmasked, used);
        used = websocket_write_header(header, WEBSOCKET_BINARY, false, rows[i].length, script_mask);
        assert_int_equal(used, rows[i].unmasked_length + WEBSOCKET_MASK_BYTES);
        assert_int_equal(header[0], 0x02);
        assert_int_equal(header[1], (uint8_t)rows[i].unmasked[1] | 0x80);
        assert_memory_equal(header + used - WEBSOCKET_MASK_BYTES, script_mask,
                            WEBSOCKET_MASK_BYTES);
    }
}

/* RFC 6455, 5.7: "Hello" as a server and as a client sends it. */
static void test_example_of_the_standard(void **state) {
    (void)state;
    static const char unmasked[] = "\x81\x05Hello";
    static const char masked[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    struct buffer out;
    buffer_init(&out, 100);
    script_append_frame(&out, TEXT, bytes_of_text("Hello"), false);
    assert_int_equal(out.length, sizeof unmasked - 1);
    assert_memory_equal(out.data, unmasked, out.length);
    buffer_clear(&out);
    script_append_frame(&out, TEXT, bytes_of_text("Hello"), true);
    assert_int_equal(out.length, sizeof masked - 1);
    assert_memory_equal(out.data, masked, out.length);
    buffer_free(&out);
}

static void test_masks_at_every_offset(void **state) {
    (void)state;
    uint8_t plain[41], whole[41], pieces[41];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 7);
    websocket_apply_mask(whole, plain, sizeof plain, script_mask, 0);
    for (size_t i = 0; i < sizeof plain; i++)
        assert_int_equal(whole[i], plain[i] ^ script_mask[i % 4]);
    for (size_t cut = 0; cut <= sizeof plain; cut++) {
        size_t at = websocket_apply_mask(pieces, plain, cut, script_mask, 0);
        assert_int_equal(at, cut % 4);
        at = websocket_apply_mask(pieces + cut, plain + cut, sizeof plain - cut, script_mask, at);
        assert_int_equal(at, sizeof plain % 4);
        assert_memory_equal(pieces, whole, sizeof whole);
    }
}

/* ---- 2: pings and pongs ---- */

static void test_pings(void **state) {
    (void)state;
    static const struct script rows[] = {
        {"2.1 ping without payload", {FRAME(PING, "")}, "ping()"},
        {"2.2 ping with text", {FRAME(PING, "Hello,_world!")}, "ping(Hello,_world!)"},
        {"2.3 ping with binary", {FRAME(PING, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}, "ping[8]"},
        {"2.7 pong nobody asked for", {FRAME(PONG, "")}, "pong()"},
        {"2.8 pong with payload", {FRAME(PONG, "unsolicited")}, "pong(unsolicited)"},
        {"2.9 pong, then ping",
         {FRAME(PONG, "unsolicited"), FRAME(PING, "ping")},
         "pong(unsolicited) ping(ping)"},
        {"2.10 several pings",
         {FRAME(PING, "1"), FRAME(PING, "2"), FRAME(PING, "3")},
         "ping(1) ping(2) ping(3)"},
    };
    static char longest[126];
    memset(longest, 0xfe, sizeof longest);
    const struct script_frame fits = {PING, longest, 125}, too_long = {PING, longest, 126};
    script_check_table(rows, COUNT_OF(rows));
    script_check("2.4 ping with 125 bytes", &fits, 1, "ping[125]");
    script_check("2.5 ping with 126 bytes", &too_long, 1, "refused1002");
}

/* ---- 3 and 4: reserved bits and opcodes ---- */

static void test_reserved_bits(void **state) {
    (void)state;
    for (unsigned bits = 1; bits < 8; bits++) {
        static const unsigned kinds[] = {TEXT, BINARY, CLOSE, PING, PONG};
        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
            struct script_frame frames[] = {
                FRAME(TEXT, "before"), {kinds[i] | bits << 4, "x", 1}, FRAME(TEXT, "after")};
            script_check("3: reserved bits", frames, COUNT_OF(frames), "text(before) refused1002");
        }
    }
}

static void test_reserved_opcodes(void **state) {
    (void)state;
    static const unsigned opcodes[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < COUNT_OF(opcodes); i++) {
        struct script_frame frames[] = {
            FRAME(TEXT, "before"), {0x80 | opcodes[i], "", 0}, FRAME(PING, "")};
        script_check("4: opcodes", frames, COUNT_OF(frames), "text(before) refused1002");
        frames[1].first = opcodes[i];
        script_check("4: opcodes, not final", frames, COUNT_OF(frames), "text(before) refused1002");
    }
}

/* ---- 5: fragments ---- */

static void test_fragments(void **state) {
    (void)state;
    static const struct script rows[] = {
        {"5.1 fragmented ping", {FRAME(0x09, "a"), FRAME(LAST, "b")}, "refused1002"},
        {"5.2 fragmented pong", {FRAME(0x0a, "a"), FRAME(LAST, "b")}, "refused1002"},
        {"5.3 two fragments", {FRAME(MORE_TEXT, "frag"), FRAME(LAST, "ment")}, "text(fragment)"},
        {"5.6 ping between fragments",
         {FRAME(MORE_TEXT, "frag"), FRAME(PING, "ping"), FRAME(LAST, "ment")},
         "ping(ping) text(fragment)"},
        {"5.9 continuation of nothing", {FRAME(LAST, "x"), FRAME(TEXT, "y")}, "refused1002"},
        {"5.12 continuation of nothing, not final", {FRAME(MORE, "x")}, "refused1002"},
        {"5.14 continuation after a whole message",
         {FRAME(TEXT, "y"), FRAME(LAST, "x")},
         "text(y) refused1002"},
        {"5.15 a second continuation after the last",
         {FRAME(MORE_TEXT, "a"), FRAME(LAST, "b"), FRAME(MORE, "c"), FRAME(TEXT, "d")},
         "text(ab) refused1002"},
        {"5.18 a message within a message",
         {FRAME(MORE_TEXT, "a"), FRAME(TEXT, "b")},
         "refused1002"},
        {"5.18 binary within text", {FRAME(MORE_TEXT, "a"), FRAME(BINARY, "b")}, "refused1002"},
        {"5.19 five fragments, pings between",
         {FRAME(MORE_TEXT, "f1"), FRAME(MORE, "f2"), FRAME(PING, "p1"), FRAME(MORE, "f3"),
          FRAME(MORE, "f4"), FRAME(PING, "p2"), FRAME(LAST, "f5")},
         "ping(p1) ping(p2) text(f1f2f3f4f5)"},
        {"empty fragments",
         {FRAME(MORE_TEXT, ""), FRAME(MORE, ""), FRAME(MORE, "x"), FRAME(LAST, "")},
         "text(x)"},
        {"nothing but empty fragments", {FRAME(0x02, ""), FRAME(LAST, "")}, "binary()"},
        {"pong and close between fragments",
         {FRAME(MORE_TEXT, "a"), FRAME(PONG, "p"), FRAME(CLOSE, "\x03\xe8"), FRAME(LAST, "b")},
         "pong(p) close1000()"},
        {"fragmented close", {FRAME(0x08, "\x03\xe8"), FRAME(LAST, "")}, "refused1002"},
    };
    script_check_table(rows, COUNT_OF(rows));
}

/* ---- 6: UTF-8 (the rest is in test_websocket_cases.c) ---- */

/* 6.4: a wrong byte is found when it comes, not when its message is complete. */
static void test_wrong_text_fails_at_once(void **state) {
    (void)state;
    static const struct script rows[] = {
        {"6.4.1 in the second of three fragments",
         {FRAME(MORE_TEXT, "\xce\xba\xe1\xbd\xb9"), FRAME(MORE, "\xf4\x90\x80\x80")},
         "refused1007"},
        {"6.4.2 its first three bytes are enough",
         {FRAME(MORE_TEXT, "\xce\xba"), FRAME(MORE, "\xf4\x90")},
         "refused1007"},
        {"6.4 the first two may still become a character",
         {FRAME(MORE_TEXT, "\xce\xba"), FRAME(MORE, "\xf4")},
         ""},
    };
    script_check_table(rows, COUNT_OF(rows));

    struct websocket_reader reader;
    struct buffer input, message;
    buffer_init(&input, 100);
    buffer_init(&message, 100);
    script_append_header(&input, TEXT, 50, true);
    const uint8_t wrong = 0xff ^ script_mask[0];
    assert_true(buffer_append(&input, &wrong, 1));
    websocket_reader_init(&reader, true, 100);
    struct bytes bytes = buffer_bytes(&input);
    assert_int_equal(websocket_reader_next(&reader, &bytes, &message), WEBSOCKET_FRAMES_REFUSED);
    assert_int_equal(reader.close_code, WEBSOCKET_CLOSE_BAD_TEXT);
    assert_int_equal(message.length, 0); /* nobody sees what was refused */
    buffer_free(&input);
    buffer_free(&message);
}

/* ---- 7: closing ---- */

static void test_closing(void **state) {
    (void)state;
    static const struct script rows[] = {
        {"7.1.1 close after a message",
         {FRAME(TEXT, "Hello"), FRAME(CLOSE, "\x03\xe8")},
         "text(Hello) close1000()"},
        {"7.1.2 two close frames",
         {FRAME(CLOSE, "\x03\xe8"), FRAME(CLOSE, "\x03\xe8")},
         "close1000()"},
        {"7.1.3 ping after close", {FRAME(CLOSE, ""), FRAME(PING, "x")}, "close1005()"},
        {"7.1.4 text after close", {FRAME(CLOSE, ""), FRAME(TEXT, "x")}, "close1005()"},
        {"7.3.1 empty", {FRAME(CLOSE, "")}, "close1005()"},
        {"7.3.2 half a code", {FRAME(CLOSE, "\x03")}, "refused1002"},
        {"7.3.3 code alone", {FRAME(CLOSE, "\x03\xe8")}, "close1000()"},
        {"7.3.4 with a reason", {FRAME(CLOSE, "\x03\xe8Hello")}, "close1000(Hello)"},
        {"7.5.1 reason is not UTF-8",
         {FRAME(CLOSE, "\x03\xe8\xce\xba\xed\xa0\x80")},
         "refused1007"},
        {"reason ends within a character", {FRAME(CLOSE, "\x03\xe8\xce")}, "refused1007"},
    };
    static char reason[126];
    memset(reason, '*', sizeof reason);
    reason[0] = '\x03';
    reason[1] = '\xe8';
    const struct script_frame fits = {CLOSE, reason, 125}, too_long = {CLOSE, reason, 126};
    script_check_table(rows, COUNT_OF(rows));
    script_check("7.3.5 longest reason", &fits, 1, "close1000[123]");
    script_check("7.3.6 too long a reason", &too_long, 1, "refused1002");
}

static void test_every_close_code(void **state) {
    (void)state;
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        bool is_valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                        (code >= 3000 && code <= 4999);
        uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
        struct websocket_reader reader;
        struct buffer input, message;
        buffer_init(&input, 100);
        buffer_init(&message, 100);
        script_append_frame(&input, CLOSE, bytes_of(payload, 2), true);
        websocket_reader_init(&reader, true, 100);
        struct bytes bytes = buffer_bytes(&input);
        enum websocket_event event = websocket_reader_next(&reader, &bytes, &message);
        assert_int_equal(event, is_valid ? WEBSOCKET_CLOSE_CAME : WEBSOCKET_FRAMES_REFUSED);
        assert_int_equal(reader.close_code, is_valid ? code : WEBSOCKET_CLOSE_PROTOCOL_ERROR);
        assert_int_equal(websocket_close_code_is_sendable(code), is_valid);
        buffer_free(&input);
        buffer_free(&message);
    }
}

static void test_written_close(void **state) {
    (void)state;
    uint8_t out[WEBSOCKET_CONTROL_BYTES_MAX];
    char reason[200];
    assert_int_equal(websocket_write_close(out, WEBSOCKET_CLOSE_NO_CODE, bytes_of(NULL, 0)), 0);
    assert_int_equal(websocket_write_close(out, 1000, bytes_of(NULL, 0)), 2);
    assert_memory_equal(out, "\x03\xe8", 2);
    assert_int_equal(websocket_write_close(out, 4999, bytes_of_text("bye")), 5);
    assert_memory_equal(out,
                        "\x13\x87"
                        "bye",
                        5);
    memset(reason, 'x', sizeof reason);
    assert_int_equal(websocket_write_close(out, 1000, bytes_of(reason, 200)), 125);
    /* A character of two bytes that would be cut is left out. */
    memcpy(reason + WEBSOCKET_REASON_BYTES_MAX - 1, "\xc3\xa4", 2);
    assert_int_equal(websocket_write_close(out, 1000, bytes_of(reason, 200)), 124);
}

/* ---- 10 and what else there is ---- */

static void test_one_frame_then_pieces(void **state) {
    (void)state;
    char *payload = malloc(65536);
    memset(payload, '*', 65536);
    const struct script_frame frames[] = {{TEXT, payload, 65536}, {BINARY, payload, 1300}};
    script_check("10.1.1", frames, 2, "text[65536] binary[1300]");
    free(payload);
}

/* Headers that no writer of ours makes. */
static void test_raw_headers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
        size_t length;
        bool expects_masks;
        const char *expected;
    } rows[] = {
        {"a client's frame without mask", "\x81\x05Hello", 7, true, "refused1002"},
        {"a server's frame with mask", "\x81\x85\1\2\3\4xxxxx", 11, false, "refused1002"},
        {"125 in two bytes", "\x82\x7e\x00\x7d", 4, false, "refused1002"},
        {"126 in two bytes", "\x82\x7e\x00\x7e", 4, false, ""},
        {"65535 in eight bytes", "\x82\x7f\0\0\0\0\0\0\xff\xff", 10, false, "refused1002"},
        {"highest bit of a length", "\x82\x7f\x80\0\0\0\0\0\0\0", 10, false, "refused1002"},
        {"all bits of a length", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10, false,
         "refused1002"},
        {"largest length", "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10, false, "refused1009"},
        {"ping with a length in two bytes", "\x89\x7e\x00\x7e", 4, false, "refused1002"},
        {"refused by its first byte", "\xf1", 1, true, "refused1002"},
        {"refused by its second byte", "\x89\x7f", 2, false, "refused1002"},
    };
    struct buffer trace;
    buffer_init(&trace, 1000);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t step = 1; step <= rows[i].length; step++) {
            script_read(bytes_of(rows[i].bytes, rows[i].length), step, rows[i].expects_masks,
                        &trace);
            assert_string_equal(buffer_text(&trace), rows[i].expected);
        }
    }
    buffer_free(&trace);
}

/* The limit holds for a message, not a frame, and before there is memory for it. */
static void test_message_limit(void **state) {
    (void)state;
    static const struct {
        size_t lengths[3];
        enum websocket_event expected;
    } rows[] = {
        {{10, 0, 0}, WEBSOCKET_MESSAGE_CAME},
        {{11, 0, 0}, WEBSOCKET_FRAMES_REFUSED},
        {{4, 4, 2}, WEBSOCKET_MESSAGE_CAME},
        {{4, 4, 3}, WEBSOCKET_FRAMES_REFUSED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct websocket_reader reader;
        struct buffer input, message;
        buffer_init(&input, 1000);
        buffer_init(&message, 10);
        script_append_frame(&input, 0x02, bytes_of("aaaaaaaaaaaa", rows[i].lengths[0]), false);
        script_append_frame(&input, MORE, bytes_of("bbbb", rows[i].lengths[1]), false);
        script_append_frame(&input, LAST, bytes_of("cccc", rows[i].lengths[2]), false);
        websocket_reader_init(&reader, false, 10);
        struct bytes bytes = buffer_bytes(&input);
        enum websocket_event event = websocket_reader_next(&reader, &bytes, &message);
        assert_int_equal(event, rows[i].expected);
        if (event == WEBSOCKET_FRAMES_REFUSED) {
            assert_int_equal(reader.close_code, WEBSOCKET_CLOSE_TOO_LARGE);
            assert_true(message.capacity <= 16);
        }
        buffer_free(&input);
        buffer_free(&message);
    }
}

/* Who wants a stream of bytes takes what is there, wherever messages end. */
static void test_bytes_instead_of_messages(void **state) {
    (void)state;
    struct websocket_reader reader;
    struct buffer input, stream;
    buffer_init(&input, 100);
    buffer_init(&stream, 100);
    script_append_frame(&input, 0x02, bytes_of_text("one "), true);
    script_append_frame(&input, LAST, bytes_of_text("two "), true);
    script_append_frame(&input, BINARY, bytes_of_text("three"), true);
    websocket_reader_init(&reader, true, UINT64_MAX);
    struct bytes bytes = bytes_of(input.data, input.length - 2);
    while (websocket_reader_next(&reader, &bytes, &stream) == WEBSOCKET_MESSAGE_CAME)
        continue;
    assert_string_equal(buffer_text(&stream), "one two thr");
    buffer_clear(&stream);
    bytes = bytes_of(input.data + input.length - 2, 2);
    assert_int_equal(websocket_reader_next(&reader, &bytes, &stream), WEBSOCKET_MESSAGE_CAME);
    assert_string_equal(buffer_text(&stream), "ee");
    buffer_free(&input);
    buffer_free(&stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_written_headers),
        cmocka_unit_test(test_example_of_the_standard),
        cmocka_unit_test(test_masks_at_every_offset),
        cmocka_unit_test(test_pings),
        cmocka_unit_test(test_reserved_bits),
        cmocka_unit_test(test_reserved_opcodes),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_wrong_text_fails_at_once),
        cmocka_unit_test(test_closing),
        cmocka_unit_test(test_every_close_code),
        cmocka_unit_test(test_written_close),
        cmocka_unit_test(test_one_frame_then_pieces),
        cmocka_unit_test(test_raw_headers),
        cmocka_unit_test(test_message_limit),
        cmocka_unit_test(test_bytes_instead_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
