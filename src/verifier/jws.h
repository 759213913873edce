/*
 * Signed tokens: JSON Web Signature in compact form (RFC 7515, section 7.1), read strictly. There
 * is one way to write a token, and each way of being wrong has its own code:
 *
 *   STATUS_TOO_LARGE             over JWS_TOKEN_BYTES_MAX, or a header over JWS_HEADER_BYTES_MAX
 *   STATUS_MALFORMED             not three parts, an empty part, characters that no token has
 *   STATUS_TRAILING_BYTES        something after the third part
 *   STATUS_BAD_ENCODING          a part is not canonical base64url
 *   STATUS_BAD_JSON              the header or the payload is not a JSON object
 *   STATUS_DUPLICATE_MEMBER      it names a member twice
 *   STATUS_FORBIDDEN_HEADER      jwk, jku, x5u, x5c, x5t, x5t#S256, b64, zip, enc
 *   STATUS_UNKNOWN_CRITICAL      any `crit`: we implement no extension (RFC 7515, section 4.1.11)
 *   STATUS_WRONG_ALGORITHM       `alg` is not exactly ES256 or EdDSA, or not the key's
 *   STATUS_BAD_SIGNATURE_LENGTH  not exactly 64 bytes (also DER)
 *   STATUS_WRONG_TYPE            `typ` is not exactly the one expected
 *   STATUS_UNKNOWN_KEY           `kid` is missing or no key of the ring for this `typ` has it
 *   STATUS_BAD_SIGNATURE
 *
 * They are checked in this order, so that size, form, `typ` and `kid` are settled before any
 * signature is computed. The payload is parsed when it is first asked for.
 */
#ifndef LSYS_VERIFIER_JWS_H
#define LSYS_VERIFIER_JWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"
#include "verifier/jwk.h"
#include "verifier/jws_memo.h"
#include "verifier/key_ring.h"
#include "verifier/signer.h"
#include "verifier/token_type.h"

/* Largest token. A license has about 1 KiB; a revocation list of 2,000 entries fits; and a status
 * message with license, key ring and revocations stays below NATS's 1 MiB. */
#define JWS_TOKEN_BYTES_MAX ((size_t)256 * 1024)

/* Largest header, encoded. Ours have 120 bytes. */
#define JWS_HEADER_BYTES_MAX ((size_t)4096)

/* A parsed token. It borrows the token's bytes, which must outlive it. */
struct jws {
    struct bytes token;           /* the whole, borrowed */
    struct bytes signing_input;   /* header '.' payload, as it was signed, borrowed */
    struct json_document *header; /* owned */
    enum jwk_type algorithm;      /* what the header's `alg` says */
    const char *typ;              /* borrowed from the header; never NULL */
    const char *kid;              /* borrowed from the header; "" when it has none */
    struct buffer payload;        /* decoded, owned; not trusted before jws_verify */
    struct json_document *claims; /* parsed payload, owned; NULL before jws_claims */
    uint8_t signature[SIGNATURE_BYTES];
};

/* Reads the form of a token, up to the length of its signature. Trusts nothing and computes no
 * signature. On success the caller gives `out` to jws_free; on failure there is nothing to free. */
bool jws_parse(struct bytes token, struct jws *out, struct status *status) MUST_CHECK;

/* Frees what jws_parse made; harmless when done twice. */
void jws_free(struct jws *jws);

/* Checks `typ`, `kid`, the key's algorithm and the signature. `memo` (may be NULL) remembers the
 * signature's verdict. `*entry` (may be NULL) gets the ring's entry that verified it. Not the
 * window and not the claims: those are the caller's. */
bool jws_verify(const struct jws *jws, enum token_type type, const struct key_ring *ring,
                struct jws_memo *memo, const struct key_ring_entry **entry,
                struct status *status) MUST_CHECK;

/* As jws_verify against one key, for tokens that carry or imply it: `kid` must be its
 * thumbprint. */
bool jws_verify_with_key(const struct jws *jws, enum token_type type, const struct jwk *key,
                         struct jws_memo *memo, struct status *status) MUST_CHECK;

/* The payload as a JSON object, borrowed from `jws`; NULL with STATUS_BAD_JSON or
 * STATUS_DUPLICATE_MEMBER. Call after jws_verify, unless only showing an unverified token. */
const struct json_value *jws_claims(struct jws *jws, struct status *status) MUST_CHECK;

/* Appends what is to be signed: the header for this type and key, '.', and `claims` (the text of a
 * JSON object), encoded. For signers that answer later; else jws_sign. */
bool jws_write_signing_input(enum token_type type, const struct jwk *key, struct bytes claims,
                             struct buffer *out, struct status *status) MUST_CHECK;

/* Appends '.' and the signature to a signing input, which makes it a token. */
bool jws_append_signature(struct buffer *out, const uint8_t signature[SIGNATURE_BYTES]);

/* Appends the token of `claims` (the text of a JSON object) to `token`, which is empty. Fails as
 * the signer does, or with STATUS_TOO_LARGE. */
bool jws_sign(enum token_type type, const struct signer *signer, struct bytes claims,
              struct buffer *token, struct status *status) MUST_CHECK;

#endif
