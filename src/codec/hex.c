#include "codec/hex.h"

#include <stdint.h>

static const char digits[] = "0123456789abcdef";

/* The four bits a digit stands for, or -1. */
static int value_of(uint8_t digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

void hex_encode(struct bytes bytes, char *out) {
    for (size_t i = 0; i < bytes.length; i++) {
        *out++ = digits[bytes.data[i] >> 4];
        *out++ = digits[bytes.data[i] & 0x0F];
    }
    *out = '\0';
}

bool hex_decode_exact(struct bytes text, void *out, size_t length_bytes) {
    if (text.length / 2 != length_bytes || text.length % 2 != 0) return false;
    uint8_t *place = out;
    for (size_t i = 0; i < text.length; i += 2) {
        int high = value_of(text.data[i]);
        int low = value_of(text.data[i + 1]);
        if (high < 0 || low < 0) return false;
        *place++ = (uint8_t)(high << 4 | low);
    }
    return true;
}
