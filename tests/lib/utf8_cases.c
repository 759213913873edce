#include "tests/lib/utf8_cases.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"

#define CASES_MAX 400

#define ROW(number, text, is_valid)                                                                \
    { number, text, sizeof(text) - 1, is_valid }

/* "kosme", with an accent that needs three bytes. */
#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

static const struct utf8_case rows[] = {
    ROW("6.1.1", "", true),
    ROW("6.2.1", "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!", true),
    ROW("6.3.1",
        KOSME "\xed\xa0\x80"
              "edited",
        false),
    ROW("6.4.1",
        KOSME "\xf4\x90\x80\x80"
              "edited",
        false),
    ROW("6.5.1", KOSME, true),
    ROW("6.5.2", "abcdefgh" KOSME "abcdefgh", true),
    /* First and last of each length. */
    ROW("6.7.1", "\x00", true),
    ROW("6.7.2", "\xc2\x80", true),
    ROW("6.7.3", "\xe0\xa0\x80", true),
    ROW("6.7.4", "\xf0\x90\x80\x80", true),
    ROW("6.8.1", "\xf8\x88\x80\x80\x80", false),
    ROW("6.8.2", "\xfc\x84\x80\x80\x80\x80", false),
    ROW("6.9.1", "\x7f", true),
    ROW("6.9.2", "\xdf\xbf", true),
    ROW("6.9.3", "\xef\xbf\xbf", true),
    ROW("6.9.4", "\xf4\x8f\xbf\xbf", true),
    ROW("6.10.1", "\xf7\xbf\xbf\xbf", false),
    ROW("6.10.2", "\xfb\xbf\xbf\xbf\xbf", false),
    ROW("6.10.3", "\xfd\xbf\xbf\xbf\xbf\xbf", false),
    /* About the surrogates, the replacement character, the end. */
    ROW("6.11.1", "\xed\x9f\xbf", true),
    ROW("6.11.2", "\xee\x80\x80", true),
    ROW("6.11.3", "\xef\xbf\xbd", true),
    ROW("6.11.4", "\xf4\x8f\xbf\xbf", true),
    ROW("6.11.5", "\xf4\x90\x80\x80", false),
    /* Continuation bytes of nothing. */
    ROW("6.12.1", "\x80", false),
    ROW("6.12.2", "\xbf", false),
    ROW("6.12.3", "\x80\xbf", false),
    ROW("6.12.4", "\x80\xbf\x80", false),
    ROW("6.12.5", "\x80\xbf\x80\xbf", false),
    ROW("6.12.6", "\x80\xbf\x80\xbf\x80", false),
    ROW("6.12.7", "\x80\xbf\x80\xbf\x80\xbf", false),
    /* The last continuation byte is missing. */
    ROW("6.14.1", "\xc0", false),
    ROW("6.14.2", "\xe0\x80", false),
    ROW("6.14.3", "\xf0\x80\x80", false),
    ROW("6.14.4", "\xf8\x80\x80\x80", false),
    ROW("6.14.5", "\xfc\x80\x80\x80\x80", false),
    ROW("6.14.6", "\xdf", false),
    ROW("6.14.7", "\xef\xbf", false),
    ROW("6.14.8", "\xf7\xbf\xbf", false),
    ROW("6.14.9", "\xfb\xbf\xbf\xbf", false),
    ROW("6.14.10", "\xfd\xbf\xbf\xbf\xbf", false),
    ROW("6.15.1",
        "\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf\xfb"
        "\xbf\xbf\xbf\xfd\xbf\xbf\xbf\xbf",
        false),
    /* Bytes that are nowhere. */
    ROW("6.16.1", "\xfe", false),
    ROW("6.16.2", "\xff", false),
    ROW("6.16.3", "\xfe\xfe\xff\xff", false),
    /* Longer than need be: the slash, the largest of each length, NUL. */
    ROW("6.17.1", "\xc0\xaf", false),
    ROW("6.17.2", "\xe0\x80\xaf", false),
    ROW("6.17.3", "\xf0\x80\x80\xaf", false),
    ROW("6.17.4", "\xf8\x80\x80\x80\xaf", false),
    ROW("6.17.5", "\xfc\x80\x80\x80\x80\xaf", false),
    ROW("6.18.1", "\xc1\xbf", false),
    ROW("6.18.2", "\xe0\x9f\xbf", false),
    ROW("6.18.3", "\xf0\x8f\xbf\xbf", false),
    ROW("6.18.4", "\xf8\x87\xbf\xbf\xbf", false),
    ROW("6.18.5", "\xfc\x83\xbf\xbf\xbf\xbf", false),
    ROW("6.19.1", "\xc0\x80", false),
    ROW("6.19.2", "\xe0\x80\x80", false),
    ROW("6.19.3", "\xf0\x80\x80\x80", false),
    ROW("6.19.4", "\xf8\x80\x80\x80\x80", false),
    ROW("6.19.5", "\xfc\x80\x80\x80\x80\x80", false),
    /* Surrogates, alone and in pairs. */
    ROW("6.20.1", "\xed\xa0\x80", false),
    ROW("6.20.2", "\xed\xad\xbf", false),
    ROW("6.20.3", "\xed\xae\x80", false),
    ROW("6.20.4", "\xed\xaf\xbf", false),
    ROW("6.20.5", "\xed\xb0\x80", false),
    ROW("6.20.6", "\xed\xbe\x80", false),
    ROW("6.20.7", "\xed\xbf\xbf", false),
    ROW("6.21.1", "\xed\xa0\x80\xed\xb0\x80", false),
    ROW("6.21.2", "\xed\xa0\x80\xed\xbf\xbf", false),
    ROW("6.21.3", "\xed\xad\xbf\xed\xb0\x80", false),
    ROW("6.21.4", "\xed\xad\xbf\xed\xbf\xbf", false),
    ROW("6.21.5", "\xed\xae\x80\xed\xb0\x80", false),
    ROW("6.21.6", "\xed\xae\x80\xed\xbf\xbf", false),
    ROW("6.21.7", "\xed\xaf\xbf\xed\xb0\x80", false),
    ROW("6.21.8", "\xed\xaf\xbf\xed\xbf\xbf", false),
    /* Lead bytes whose character is complete, with one byte too many. */
    ROW("extra 2", "\xdf\xbf\x80", false),
    ROW("extra 3", "\xef\xbf\xbf\x80", false),
    ROW("extra 4", "\xf4\x8f\xbf\xbf\x80", false),
};

