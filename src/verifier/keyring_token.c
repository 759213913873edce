#include "verifier/keyring_token.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/json_writer.h"

/* Roots come from the operator's configuration only, and status keys from licenses and pins. */
#define USES_NEVER_DELEGATED (TOKEN_USE(TOKEN_KEYRING) | TOKEN_USE(TOKEN_STATUS))

struct keyring_token *keyring_token_new(void) {
    struct keyring_token *token = memory_new(sizeof *token);
    token->expires_at_ms = INT64_MAX;
    return token;
}

void keyring_token_free(struct keyring_token *token) {
    free(token);
}

/* "use": an array of token types, ["license+jwt", "revocations+jwt"]. Types that a newer lsys knows
 * are passed over. */
static bool read_uses(const struct json_value *entry, uint32_t *out, struct status *status) {
    const struct json_value *uses = json_value_member(entry, "use");
    if (json_value_type(uses) != JSON_TYPE_ARRAY)
        return status_fail(status, STATUS_BAD_CLAIM, "\"use\" is not an array of token types");
    *out = 0;
    for (size_t i = 0; i < json_value_count(uses); i++) {
        enum token_type type;
        const char *name = json_value_text(json_value_item(uses, i));
        if (!name) return status_fail(status, STATUS_BAD_CLAIM, "\"use\" holds other than texts");
        if (token_type_find(name, &type)) *out |= TOKEN_USE(type);
    }
    if (*out & USES_NEVER_DELEGATED)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "\"use\" delegates what a key ring cannot: %s or %s",
                           token_type_name(TOKEN_KEYRING), token_type_name(TOKEN_STATUS));
    return true;
}

static bool read_key(const struct json_value *entry, struct key_ring *keys, struct status *status) {
    struct jwk key;
    struct status reason = STATUS_INIT;
    uint32_t uses = 0;
    int64_t not_before_ms = KEY_RING_ALWAYS_FROM_MS;
    int64_t not_after_ms = KEY_RING_FOREVER_MS;
    if (!jwk_parse(json_value_member(entry, "jwk"), &key, &reason))
        return status_fail(status, STATUS_BAD_CLAIM, "\"jwk\": %s", reason.text);
    if (!read_uses(entry, &uses, status) ||
        !claims_time(entry, "not_before", false, &not_before_ms, status) ||
        !claims_time(entry, "not_after", false, &not_after_ms, status))
        return false;
    if (not_after_ms <= not_before_ms)
        return status_fail(status, STATUS_BAD_CLAIM, "\"not_after\" is not after \"not_before\"");
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->entries[i].key.thumbprint, key.thumbprint) == 0)
            return status_fail(status, STATUS_BAD_CLAIM, "the key %s is listed twice",
                               key.thumbprint);
    if (!key_ring_add(keys, &key, uses, not_before_ms, not_after_ms, &reason))
        return status_fail(status, STATUS_BAD_CLAIM, "%s", reason.text);
    return true;
}

static bool read_keys(const struct json_value *claims, struct key_ring *keys,
                      struct status *status) {
    const struct json_value *array = json_value_member(claims, "keys");
    if (json_value_type(array) != JSON_TYPE_ARRAY || json_value_count(array) > KEY_RING_KEYS_MAX)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"keys\" is not an array of at most %d keys",
                           KEY_RING_KEYS_MAX);
    for (size_t i = 0; i < json_value_count(array); i++)
        if (!read_key(json_value_item(array, i), keys, status))
            return status_context(status, "entry %zu of \"keys\"", i + 1);
    return true;
}

static struct keyring_token *read_claims(const struct json_value *claims, struct status *status) {
    struct keyring_token *token = keyring_token_new();
    if (claims_text(claims, "iss", true, token->issuer, sizeof token->issuer, status) &&
        claims_time(claims, "iat", true, &token->issued_at_ms, status) &&
        claims_time(claims, "exp", false, &token->expires_at_ms, status) &&
        claims_integer(claims, "serial", 0, CLAIM_INTEGER_MAX, &token->serial, status) &&
        read_keys(claims, &token->keys, status))
        return token;
    keyring_token_free(token);
    return NULL;
}

