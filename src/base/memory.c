#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of an array that memory_grow_array makes. */
#define FIRST_CAPACITY 4

static _Noreturn void out_of_memory(size_t size_bytes) {
    fprintf(stderr, "lsys: out of memory (%zu bytes wanted)\n", size_bytes);
    abort();
}

void *memory_new(size_t size_bytes) {
    return memory_new_array(1, size_bytes);
}

void *memory_new_array(size_t count, size_t element_bytes) {
    /* calloc(0) may return NULL, which callers would take for a failure. */
    void *memory = calloc(count ? count : 1, element_bytes ? element_bytes : 1);
    if (!memory) out_of_memory(count * element_bytes);
    return memory;
}

void *memory_grow_array(void *array, size_t count, size_t *capacity, size_t element_bytes) {
    if (count < *capacity) return array;
    *capacity = *capacity ? 2 * *capacity : FIRST_CAPACITY;
    void *larger = memory_new_array(*capacity, element_bytes);
    if (count > 0) memcpy(larger, array, count * element_bytes);
    free(array);
    return larger;
}

void *memory_try(size_t size_bytes) {
    return malloc(size_bytes ? size_bytes : 1);
}

void *memory_try_resize(void *memory, size_t size_bytes) {
    return realloc(memory, size_bytes ? size_bytes : 1);
}

char *memory_copy_text(const char *text) {
    return text ? memory_copy_bytes(text, strlen(text)) : NULL;
}

char *memory_copy_bytes(const void *bytes, size_t length_bytes) {
    if (length_bytes == SIZE_MAX) out_of_memory(length_bytes);
    char *copy = memory_new(length_bytes + 1);
    if (length_bytes) memcpy(copy, bytes, length_bytes);
    return copy;
}

void memory_wipe(void *memory, size_t length_bytes) {
    explicit_bzero(memory, length_bytes);
}

void memory_free_secret(char *text) {
    if (text == NULL) return;
    memory_wipe(text, strlen(text));
    free(text);
}

int memory_equal_constant_time(const void *left, const void *right, size_t length_bytes) {
    const volatile unsigned char *a = left;
    const volatile unsigned char *b = right;
    unsigned char difference = 0;
    for (size_t i = 0; i < length_bytes; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}
