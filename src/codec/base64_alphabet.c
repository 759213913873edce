#include "codec/base64_alphabet.h"

#define BITS_PER_CHARACTER 6
#define LOWEST_6_BITS      0x3F

static const char first_62[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static char character_of(const struct base64_alphabet *alphabet, uint32_t value) {
    if (value == 62) return alphabet->character_62;
    if (value == 63) return alphabet->character_63;
    return first_62[value];
}

/* The six bits a character stands for, or -1. */
static int value_of(const struct base64_alphabet *alphabet, uint8_t character) {
    if (character >= 'A' && character <= 'Z') return character - 'A';
    if (character >= 'a' && character <= 'z') return character - 'a' + 26;
    if (character >= '0' && character <= '9') return character - '0' + 52;
    if (character == (uint8_t)alphabet->character_62) return 62;
    if (character == (uint8_t)alphabet->character_63) return 63;
    return -1;
}

bool base64_alphabet_has(const struct base64_alphabet *alphabet, uint8_t character) {
    return value_of(alphabet, character) >= 0;
}

size_t base64_encode_unpadded(const struct base64_alphabet *alphabet, struct bytes bytes,
                              char *out) {
    size_t written = 0;
    uint32_t pending = 0; /* bits read and not yet written, the lowest `pending_bits` count */
    unsigned pending_bits = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        pending = (pending << 8 | bytes.data[i]) & 0xFFFF;
        pending_bits += 8;
        while (pending_bits >= BITS_PER_CHARACTER) {
            pending_bits -= BITS_PER_CHARACTER;
            out[written++] = character_of(alphabet, pending >> pending_bits & LOWEST_6_BITS);
        }
    }
    if (pending_bits > 0) {
        uint32_t last = pending << (BITS_PER_CHARACTER - pending_bits) & LOWEST_6_BITS;
        out[written++] = character_of(alphabet, last);
    }
    return written;
}

bool base64_decode_unpadded(const struct base64_alphabet *alphabet, struct bytes text,
                            uint8_t *out) {
    if (text.length % 4 == 1) return false; /* six bits are no byte */
    size_t written = 0;
    uint32_t pending = 0;
    unsigned pending_bits = 0;
    for (size_t i = 0; i < text.length; i++) {
        int value = value_of(alphabet, text.data[i]);
        if (value < 0) return false;
        pending = (pending << BITS_PER_CHARACTER | (uint32_t)value) & 0xFFFF;
        pending_bits += BITS_PER_CHARACTER;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            out[written++] = (uint8_t)(pending >> pending_bits);
        }
    }
    return (pending & ((1U << pending_bits) - 1)) == 0;
}
