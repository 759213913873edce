/*
 * A memory of signature verdicts, so that a token that comes again (every heartbeat's license,
 * every lookup in a cache) costs a hash instead of a signature. Only the verdict of the signature
 * is kept, never that of time, revocation or claims. The key is the SHA-256 of the whole token: it
 * covers the `kid`, which is the digest of the public key, so a verdict holds for any ring.
 * Changing one bit of a token, also in its signature or encoding, gives another key. Bounded; a
 * newer verdict evicts an older one in its place.
 */
#ifndef LSYS_VERIFIER_JWS_MEMO_H
#define LSYS_VERIFIER_JWS_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verifier/sha256.h"

/* Most verdicts a memo may be asked to hold, at 40 bytes each. */
#define JWS_MEMO_CAPACITY_MAX ((size_t)1 << 17)

enum jws_verdict { JWS_VERDICT_UNKNOWN, JWS_VERDICT_GOOD, JWS_VERDICT_BAD };

struct jws_memo;

/* An empty memo for `capacity` verdicts (rounded up to a power of two, bounded), owned by the
 * caller. A client needs 16; a cache, twice its number of licenses. */
struct jws_memo *jws_memo_new(size_t capacity);

/* NULL is harmless. */
void jws_memo_free(struct jws_memo *memo);

/* The verdict about the token with this digest. */
enum jws_verdict jws_memo_find(const struct jws_memo *memo, const uint8_t digest[SHA256_BYTES]);

/* Remembers a verdict. */
void jws_memo_add(struct jws_memo *memo, const uint8_t digest[SHA256_BYTES], bool good);

#endif
