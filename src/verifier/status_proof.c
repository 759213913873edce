#include "verifier/status_proof.h"

#include <string.h>

#include "codec/json_writer.h"
#include "codec/rfc3339.h"
#include "verifier/fingerprint.h"
#include "verifier/jws.h"

/* What `exp` allows beyond two heartbeats, for clocks that differ. */
#define EXPIRY_ALLOWANCE_MS 60000

static bool read_server_key(const struct json_value *claims, struct jwk *out,
                            struct status *status) {
    struct status reason = STATUS_INIT;
    const struct json_value *cnf = json_value_member(claims, "cnf");
    if (!jwk_parse(json_value_member(cnf, "jwk"), out, &reason))
        return status_fail(status, STATUS_BAD_CLAIM, "\"cnf\" of the proof: %s", reason.text);
    if (out->type != JWK_ED25519)
        return status_fail(status, STATUS_BAD_CLAIM, "\"cnf\" of the proof is not an Ed25519 key");
    return true;
}

static bool read_license_fields(const struct json_value *claims, struct status_proof *out,
                                struct status *status) {
    if (!claims_text(claims, "status", true, out->status, sizeof out->status, status) ||
        !claims_text(claims, "license_id", false, out->license_id, sizeof out->license_id,
                     status) ||
        !claims_integer(claims, "serial", 0, CLAIM_INTEGER_MAX, &out->serial, status) ||
        !claims_text(claims, "token_sha256", false, out->token_sha256, sizeof out->token_sha256,
                     status))
        return false;
    if (out->token_sha256[0] == '\0' || fingerprint_digest_is_fit(out->token_sha256)) return true;
    return status_fail(status, STATUS_BAD_CLAIM,
                       "\"token_sha256\" of the proof is not a SHA-256 in base64url");
}

static bool read_claims(const struct json_value *claims, struct status_proof *out,
                        struct status *status) {
    if (!read_server_key(claims, &out->server_key, status) ||
        !claims_text(claims, "iss", true, out->server_id, sizeof out->server_id, status) ||
        !claims_integer(claims, "seq", 1, CLAIM_INTEGER_MAX, &out->seq, status) ||
        !claims_time(claims, "sent_at", true, &out->sent_at_ms, status) ||
        !claims_integer(claims, "heartbeat_interval_ms", STATUS_PROOF_HEARTBEAT_MIN_MS,
                        STATUS_PROOF_HEARTBEAT_MAX_MS, &out->heartbeat_interval_ms, status) ||
        !claims_text(claims, "nonce", false, out->nonce, sizeof out->nonce, status) ||
        !read_license_fields(claims, out, status))
        return false;
    if (out->seq > 0 && out->heartbeat_interval_ms > 0) return true;
    return status_fail(status, STATUS_BAD_CLAIM,
                       "the proof has no \"seq\" or no \"heartbeat_interval_ms\"");
}

static bool check_size(struct bytes token, struct status *status) {
    if (token.length <= STATUS_PROOF_TOKEN_BYTES_MAX) return true;
    return status_fail(status, STATUS_TOO_LARGE, "the proof has %zu bytes, over the limit of %zu",
                       token.length, STATUS_PROOF_TOKEN_BYTES_MAX);
}

/* The form of the token, without its signature. */
static bool read_parsed(struct jws *jws, struct status_proof *out, struct status *status) {
    if (strcmp(jws->typ, token_type_name(TOKEN_STATUS)) != 0)
        return status_fail(status, STATUS_WRONG_TYPE, "the proof's typ is not \"%s\"",
                           token_type_name(TOKEN_STATUS));
    const struct json_value *claims = jws_claims(jws, status);
    if (!claims || !read_claims(claims, out, status)) return false;
    if (jws->algorithm != out->server_key.type)
        return status_fail(status, STATUS_WRONG_ALGORITHM, "the proof's algorithm is not EdDSA");
    if (strcmp(jws->kid, out->server_key.thumbprint) != 0)
        return status_fail(status, STATUS_UNKNOWN_KEY,
                           "the proof's kid is not the thumbprint of its key");
    return true;
}

bool status_proof_read(struct bytes token, struct status_proof *out, struct status *status) {
    struct jws jws;
    *out = (struct status_proof){0};
    if (!check_size(token, status) || !jws_parse(token, &jws, status)) return false;
    bool done = read_parsed(&jws, out, status);
    jws_free(&jws);
    return done;
}

bool status_proof_verify(struct bytes token, const struct status_proof *proof,
                         struct jws_memo *memo, struct status *status) {
    struct jws jws;
    if (!check_size(token, status) || !jws_parse(token, &jws, status)) return false;
    bool done = jws_verify_with_key(&jws, TOKEN_STATUS, &proof->server_key, memo, status);
    jws_free(&jws);
    return done;
}

