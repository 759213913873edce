/*
 * The hash of the broker's tables: keyed, so that nobody outside can choose names that collide, and
 * short, because it runs once for each message. Two multiplications for every 16 bytes, folding the
 * 128-bit product. Not a cryptographic hash.
 */
#ifndef LSYS_BROKER_HASH_H
#define LSYS_BROKER_HASH_H

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

/* Mixes two words into one: both halves of their product. */
static inline uint64_t hash_fold(uint64_t left, uint64_t right) {
    unsigned __int128 product = (unsigned __int128)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The last 0 to 8 bytes of a name as one word, without reading outside it. */
static inline uint64_t hash_word(const uint8_t *data, size_t length) {
    uint64_t word = 0;
    if (length >= 4) {
        uint32_t first, last;
        memcpy(&first, data, 4);
        memcpy(&last, data + length - 4, 4);
        word = ((uint64_t)first << 32) | last;
    } else if (length > 0) {
        word = ((uint64_t)data[0] << 16) | ((uint64_t)data[length >> 1] << 8) | data[length - 1];
    }
    return word;
}

/* The hash of a name under a random odd key. */
static inline uint64_t hash_name(struct bytes name, uint64_t key) {
    const uint8_t *data = name.data;
    size_t left = name.length;
    uint64_t state = key ^ (left * 0x9e3779b97f4a7c15U);
    while (left > 16) {
        uint64_t words[2];
        memcpy(words, data, 16);
        state = hash_fold(words[0] ^ state, words[1] ^ key);
        data += 16;
        left -= 16;
    }
    if (left > 8) return hash_fold(hash_word(data, 8) ^ state, hash_word(data + left - 8, 8) ^ key);
    return hash_fold(hash_word(data, left) ^ state, key);
}

#endif
