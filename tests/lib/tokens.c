#include "tests/lib/tokens.h"

#include <stdio.h>
#include <string.h>

#include "base/assertion.h"
#include "codec/base64url.h"

#define TOKEN_BYTES_MAX ((size_t)2 * 1024 * 1024)

struct key_ring *tokens_make_key(enum jwk_type type, uint32_t uses, struct private_key *key) {
    struct key_ring *ring = key_ring_new();
    private_key_generate(type, key);
    bool added = key_ring_add(ring, &key->public_key, uses, KEY_RING_ALWAYS_FROM_MS,
                              KEY_RING_FOREVER_MS, NULL);
    ASSERT(added);
    return ring;
}

static void expand_header(const struct private_key *key, const char *header, struct buffer *out) {
    for (const char *kid; (kid = strstr(header, "KID")); header = kid + 3) {
        buffer_append(out, header, (size_t)(kid - header));
        buffer_append_text(out, key->public_key.thumbprint);
    }
    buffer_append_text(out, header);
}

void tokens_sign_raw(const struct private_key *key, const char *header, const char *claims,
                     struct buffer *token) {
    struct buffer expanded;
    uint8_t signature[SIGNATURE_BYTES];
    buffer_init(&expanded, TOKEN_BYTES_MAX);
    buffer_init(token, TOKEN_BYTES_MAX);
    expand_header(key, header, &expanded);
    base64url_append(token, buffer_bytes(&expanded));
    buffer_append(token, ".", 1);
    base64url_append(token, bytes_of_text(claims));
    private_key_sign(key, buffer_bytes(token), signature);
    buffer_append(token, ".", 1);
    base64url_append(token, bytes_of(signature, sizeof signature));
    ASSERT(!token->failed);
    buffer_free(&expanded);
}

void tokens_sign(const struct private_key *key, const char *typ, const char *claims,
                 struct buffer *token) {
    char header[256];
    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"KID\",\"typ\":\"%s\"}",
             jwk_algorithm(key->public_key.type), typ);
    tokens_sign_raw(key, header, claims, token);
}

struct license *tokens_make_license(void) {
    struct license *license = license_new();
    strcpy(license->issuer, "Vendor");
    strcpy(license->customer, "ACME & S\xC3\xB6hne <GmbH>");
    strcpy(license->license_id, "lic-1");
    strcpy(license->product, "product");
    strcpy(license->edition, "enterprise");
    strcpy(license->deployment_id, "site-7");
    license->issued_at_ms = TOKENS_ISSUED_MS;
    license->not_before_ms = TOKENS_ISSUED_MS;
    license->expires_at_ms = TOKENS_ISSUED_MS + 30 * INT64_C(86400000);
    license->grace_days = 3;
    license->serial = 9;
    license->seats = 25;
    bool added = license_add_feature(license, "sso", LICENSE_FEATURE_FLAG, 0, NULL, NULL) &&
                 license_add_feature(license, "nodes", LICENSE_FEATURE_NUMBER, 10, NULL, NULL) &&
                 license_add_feature(license, "nodes", LICENSE_FEATURE_NUMBER, 50, NULL, NULL) &&
                 license_add_feature(license, "tier", LICENSE_FEATURE_TEXT, 0, "gold", NULL);
    ASSERT(added);
    license->features[0].degrade = LICENSE_DEGRADE_READONLY;
    return license;
}
