#include "verifier/jwk.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/assertion.h"
#include "codec/base64url.h"
#include "verifier/p256.h"

#define COORDINATE_TEXT_BYTES (BASE64URL_LENGTH(JWK_COORDINATE_BYTES) + 1)

_Static_assert(SIGNATURE_BYTES == crypto_sign_BYTES && SIGNATURE_BYTES == P256_SIGNATURE_BYTES,
               "one size of signature");
_Static_assert(JWK_COORDINATE_BYTES == crypto_sign_PUBLICKEYBYTES &&
                   JWK_COORDINATE_BYTES == P256_COORDINATE_BYTES,
               "one size of coordinate");

/* Members that only private and symmetric keys have (RFC 7518, section 6). */
static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

const char *jwk_algorithm(enum jwk_type type) {
    return type == JWK_P256 ? "ES256" : "EdDSA";
}

const char *jwk_curve(enum jwk_type type) {
    return type == JWK_P256 ? "P-256" : "Ed25519";
}

/* RFC 7638, section 3: the required members in the order of their names, without blanks. */
static void compute_thumbprint(struct jwk *key) {
    char x[COORDINATE_TEXT_BYTES], y[COORDINATE_TEXT_BYTES], text[256];
    base64url_encode(bytes_of(key->x, sizeof key->x), x);
    base64url_encode(bytes_of(key->y, sizeof key->y), y);
    if (key->type == JWK_P256)
        snprintf(text, sizeof text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                 x, y);
    else
        snprintf(text, sizeof text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    sha256_digest_text(bytes_of_text(text), key->thumbprint);
}

void jwk_make(enum jwk_type type, const uint8_t x[JWK_COORDINATE_BYTES],
              const uint8_t y[JWK_COORDINATE_BYTES], struct jwk *out) {
    ASSERT((type == JWK_P256) == (y != NULL));
    *out = (struct jwk){.type = type};
    memcpy(out->x, x, sizeof out->x);
    if (y) memcpy(out->y, y, sizeof out->y);
    compute_thumbprint(out);
}

static bool read_type(const struct json_value *value, enum jwk_type *type, struct status *status) {
    const char *kty = json_member_text(value, "kty");
    const char *crv = json_member_text(value, "crv");
    if (kty && crv && strcmp(kty, "EC") == 0 && strcmp(crv, "P-256") == 0) {
        *type = JWK_P256;
        return true;
    }
    if (kty && crv && strcmp(kty, "OKP") == 0 && strcmp(crv, "Ed25519") == 0) {
        *type = JWK_ED25519;
        return true;
    }
    return status_fail(status, STATUS_MALFORMED,
                       "the JWK is neither EC P-256 nor OKP Ed25519, the two kinds of key in use");
}

static bool read_coordinate(const struct json_value *value, const char *name,
                            uint8_t out[JWK_COORDINATE_BYTES], struct status *status) {
    const char *text = json_member_text(value, name);
    if (text && base64url_decode_exact(bytes_of_text(text), out, JWK_COORDINATE_BYTES)) return true;
    return status_fail(status, STATUS_MALFORMED,
                       "\"%s\" of the JWK is not the base64url of exactly %d bytes", name,
                       JWK_COORDINATE_BYTES);
}

/* An optional member that, when present, must be exactly this text. */
static bool check_member(const struct json_value *value, const char *name, const char *expected,
                         struct status *status) {
    const struct json_value *member = json_value_member(value, name);
    const char *text = json_value_text(member);
    if (!member || (text && strcmp(text, expected) == 0)) return true;
    return status_fail(status, STATUS_MALFORMED, "\"%s\" of the JWK is not \"%s\"", name, expected);
}

static bool check_operations(const struct json_value *value, struct status *status) {
    const struct json_value *operations = json_value_member(value, "key_ops");
    if (!operations) return true;
    for (size_t i = 0; i < json_value_count(operations); i++) {
        const char *text = json_value_text(json_value_item(operations, i));
        if (text && strcmp(text, "verify") == 0) return true;
    }
    return status_fail(status, STATUS_MALFORMED,
                       "\"key_ops\" of the JWK does not allow \"verify\"");
}

bool jwk_parse(const struct json_value *value, struct jwk *out, struct status *status) {
    enum jwk_type type = JWK_P256;
    uint8_t x[JWK_COORDINATE_BYTES], y[JWK_COORDINATE_BYTES];
    if (json_value_type(value) != JSON_TYPE_OBJECT)
        return status_fail(status, STATUS_MALFORMED, "a JWK is a JSON object, and this is none");
    for (size_t i = 0; i < sizeof private_members / sizeof private_members[0]; i++)
        if (json_value_member(value, private_members[i]))
            return status_fail(status, STATUS_MALFORMED,
                               "the JWK holds a private key (\"%s\") where a public one belongs",
                               private_members[i]);
    if (!read_type(value, &type, status) || !read_coordinate(value, "x", x, status)) return false;
    if (type == JWK_P256 && !read_coordinate(value, "y", y, status)) return false;
    if (!check_member(value, "alg", jwk_algorithm(type), status) ||
        !check_member(value, "use", "sig", status) || !check_operations(value, status))
        return false;
    jwk_make(type, x, type == JWK_P256 ? y : NULL, out);
    return true;
}

static void write_point(const struct jwk *key, uint8_t point[P256_POINT_BYTES]) {
    point[0] = 4;
    memcpy(point + 1, key->x, P256_COORDINATE_BYTES);
    memcpy(point + 1 + P256_COORDINATE_BYTES, key->y, P256_COORDINATE_BYTES);
}

bool jwk_check_point(const struct jwk *key, struct status *status) {
    bool valid = false;
    if (key->type == JWK_P256) {
        uint8_t point[P256_POINT_BYTES];
        write_point(key, point);
        valid = p256_point_is_valid(point);
    } else {
        valid = crypto_core_ed25519_is_valid_point(key->x) == 1;
    }
    if (valid) return true;
    return status_fail(status, STATUS_MALFORMED,
                       "the JWK is no valid public key: not a point of %s", jwk_curve(key->type));
}

void jwk_write(struct json_writer *writer, const struct jwk *key) {
    char text[COORDINATE_TEXT_BYTES];
    json_writer_begin_object(writer);
    json_writer_member_text(writer, "kty", key->type == JWK_P256 ? "EC" : "OKP");
    json_writer_member_text(writer, "crv", jwk_curve(key->type));
    base64url_encode(bytes_of(key->x, sizeof key->x), text);
    json_writer_member_text(writer, "x", text);
    if (key->type == JWK_P256) {
        base64url_encode(bytes_of(key->y, sizeof key->y), text);
        json_writer_member_text(writer, "y", text);
    }
    json_writer_member_text(writer, "kid", key->thumbprint);
    json_writer_member_text(writer, "alg", jwk_algorithm(key->type));
    json_writer_member_text(writer, "use", "sig");
    json_writer_end_object(writer);
}

bool jwk_verify(const struct jwk *key, struct bytes message,
                const uint8_t signature[SIGNATURE_BYTES]) {
    if (key->type == JWK_P256) {
        uint8_t point[P256_POINT_BYTES];
        write_point(key, point);
        return p256_verify(point, message, signature);
    }
    return crypto_sign_verify_detached(signature, message.data, message.length, key->x) == 0;
}
