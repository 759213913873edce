/*
 * What base64 and base64url share: the same bit arithmetic over two alphabets. For this folder
 * only.
 */
#ifndef LSYS_CODEC_BASE64_ALPHABET_H
#define LSYS_CODEC_BASE64_ALPHABET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* The last two of the 64 characters; the first 62 are A-Z, a-z, 0-9 in both alphabets. */
struct base64_alphabet {
    char character_62;
    char character_63;
};

/* True when the character is one of the 64. */
bool base64_alphabet_has(const struct base64_alphabet *alphabet, uint8_t character);

/* Writes the characters without padding and returns how many. */
size_t base64_encode_unpadded(const struct base64_alphabet *alphabet, struct bytes bytes,
                              char *out);

/* Writes the bytes of a text without padding, text.length * 3 / 4 of them, rounded down, to `out`.
 * False when it has a character outside the alphabet, an impossible length, or left-over bits that
 * are not zero. */
bool base64_decode_unpadded(const struct base64_alphabet *alphabet, struct bytes text,
                            uint8_t *out);

#endif
