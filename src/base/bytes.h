/*
 * A range of bytes that somebody else owns. Text from outside travels as bytes with a length: it
 * may hold NUL, and it need not be terminated.
 */
#ifndef LSYS_BASE_BYTES_H
#define LSYS_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data; /* may be NULL when length is 0 */
    size_t length;
};

/* A range from a pointer and a length. Here, as the next three, because
 * parsers do it for every token. */
static inline struct bytes bytes_of(const void *data, size_t length) {
    return (struct bytes){.data = data, .length = length};
}

/* The bytes of a NUL-terminated text, without its NUL. The text must outlive the result. */
static inline struct bytes bytes_of_text(const char *text) {
    return bytes_of(text, strlen(text));
}

/* True when both hold the same bytes. Not constant-time: never for secrets. */
static inline bool bytes_equal(struct bytes left, struct bytes right) {
    if (left.length != right.length) return false;
    return left.length == 0 || memcmp(left.data, right.data, left.length) == 0;
}

/* True when the bytes are exactly the text. Not constant-time. */
static inline bool bytes_equal_text(struct bytes bytes, const char *text) {
    return bytes_equal(bytes, bytes_of_text(text));
}

/* True when the bytes are UTF-8 as RFC 3629 has it: no overlong form, no surrogate, at most
 * U+10FFFF. */
bool bytes_are_utf8(struct bytes bytes);

/* The length of the UTF-8 character that the bytes begin with, 1 to 4, or 0 when they begin with
 * none. There is at least one byte. */
size_t bytes_utf8_character_length(struct bytes bytes);

/* The part without SP, TAB, CR and LF at both ends. */
struct bytes bytes_trim(struct bytes bytes);

#endif
