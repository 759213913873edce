#include "verifier/private_key.h"

#include <sodium.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "verifier/p256.h"
#include "verifier/sealed_key.h"

_Static_assert(PRIVATE_KEY_BYTES == crypto_sign_SEEDBYTES &&
                   PRIVATE_KEY_BYTES == P256_COORDINATE_BYTES,
               "one size of secret");

static void derive_p256(struct private_key *key) {
    uint8_t point[P256_POINT_BYTES];
    p256_point_of_scalar(key->secret, point);
    jwk_make(JWK_P256, point + 1, point + 1 + P256_COORDINATE_BYTES, &key->public_key);
}

static void derive_ed25519(struct private_key *key) {
    uint8_t public_bytes[crypto_sign_PUBLICKEYBYTES];
    uint8_t expanded[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(public_bytes, expanded, key->secret);
    jwk_make(JWK_ED25519, public_bytes, NULL, &key->public_key);
    memory_wipe(expanded, sizeof expanded);
}

void private_key_generate(enum jwk_type type, struct private_key *out) {
    uint8_t secret[PRIVATE_KEY_BYTES];
    /* One P-256 candidate in 2^32 is not below the order. */
    do
        random_bytes(secret, sizeof secret);
    while (!private_key_from_secret(type, secret, out, NULL));
    memory_wipe(secret, sizeof secret);
}

bool private_key_from_secret(enum jwk_type type, const uint8_t secret[PRIVATE_KEY_BYTES],
                             struct private_key *out, struct status *status) {
    if (type == JWK_P256 && !p256_scalar_is_valid(secret))
        return status_fail(status, STATUS_MALFORMED,
                           "the secret is no P-256 private key: zero, or not below the order");
    *out = (struct private_key){0};
    memcpy(out->secret, secret, sizeof out->secret);
    if (type == JWK_P256)
        derive_p256(out);
    else
        derive_ed25519(out);
    return true;
}

void private_key_wipe(struct private_key *key) {
    memory_wipe(key, sizeof *key);
}

void private_key_sign(const struct private_key *key, struct bytes message,
                      uint8_t signature[SIGNATURE_BYTES]) {
    if (key->public_key.type == JWK_P256) {
        p256_sign(key->secret, message, signature);
        return;
    }
    uint8_t public_bytes[crypto_sign_PUBLICKEYBYTES];
    uint8_t expanded[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(public_bytes, expanded, key->secret);
    crypto_sign_detached(signature, NULL, message.data, message.length, expanded);
    memory_wipe(expanded, sizeof expanded);
}

static bool is_text(const struct json_value *value, const char *name, const char *expected) {
    const char *text = json_member_text(value, name);
    return text && strcmp(text, expected) == 0;
}

/* The public members of the JWK, if given, must be those of the secret: else somebody pasted two
 * keys into one, and would sign with a key that nobody trusts. */
static bool public_part_agrees(const struct json_value *root, const struct private_key *key) {
    static const char *const names[] = {"x", "y"};
    const uint8_t *const coordinates[] = {key->public_key.x, key->public_key.y};
    for (size_t i = 0; i < 2; i++) {
        uint8_t given[JWK_COORDINATE_BYTES];
        const char *text = json_member_text(root, names[i]);
        if (!text) continue;
        if (!base64url_decode_exact(bytes_of_text(text), given, sizeof given)) return false;
        if (memcmp(given, coordinates[i], sizeof given) != 0) return false;
    }
    return true;
}

static bool read_jwk(const struct json_value *root, struct private_key *out,
                     struct status *status) {
    bool is_p256 = is_text(root, "kty", "EC") && is_text(root, "crv", "P-256");
    bool is_ed25519 = is_text(root, "kty", "OKP") && is_text(root, "crv", "Ed25519");
    const char *text = json_member_text(root, "d");
    uint8_t secret[PRIVATE_KEY_BYTES];
    if (!is_p256 && !is_ed25519)
        return status_fail(status, STATUS_MALFORMED,
                           "the key is neither EC P-256 nor OKP Ed25519, the two kinds in use");
    if (!text)
        return status_fail(status, STATUS_MALFORMED,
                           "the JWK has no private part (\"d\"): it is a public key");
    bool good = base64url_decode_exact(bytes_of_text(text), secret, sizeof secret);
    if (!good)
        status_fail(status, STATUS_MALFORMED, "\"d\" of the JWK is not the base64url of 32 bytes");
    good = good && private_key_from_secret(is_p256 ? JWK_P256 : JWK_ED25519, secret, out, status);
    memory_wipe(secret, sizeof secret);
    if (good && !public_part_agrees(root, out))
        good = status_fail(status, STATUS_MALFORMED,
                           "the public part of the JWK does not belong to its private part");
    return good;
}

static bool parse_plain(struct bytes text, struct private_key *out, struct status *status) {
    struct json_document *document = json_document_parse(text, PRIVATE_KEY_FILE_BYTES_MAX, status);
    if (!document) return status_context(status, "private key");
    bool done = read_jwk(json_document_root(document), out, status);
    json_document_free(document);
    return done;
}

static bool parse_sealed(const struct json_value *root, struct bytes passphrase,
                         struct private_key *out, struct status *status) {
    struct buffer jwk;
    buffer_init(&jwk, PRIVATE_KEY_FILE_BYTES_MAX);
    bool done = sealed_key_open(root, passphrase, &jwk, status) &&
                parse_plain(buffer_bytes(&jwk), out, status);
    buffer_wipe(&jwk);
    if (done && !is_text(root, "kid", out->public_key.thumbprint))
        done = status_fail(status, STATUS_MALFORMED, "\"kid\" of the sealed key is not its key's");
    return done;
}

bool private_key_is_sealed(struct bytes text) {
    struct json_document *document = json_document_parse(text, PRIVATE_KEY_FILE_BYTES_MAX, NULL);
    if (!document) return false;
    bool sealed = sealed_key_is_one(json_document_root(document));
    json_document_free(document);
    return sealed;
}

bool private_key_parse(struct bytes text, struct bytes passphrase, struct private_key *out,
                       struct status *status) {
    struct json_document *document = json_document_parse(text, PRIVATE_KEY_FILE_BYTES_MAX, status);
    if (!document) return status_context(status, "private key");
    const struct json_value *root = json_document_root(document);
    bool done = sealed_key_is_one(root) ? parse_sealed(root, passphrase, out, status)
                                        : read_jwk(root, out, status);
    json_document_free(document);
    if (!done) private_key_wipe(out);
    return done;
}

bool private_key_write(const struct private_key *key, struct buffer *out, struct status *status) {
    const struct jwk *public_key = &key->public_key;
    char text[BASE64URL_LENGTH(PRIVATE_KEY_BYTES) + 1];
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "kty", public_key->type == JWK_P256 ? "EC" : "OKP");
    json_writer_member_text(&json, "crv", jwk_curve(public_key->type));
    base64url_encode(bytes_of(public_key->x, sizeof public_key->x), text);
    json_writer_member_text(&json, "x", text);
    if (public_key->type == JWK_P256) {
        base64url_encode(bytes_of(public_key->y, sizeof public_key->y), text);
        json_writer_member_text(&json, "y", text);
    }
    base64url_encode(bytes_of(key->secret, sizeof key->secret), text);
    json_writer_member_text(&json, "d", text);
    memory_wipe(text, sizeof text);
    json_writer_member_text(&json, "kid", public_key->thumbprint);
    json_writer_member_text(&json, "alg", jwk_algorithm(public_key->type));
    json_writer_end_object(&json);
    buffer_append(out, "\n", 1);
    return json_writer_finish(&json, "the private key", status);
}

bool private_key_seal(const struct private_key *key, struct bytes passphrase, struct buffer *out,
                      struct status *status) {
    ASSERT(passphrase.length > 0);
    struct buffer jwk;
    buffer_init(&jwk, PRIVATE_KEY_FILE_BYTES_MAX);
    bool done =
        private_key_write(key, &jwk, status) &&
        sealed_key_write(buffer_bytes(&jwk), key->public_key.thumbprint, passphrase, out, status);
    buffer_wipe(&jwk);
    return done;
}
