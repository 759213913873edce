#include "roles/cache-master/intake.h"

#include "base/clock.h"
#include "codec/armor.h"
#include "rules/license_status.h"

const char *intake_result_name(enum intake_result result) {
    static const char *const names[] = {"added", "replaced", "unchanged", "refused"};
    return names[result];
}

/* The facts that do not depend on a machine or on a place: those are the slaves' to judge. */
static struct license_facts look_up_facts(const struct authority *authority,
                                          const struct license *license, int64_t now_ms,
                                          struct status *status) {
    const struct license_circumstances place = {.now_ms = now_ms};
    return authority_license_facts(authority, license, &place, status);
}

static struct license *verify(struct authority *authority, struct bytes token,
                              struct status *status) {
    struct status checked = STATUS_INIT;
    struct license *license = authority_verify_license(authority, token, status);
    if (!license) return NULL;
    struct license_facts facts = look_up_facts(authority, license, clock_wall_ms(), &checked);
    if (facts.verdict == STATUS_OK && !facts.revoked) return license;
    status_fail(status, checked.code, "%s", checked.text);
    license_free(license);
    return NULL;
}

static enum intake_result put(struct license_shelf *shelf, const struct license *license,
                              struct bytes token, const char *actor, struct shelf_entry **entry,
                              struct status *status) {
    const struct shelf_entry *before = license_shelf_find(shelf, license->license_id);
    bool was_there = before && !before->deleted;
    uint64_t sequence = license_shelf_sequence(shelf);
    struct shelf_change change = {
        .act = SHELF_PUT, .license_id = license->license_id, .license = license, .token = token};
    if (!license_shelf_apply(shelf, &change, 1, SHELF_DURABLE, actor, status))
        return INTAKE_REFUSED;
    if (entry) *entry = license_shelf_find(shelf, license->license_id);
    if (license_shelf_sequence(shelf) == sequence) return INTAKE_UNCHANGED;
    return was_there ? INTAKE_REPLACED : INTAKE_ADDED;
}

enum intake_result intake_offer(struct license_shelf *shelf, struct authority *authority,
                                struct bytes text, const char *actor, struct shelf_entry **entry,
                                struct status *status) {
    struct buffer token;
    enum intake_result result = INTAKE_REFUSED;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    if (armor_read(ARMOR_LICENSE, text, &token, status)) {
        struct license *license = verify(authority, buffer_bytes(&token), status);
        if (license) result = put(shelf, license, buffer_bytes(&token), actor, entry, status);
        license_free(license);
    }
    buffer_free(&token);
    return result;
}

/* ---- showing ---- */

static void write_license(const struct license *license, struct json_writer *json) {
    json_writer_member_text(json, "customer", license->customer);
    json_writer_member_text(json, "product", license->product[0] ? license->product : NULL);
    json_writer_member_text(json, "edition", license->edition);
    json_writer_member_time(json, "issued_at", license->issued_at_ms);
    json_writer_member_time(json, "expires_at", license->expires_at_ms);
    json_writer_name(json, "features");
    license_write_features(license, json);
}

static void write_status(const struct authority *authority, const struct shelf_entry *entry,
                         const struct license *license, struct status *why,
                         struct json_writer *json) {
    int64_t now_ms = clock_wall_ms();
    struct license_facts facts = license ? look_up_facts(authority, license, now_ms, why)
                                         : license_status_facts(NULL, why->code);
    if (entry->revoked_at_ms != 0) facts.revoked = true;
    struct license_judgement judgement = license_status_judge(&facts, now_ms);
    json_writer_member_text(json, "status", license_status_word(judgement.status));
    json_writer_member_text(json, "problem", license ? NULL : why->text);
}

void intake_write_summary(struct license_shelf *shelf, const struct authority *authority,
                          struct shelf_entry *entry, bool with_token, struct json_writer *json) {
    struct status why = STATUS_INIT;
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    struct license *license = license_shelf_take(shelf, entry, authority->ring, &token, &why);
    json_writer_begin_object(json);
    json_writer_member_text(json, "license_id", entry->license_id);
    json_writer_member_integer(json, "serial", entry->serial);
    json_writer_member_integer(json, "change", (int64_t)entry->change);
    json_writer_member_text(json, "deployment_id",
                            entry->deployment_id[0] ? entry->deployment_id : NULL);
    write_status(authority, entry, license, &why, json);
    if (license) write_license(license, json);
    if (entry->revoked_at_ms != 0) {
        json_writer_member_time(json, "revoked_at", entry->revoked_at_ms);
        json_writer_member_text(json, "revoked_reason", entry->revoked_reason);
    }
    if (license && with_token) json_writer_member_text(json, "token", buffer_text(&token));
    json_writer_end_object(json);
    license_free(license);
    buffer_free(&token);
}
