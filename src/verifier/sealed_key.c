#include "verifier/sealed_key.h"

#include <sodium.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "codec/json_writer.h"
#include "verifier/private_key.h"

#define ENVELOPE_VERSION 1

/* RFC 9106, section 4, second recommendation: 3 passes over 64 MiB. libsodium has one lane. */
#define PASSES     3
#define MEMORY_KIB (64 * 1024)

/* What a file may ask for: an attacker's file must not take all memory or minutes of work. */
#define PASSES_MAX     16
#define MEMORY_KIB_MIN 8192
#define MEMORY_KIB_MAX (1024 * 1024)

#define SALT_BYTES  crypto_pwhash_argon2id_SALTBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define KEY_BYTES   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* Longest content, so that the envelope stays within PRIVATE_KEY_FILE_BYTES_MAX. */
#define CONTENT_BYTES_MAX ((size_t)4096)

struct parameters {
    int64_t passes;
    int64_t memory_kib;
    uint8_t salt[SALT_BYTES];
    uint8_t nonce[NONCE_BYTES];
    const char *kid; /* borrowed */
};

static bool member_is(const struct json_value *root, const char *name, const char *expected) {
    const char *text = json_member_text(root, name);
    return text && strcmp(text, expected) == 0;
}

bool sealed_key_is_one(const struct json_value *root) {
    return json_value_member(root, "lsys_sealed_key") != NULL;
}

static bool decode_member(const struct json_value *root, const char *name, uint8_t *out,
                          size_t length_bytes) {
    const char *text = json_member_text(root, name);
    return text && base64url_decode_exact(bytes_of_text(text), out, length_bytes);
}

static bool read_parameters(const struct json_value *root, struct parameters *out,
                            struct status *status) {
    int64_t version = 0;
    if (!json_member_integer(root, "lsys_sealed_key", &version) || version != ENVELOPE_VERSION)
        return status_fail(status, STATUS_MALFORMED, "the sealed key is not of version %d",
                           ENVELOPE_VERSION);
    if (!member_is(root, "kdf", "argon2id") || !member_is(root, "cipher", "xchacha20-poly1305"))
        return status_fail(status, STATUS_MALFORMED,
                           "the sealed key is not argon2id and xchacha20-poly1305");
    if (!json_member_integer(root, "passes", &out->passes) || out->passes < 1 ||
        out->passes > PASSES_MAX || !json_member_integer(root, "memory_kib", &out->memory_kib) ||
        out->memory_kib < MEMORY_KIB_MIN || out->memory_kib > MEMORY_KIB_MAX)
        return status_fail(status, STATUS_MALFORMED,
                           "the sealed key asks for other than 1 to %d passes over %d to %d KiB",
                           PASSES_MAX, MEMORY_KIB_MIN, MEMORY_KIB_MAX);
    out->kid = json_member_text(root, "kid");
    if (!out->kid || !decode_member(root, "salt", out->salt, sizeof out->salt) ||
        !decode_member(root, "nonce", out->nonce, sizeof out->nonce))
        return status_fail(status, STATUS_MALFORMED,
                           "\"kid\", \"salt\" or \"nonce\" of the sealed key is missing or wrong");
    return true;
}

/* Everything but "sealed", in a fixed order: it is written to the file and authenticated as it
 * is. */
static void write_parameters(const struct parameters *parameters, struct json_writer *json) {
    char text[BASE64URL_LENGTH(NONCE_BYTES) + 1];
    json_writer_member_integer(json, "lsys_sealed_key", ENVELOPE_VERSION);
    json_writer_member_text(json, "kid", parameters->kid);
    json_writer_member_text(json, "kdf", "argon2id");
    json_writer_member_integer(json, "passes", parameters->passes);
    json_writer_member_integer(json, "memory_kib", parameters->memory_kib);
    base64url_encode(bytes_of(parameters->salt, SALT_BYTES), text);
    json_writer_member_text(json, "salt", text);
    json_writer_member_text(json, "cipher", "xchacha20-poly1305");
    base64url_encode(bytes_of(parameters->nonce, NONCE_BYTES), text);
    json_writer_member_text(json, "nonce", text);
}

/* The additional data of the AEAD: the parameters as a JSON object without blanks. */
static bool write_additional_data(const struct parameters *parameters, struct buffer *out,
                                  struct status *status) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    write_parameters(parameters, &json);
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the sealed key", status);
}

