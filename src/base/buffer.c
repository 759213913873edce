#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"

#define SMALLEST_CAPACITY_BYTES 64 /* fewer would be spent on the allocator's own header */

void buffer_init(struct buffer *buffer, size_t limit_bytes) {
    /* One byte is kept for the NUL, so that length + 1 cannot overflow. */
    ASSERT(limit_bytes < SIZE_MAX);
    *buffer = (struct buffer){.limit = limit_bytes};
}

void buffer_free(struct buffer *buffer) {
    free(buffer->data);
    buffer_init(buffer, buffer->limit);
}

void buffer_wipe(struct buffer *buffer) {
    if (buffer->data) memory_wipe(buffer->data, buffer->capacity);
    buffer_free(buffer);
}

void buffer_clear(struct buffer *buffer) {
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->data) buffer->data[0] = '\0';
}

/* Doubles, so that n appends cost O(n), but never past what the limit can use. */
static size_t grown_capacity(const struct buffer *buffer, size_t needed) {
    size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST_CAPACITY_BYTES;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    return capacity > buffer->limit + 1 ? buffer->limit + 1 : capacity;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t length_bytes) {
    if (buffer->failed || length_bytes > buffer->limit - buffer->length) {
        buffer->failed = true;
        return NULL;
    }
    size_t needed = buffer->length + length_bytes + 1;
    if (needed > buffer->capacity) {
        size_t capacity = grown_capacity(buffer, needed);
        uint8_t *data = memory_try_resize(buffer->data, capacity);
        if (!data) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void buffer_added(struct buffer *buffer, size_t length_bytes) {
    ASSERT(length_bytes < buffer->capacity - buffer->length);
    buffer->length += length_bytes;
    buffer->data[buffer->length] = '\0';
}

bool buffer_append_growing(struct buffer *buffer, const void *bytes, size_t length_bytes) {
    uint8_t *place = buffer_reserve(buffer, length_bytes);
    if (!place) return false;
    if (length_bytes) memcpy(place, bytes, length_bytes);
    buffer_added(buffer, length_bytes);
    return true;
}

bool buffer_append_format(struct buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ASSERT(length >= 0);

    uint8_t *place = buffer_reserve(buffer, (size_t)length);
    if (!place) return false;
    va_start(arguments, format);
    vsnprintf((char *)place, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer_added(buffer, (size_t)length);
    return true;
}

void buffer_drop_front(struct buffer *buffer, size_t length_bytes) {
    ASSERT(length_bytes <= buffer->length);
    if (length_bytes == 0) return;
    buffer->length -= length_bytes;
    memmove(buffer->data, buffer->data + length_bytes, buffer->length);
    buffer->data[buffer->length] = '\0';
}

struct bytes buffer_bytes(const struct buffer *buffer) {
    return bytes_of(buffer->data, buffer->length);
}

const char *buffer_text(const struct buffer *buffer) {
    return buffer->data ? (const char *)buffer->data : "";
}

char *buffer_take_text(struct buffer *buffer) {
    char *text = buffer->data ? (char *)buffer->data : memory_copy_text("");
    buffer_init(buffer, buffer->limit);
    return text;
}

bool buffer_check(const struct buffer *buffer, const char *what, struct status *status) {
    if (!buffer->failed) return true;
    return status_fail(status, STATUS_TOO_LARGE, "%s does not fit in %zu bytes", what,
                       buffer->limit);
}
