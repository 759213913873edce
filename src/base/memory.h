/*
 * Allocation with one policy. Small objects of our own (a timer, a route, a parsed claim) come from
 * memory_new and memory_copy_text: when even those fail the machine cannot run us, and the process
 * ends with one clear line. Memory whose size an outsider chooses (a message, a request body) comes
 * from memory_try or from a `struct buffer` with a limit, and its absence is an ordinary error.
 */
#ifndef LSYS_BASE_MEMORY_H
#define LSYS_BASE_MEMORY_H

#include <stddef.h>

/* Returns `size` zeroed bytes, owned by the caller, to be given to free(). Ends the process when
 * there is no memory. */
void *memory_new(size_t size_bytes) __attribute__((malloc, returns_nonnull));

/* As memory_new for `count` elements; ends the process also when the product overflows. */
void *memory_new_array(size_t count, size_t element_bytes) __attribute__((malloc, returns_nonnull));

/* Makes sure that an array (NULL: none yet) has room for one element behind `count`: with
 * `*capacity` elements in it, it is freed for a copy twice as large. Returns the array, owned by
 * the caller. Ends the process when there is no memory. */
void *memory_grow_array(void *array, size_t count, size_t *capacity, size_t element_bytes)
    __attribute__((returns_nonnull));

/* Returns `size` bytes that are not cleared, or NULL. For sizes that an outsider influences. */
void *memory_try(size_t size_bytes) __attribute__((malloc));

/* Resizes `memory` (may be NULL) to `size` bytes; returns NULL, leaving `memory` valid, on
 * failure. */
void *memory_try_resize(void *memory, size_t size_bytes);

/* Returns a copy of the text, owned by the caller. NULL stays NULL. */
char *memory_copy_text(const char *text);

/* Returns a NUL-terminated copy of `length` bytes, owned by the caller. */
char *memory_copy_bytes(const void *bytes, size_t length_bytes);

/* Overwrites `length` bytes in a way the compiler cannot remove. For keys and passphrases. */
void memory_wipe(void *memory, size_t length_bytes);

/* Overwrites and frees a secret text. NULL is accepted. */
void memory_free_secret(char *text);

/* True when both ranges hold the same `length` bytes; takes the same time wherever they differ. */
int memory_equal_constant_time(const void *left, const void *right, size_t length_bytes);

#endif
