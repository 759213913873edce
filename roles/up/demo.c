#include "roles/up/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "codec/armor.h"
#include "codec/hex.h"
#include "codec/json_writer.h"
#include "verifier/key_ring.h"
#include "verifier/license.h"
#include "verifier/private_key.h"
#include "verifier/signer.h"

#define DEMO_JTI_RANDOM_BYTES 8

static bool exists(const char *path) {
    struct stat information;
    return stat(path, &information) == 0;
}

static bool write_jwks(const char *path, const struct private_key *key, struct status *status) {
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, KEY_RING_JWKS_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_writer_begin_object(&writer);
    json_writer_name(&writer, "keys");
    json_writer_begin_array(&writer);
    jwk_write(&writer, &key->public_key);
    json_writer_end_array(&writer);
    json_writer_end_object(&writer);
    bool ok = json_writer_finish(&writer, "the key set", status) &&
              buffer_append_text(&text, "\n") &&
              file_replace(path, buffer_bytes(&text), 0644, status);
    buffer_free(&text);
    return ok;
}

static bool make_key(struct demo *demo, struct private_key *key, struct status *status) {
    struct buffer text;
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    private_key_generate(JWK_P256, key);
    bool ok = private_key_write(key, &text, status) &&
              file_create(demo->key_path, buffer_bytes(&text), 0600, status);
    buffer_wipe(&text);
    demo->made_key = ok;
    return ok;
}

static bool read_key(const struct demo *demo, struct private_key *key, struct status *status) {
    struct buffer text;
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    bool ok = file_read_secret(demo->key_path, &text, status) &&
              private_key_parse(bytes_trim(buffer_bytes(&text)), bytes_of(NULL, 0), key, status);
    buffer_wipe(&text);
    return ok ? true : status_context(status, "the demo vendor's key %s", demo->key_path);
}

/* The present license when the demo vendor signed it, else NULL. */
static struct license *read_license(const struct demo *demo, const struct private_key *key) {
    struct license *license = NULL;
    struct buffer text;
    struct buffer token;
    struct key_ring *ring = key_ring_new();
    buffer_init(&text, JWS_TOKEN_BYTES_MAX * 2);
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    if (key_ring_add(ring, &key->public_key, TOKEN_USE(TOKEN_LICENSE), KEY_RING_ALWAYS_FROM_MS,
                     KEY_RING_FOREVER_MS, NULL) &&
        file_read(demo->license_path, &text, NULL) &&
        armor_read(ARMOR_LICENSE, buffer_bytes(&text), &token, NULL))
        license = license_verify(buffer_bytes(&token), ring, NULL, NULL);
    buffer_free(&token);
    buffer_free(&text);
    key_ring_free(ring);
    return license;
}

static bool describe_license(struct license *license, int64_t serial, int64_t now_ms,
                             struct status *status) {
    uint8_t random[DEMO_JTI_RANDOM_BYTES];
    char random_text[2 * DEMO_JTI_RANDOM_BYTES + 1];
    random_bytes(random, sizeof random);
    hex_encode(bytes_of(random, sizeof random), random_text);
    snprintf(license->license_id, sizeof license->license_id, "demo-%s", random_text);
    snprintf(license->issuer, sizeof license->issuer, "lsys demo vendor");
    snprintf(license->customer, sizeof license->customer, "This machine");
    snprintf(license->product, sizeof license->product, "demo");
    snprintf(license->edition, sizeof license->edition, "enterprise");
    license->issued_at_ms = now_ms / 1000 * 1000;
    license->not_before_ms = license->issued_at_ms;
    license->expires_at_ms = license->issued_at_ms + DEMO_VALIDITY_MS;
    license->grace_days = 7;
    license->serial = serial;
    license->seats = 25;
    return license_add_feature(license, "sso", LICENSE_FEATURE_FLAG, 0, NULL, status) &&
           license_add_feature(license, "audit-log", LICENSE_FEATURE_FLAG, 0, NULL, status) &&
           license_add_feature(license, "nodes", LICENSE_FEATURE_NUMBER, 50, NULL, status) &&
           license_add_feature(license, "support", LICENSE_FEATURE_TEXT, 0, "business hours",
                               status);
}

static bool issue_license(struct demo *demo, const struct private_key *key, int64_t serial,
                          int64_t now_ms, struct status *status) {
    struct license *license = license_new();
    struct signer signer = signer_from_private_key(key);
    struct buffer token;
    struct buffer armored;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    buffer_init(&armored, JWS_TOKEN_BYTES_MAX * 2);
    bool ok = describe_license(license, serial, now_ms, status) &&
              license_sign(license, &signer, &token, status);
    ok = ok && (armor_write(ARMOR_LICENSE, buffer_bytes(&token), &armored) ||
                buffer_check(&armored, "the license", status));
    ok = ok && file_replace(demo->license_path, buffer_bytes(&armored), 0644, status);
    demo->issued = ok;
    buffer_free(&armored);
    buffer_free(&token);
    license_free(license);
    return ok;
}

static bool renew_license(struct demo *demo, const struct private_key *key, int64_t now_ms,
                          struct status *status) {
    if (!exists(demo->license_path)) return issue_license(demo, key, 1, now_ms, status);
    struct license *present = read_license(demo, key);
    bool is_ours = present != NULL;
    bool ends_soon = is_ours && present->expires_at_ms - now_ms < DEMO_RENEWAL_MS;
    int64_t serial = is_ours ? present->serial : 0;
    license_free(present);
    return !ends_soon || issue_license(demo, key, serial + 1, now_ms, status);
}

bool demo_prepare(const char *folder, int64_t now_ms, struct demo *demo, struct status *status) {
    char *demo_folder = file_join(folder, "demo");
    *demo = (struct demo){
        .key_path = file_join(demo_folder, "vendor.key.jwk"),
        .jwks_path = file_join(demo_folder, "vendor.jwks"),
        .license_path = file_join(demo_folder, "demo.lic"),
    };
    struct private_key key = {0};
    bool ok = file_make_folder(demo_folder, 0700, status);
    if (ok && exists(demo->key_path))
        ok = read_key(demo, &key, status);
    else
        ok = ok && make_key(demo, &key, status);
    ok = ok && (exists(demo->jwks_path) || write_jwks(demo->jwks_path, &key, status));
    ok = ok && renew_license(demo, &key, now_ms, status);
    private_key_wipe(&key);
    free(demo_folder);
    if (!ok) demo_free(demo);
    return ok;
}

void demo_free(struct demo *demo) {
    free(demo->key_path);
    free(demo->jwks_path);
    free(demo->license_path);
    *demo = (struct demo){0};
}
