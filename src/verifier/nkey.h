/*
 * NATS NKeys: Ed25519 keys as base32 text with a prefix that tells their role and a CRC-16
 * (nats-io/nkeys, nkeys.go and strkey.go). A broker sends a nonce; the client signs it with its
 * seed.
 */
#ifndef LSYS_VERIFIER_NKEY_H
#define LSYS_VERIFIER_NKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/jwk.h"

#define NKEY_KEY_BYTES 32

/* A public key as text: 56 characters and a NUL. */
#define NKEY_PUBLIC_TEXT_BYTES 57

/* A seed as text: 58 characters and a NUL. */
#define NKEY_SEED_TEXT_BYTES 59

/* The kinds, each with the byte whose upper five bits give the text its first letter. */
enum nkey_kind {
    NKEY_ACCOUNT = 0x00,  /* A */
    NKEY_CLUSTER = 0x10,  /* C */
    NKEY_SERVER = 0x68,   /* N */
    NKEY_OPERATOR = 0x70, /* O */
    NKEY_USER = 0xA0      /* U */
};

/* Writes the text of a public key. */
void nkey_encode_public(enum nkey_kind kind, const uint8_t key[NKEY_KEY_BYTES],
                        char out[NKEY_PUBLIC_TEXT_BYTES]);

/* Reads the text of a public key: its prefix, length and checksum. STATUS_MALFORMED. */
bool nkey_decode_public(struct bytes text, enum nkey_kind *kind, uint8_t key[NKEY_KEY_BYTES],
                        struct status *status) MUST_CHECK;

/* Writes the text of a seed ("SU..." for a user). The caller wipes it. */
void nkey_encode_seed(enum nkey_kind kind, const uint8_t seed[NKEY_KEY_BYTES],
                      char out[NKEY_SEED_TEXT_BYTES]);

/* Reads the text of a seed. The caller wipes `seed`. STATUS_MALFORMED, without the text in it. */
bool nkey_decode_seed(struct bytes text, enum nkey_kind *kind, uint8_t seed[NKEY_KEY_BYTES],
                      struct status *status) MUST_CHECK;

/* Makes a new key: its seed, which the caller wipes, and its public key. */
void nkey_generate(enum nkey_kind kind, char seed_text[NKEY_SEED_TEXT_BYTES],
                   char public_text[NKEY_PUBLIC_TEXT_BYTES]);

/* Writes the public key that belongs to a seed. */
bool nkey_public_of_seed(struct bytes seed_text, char public_text[NKEY_PUBLIC_TEXT_BYTES],
                         struct status *status) MUST_CHECK;

/* Signs with a seed. In CONNECT the signature goes as base64url without padding. */
bool nkey_sign(struct bytes seed_text, struct bytes message, uint8_t signature[SIGNATURE_BYTES],
               struct status *status) MUST_CHECK;

/* True when `signature` is that of the public key over `message`. False also for a text that is no
 * public key. */
bool nkey_verify(struct bytes public_text, struct bytes message,
                 const uint8_t signature[SIGNATURE_BYTES]);

#endif