static bool disagree(const char *field, struct status *status) {
    return status_fail(status, STATUS_BAD_CLAIM, "\"%s\" of the message is not what its proof says",
                       field);
}

/* An absent or null member stands for "". */
static bool text_agrees(const struct json_value *object, const char *name, const char *expected) {
    const struct json_value *value = json_value_member(object, name);
    if (!value || json_value_type(value) == JSON_TYPE_NULL) return expected[0] == '\0';
    const char *text = json_value_text(value);
    return text && strcmp(text, expected) == 0;
}

/* An absent or null member stands for 0. */
static bool integer_agrees(const struct json_value *object, const char *name, int64_t expected) {
    const struct json_value *value = json_value_member(object, name);
    int64_t number = 0;
    if (!value || json_value_type(value) == JSON_TYPE_NULL) return expected == 0;
    return json_value_integer(value, &number) && number == expected;
}

static bool time_agrees(const struct json_value *object, const char *name, int64_t expected_ms) {
    const char *text = json_member_text(object, name);
    int64_t unix_ms = 0;
    return text && rfc3339_parse(bytes_of_text(text), &unix_ms) && unix_ms == expected_ms;
}

static bool token_agrees(const struct json_value *message, const char *expected_digest) {
    const struct json_value *value = json_value_member(message, "token");
    if (!value || json_value_type(value) == JSON_TYPE_NULL) return true;
    const char *token = json_value_text(value);
    char digest[SHA256_TEXT_BYTES];
    if (!token) return false;
    sha256_digest_text(bytes_of_text(token), digest);
    return strcmp(digest, expected_digest) == 0;
}

bool status_proof_agrees(const struct status_proof *proof, const struct json_value *message,
                         struct status *status) {
    const struct json_value *license = json_value_member(message, "license");
    if (!text_agrees(message, "server_id", proof->server_id)) return disagree("server_id", status);
    if (!integer_agrees(message, "seq", proof->seq)) return disagree("seq", status);
    if (!time_agrees(message, "sent_at", proof->sent_at_ms)) return disagree("sent_at", status);
    if (!integer_agrees(message, "heartbeat_interval_ms", proof->heartbeat_interval_ms))
        return disagree("heartbeat_interval_ms", status);
    if (!text_agrees(license, "status", proof->status)) return disagree("license.status", status);
    if (!text_agrees(license, "license_id", proof->license_id))
        return disagree("license.license_id", status);
    if (!integer_agrees(license, "serial", proof->serial))
        return disagree("license.serial", status);
    if (!token_agrees(message, proof->token_sha256)) return disagree("token", status);
    return true;
}

static void write_claims(const struct status_proof *proof, const struct jwk *server_key,
                         struct json_writer *json) {
    int64_t expires_at_ms =
        proof->sent_at_ms + 2 * proof->heartbeat_interval_ms + EXPIRY_ALLOWANCE_MS;
    json_writer_begin_object(json);
    json_writer_member_text(json, "iss", proof->server_id);
    json_writer_member_integer(json, "iat", proof->sent_at_ms / 1000);
    json_writer_member_integer(json, "exp", expires_at_ms / 1000);
    json_writer_name(json, "cnf");
    json_writer_begin_object(json);
    json_writer_name(json, "jwk");
    jwk_write(json, server_key);
    json_writer_end_object(json);
    json_writer_member_integer(json, "seq", proof->seq);
    claims_write_time(json, "sent_at", proof->sent_at_ms);
    json_writer_member_integer(json, "heartbeat_interval_ms", proof->heartbeat_interval_ms);
    json_writer_member_text(json, "status", proof->status);
    if (proof->license_id[0]) json_writer_member_text(json, "license_id", proof->license_id);
    if (proof->serial) json_writer_member_integer(json, "serial", proof->serial);
    if (proof->token_sha256[0]) json_writer_member_text(json, "token_sha256", proof->token_sha256);
    if (proof->nonce[0]) json_writer_member_text(json, "nonce", proof->nonce);
    json_writer_end_object(json);
}

bool status_proof_sign(const struct status_proof *proof, const struct signer *signer,
                       struct buffer *token, struct status *status) {
    struct buffer claims;
    struct json_writer json;
    buffer_init(&claims, STATUS_PROOF_TOKEN_BYTES_MAX);
    json_writer_init(&json, &claims);
    write_claims(proof, &signer->public_key, &json);
    bool done = json_writer_finish(&json, "the proof", status) &&
                jws_sign(TOKEN_STATUS, signer, buffer_bytes(&claims), token, status);
    buffer_free(&claims);
    if (done && !check_size(buffer_bytes(token), status)) done = false;
    return done;
}
