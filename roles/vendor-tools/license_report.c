#include "roles/vendor-tools/license_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "codec/rfc3339.h"

/* A line, unless the license does not have it. */
static void print_text(const char *name, const char *value) {
    if (*value) printf("  %-14s %s\n", name, value);
}

static void print_number(const char *name, int64_t value) {
    if (value != 0) printf("  %-14s %" PRId64 "\n", name, value);
}

static void print_time(const char *name, int64_t unix_ms) {
    char text[RFC3339_BYTES];
    rfc3339_format(unix_ms, text);
    print_text(name, text);
}

static void print_features(const struct license *license) {
    for (size_t i = 0; i < license->features_count; i++) {
        const struct license_feature *feature = &license->features[i];
        printf("  %-14s %s", i == 0 ? "features" : "", feature->name);
        if (feature->kind == LICENSE_FEATURE_NUMBER) printf(" = %.15g", feature->number);
        if (feature->kind == LICENSE_FEATURE_TEXT) printf(" = %s", feature->text);
        if (feature->degrade != LICENSE_DEGRADE_BLOCK)
            printf("  (without license: %s)", license_degrade_name(feature->degrade));
        printf("\n");
    }
}

void license_report_print(const struct license *license) {
    print_text("license", license->license_id);
    print_text("customer", license->customer);
    print_text("edition", license->edition);
    print_text("product", license->product);
    print_text("issuer", license->issuer);
    print_number("serial", license->serial);
    print_time("issued", license->issued_at_ms);
    print_time("begins", license->not_before_ms);
    print_time("expires", license->expires_at_ms);
    print_number("grace days", license->grace_days);
    print_number("seats", license->seats);
    print_text("deployment", license->deployment_id);
    if (license->fingerprints.count > 0)
        printf("  %-14s %zu of %zu components\n", "machine", license->fingerprints.match,
               license->fingerprints.count);
    for (size_t i = 0; i < license->server_jkts_count; i++)
        print_text(i == 0 ? "server keys" : "", license->server_jkts[i]);
    print_features(license);
}

/* Null for what the license does not say, as in license-server's /v1/license. */
static void write_text(const char *name, const char *value, struct json_writer *json) {
    json_writer_member_text(json, name, *value ? value : NULL);
}

static void write_seats(int64_t seats, struct json_writer *json) {
    if (seats > 0)
        json_writer_member_integer(json, "seats", seats);
    else
        json_writer_member_null(json, "seats");
}

void license_report_write(const struct license *license, struct json_writer *json) {
    json_writer_member_text(json, "license_id", license->license_id);
    json_writer_member_text(json, "customer", license->customer);
    json_writer_member_text(json, "edition", license->edition);
    write_text("product", license->product, json);
    write_text("issuer", license->issuer, json);
    json_writer_member_integer(json, "serial", license->serial);
    json_writer_member_time(json, "issued_at", license->issued_at_ms);
    json_writer_member_time(json, "not_before", license->not_before_ms);
    json_writer_member_time(json, "expires_at", license->expires_at_ms);
    json_writer_member_time(json, "grace_ends_at", license_grace_ends_at_ms(license));
    json_writer_member_integer(json, "grace_days", license->grace_days);
    write_seats(license->seats, json);
    write_text("deployment_id", license->deployment_id, json);
    json_writer_member_integer(json, "fingerprint_components",
                               (int64_t)license->fingerprints.count);
    json_writer_member_integer(json, "fingerprint_match", (int64_t)license->fingerprints.match);
    json_writer_name(json, "features");
    license_write_features(license, json);
    json_writer_member_text(json, "kid", license->kid);
}

size_t license_report_unjudged(const struct license *license,
                               const struct license_circumstances *circumstances,
                               const char *names[2]) {
    size_t count = 0;
    if (*license->deployment_id && !circumstances->deployment_id) names[count++] = "deployment";
    if (license->fingerprints.count > 0 && !circumstances->fingerprint)
        names[count++] = "fingerprint";
    return count;
}
