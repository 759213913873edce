/* Reading the claims of a license: each with its limit, everything or nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verifier/license.h"

static bool read_identity(const struct json_value *claims, struct license *license,
                          struct status *status) {
    return claims_text(claims, "iss", true, license->issuer, LICENSE_TEXT_BYTES, status) &&
           claims_text(claims, "sub", true, license->customer, LICENSE_TEXT_BYTES, status) &&
           claims_text(claims, "jti", true, license->license_id, LICENSE_TEXT_BYTES, status) &&
           claims_text(claims, "product", false, license->product, LICENSE_TEXT_BYTES, status) &&
           claims_text(claims, "edition", true, license->edition, LICENSE_TEXT_BYTES, status) &&
           claims_text(claims, "deployment_id", false, license->deployment_id, LICENSE_TEXT_BYTES,
                       status);
}

static bool read_times(const struct json_value *claims, struct license *license,
                       struct status *status) {
    if (!claims_time(claims, "iat", true, &license->issued_at_ms, status)) return false;
    license->not_before_ms = license->issued_at_ms;
    if (!claims_time(claims, "nbf", false, &license->not_before_ms, status) ||
        !claims_time(claims, "exp", true, &license->expires_at_ms, status) ||
        !claims_integer(claims, "grace_days", 0, LICENSE_GRACE_DAYS_MAX, &license->grace_days,
                        status))
        return false;
    if (license->expires_at_ms > license->not_before_ms) return true;
    return status_fail(status, STATUS_BAD_CLAIM, "the claim \"exp\" is not after \"nbf\"");
}

static bool read_numbers(const struct json_value *claims, struct license *license,
                         struct status *status) {
    return claims_integer(claims, "serial", 0, CLAIM_INTEGER_MAX, &license->serial, status) &&
           claims_integer(claims, "seats", 0, CLAIM_INTEGER_MAX, &license->seats, status);
}

/* Reads an array of at most `max` digests of 43 characters into `out`. */
static bool read_digests(const struct json_value *claims, const char *name, size_t max,
                         char out[][SHA256_TEXT_BYTES], size_t *count, struct status *status) {
    const struct json_value *array = json_value_member(claims, name);
    if (!array) return true;
    if (json_value_type(array) != JSON_TYPE_ARRAY || json_value_count(array) > max)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"%s\" is not an array of at most %zu texts", name, max);
    for (size_t i = 0; i < json_value_count(array); i++) {
        const char *digest = json_value_text(json_value_item(array, i));
        if (!digest || !fingerprint_digest_is_fit(digest))
            return status_fail(status, STATUS_BAD_CLAIM,
                               "item %zu of the claim \"%s\" is not a SHA-256 in base64url", i + 1,
                               name);
        memcpy(out[i], digest, SHA256_TEXT_BYTES);
        *count = i + 1;
    }
    return true;
}

static bool read_machine(const struct json_value *claims, struct license *license,
                         struct status *status) {
    struct fingerprint_demand *demand = &license->fingerprints;
    if (!read_digests(claims, "fingerprints", FINGERPRINT_COMPONENTS_MAX, demand->digests,
                      &demand->count, status))
        return false;
    /* Without a k, all n are asked for: the safe reading. */
    int64_t match = (int64_t)demand->count;
    if (!claims_integer(claims, "fingerprint_match", demand->count ? 1 : 0, (int64_t)demand->count,
                        &match, status))
        return false;
    demand->match = (size_t)match;
    return read_digests(claims, "server_jkts", LICENSE_SERVERS_MAX, license->server_jkts,
                        &license->server_jkts_count, status);
}

static bool read_feature(const char *name, const struct json_value *value,
                         struct license_feature *out, struct status *status) {
    bool flag = false;
    const char *text = json_value_text(value);
    if (json_value_boolean(value, &flag)) {
        out->kind = LICENSE_FEATURE_FLAG;
    } else if (json_value_number(value, &out->number)) {
        out->kind = LICENSE_FEATURE_NUMBER;
    } else if (text && claims_text_is_fit(text, CLAIM_TEXT_BYTES_MAX)) {
        out->kind = LICENSE_FEATURE_TEXT;
        out->text = memory_copy_text(text);
    } else {
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the feature \"%s\" is neither true, a number nor a text of at most %d "
                           "bytes",
                           name, CLAIM_TEXT_BYTES_MAX);
    }
    memcpy(out->name, name, strlen(name) + 1);
    return true;
}

static bool is_false(const struct json_value *value) {
    bool flag = true;
    return json_value_boolean(value, &flag) && !flag;
}

static bool read_features(const struct json_value *claims, struct license *license,
                          struct status *status) {
    const struct json_value *features = json_value_member(claims, "features");
    if (!features) return true;
    if (json_value_type(features) != JSON_TYPE_OBJECT ||
        json_value_count(features) > LICENSE_FEATURES_MAX)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"features\" is not an object of at most %d members",
                           LICENSE_FEATURES_MAX);
    license->features = memory_new_array(json_value_count(features), sizeof *license->features);
    struct json_member member = {0};
    while (json_value_next_member(features, &member)) {
        if (!claims_text_is_fit(member.name, LICENSE_FEATURE_NAME_BYTES_MAX))
            return status_fail(
                status, STATUS_BAD_CLAIM,
                "a feature's name is empty, over %d bytes, or has control characters",
                LICENSE_FEATURE_NAME_BYTES_MAX);
        if (is_false(member.value)) continue;
        if (!read_feature(member.name, member.value, &license->features[license->features_count],
                          status))
            return false;
        license->features_count++;
    }
    return true;
}

/* Names without a feature are passed over: a feature may be false in this license. */
static bool read_degrade(const struct json_value *claims, struct license *license,
                         struct status *status) {
    const struct json_value *degrade = json_value_member(claims, "degrade");
    if (!degrade) return true;
    if (json_value_type(degrade) != JSON_TYPE_OBJECT ||
        json_value_count(degrade) > LICENSE_FEATURES_MAX)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"degrade\" is not an object of at most %d members",
                           LICENSE_FEATURES_MAX);
    for (size_t i = 0; i < license->features_count; i++) {
        struct license_feature *feature = &license->features[i];
        const struct json_value *value = json_value_member(degrade, feature->name);
        const char *word = json_value_text(value);
        if (value && (!word || !license_degrade_find(word, &feature->degrade)))
            return status_fail(status, STATUS_BAD_CLAIM,
                               "\"degrade\" of the feature \"%s\" is not advise, readonly or block",
                               feature->name);
    }
    return true;
}

struct license *license_read_claims(const struct json_value *claims, struct status *status) {
    struct license *license = license_new();
    if (read_identity(claims, license, status) && read_times(claims, license, status) &&
        read_numbers(claims, license, status) && read_machine(claims, license, status) &&
        read_features(claims, license, status) && read_degrade(claims, license, status))
        return license;
    license_free(license);
    return NULL;
}
