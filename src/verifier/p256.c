#include "verifier/p256.h"

#include <bearssl.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "verifier/sha256.h"

/* The order n of the group (SEC 2, section 2.4.2), big-endian. */
static const uint8_t order[P256_COORDINATE_BYTES] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
};

/* BearSSL 0.6's fastest constant-time implementation on 64-bit machines. */
static const br_ec_impl *const curve = &br_ec_p256_m31;

bool p256_point_is_valid(const uint8_t point[P256_POINT_BYTES]) {
    static const uint8_t one = 1;
    uint8_t product[P256_POINT_BYTES];
    memcpy(product, point, sizeof product);
    return curve->mul(product, sizeof product, &one, sizeof one, BR_EC_secp256r1) == 1;
}

/* Without a branch on the scalar's bytes: the borrow of scalar - order tells which is larger. */
bool p256_scalar_is_valid(const uint8_t scalar[P256_COORDINATE_BYTES]) {
    unsigned any_bit = 0;
    unsigned borrow = 0;
    for (size_t i = P256_COORDINATE_BYTES; i-- > 0;) {
        any_bit |= scalar[i];
        borrow = ((unsigned)scalar[i] - order[i] - borrow) >> 31;
    }
    return any_bit != 0 && borrow == 1;
}

void p256_point_of_scalar(const uint8_t scalar[P256_COORDINATE_BYTES],
                          uint8_t point[P256_POINT_BYTES]) {
    size_t length = curve->mulgen(point, scalar, P256_COORDINATE_BYTES, BR_EC_secp256r1);
    ASSERT(length == P256_POINT_BYTES);
}

void p256_sign(const uint8_t scalar[P256_COORDINATE_BYTES], struct bytes message,
               uint8_t signature[P256_SIGNATURE_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    uint8_t secret[P256_COORDINATE_BYTES];
    memcpy(secret, scalar, sizeof secret);
    br_ec_private_key key = {.curve = BR_EC_secp256r1, .x = secret, .xlen = sizeof secret};
    sha256_digest(message, digest);
    size_t length = br_ecdsa_i31_sign_raw(curve, &br_sha256_vtable, digest, &key, signature);
    memory_wipe(secret, sizeof secret);
    ASSERT(length == P256_SIGNATURE_BYTES);
}

bool p256_verify(const uint8_t point[P256_POINT_BYTES], struct bytes message,
                 const uint8_t signature[P256_SIGNATURE_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    uint8_t copy[P256_POINT_BYTES];
    memcpy(copy, point, sizeof copy);
    br_ec_public_key key = {.curve = BR_EC_secp256r1, .q = copy, .qlen = sizeof copy};
    sha256_digest(message, digest);
    return br_ecdsa_i31_vrfy_raw(curve, digest, sizeof digest, &key, signature,
                                 P256_SIGNATURE_BYTES) == 1;
}
