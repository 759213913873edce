/*
 * Randomness from the kernel. For keys, nonces and jitter alike: one source, nothing to seed.
 */
#ifndef LSYS_BASE_RANDOM_H
#define LSYS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `length` bytes from getrandom(2). Ends the process if the kernel has no randomness to give:
 * going on with a guessable key would be worse. */
void random_bytes(void *out, size_t length_bytes);

/* A number in 0 .. bound - 1, each as likely as the other. `bound` is at least 1. */
uint64_t random_below(uint64_t bound);

#endif
