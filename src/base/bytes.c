#include "base/bytes.h"

/* The bounds of the second byte exclude overlong forms, surrogates and values past U+10FFFF
 * (Unicode, table 3-7). */
size_t bytes_utf8_character_length(struct bytes bytes) {
    const uint8_t *at = bytes.data;
    uint8_t lead = at[0];
    if (lead < 0x80) return 1;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || bytes.length < length) return 0;
    uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < lowest || at[1] > highest) return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return length;
}

bool bytes_are_utf8(struct bytes bytes) {
    size_t at = 0;
    while (at < bytes.length) {
        size_t length = bytes_utf8_character_length(bytes_of(bytes.data + at, bytes.length - at));
        if (length == 0) return false;
        at += length;
    }
    return true;
}

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct bytes bytes_trim(struct bytes bytes) {
    while (bytes.length && is_blank(bytes.data[0])) {
        bytes.data++;
        bytes.length--;
    }
    while (bytes.length && is_blank(bytes.data[bytes.length - 1]))
        bytes.length--;
    return bytes;
}
