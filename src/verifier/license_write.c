/* Making a license: its features, its sense, its claims, its token. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verifier/license.h"

/* Room for the claims of a license with LICENSE_FEATURES_MAX texts. */
#define CLAIMS_BYTES_MAX JWS_TOKEN_BYTES_MAX

static struct license_feature *find_or_append(struct license *license, const char *name) {
    for (size_t i = 0; i < license->features_count; i++)
        if (strcmp(license->features[i].name, name) == 0) return &license->features[i];
    if (license->features_count == LICENSE_FEATURES_MAX) return NULL;
    if (license->features_count == 0) {
        free(license->features);
        license->features = NULL;
    }
    struct license_feature *larger = memory_new_array(license->features_count + 1, sizeof *larger);
    if (license->features)
        memcpy(larger, license->features, license->features_count * sizeof *larger);
    free(license->features);
    license->features = larger;
    struct license_feature *added = &larger[license->features_count++];
    memcpy(added->name, name, strlen(name) + 1);
    return added;
}

bool license_add_feature(struct license *license, const char *name, enum license_feature_kind kind,
                         double number, const char *text, struct status *status) {
    if (!claims_text_is_fit(name, LICENSE_FEATURE_NAME_BYTES_MAX))
        return status_fail(status, STATUS_USAGE,
                           "a feature's name has 1 to %d bytes and no control characters",
                           LICENSE_FEATURE_NAME_BYTES_MAX);
    if (kind == LICENSE_FEATURE_NUMBER && !isfinite(number))
        return status_fail(status, STATUS_USAGE, "the feature \"%s\" is not a finite number", name);
    if (kind == LICENSE_FEATURE_TEXT && (!text || !claims_text_is_fit(text, CLAIM_TEXT_BYTES_MAX)))
        return status_fail(
            status, STATUS_USAGE,
            "the text of the feature \"%s\" has 1 to %d bytes and no control characters", name,
            CLAIM_TEXT_BYTES_MAX);
    struct license_feature *feature = find_or_append(license, name);
    if (!feature)
        return status_fail(status, STATUS_USAGE, "a license has at most %d features",
                           LICENSE_FEATURES_MAX);
    free(feature->text);
    feature->kind = kind;
    feature->number = kind == LICENSE_FEATURE_NUMBER ? number : 0;
    feature->text = kind == LICENSE_FEATURE_TEXT ? memory_copy_text(text) : NULL;
    return true;
}

static bool validate_texts(const struct license *license, struct status *status) {
    const struct {
        const char *text;
        const char *what;
        bool required;
    } rows[] = {
        {license->issuer, "issuer", true},         {license->customer, "customer", true},
        {license->license_id, "license id", true}, {license->edition, "edition", true},
        {license->product, "product", false},      {license->deployment_id, "deployment id", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].text[0] == '\0' && !rows[i].required) continue;
        if (!claims_text_is_fit(rows[i].text, CLAIM_TEXT_BYTES_MAX))
            return status_fail(status, STATUS_USAGE,
                               "the %s is empty, not UTF-8, or has control characters",
                               rows[i].what);
    }
    return true;
}

static bool is_within(int64_t number, int64_t lowest, int64_t highest) {
    return number >= lowest && number <= highest;
}

static bool validate_times(const struct license *license, struct status *status) {
    int64_t last_ms = CLAIM_TIME_MAX_S * 1000;
    if (!is_within(license->issued_at_ms, 0, last_ms) ||
        !is_within(license->not_before_ms, 0, last_ms) ||
        !is_within(license->expires_at_ms, 0, last_ms))
        return status_fail(status, STATUS_USAGE, "the times of a license are from 1970 to 9999");
    if (license->expires_at_ms <= license->not_before_ms)
        return status_fail(status, STATUS_USAGE,
                           "the license would expire before it becomes valid");
    if (!is_within(license->grace_days, 0, LICENSE_GRACE_DAYS_MAX))
        return status_fail(status, STATUS_USAGE, "the grace is 0 to %d days",
                           LICENSE_GRACE_DAYS_MAX);
    return true;
}

static bool validate_numbers(const struct license *license, struct status *status) {
    const struct fingerprint_demand *demand = &license->fingerprints;
    if (!is_within(license->serial, 0, CLAIM_INTEGER_MAX) ||
        !is_within(license->seats, 0, CLAIM_INTEGER_MAX))
        return status_fail(status, STATUS_USAGE, "serial and seats are not negative");
    if (demand->count > 0 && (demand->match < 1 || demand->match > demand->count))
        return status_fail(status, STATUS_USAGE,
                           "of %zu fingerprint components, 1 to %zu can be asked for, not %zu",
                           demand->count, demand->count, demand->match);
    return true;
}

