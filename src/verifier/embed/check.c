/* lsys_check: the verifier's modules in the order in which a license server uses them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "codec/armor.h"
#include "verifier/embed/lsys.h"
#include "verifier/keyring_token.h"
#include "verifier/license.h"
#include "verifier/revocations.h"

/* A license that grants nothing. */
#define UNLICENSED_EDITION "community"

struct lsys_license {
    struct license *license; /* NULL when nothing could be verified */
    struct status status;
};

static struct bytes bytes_from(struct lsys_bytes bytes) {
    return bytes_of(bytes.data, bytes.length);
}

static bool add_keys(struct key_ring *ring, struct lsys_bytes jwks, uint32_t uses, const char *what,
                     struct status *status) {
    if (!jwks.data) return true;
    if (key_ring_add_jwks(ring, bytes_from(jwks), uses, status)) return true;
    return status_context(status, "%s", what);
}

static bool read_armor(const char *label, struct lsys_bytes text, struct buffer *token,
                       struct status *status) {
    buffer_init(token, JWS_TOKEN_BYTES_MAX);
    return armor_read(label, bytes_from(text), token, status);
}

static bool apply_keyring(struct key_ring *ring, struct lsys_bytes text, struct status *status) {
    struct buffer token;
    if (!text.data) return true;
    struct keyring_token *keyring = NULL;
    if (read_armor(ARMOR_KEYRING, text, &token, status))
        keyring = keyring_token_verify(buffer_bytes(&token), ring, NULL, status);
    bool done = keyring && keyring_token_apply(keyring, ring, status);
    keyring_token_free(keyring);
    buffer_free(&token);
    return done || status_context(status, "key ring");
}

static bool fill_ring(struct key_ring *ring, const struct lsys_question *question,
                      struct status *status) {
    return add_keys(ring, question->keys, TOKEN_USES_VENDOR, "keys", status) &&
           add_keys(ring, question->roots, TOKEN_USE(TOKEN_KEYRING), "roots", status) &&
           apply_keyring(ring, question->keyring, status);
}

/* A list that cannot be verified is an error, not an absent list: it would un-revoke. */
static bool read_revocations(const struct key_ring *ring, struct lsys_bytes text,
                             struct revocations **out, struct status *status) {
    struct buffer token;
    *out = NULL;
    if (!text.data) return true;
    if (read_armor(ARMOR_REVOCATIONS, text, &token, status))
        *out = revocations_verify(buffer_bytes(&token), ring, NULL, status);
    buffer_free(&token);
    return *out || status_context(status, "revocation list");
}

static void judge(const struct lsys_question *question, const struct key_ring *ring,
                  struct lsys_license *result) {
    struct buffer token;
    struct revocations *revocations = NULL;
    if (read_armor(ARMOR_LICENSE, question->license, &token, &result->status))
        result->license = license_verify(buffer_bytes(&token), ring, NULL, &result->status);
    buffer_free(&token);
    if (result->license &&
        read_revocations(ring, question->revocations, &revocations, &result->status)) {
        const struct license_circumstances circumstances = {.ring = ring,
                                                            .revocations = revocations,
                                                            .deployment_id =
                                                                question->deployment_id,
                                                            .now_ms = question->now_ms};
        bool valid = license_check(result->license, &circumstances, &result->status);
        (void)valid; /* the status says it, and why */
    }
    revocations_free(revocations);
}

struct lsys_license *lsys_check(const struct lsys_question *question) {
    struct lsys_license *result = memory_new(sizeof *result);
    struct key_ring *ring = key_ring_new();
    if (fill_ring(ring, question, &result->status)) judge(question, ring, result);
    key_ring_free(ring);
    return result;
}

void lsys_license_free(struct lsys_license *license) {
    if (!license) return;
    license_free(license->license);
    free(license);
}

enum lsys_verdict lsys_license_verdict(const struct lsys_license *license) {
    switch (license->status.code) {
    case STATUS_OK: return LSYS_VALID;
    case STATUS_GRACE: return LSYS_GRACE;
    default: return LSYS_REFUSED;
    }
}

const char *lsys_license_code(const struct lsys_license *license) {
    return status_code_name(license->status.code);
}

const char *lsys_license_message(const struct lsys_license *license) {
    return license->status.text;
}

static bool counts(const struct lsys_license *license) {
    return license->license && lsys_license_verdict(license) != LSYS_REFUSED;
}

const char *lsys_license_edition(const struct lsys_license *license) {
    return counts(license) ? license->license->edition : UNLICENSED_EDITION;
}

const char *lsys_license_id(const struct lsys_license *license) {
    return license->license ? license->license->license_id : "";
}

const char *lsys_license_customer(const struct lsys_license *license) {
    return license->license ? license->license->customer : "";
}

const char *lsys_license_product(const struct lsys_license *license) {
    return license->license ? license->license->product : "";
}

long long lsys_license_expires_at_ms(const struct lsys_license *license) {
    return license->license ? license->license->expires_at_ms : 0;
}

long long lsys_license_serial(const struct lsys_license *license) {
    return license->license ? license->license->serial : 0;
}

long long lsys_license_seats(const struct lsys_license *license) {
    return license->license ? license->license->seats : 0;
}

enum lsys_feature lsys_license_feature(const struct lsys_license *license, const char *name,
                                       double *number, const char **text) {
    const struct license_feature *feature =
        counts(license) ? license_find_feature(license->license, name) : NULL;
    if (!feature) return LSYS_FEATURE_NONE;
    switch (feature->kind) {
    case LICENSE_FEATURE_NUMBER:
        if (number) *number = feature->number;
        return LSYS_FEATURE_NUMBER;
    case LICENSE_FEATURE_TEXT:
        if (text) *text = feature->text;
        return LSYS_FEATURE_TEXT;
    case LICENSE_FEATURE_FLAG: break;
    }
    return LSYS_FEATURE_FLAG;
}
