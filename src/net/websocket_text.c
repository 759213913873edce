#include "net/websocket_text.h"

#include <string.h>

/* The top bit of each of eight bytes. */
#define NOT_ASCII 0x8080808080808080ULL

/* How many bytes at the front are ASCII, at least: whole words only. */
static size_t count_ascii_words(struct bytes bytes) {
    size_t at = 0;
    uint64_t word;
    while (bytes.length - at >= sizeof word) {
        memcpy(&word, bytes.data + at, sizeof word);
        if (word & NOT_ASCII) break;
        at += sizeof word;
    }
    return at;
}

/* What may follow a lead byte (Unicode, table 3-7): the bounds of the second byte exclude overlong
 * forms, surrogates and values past U+10FFFF. */
static bool begin_character(struct websocket_text *text, uint8_t lead) {
    if (lead < 0x80) return true;
    if (lead < 0xC2 || lead > 0xF4) return false;
    text->missing = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    text->lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    text->highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return true;
}

static bool go_on(struct websocket_text *text, uint8_t byte) {
    if (byte < text->lowest || byte > text->highest) return false;
    text->missing--;
    text->lowest = 0x80;
    text->highest = 0xBF;
    return true;
}

void websocket_text_begin(struct websocket_text *text) {
    *text = (struct websocket_text){.missing = 0};
}

bool websocket_text_add(struct websocket_text *text, struct bytes bytes) {
    size_t at = 0;
    while (at < bytes.length) {
        if (text->missing == 0)
            at += count_ascii_words(bytes_of(bytes.data + at, bytes.length - at));
        if (at == bytes.length) break;
        uint8_t byte = bytes.data[at++];
        bool is_fine = text->missing > 0 ? go_on(text, byte) : begin_character(text, byte);
        if (!is_fine) return false;
    }
    return true;
}

bool websocket_text_may_end(const struct websocket_text *text) {
    return text->missing == 0;
}