/* The client is asked for a feature by GET /v1/features/NAME, where no spelling of these would
 * arrive. */
static bool validate_feature_names(const struct license *license, struct status *status) {
    for (size_t i = 0; i < license->features_count; i++) {
        const char *name = license->features[i].name;
        if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
            return status_fail(status, STATUS_USAGE,
                               "the feature \"%s\" could not be asked for over HTTP: a name has no "
                               "slash and is not \".\" or \"..\"",
                               name);
    }
    return true;
}

bool license_validate(const struct license *license, struct status *status) {
    return validate_texts(license, status) && validate_times(license, status) &&
           validate_numbers(license, status) && validate_feature_names(license, status);
}

void license_write_features(const struct license *license, struct json_writer *writer) {
    json_writer_begin_object(writer);
    for (size_t i = 0; i < license->features_count; i++) {
        const struct license_feature *feature = &license->features[i];
        switch (feature->kind) {
        case LICENSE_FEATURE_FLAG: json_writer_member_boolean(writer, feature->name, true); break;
        case LICENSE_FEATURE_NUMBER:
            json_writer_member_double(writer, feature->name, feature->number);
            break;
        case LICENSE_FEATURE_TEXT:
            json_writer_member_text(writer, feature->name, feature->text);
            break;
        }
    }
    json_writer_end_object(writer);
}

static bool has_degrade(const struct license *license) {
    for (size_t i = 0; i < license->features_count; i++)
        if (license->features[i].degrade != LICENSE_DEGRADE_BLOCK) return true;
    return false;
}

static void write_degrade(const struct license *license, struct json_writer *writer) {
    if (!has_degrade(license)) return;
    json_writer_name(writer, "degrade");
    json_writer_begin_object(writer);
    for (size_t i = 0; i < license->features_count; i++) {
        const struct license_feature *feature = &license->features[i];
        if (feature->degrade != LICENSE_DEGRADE_BLOCK)
            json_writer_member_text(writer, feature->name, license_degrade_name(feature->degrade));
    }
    json_writer_end_object(writer);
}

static void write_digests(struct json_writer *writer, const char *name,
                          const char digests[][SHA256_TEXT_BYTES], size_t count) {
    if (count == 0) return;
    json_writer_name(writer, name);
    json_writer_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_writer_text(writer, digests[i]);
    json_writer_end_array(writer);
}

static void write_optional_text(struct json_writer *writer, const char *name, const char *text) {
    if (text[0]) json_writer_member_text(writer, name, text);
}

static void write_optional_integer(struct json_writer *writer, const char *name, int64_t number) {
    if (number != 0) json_writer_member_integer(writer, name, number);
}

void license_write_claims(const struct license *license, struct json_writer *writer) {
    json_writer_begin_object(writer);
    json_writer_member_text(writer, "iss", license->issuer);
    json_writer_member_text(writer, "sub", license->customer);
    json_writer_member_text(writer, "jti", license->license_id);
    claims_write_time(writer, "iat", license->issued_at_ms);
    claims_write_time(writer, "nbf", license->not_before_ms);
    claims_write_time(writer, "exp", license->expires_at_ms);
    write_optional_text(writer, "product", license->product);
    json_writer_member_text(writer, "edition", license->edition);
    json_writer_name(writer, "features");
    license_write_features(license, writer);
    write_degrade(license, writer);
    write_optional_integer(writer, "seats", license->seats);
    write_optional_text(writer, "deployment_id", license->deployment_id);
    write_digests(writer, "fingerprints", license->fingerprints.digests,
                  license->fingerprints.count);
    write_optional_integer(writer, "fingerprint_match", (int64_t)license->fingerprints.match);
    write_optional_integer(writer, "grace_days", license->grace_days);
    json_writer_member_integer(writer, "serial", license->serial);
    write_digests(writer, "server_jkts", license->server_jkts, license->server_jkts_count);
    json_writer_end_object(writer);
}

bool license_sign(const struct license *license, const struct signer *signer, struct buffer *token,
                  struct status *status) {
    struct buffer claims;
    struct json_writer json;
    if (!license_validate(license, status)) return false;
    buffer_init(&claims, CLAIMS_BYTES_MAX);
    json_writer_init(&json, &claims);
    license_write_claims(license, &json);
    bool done = json_writer_finish(&json, "the license", status) &&
                jws_sign(TOKEN_LICENSE, signer, buffer_bytes(&claims), token, status);
    buffer_free(&claims);
    return done;
}

void license_write_seats(const struct license *license, struct json_writer *writer) {
    json_writer_begin_object(writer);
    if (license && license->seats > 0)
        json_writer_member_integer(writer, "total", license->seats);
    else
        json_writer_member_null(writer, "total");
    json_writer_member_boolean(writer, "enforced", false);
    json_writer_end_object(writer);
}
