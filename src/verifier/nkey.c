#include "verifier/nkey.h"

#include <sodium.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "codec/base32.h"

/* The prefix of all seeds, 'S'; the kind of the key follows in the next five bits. */
#define SEED_PREFIX 0x90

#define CHECKSUM_BYTES      2
#define PUBLIC_PACKED_BYTES (1 + NKEY_KEY_BYTES + CHECKSUM_BYTES)
#define SEED_PACKED_BYTES   (2 + NKEY_KEY_BYTES + CHECKSUM_BYTES)

_Static_assert(NKEY_PUBLIC_TEXT_BYTES == BASE32_LENGTH(PUBLIC_PACKED_BYTES) + 1, "text and NUL");
_Static_assert(NKEY_SEED_TEXT_BYTES == BASE32_LENGTH(SEED_PACKED_BYTES) + 1, "text and NUL");

/* CRC-16/XMODEM: polynomial 0x1021, initial value 0, not reflected. */
static uint16_t checksum_of(const uint8_t *bytes, size_t length) {
    unsigned crc = 0;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xFFFF;
    }
    return (uint16_t)crc;
}

/* The checksum goes behind the bytes, low byte first. */
static void append_checksum(uint8_t *packed, size_t length) {
    uint16_t checksum = checksum_of(packed, length);
    packed[length] = (uint8_t)(checksum & 0xFF);
    packed[length + 1] = (uint8_t)(checksum >> 8);
}

static bool checksum_is_right(const uint8_t *packed, size_t length) {
    uint16_t checksum = checksum_of(packed, length);
    return packed[length] == (checksum & 0xFF) && packed[length + 1] == checksum >> 8;
}

static bool find_kind(unsigned prefix, enum nkey_kind *kind) {
    switch (prefix) {
    case NKEY_ACCOUNT:
    case NKEY_CLUSTER:
    case NKEY_SERVER:
    case NKEY_OPERATOR:
    case NKEY_USER: *kind = (enum nkey_kind)prefix; return true;
    default: return false;
    }
}

void nkey_encode_public(enum nkey_kind kind, const uint8_t key[NKEY_KEY_BYTES],
                        char out[NKEY_PUBLIC_TEXT_BYTES]) {
    uint8_t packed[PUBLIC_PACKED_BYTES];
    packed[0] = (uint8_t)kind;
    memcpy(packed + 1, key, NKEY_KEY_BYTES);
    append_checksum(packed, 1 + NKEY_KEY_BYTES);
    base32_encode(bytes_of(packed, sizeof packed), out);
}

bool nkey_decode_public(struct bytes text, enum nkey_kind *kind, uint8_t key[NKEY_KEY_BYTES],
                        struct status *status) {
    uint8_t packed[PUBLIC_PACKED_BYTES];
    if (!base32_decode_exact(text, packed, sizeof packed))
        return status_fail(status, STATUS_MALFORMED,
                           "a public NKey has %d letters and digits 2 to 7",
                           NKEY_PUBLIC_TEXT_BYTES - 1);
    if (!checksum_is_right(packed, 1 + NKEY_KEY_BYTES) || !find_kind(packed[0], kind))
        return status_fail(status, STATUS_MALFORMED,
                           "not a public NKey: its prefix or checksum is wrong");
    memcpy(key, packed + 1, NKEY_KEY_BYTES);
    return true;
}

void nkey_encode_seed(enum nkey_kind kind, const uint8_t seed[NKEY_KEY_BYTES],
                      char out[NKEY_SEED_TEXT_BYTES]) {
    uint8_t packed[SEED_PACKED_BYTES];
    packed[0] = (uint8_t)(SEED_PREFIX | (unsigned)kind >> 5);
    packed[1] = (uint8_t)(((unsigned)kind & 0x1F) << 3);
    memcpy(packed + 2, seed, NKEY_KEY_BYTES);
    append_checksum(packed, 2 + NKEY_KEY_BYTES);
    base32_encode(bytes_of(packed, sizeof packed), out);
    memory_wipe(packed, sizeof packed);
}

bool nkey_decode_seed(struct bytes text, enum nkey_kind *kind, uint8_t seed[NKEY_KEY_BYTES],
                      struct status *status) {
    uint8_t packed[SEED_PACKED_BYTES];
    bool good = base32_decode_exact(text, packed, sizeof packed) &&
                checksum_is_right(packed, 2 + NKEY_KEY_BYTES) &&
                (packed[0] & 0xF8) == SEED_PREFIX && (packed[1] & 0x07) == 0 &&
                find_kind((packed[0] & 0x07U) << 5 | packed[1] >> 3, kind);
    if (good) memcpy(seed, packed + 2, NKEY_KEY_BYTES);
    memory_wipe(packed, sizeof packed);
    if (good) return true;
    return status_fail(status, STATUS_MALFORMED,
                       "not an NKey seed: it has %d letters and digits 2 to 7, begins with S, and "
                       "ends with a checksum",
                       NKEY_SEED_TEXT_BYTES - 1);
}

static void expand_seed(const uint8_t seed[NKEY_KEY_BYTES], uint8_t key[NKEY_KEY_BYTES],
                        uint8_t secret[crypto_sign_SECRETKEYBYTES]) {
    crypto_sign_seed_keypair(key, secret, seed);
}

void nkey_generate(enum nkey_kind kind, char seed_text[NKEY_SEED_TEXT_BYTES],
                   char public_text[NKEY_PUBLIC_TEXT_BYTES]) {
    uint8_t seed[NKEY_KEY_BYTES], key[NKEY_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    random_bytes(seed, sizeof seed);
    expand_seed(seed, key, secret);
    nkey_encode_seed(kind, seed, seed_text);
    nkey_encode_public(kind, key, public_text);
    memory_wipe(seed, sizeof seed);
    memory_wipe(secret, sizeof secret);
}

bool nkey_public_of_seed(struct bytes seed_text, char public_text[NKEY_PUBLIC_TEXT_BYTES],
                         struct status *status) {
    enum nkey_kind kind = NKEY_USER;
    uint8_t seed[NKEY_KEY_BYTES], key[NKEY_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    if (!nkey_decode_seed(seed_text, &kind, seed, status)) return false;
    expand_seed(seed, key, secret);
    nkey_encode_public(kind, key, public_text);
    memory_wipe(seed, sizeof seed);
    memory_wipe(secret, sizeof secret);
    return true;
}

bool nkey_sign(struct bytes seed_text, struct bytes message, uint8_t signature[SIGNATURE_BYTES],
               struct status *status) {
    enum nkey_kind kind = NKEY_USER;
    uint8_t seed[NKEY_KEY_BYTES], key[NKEY_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    if (!nkey_decode_seed(seed_text, &kind, seed, status)) return false;
    expand_seed(seed, key, secret);
    crypto_sign_detached(signature, NULL, message.data, message.length, secret);
    memory_wipe(seed, sizeof seed);
    memory_wipe(secret, sizeof secret);
    return true;
}

bool nkey_verify(struct bytes public_text, struct bytes message,
                 const uint8_t signature[SIGNATURE_BYTES]) {
    enum nkey_kind kind = NKEY_USER;
    uint8_t key[NKEY_KEY_BYTES];
    if (!nkey_decode_public(public_text, &kind, key, NULL)) return false;
    return crypto_sign_verify_detached(signature, message.data, message.length, key) == 0;
}
