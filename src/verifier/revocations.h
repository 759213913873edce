/*
 * Revocation lists (`revocations+jwt`): which licenses the vendor has taken back, why and when. A
 * list has a serial that only grows; whoever keeps one never replaces it by an older one. Past its
 * `exp` a list stays in force, since dropping it would un-revoke: revocations_is_old tells that a
 * newer one should have come.
 */
#ifndef LSYS_VERIFIER_REVOCATIONS_H
#define LSYS_VERIFIER_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"
#include "verifier/claims.h"
#include "verifier/jws.h"
#include "verifier/key_ring.h"
#include "verifier/signer.h"

/* Most entries; a token of the largest size holds about as many. */
#define REVOCATIONS_ENTRIES_MAX 4096

struct revocation {
    char *license_id; /* jti; owned */
    char *reason;     /* owned, "" when none is given */
    int64_t revoked_at_ms;
};

struct revocations {
    char issuer[CLAIM_TEXT_BYTES_MAX + 1];
    int64_t serial;
    int64_t issued_at_ms;
    int64_t expires_at_ms;      /* INT64_MAX when the list has no exp */
    struct revocation *entries; /* sorted by license_id (strcmp); owned */
    size_t count;
};

/* An empty list, owned by the caller. */
struct revocations *revocations_new(void);

/* NULL is harmless. */
void revocations_free(struct revocations *revocations);

/* Verifies a bare token with the ring's keys for revocations, including the key's window at its
 * iat, and reads it. Returns a list, owned by the caller, or NULL with a code of verifier/jws.h,
 * STATUS_KEY_NOT_VALID or STATUS_BAD_CLAIM. */
struct revocations *revocations_verify(struct bytes token, const struct key_ring *ring,
                                       struct jws_memo *memo, struct status *status) MUST_CHECK;

/* The entry of a license, or NULL. NULL for a NULL list. */
const struct revocation *revocations_find(const struct revocations *revocations,
                                          const char *license_id);

/* True when the list is past its exp: it stays in force, and somebody should be told. */
bool revocations_is_old(const struct revocations *revocations, int64_t now_ms);

/* For issuing. Adds an entry; one that is there already keeps its time and gets the new reason.
 * STATUS_USAGE for texts that are not fit, STATUS_TOO_LARGE when the list is full. */
bool revocations_add(struct revocations *revocations, const char *license_id, const char *reason,
                     int64_t revoked_at_ms, struct status *status) MUST_CHECK;

/* For issuing. Takes an entry out; false when there is none. */
bool revocations_remove(struct revocations *revocations, const char *license_id);

/* Appends the signed token to `token`, which is empty. */
bool revocations_sign(const struct revocations *revocations, const struct signer *signer,
                      struct buffer *token, struct status *status) MUST_CHECK;

#endif