struct maker {
    struct utf8_case *cases;
    size_t count;
};

static void add(struct maker *maker, const char *number, const void *text, size_t length,
                bool is_valid) {
    ASSERT(maker->count < CASES_MAX);
    struct utf8_case *made = &maker->cases[maker->count++];
    *made = (struct utf8_case){
        .text = memory_copy_bytes(text, length), .length = length, .is_valid = is_valid};
    snprintf(made->number, sizeof made->number, "%s", number);
}

/* 6.6: a text that ends anywhere. */
static void add_beginnings(struct maker *maker) {
    static const char text[] = KOSME;
    static const bool is_end[] = {[2] = true, [5] = true, [7] = true, [9] = true, [11] = true};
    char number[12];
    for (size_t length = 1; length < sizeof text; length++) {
        snprintf(number, sizeof number, "6.6.%zu", length);
        add(maker, number, text, length, is_end[length]);
    }
}

/* 6.12.8: all continuation bytes in a row. */
static void add_continuations(struct maker *maker) {
    uint8_t text[64];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(0x80 + i);
    add(maker, "6.12.8", text, sizeof text, false);
}

/* 6.13: every lead byte, each followed by a blank; all of a kind in a row, and each alone. */
static void add_lonely_leads(struct maker *maker) {
    static const unsigned bounds[] = {0xc0, 0xe0, 0xf0, 0xf8, 0xfc, 0xfe};
    char number[12];
    for (size_t kind = 0; kind + 1 < sizeof bounds / sizeof bounds[0]; kind++) {
        uint8_t text[64];
        size_t length = 0;
        snprintf(number, sizeof number, "6.13.%zu", kind + 1);
        for (unsigned lead = bounds[kind]; lead < bounds[kind + 1]; lead++) {
            text[length++] = (uint8_t)lead;
            text[length++] = ' ';
            add(maker, number, text + length - 2, 2, false);
        }
        add(maker, number, text, length, false);
    }
}

static size_t encode(uint32_t point, uint8_t out[4]) {
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/* 6.22: the noncharacters at the end of each plane; 6.23: the specials. Both are valid. */
static void add_noncharacters(struct maker *maker) {
    char number[12];
    uint8_t text[4];
    for (uint32_t plane = 0; plane <= 16; plane++) {
        for (uint32_t i = 0; i < 2; i++) {
            snprintf(number, sizeof number, "6.22.%u", (unsigned)(2 * plane + i + 1));
            add(maker, number, text, encode(plane << 16 | (0xfffe + i), text), true);
        }
    }
    for (uint32_t i = 0; i < 7; i++) {
        snprintf(number, sizeof number, "6.23.%u", (unsigned)(i + 1));
        add(maker, number, text, encode(0xfff9 + i, text), true);
    }
}

struct utf8_case *utf8_cases_make(size_t *count) {
    struct maker maker = {.cases = memory_new_array(CASES_MAX, sizeof *maker.cases)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        add(&maker, rows[i].number, rows[i].text, rows[i].length, rows[i].is_valid);
    add_beginnings(&maker);
    add_continuations(&maker);
    add_lonely_leads(&maker);
    add_noncharacters(&maker);
    *count = maker.count;
    return maker.cases;
}

void utf8_cases_free(struct utf8_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++)
        free((void *)cases[i].text);
    free(cases);
}
