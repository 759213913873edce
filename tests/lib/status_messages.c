#include "tests/lib/status_messages.h"

#include <stdio.h>
#include <string.h>

#include "base/assertion.h"
#include "base/file.h"
#include "codec/json_writer.h"
#include "verifier/jwk.h"
#include "verifier/key_ring.h"
#include "verifier/signer.h"
#include "verifier/status_proof.h"

#define MESSAGE_BYTES_MAX ((size_t)2 * 1024 * 1024)

static void write_keys(const struct test_vendor *vendor) {
    struct key_ring *ring = key_ring_new();
    struct buffer text;
    struct json_writer json;
    struct status status = STATUS_INIT;
    buffer_init(&text, KEY_RING_JWKS_BYTES_MAX);
    ASSERT(key_ring_add(ring, &vendor->key.public_key, TOKEN_USES_VENDOR, KEY_RING_ALWAYS_FROM_MS,
                        KEY_RING_FOREVER_MS, &status));
    json_writer_init(&json, &text);
    key_ring_write_jwks(ring, TOKEN_USES_VENDOR, &json);
    ASSERT(file_replace(vendor->keys_path, buffer_bytes(&text), 0644, &status));
    buffer_free(&text);
    key_ring_free(ring);
}

void test_vendor_make(struct test_vendor *vendor) {
    test_folder_make(vendor->folder);
    snprintf(vendor->keys_path, sizeof vendor->keys_path, "%s/vendor.jwks", vendor->folder);
    private_key_generate(JWK_P256, &vendor->key);
    write_keys(vendor);
}

void test_vendor_free(struct test_vendor *vendor) {
    private_key_wipe(&vendor->key);
    test_folder_remove(vendor->folder);
}

static void add_feature(struct license *license, const char *name, double number,
                        enum license_degrade degrade) {
    struct status status = STATUS_INIT;
    ASSERT(license_add_feature(license, name,
                               number > 0 ? LICENSE_FEATURE_NUMBER : LICENSE_FEATURE_FLAG, number,
                               NULL, &status));
    license->features[license->features_count - 1].degrade = degrade;
}

void test_license_sign(const struct test_vendor *vendor, const struct test_license *wanted,
                       struct buffer *token) {
    struct license *license = license_new();
    struct signer signer = signer_from_private_key(&vendor->key);
    struct status status = STATUS_INIT;
    const char *customer = wanted->customer ? wanted->customer : "ACME";
    snprintf(license->issuer, sizeof license->issuer, "vendor");
    snprintf(license->customer, sizeof license->customer, "%s", customer);
    snprintf(license->license_id, sizeof license->license_id, "license-%s-%lld", customer,
             (long long)wanted->serial);
    snprintf(license->edition, sizeof license->edition, "enterprise");
    license->issued_at_ms = wanted->now_ms - 60000;
    license->not_before_ms = license->issued_at_ms;
    license->expires_at_ms =
        wanted->expires_at_ms ? wanted->expires_at_ms : wanted->now_ms + 90 * TEST_DAY_MS;
    license->grace_days = wanted->grace_days;
    license->serial = wanted->serial;
    if (wanted->server_jkt)
        snprintf(license->server_jkts[license->server_jkts_count++], SHA256_TEXT_BYTES, "%s",
                 wanted->server_jkt);
    add_feature(license, "sso", 0, LICENSE_DEGRADE_ADVISE);
    add_feature(license, "nodes", 50, LICENSE_DEGRADE_READONLY);
    add_feature(license, "reports", 0, LICENSE_DEGRADE_BLOCK);
    buffer_init(token, JWS_TOKEN_BYTES_MAX);
    bool signed_well = license_sign(license, &signer, token, &status);
    if (!signed_well) fprintf(stderr, "the test's license: %s\n", status.text);
    ASSERT(signed_well);
    license_free(license);
}

