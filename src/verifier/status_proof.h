/*
 * The proof inside every `license.status` message: a `status+jwt` that a license server signs with
 * its own Ed25519 key. It carries that key (`cnf.jwk`, RFC 7800), so a reader can check the
 * signature at once; whether the key is one it accepts (license_accepts_server, or pinned) is for
 * the reader. Nothing in the message outside the proof is believed unless it agrees with it.
 *
 * A reader goes from cheap to dear: status_proof_read (form and claims), then its own judgement of
 * server_key.thumbprint, seq and rate, then status_proof_agrees, and only then status_proof_verify.
 */
#ifndef LSYS_VERIFIER_STATUS_PROOF_H
#define LSYS_VERIFIER_STATUS_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"
#include "verifier/claims.h"
#include "verifier/jwk.h"
#include "verifier/jws_memo.h"
#include "verifier/sha256.h"
#include "verifier/signer.h"

/* Longest status word, "expiring", with room. */
#define STATUS_PROOF_WORD_BYTES 16

/* Longest nonce: 128 bits are 22 characters of base64url; requesters may use up to this. */
#define STATUS_PROOF_NONCE_BYTES_MAX 64

/* Longest proof; ours have below 1 KiB. Checked before anything is decoded. */
#define STATUS_PROOF_TOKEN_BYTES_MAX ((size_t)4096)

/* Shortest and longest heartbeat interval that a proof may announce. */
#define STATUS_PROOF_HEARTBEAT_MIN_MS 10
#define STATUS_PROOF_HEARTBEAT_MAX_MS INT64_C(86400000)

struct status_proof {
    struct jwk server_key;                    /* cnf.jwk; its thumbprint is the header's kid */
    char server_id[CLAIM_TEXT_BYTES_MAX + 1]; /* iss */
    int64_t seq;                              /* 1 .. 2^53 - 1 */
    int64_t sent_at_ms;                       /* sent_at; iat is the same in whole seconds */
    int64_t heartbeat_interval_ms;
    char status[STATUS_PROOF_WORD_BYTES];      /* valid, expiring, grace, expired ... */
    char license_id[CLAIM_TEXT_BYTES_MAX + 1]; /* "" when there is no license */
    int64_t serial;                            /* 0 when there is no license */
    char token_sha256[SHA256_TEXT_BYTES];      /* of the license's token; "" when there is none */
    char nonce[STATUS_PROOF_NONCE_BYTES_MAX + 1]; /* "" unless this answers a request */
};

/* Reads a proof without checking its signature: size, form, `typ`, that `kid` is the thumbprint of
 * cnf.jwk, claims. Keeps nothing of `token`. */
bool status_proof_read(struct bytes token, struct status_proof *out,
                       struct status *status) MUST_CHECK;

/* Checks the signature of the token that status_proof_read gave `proof` for. `memo` may be NULL. */
bool status_proof_verify(struct bytes token, const struct status_proof *proof,
                         struct jws_memo *memo, struct status *status) MUST_CHECK;

/* True when the message around the proof says the same: server_id, seq, sent_at,
 * heartbeat_interval_ms, license.status, license.license_id, license.serial (absent or null for ""
 * and 0), and the SHA-256 of `token` where the message has one. Else STATUS_BAD_CLAIM naming the
 * field. */
bool status_proof_agrees(const struct status_proof *proof, const struct json_value *message,
                         struct status *status) MUST_CHECK;

/* Appends the signed proof to `token`, which is empty. `server_key` of the proof is not used: the
 * signer's is. `exp` is two heartbeats and a minute after sent_at, for readers that check with an
 * ordinary JWT library. */
bool status_proof_sign(const struct status_proof *proof, const struct signer *signer,
                       struct buffer *token, struct status *status) MUST_CHECK;

#endif
