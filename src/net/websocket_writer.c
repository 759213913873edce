#include "net/websocket_frames.h"

#include <string.h>

#include "base/assertion.h"

static size_t put_big_endian(uint8_t *out, uint64_t value, size_t length) {
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(value >> 8 * (length - 1 - i));
    return length;
}

size_t websocket_write_header(uint8_t out[WEBSOCKET_HEADER_BYTES_MAX], enum websocket_opcode opcode,
                              bool is_final, uint64_t length, const uint8_t *mask) {
    uint8_t mask_bit = mask ? 0x80 : 0;
    size_t used = 2;
    out[0] = (uint8_t)((is_final ? 0x80U : 0U) | (unsigned)opcode);
    if (length <= 125) {
        out[1] = (uint8_t)(mask_bit | length);
    } else if (length <= UINT16_MAX) {
        out[1] = mask_bit | 126;
        used += put_big_endian(out + 2, length, 2);
    } else {
        out[1] = mask_bit | 127;
        used += put_big_endian(out + 2, length, 8);
    }
    if (mask) {
        memcpy(out + used, mask, WEBSOCKET_MASK_BYTES);
        used += WEBSOCKET_MASK_BYTES;
    }
    return used;
}

size_t websocket_apply_mask(uint8_t *out, const uint8_t *in, size_t length,
                            const uint8_t mask[WEBSOCKET_MASK_BYTES], size_t mask_at) {
    uint8_t pattern[sizeof(uint64_t)];
    uint64_t pattern_word, word;
    size_t at = 0;
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = mask[(mask_at + i) % WEBSOCKET_MASK_BYTES];
    memcpy(&pattern_word, pattern, sizeof pattern);
    for (; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, in + at, sizeof word);
        word ^= pattern_word;
        memcpy(out + at, &word, sizeof word);
    }
    for (size_t i = 0; at < length; i++, at++)
        out[at] = in[at] ^ pattern[i];
    return (mask_at + length) % WEBSOCKET_MASK_BYTES;
}

/* The longest front part of at most `limit` bytes that ends between two characters. */
static size_t cut_text(struct bytes text, size_t limit) {
    size_t length = text.length;
    if (length <= limit) return length;
    length = limit;
    while (length > 0 && (text.data[length] & 0xC0) == 0x80)
        length--;
    return length;
}

size_t websocket_write_close(uint8_t out[WEBSOCKET_CONTROL_BYTES_MAX], unsigned code,
                             struct bytes reason) {
    if (code == WEBSOCKET_CLOSE_NO_CODE) return 0;
    ASSERT(websocket_close_code_is_sendable(code) && bytes_are_utf8(reason));
    size_t used = put_big_endian(out, code, 2);
    size_t length = cut_text(reason, WEBSOCKET_REASON_BYTES_MAX);
    if (length > 0) memcpy(out + used, reason.data, length);
    return used + length;
}
