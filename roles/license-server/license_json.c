#include "roles/license-server/license_json.h"

static void write_features(const struct keeper *keeper, struct json_writer *json) {
    json_writer_name(json, "features");
    if (keeper_grants(keeper)) {
        license_write_features(keeper->license, json);
        return;
    }
    json_writer_begin_object(json);
    json_writer_end_object(json);
}

/* How features end when the license does; those that are simply off then are left out. */
static void write_degrade(const struct license *license, struct json_writer *json) {
    json_writer_name(json, "degrade");
    json_writer_begin_object(json);
    for (size_t i = 0; license && i < license->features_count; i++)
        if (license->features[i].degrade != LICENSE_DEGRADE_BLOCK)
            json_writer_member_text(json, license->features[i].name,
                                    license_degrade_name(license->features[i].degrade));
    json_writer_end_object(json);
}

static const char *text_or_null(const char *text) {
    return text[0] ? text : NULL;
}

static void write_identity(const struct license *license, struct json_writer *json) {
    static const char *const names[] = {"customer",   "license_id",    "product",
                                        "serial",     "deployment_id", "not_before",
                                        "expires_at", "grace_ends_at"};
    if (!license) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            json_writer_member_null(json, names[i]);
        return;
    }
    json_writer_member_text(json, "customer", license->customer);
    json_writer_member_text(json, "license_id", license->license_id);
    json_writer_member_text(json, "product", text_or_null(license->product));
    json_writer_member_integer(json, "serial", license->serial);
    json_writer_member_text(json, "deployment_id", text_or_null(license->deployment_id));
    json_writer_member_time(json, "not_before", license->not_before_ms);
    json_writer_member_time(json, "expires_at", license->expires_at_ms);
    json_writer_member_time(json, "grace_ends_at", license_grace_ends_at_ms(license));
}

void license_json_write_members(const struct keeper *keeper, struct json_writer *json) {
    json_writer_member_text(json, "status", license_status_word(keeper->judgement.status));
    json_writer_member_text(json, "edition", keeper_edition(keeper));
    json_writer_member_boolean(json, "licensed", keeper_grants(keeper));
    write_features(keeper, json);
    write_degrade(keeper->license, json);
    write_identity(keeper->license, json);
    json_writer_name(json, "seats");
    license_write_seats(keeper->license, json);
}
