#include "codec/base32.h"

#include <stdint.h>

#define BITS_PER_CHARACTER 5
#define LOWEST_5_BITS      0x1F

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* The five bits a character stands for, or -1. */
static int value_of(uint8_t character) {
    if (character >= 'A' && character <= 'Z') return character - 'A';
    if (character >= '2' && character <= '7') return character - '2' + 26;
    return -1;
}

void base32_encode(struct bytes bytes, char *out) {
    uint32_t pending = 0; /* bits read and not yet written, the lowest `pending_bits` count */
    unsigned pending_bits = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        pending = (pending << 8 | bytes.data[i]) & 0xFFFF;
        pending_bits += 8;
        while (pending_bits >= BITS_PER_CHARACTER) {
            pending_bits -= BITS_PER_CHARACTER;
            *out++ = alphabet[pending >> pending_bits & LOWEST_5_BITS];
        }
    }
    if (pending_bits > 0)
        *out++ = alphabet[pending << (BITS_PER_CHARACTER - pending_bits) & LOWEST_5_BITS];
    *out = '\0';
}

bool base32_decode_exact(struct bytes text, void *out, size_t length_bytes) {
    if (text.length != BASE32_LENGTH(length_bytes)) return false;
    uint8_t *place = out;
    uint32_t pending = 0;
    unsigned pending_bits = 0;
    for (size_t i = 0; i < text.length; i++) {
        int value = value_of(text.data[i]);
        if (value < 0) return false;
        pending = (pending << BITS_PER_CHARACTER | (uint32_t)value) & 0xFFFF;
        pending_bits += BITS_PER_CHARACTER;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            *place++ = (uint8_t)(pending >> pending_bits);
        }
    }
    return (pending & ((1U << pending_bits) - 1)) == 0;
}
