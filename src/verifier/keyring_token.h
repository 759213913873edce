/*
 * Key rings as tokens (`keyring+jwt`): the vendor's root says which keys sign now, for what, and
 * within which window of time, so that signing keys can be rotated without touching a customer's
 * machine.
 *
 * What a window means. A token signed by a key counts only if it was issued, by its own `iat`,
 * inside the key's window: not_before <= iat < not_after. The present time does not matter: a
 * license issued in time by a key that has since retired stays valid until its own exp, and nothing
 * that the key signs after its window counts. Overlapping windows let the next key begin before the
 * last one ends. Retiring trusts the key's holder about `iat`. A key that was stolen can write any
 * iat; it is not retired but left out of the next key ring, and everything it ever signed is
 * refused as unknown_key.
 *
 * A key ring in force replaces the configured vendor keys: for licenses and revocations only its
 * keys count, also if an operator's JWK set still holds others. Its serial only grows. Past its
 * `exp` it stays in force, as a revocation list does.
 */
#ifndef LSYS_VERIFIER_KEYRING_TOKEN_H
#define LSYS_VERIFIER_KEYRING_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/claims.h"
#include "verifier/jws.h"
#include "verifier/key_ring.h"
#include "verifier/signer.h"

struct keyring_token {
    char issuer[CLAIM_TEXT_BYTES_MAX + 1];
    int64_t serial;
    int64_t issued_at_ms;
    int64_t expires_at_ms; /* INT64_MAX when it has no exp */
    struct key_ring keys;
};

/* An empty one, owned by the caller. */
struct keyring_token *keyring_token_new(void);

/* NULL is harmless. */
void keyring_token_free(struct keyring_token *token);

/* Verifies a bare token with the root keys (those of `roots` with the use TOKEN_KEYRING) and reads
 * it. Returns what it says, owned by the caller, or NULL with a code of verifier/jws.h or
 * STATUS_BAD_CLAIM. A key may have any use but keyring: roots are configured, never delegated. */
struct keyring_token *keyring_token_verify(struct bytes token, const struct key_ring *roots,
                                           struct jws_memo *memo, struct status *status) MUST_CHECK;

/* Puts it in force: removes from `ring` all keys' uses for licenses and revocations, then adds its
 * keys with their windows. All or nothing: STATUS_TOO_LARGE when they do not fit, and the ring is
 * as before. */
bool keyring_token_apply(const struct keyring_token *token, struct key_ring *ring,
                         struct status *status) MUST_CHECK;

/* Appends the token signed by a root to `out`, which is empty. STATUS_USAGE when a window is
 * empty. */
bool keyring_token_sign(const struct keyring_token *token, const struct signer *root,
                        struct buffer *out, struct status *status) MUST_CHECK;

#endif