void test_revocations_sign(const struct test_vendor *vendor, int64_t serial, const char *license_id,
                           int64_t now_ms, struct buffer *token) {
    struct revocations *list = revocations_new();
    struct signer signer = signer_from_private_key(&vendor->key);
    struct status status = STATUS_INIT;
    snprintf(list->issuer, sizeof list->issuer, "vendor");
    list->serial = serial;
    list->issued_at_ms = now_ms - 60000;
    list->expires_at_ms = INT64_MAX;
    ASSERT(revocations_add(list, license_id, "a test", now_ms - 60000, &status));
    buffer_init(token, JWS_TOKEN_BYTES_MAX);
    ASSERT(revocations_sign(list, &signer, token, &status));
    revocations_free(list);
}

/* The proof's claims about the license are what a server reads from it. */
static void describe_license(const struct test_message *wanted, struct status_proof *proof) {
    struct jws jws;
    struct status status = STATUS_INIT;
    if (!wanted->token) return;
    ASSERT(jws_parse(buffer_bytes(wanted->token), &jws, &status));
    struct license *license = license_read_claims(jws_claims(&jws, &status), &status);
    ASSERT(license);
    snprintf(proof->license_id, sizeof proof->license_id, "%s", license->license_id);
    proof->serial = license->serial;
    sha256_digest_text(buffer_bytes(wanted->token), proof->token_sha256);
    license_free(license);
    jws_free(&jws);
}

static void sign_proof(const struct test_message *wanted, struct status_proof *proof,
                       struct buffer *token) {
    struct signer signer = signer_from_private_key(wanted->server);
    struct status status = STATUS_INIT;
    memset(proof, 0, sizeof *proof);
    snprintf(proof->server_id, sizeof proof->server_id, "server-%.8s",
             wanted->server->public_key.thumbprint);
    proof->seq = wanted->seq;
    proof->sent_at_ms = wanted->sent_at_ms;
    proof->heartbeat_interval_ms = 30000;
    snprintf(proof->status, sizeof proof->status, "%s", wanted->status ? wanted->status : "valid");
    if (wanted->nonce) snprintf(proof->nonce, sizeof proof->nonce, "%s", wanted->nonce);
    describe_license(wanted, proof);
    buffer_init(token, STATUS_PROOF_TOKEN_BYTES_MAX);
    ASSERT(status_proof_sign(proof, &signer, token, &status));
    /* Another character in the middle of the signature keeps the form. */
    uint8_t *middle = &token->data[token->length - 40];
    if (wanted->break_signature) *middle = *middle == 'A' ? 'B' : 'A';
}

static void write_license(const struct test_message *wanted, const struct status_proof *proof,
                          struct json_writer *json) {
    json_writer_name(json, "license");
    json_writer_begin_object(json);
    json_writer_member_text(json, "status",
                            wanted->outer_status ? wanted->outer_status : proof->status);
    json_writer_member_text(json, "license_id", proof->license_id[0] ? proof->license_id : NULL);
    json_writer_member_integer(json, "serial", proof->serial);
    json_writer_end_object(json);
}

void test_message_write(const struct test_message *wanted, struct buffer *out) {
    struct status_proof proof;
    struct buffer token;
    struct json_writer json;
    struct status status = STATUS_INIT;
    sign_proof(wanted, &proof, &token);
    buffer_init(out, MESSAGE_BYTES_MAX);
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "v", 1);
    json_writer_member_text(&json, "type", wanted->type ? wanted->type : "status");
    json_writer_member_text(&json, "server_id", proof.server_id);
    json_writer_member_integer(&json, "seq", wanted->outer_seq ? wanted->outer_seq : proof.seq);
    json_writer_member_time(&json, "sent_at", proof.sent_at_ms);
    json_writer_member_integer(&json, "heartbeat_interval_ms", proof.heartbeat_interval_ms);
    write_license(wanted, &proof, &json);
    json_writer_member_text(&json, "proof", buffer_text(&token));
    if (wanted->token && !wanted->without_token)
        json_writer_member_text(&json, "token", buffer_text(wanted->token));
    if (wanted->revocations)
        json_writer_member_text(&json, "revocations", buffer_text(wanted->revocations));
    json_writer_end_object(&json);
    ASSERT(json_writer_finish(&json, "a message", &status));
    buffer_free(&token);
}
