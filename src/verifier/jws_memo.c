#include "verifier/jws_memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct slot {
    uint8_t digest[SHA256_BYTES];
    enum jws_verdict verdict; /* JWS_VERDICT_UNKNOWN: empty */
};

/* Direct-mapped: a digest has one place. Whoever forges tokens so that they collide makes us
 * compute a signature again, and nothing else. */
struct jws_memo {
    size_t mask; /* number of slots - 1, a power of two - 1 */
    struct slot slots[];
};

struct jws_memo *jws_memo_new(size_t capacity) {
    size_t count = 1;
    while (count < capacity && count < JWS_MEMO_CAPACITY_MAX)
        count *= 2;
    struct jws_memo *memo = memory_new(sizeof *memo + count * sizeof memo->slots[0]);
    memo->mask = count - 1;
    return memo;
}

void jws_memo_free(struct jws_memo *memo) {
    free(memo);
}

static size_t place_of(const struct jws_memo *memo, const uint8_t digest[SHA256_BYTES]) {
    uint64_t start;
    memcpy(&start, digest, sizeof start);
    return (size_t)(start & memo->mask);
}

enum jws_verdict jws_memo_find(const struct jws_memo *memo, const uint8_t digest[SHA256_BYTES]) {
    const struct slot *slot = &memo->slots[place_of(memo, digest)];
    return memcmp(slot->digest, digest, SHA256_BYTES) == 0 ? slot->verdict : JWS_VERDICT_UNKNOWN;
}

void jws_memo_add(struct jws_memo *memo, const uint8_t digest[SHA256_BYTES], bool good) {
    struct slot *slot = &memo->slots[place_of(memo, digest)];
    memcpy(slot->digest, digest, SHA256_BYTES);
    slot->verdict = good ? JWS_VERDICT_GOOD : JWS_VERDICT_BAD;
}