static bool derive_key(const struct parameters *parameters, struct bytes passphrase,
                       uint8_t key[KEY_BYTES], struct status *status) {
    /* Chooses the implementations for this processor; harmless when done again. */
    if (sodium_init() < 0) return status_fail(status, STATUS_INTERNAL, "libsodium does not start");
    if (crypto_pwhash_argon2id(key, KEY_BYTES, (const char *)passphrase.data, passphrase.length,
                               parameters->salt, (unsigned long long)parameters->passes,
                               (size_t)parameters->memory_kib * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return status_fail(status, STATUS_NO_MEMORY,
                           "no %lld KiB of memory for the passphrase's key derivation",
                           (long long)parameters->memory_kib);
    return true;
}

static bool decrypt(const struct parameters *parameters, struct bytes sealed,
                    struct bytes additional, struct bytes passphrase, struct buffer *out,
                    struct status *status) {
    uint8_t key[KEY_BYTES];
    if (!derive_key(parameters, passphrase, key, status)) return false;
    unsigned long long length = 0;
    uint8_t *place = buffer_reserve(out, sealed.length - TAG_BYTES);
    bool opened = place && crypto_aead_xchacha20poly1305_ietf_decrypt(
                               place, &length, NULL, sealed.data, sealed.length, additional.data,
                               additional.length, parameters->nonce, key) == 0;
    memory_wipe(key, sizeof key);
    if (!place) return buffer_check(out, "the opened key", status);
    if (!opened)
        return status_fail(status, STATUS_WRONG_PASSPHRASE,
                           "the passphrase does not open this key (or its file was changed)");
    buffer_added(out, (size_t)length);
    return true;
}

bool sealed_key_open(const struct json_value *root, struct bytes passphrase, struct buffer *out,
                     struct status *status) {
    struct parameters parameters = {0};
    struct buffer sealed, additional;
    if (!read_parameters(root, &parameters, status)) return false;
    if (passphrase.length == 0)
        return status_fail(status, STATUS_WRONG_PASSPHRASE,
                           "the key is sealed: a passphrase is needed");
    buffer_init(&sealed, CONTENT_BYTES_MAX + TAG_BYTES);
    buffer_init(&additional, PRIVATE_KEY_FILE_BYTES_MAX);
    const char *text = json_member_text(root, "sealed");
    bool done = text && base64url_decode(bytes_of_text(text), &sealed) && sealed.length > TAG_BYTES;
    if (!done)
        status_fail(status, STATUS_MALFORMED, "\"sealed\" of the sealed key is missing or wrong");
    done = done && write_additional_data(&parameters, &additional, status) &&
           decrypt(&parameters, buffer_bytes(&sealed), buffer_bytes(&additional), passphrase, out,
                   status);
    buffer_free(&additional);
    buffer_free(&sealed);
    return done;
}

static bool encrypt(const struct parameters *parameters, struct bytes content,
                    struct bytes additional, struct bytes passphrase, struct buffer *out,
                    struct status *status) {
    uint8_t key[KEY_BYTES];
    if (!derive_key(parameters, passphrase, key, status)) return false;
    unsigned long long length = 0;
    uint8_t *place = buffer_reserve(out, content.length + TAG_BYTES);
    if (place) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(place, &length, content.data, content.length,
                                                   additional.data, additional.length, NULL,
                                                   parameters->nonce, key);
        buffer_added(out, (size_t)length);
    }
    memory_wipe(key, sizeof key);
    return buffer_check(out, "the sealed key", status);
}

static bool write_envelope(const struct parameters *parameters, const struct buffer *sealed,
                           struct buffer *out, struct status *status) {
    struct json_writer json;
    struct buffer text;
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    base64url_append(&text, buffer_bytes(sealed));
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    write_parameters(parameters, &json);
    json_writer_member_text(&json, "sealed", buffer_text(&text));
    json_writer_end_object(&json);
    buffer_append(out, "\n", 1);
    buffer_free(&text);
    return json_writer_finish(&json, "the sealed key", status);
}

bool sealed_key_write(struct bytes content, const char *kid, struct bytes passphrase,
                      struct buffer *out, struct status *status) {
    struct parameters parameters = {.passes = PASSES, .memory_kib = MEMORY_KIB, .kid = kid};
    struct buffer sealed, additional;
    random_bytes(parameters.salt, sizeof parameters.salt);
    random_bytes(parameters.nonce, sizeof parameters.nonce);
    buffer_init(&sealed, CONTENT_BYTES_MAX + TAG_BYTES);
    buffer_init(&additional, PRIVATE_KEY_FILE_BYTES_MAX);
    bool done =
        write_additional_data(&parameters, &additional, status) &&
        encrypt(&parameters, content, buffer_bytes(&additional), passphrase, &sealed, status) &&
        write_envelope(&parameters, &sealed, out, status);
    buffer_free(&additional);
    buffer_free(&sealed);
    return done;
}
