/*
 * The keys that are trusted, and for what. A ring is filled from JWK sets that the operator
 * configured (no validity window) and from a keyring token signed by the vendor's root (windows),
 * and is then asked by `typ` and `kid`. A `kid` is an opaque text, compared with thumbprints that
 * we computed; it is never a path, a query or a URL.
 */
#ifndef LSYS_VERIFIER_KEY_RING_H
#define LSYS_VERIFIER_KEY_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/jwk.h"
#include "verifier/token_type.h"

/* Most keys in a ring: a vendor rotates yearly, so this is decades; and a lookup is a short
 * scan. */
#define KEY_RING_KEYS_MAX 64

/* Longest JWK set: 64 keys of about 300 bytes, with room for members we do not read. */
#define KEY_RING_JWKS_BYTES_MAX (64 * 1024)

/* A window without an end. */
#define KEY_RING_ALWAYS_FROM_MS INT64_MIN
#define KEY_RING_FOREVER_MS     INT64_MAX

struct key_ring_entry {
    struct jwk key;
    uint32_t uses; /* TOKEN_USE bits */
    /* A token signed by this key counts when not_before <= iat < not_after. */
    int64_t not_before_ms;
    int64_t not_after_ms;
};

struct key_ring {
    struct key_ring_entry entries[KEY_RING_KEYS_MAX];
    size_t count;
};

/* An empty ring, owned by the caller, to be given to key_ring_free. */
struct key_ring *key_ring_new(void);

/* NULL is harmless. */
void key_ring_free(struct key_ring *ring);

/* Adds a key for the given uses within a window. For each use a key has one window, the one added
 * last; its other uses keep theirs: a root that also signs licenses for a year stays a root.
 * STATUS_MALFORMED for a point off its curve, STATUS_TOO_LARGE when the ring is full. */
bool key_ring_add(struct key_ring *ring, const struct jwk *key, uint32_t uses,
                  int64_t not_before_ms, int64_t not_after_ms, struct status *status) MUST_CHECK;

/* Adds all keys of a JWK set (RFC 7517, section 5), or of one bare JWK, without a window. All or
 * nothing: a set with an unusable key is refused, naming its index, and the ring stays as it
 * was. */
bool key_ring_add_jwks(struct key_ring *ring, struct bytes text, uint32_t uses,
                       struct status *status) MUST_CHECK;

/* The entry with the use of `type` and the thumbprint `kid`, or NULL. */
const struct key_ring_entry *key_ring_find(const struct key_ring *ring, enum token_type type,
                                           const char *kid);

/* True when the ring holds at least one key for `type`. */
bool key_ring_has_use(const struct key_ring *ring, enum token_type type);

/* False with STATUS_KEY_NOT_VALID when a token issued (`iat`) at `issued_at_ms` is outside the
 * entry's window. See verifier/keyring_token.h for what the window means. */
bool key_ring_check_window(const struct key_ring_entry *entry, int64_t issued_at_ms,
                           struct status *status) MUST_CHECK;

/* Appends the keys that have any of `uses` as a JWK set. */
void key_ring_write_jwks(const struct key_ring *ring, uint32_t uses, struct json_writer *writer);

#endif