struct keyring_token *keyring_token_verify(struct bytes token, const struct key_ring *roots,
                                           struct jws_memo *memo, struct status *status) {
    struct jws jws;
    struct keyring_token *result = NULL;
    if (!jws_parse(token, &jws, status)) return NULL;
    if (jws_verify(&jws, TOKEN_KEYRING, roots, memo, NULL, status)) {
        const struct json_value *claims = jws_claims(&jws, status);
        if (claims) result = read_claims(claims, status);
    }
    jws_free(&jws);
    return result;
}

/* Keys without any use left make room for the new ones. */
static void remove_uses(struct key_ring *ring, uint32_t uses) {
    size_t kept = 0;
    for (size_t i = 0; i < ring->count; i++) {
        ring->entries[i].uses &= ~uses;
        if (ring->entries[i].uses) ring->entries[kept++] = ring->entries[i];
    }
    ring->count = kept;
}

bool keyring_token_apply(const struct keyring_token *token, struct key_ring *ring,
                         struct status *status) {
    struct key_ring *result = key_ring_new();
    *result = *ring;
    remove_uses(result, TOKEN_USES_VENDOR);
    bool done = true;
    for (size_t i = 0; done && i < token->keys.count; i++) {
        const struct key_ring_entry *entry = &token->keys.entries[i];
        done = key_ring_add(result, &entry->key, entry->uses, entry->not_before_ms,
                            entry->not_after_ms, status);
    }
    if (done) *ring = *result;
    key_ring_free(result);
    return done;
}

static void write_key(const struct key_ring_entry *entry, struct json_writer *json) {
    json_writer_begin_object(json);
    json_writer_name(json, "jwk");
    jwk_write(json, &entry->key);
    json_writer_name(json, "use");
    json_writer_begin_array(json);
    for (enum token_type type = 0; type < TOKEN_TYPES; type++)
        if (entry->uses & TOKEN_USE(type)) json_writer_text(json, token_type_name(type));
    json_writer_end_array(json);
    if (entry->not_before_ms != KEY_RING_ALWAYS_FROM_MS)
        claims_write_time(json, "not_before", entry->not_before_ms);
    if (entry->not_after_ms != KEY_RING_FOREVER_MS)
        claims_write_time(json, "not_after", entry->not_after_ms);
    json_writer_end_object(json);
}

static void write_claims(const struct keyring_token *token, struct json_writer *json) {
    json_writer_begin_object(json);
    json_writer_member_text(json, "iss", token->issuer);
    claims_write_time(json, "iat", token->issued_at_ms);
    if (token->expires_at_ms != INT64_MAX) claims_write_time(json, "exp", token->expires_at_ms);
    json_writer_member_integer(json, "serial", token->serial);
    json_writer_name(json, "keys");
    json_writer_begin_array(json);
    for (size_t i = 0; i < token->keys.count; i++)
        write_key(&token->keys.entries[i], json);
    json_writer_end_array(json);
    json_writer_end_object(json);
}

static bool validate(const struct keyring_token *token, struct status *status) {
    if (!claims_text_is_fit(token->issuer, CLAIM_TEXT_BYTES_MAX))
        return status_fail(status, STATUS_USAGE, "the issuer of the key ring is missing");
    for (size_t i = 0; i < token->keys.count; i++) {
        const struct key_ring_entry *entry = &token->keys.entries[i];
        if (entry->not_after_ms <= entry->not_before_ms)
            return status_fail(status, STATUS_USAGE,
                               "the key %s would be retired before it becomes valid",
                               entry->key.thumbprint);
        if (entry->uses & USES_NEVER_DELEGATED)
            return status_fail(status, STATUS_USAGE, "the key %s cannot be given that use",
                               entry->key.thumbprint);
    }
    return true;
}

bool keyring_token_sign(const struct keyring_token *token, const struct signer *root,
                        struct buffer *out, struct status *status) {
    struct buffer claims;
    struct json_writer json;
    if (!validate(token, status)) return false;
    buffer_init(&claims, JWS_TOKEN_BYTES_MAX);
    json_writer_init(&json, &claims);
    write_claims(token, &json);
    bool done = json_writer_finish(&json, "the key ring", status) &&
                jws_sign(TOKEN_KEYRING, root, buffer_bytes(&claims), out, status);
    buffer_free(&claims);
    return done;
}
