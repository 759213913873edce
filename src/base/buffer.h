/*
 * A growing byte buffer with a limit. Appending never fails half-way: either all bytes are in, or
 * the buffer is marked as failed and every later append does nothing, so that a writer can append
 * many pieces and ask once at the end. A buffer always has a NUL after its last byte once anything
 * was appended, so that text can be passed on as a C string.
 */
#ifndef LSYS_BASE_BUFFER_H
#define LSYS_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"

struct buffer {
    uint8_t *data;   /* owned; NULL while nothing was appended */
    size_t length;   /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* `length` never exceeds this */
    bool failed;     /* an append was refused: over the limit or no memory */
};

/* Makes an empty buffer that refuses to hold more than `limit_bytes`. Allocates nothing yet. */
void buffer_init(struct buffer *buffer, size_t limit_bytes);

/* Frees the bytes and leaves an empty buffer with the same limit, usable again. */
void buffer_free(struct buffer *buffer);

/* As buffer_free, after overwriting the bytes. For secrets. */
void buffer_wipe(struct buffer *buffer);

/* Empties the buffer and keeps its memory; also clears `failed`. */
void buffer_clear(struct buffer *buffer);

/* Appends formatted text. */
bool buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Makes room for `length_bytes` more and returns where they go, or NULL (and failed). The caller
 * writes at most that many and then calls buffer_added. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t length_bytes);

/* Counts bytes written at the place that buffer_reserve returned. */
void buffer_added(struct buffer *buffer, size_t length_bytes);

/* buffer_append where the memory has to grow, or the limit is in the way. */
bool buffer_append_growing(struct buffer *buffer, const void *bytes, size_t length_bytes);

/* Appends bytes. Returns false, and marks the buffer as failed, when they do not fit. Here, as the
 * next, because everything that is written is written in many small pieces. */
static inline bool buffer_append(struct buffer *buffer, const void *bytes, size_t length_bytes) {
    bool fits = !buffer->failed && length_bytes < buffer->capacity - buffer->length &&
                length_bytes <= buffer->limit - buffer->length;
    if (!fits) return buffer_append_growing(buffer, bytes, length_bytes);
    if (length_bytes) memcpy(buffer->data + buffer->length, bytes, length_bytes);
    buffer->length += length_bytes;
    buffer->data[buffer->length] = '\0';
    return true;
}

/* Appends a NUL-terminated text. */
static inline bool buffer_append_text(struct buffer *buffer, const char *text) {
    return buffer_append(buffer, text, strlen(text));
}

/* Removes the first `length_bytes`, moving the rest to the front. */
void buffer_drop_front(struct buffer *buffer, size_t length_bytes);

/* The content, valid until the next change of the buffer. */
struct bytes buffer_bytes(const struct buffer *buffer);

/* The content as a C string ("" when empty), valid until the next change. */
const char *buffer_text(const struct buffer *buffer);

/* Hands the bytes to the caller, who frees them; the buffer is empty afterwards. Never NULL. */
char *buffer_take_text(struct buffer *buffer);

/* False, with STATUS_TOO_LARGE or STATUS_NO_MEMORY and `what` in the text, when any append
 * failed. */
bool buffer_check(const struct buffer *buffer, const char *what, struct status *status);

#endif
