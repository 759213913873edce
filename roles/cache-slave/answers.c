#include "roles/cache-slave/answers.h"

#include <string.h>

#include "codec/json_writer.h"

static const char *text_or_null(const char *text) {
    return text && text[0] ? text : NULL;
}

static const char *edition_of(const struct slave_view *view) {
    return view->granting ? view->granting->edition : "community";
}

static void write_features(const struct slave_view *view, struct json_writer *json) {
    json_writer_name(json, "features");
    if (view->granting) {
        license_write_features(view->granting, json);
        return;
    }
    json_writer_begin_object(json);
    json_writer_end_object(json);
}

static void write_last_sync(const struct cache_slave *slave, struct json_writer *json) {
    if (slave->progress.confirmed_at_ms == 0)
        json_writer_member_null(json, "last_sync");
    else
        json_writer_member_time(json, "last_sync", slave->progress.confirmed_at_ms);
}

static void write_times(const struct license *license, struct json_writer *json) {
    if (!license) {
        json_writer_member_null(json, "expires_at");
        json_writer_member_null(json, "grace_ends_at");
        return;
    }
    json_writer_member_time(json, "expires_at", license->expires_at_ms);
    json_writer_member_time(json, "grace_ends_at", license_grace_ends_at_ms(license));
}

static void write_age(const struct slave_view *view, struct json_writer *json) {
    if (view->age_ms == CACHE_NEVER_CONFIRMED)
        json_writer_member_null(json, "age_ms");
    else
        json_writer_member_integer(json, "age_ms", view->age_ms);
}

/* The license that grants, else the one that was asked for: who it is from, and what it is
 * worth. */
static void write_license(const struct cache_slave *slave, const struct slave_view *view,
                          struct json_writer *json) {
    const struct license *license = view->granting ? view->granting : view->license;
    bool stands_in = view->basis == CACHE_ON_DEVELOPMENT;
    json_writer_begin_object(json);
    json_writer_member_text(json, "id", license ? license->license_id : NULL);
    json_writer_member_text(json, "customer", license ? license->customer : NULL);
    json_writer_member_text(json, "product", license ? text_or_null(license->product) : NULL);
    json_writer_member_text(json, "deployment_id",
                            license ? text_or_null(license->deployment_id) : NULL);
    if (license)
        json_writer_member_integer(json, "serial", license->serial);
    else
        json_writer_member_null(json, "serial");
    write_features(view, json);
    write_times(license, json);
    json_writer_member_text(json, "status",
                            license_status_word(stands_in ? view->development : view->status));
    json_writer_member_text(json, "sync_status", cache_state_name(view->state));
    write_last_sync(slave, json);
    json_writer_end_object(json);
}

/* What every answer says about the license as a whole. */
static void write_common(const struct cache_slave *slave, const struct slave_view *view,
                         struct json_writer *json) {
    char reason[SLAVE_REASON_BYTES];
    slave_explain(slave, view, reason);
    json_writer_member_boolean(json, "licensed", view->granting != NULL);
    json_writer_member_text(json, "edition", edition_of(view));
    json_writer_member_text(json, "status", license_status_word(view->status));
    json_writer_member_text(json, "sync_status", cache_state_name(view->state));
    json_writer_member_text(json, "rests_on", cache_basis_name(view->basis));
    write_last_sync(slave, json);
    write_age(view, json);
    json_writer_member_text(json, "reason", reason);
}

static void finish(struct json_writer *json, struct buffer *out) {
    struct status ignored = STATUS_INIT;
    if (!json_writer_finish(json, "the answer", &ignored)) out->failed = true;
}

void slave_answer_license(const struct cache_slave *slave, const struct slave_view *view,
                          struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    write_common(slave, view, &json);
    write_features(view, &json);
    write_times(view->granting ? view->granting : view->license, &json);
    json_writer_name(&json, "license");
    write_license(slave, view, &json);
    json_writer_end_object(&json);
    finish(&json, out);
}

/* ---- checks ---- */

/* One feature that is asked for. */
struct check {
    const char *feature;
    bool has_amount;
    double amount; /* how much is used or wanted */
};

static bool read_check(const struct json_value *item, struct check *check, struct status *status) {
    const struct json_value *amount = json_value_member(item, "amount");
    check->feature = json_member_text(item, "feature");
    check->has_amount = json_value_number(amount, &check->amount);
    if (check->feature && (!amount || check->has_amount)) return true;
    return status_fail(status, STATUS_BAD_CLAIM,
                       "a check is {\"feature\": TEXT} with an optional number \"amount\"");
}

static void write_limit(const struct license_feature *feature, struct json_writer *json) {
    json_writer_name(json, "limit");
    if (!feature)
        json_writer_null(json);
    else if (feature->kind == LICENSE_FEATURE_NUMBER)
        json_writer_double(json, feature->number);
    else if (feature->kind == LICENSE_FEATURE_TEXT)
        json_writer_text(json, feature->text);
    else
        json_writer_boolean(json, true);
}

static bool write_result(const struct slave_view *view, const struct check *check,
                         struct json_writer *json) {
    const struct license_feature *feature =
        view->granting ? license_find_feature(view->granting, check->feature) : NULL;
    bool over = feature && check->has_amount && feature->kind == LICENSE_FEATURE_NUMBER &&
                check->amount > feature->number;
    bool allowed = feature && !over;
    const char *code = allowed          ? "licensed"
                       : over           ? "over_limit"
                       : view->granting ? "not_licensed"
                                        : license_status_word(view->status);
    json_writer_begin_object(json);
    json_writer_member_text(json, "feature", check->feature);
    json_writer_member_boolean(json, "allowed", allowed);
    json_writer_member_text(
        json, "code", !view->granting && license_status_grants(view->status) ? "no_master" : code);
    write_limit(feature, json);
    json_writer_end_object(json);
    return allowed;
}

static bool write_results(const struct slave_view *view, const struct json_value *checks,
                          const struct json_value *single, struct json_writer *json, bool *allowed,
                          struct status *status) {
    size_t count = checks ? json_value_count(checks) : 1;
    *allowed = true;
    if (count == 0 || count > ANSWER_CHECKS_MAX)
        return status_fail(status, STATUS_BAD_CLAIM, "a call has 1 to %d checks",
                           ANSWER_CHECKS_MAX);
    json_writer_name(json, "results");
    json_writer_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        struct check check;
        if (!read_check(checks ? json_value_item(checks, i) : single, &check, status)) return false;
        *allowed &= write_result(view, &check, json);
    }
    json_writer_end_array(json);
    return true;
}

bool slave_answer_check(const struct cache_slave *slave, const struct slave_view *view,
                        const struct json_value *question, struct buffer *out,
                        struct status *status) {
    const struct json_value *checks = json_value_member(question, "checks");
    struct json_writer json;
    bool allowed;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    write_common(slave, view, &json);
    if (!write_results(view, checks, question, &json, &allowed, status)) return false;
    json_writer_member_boolean(&json, "allowed", allowed);
    json_writer_end_object(&json);
    finish(&json, out);
    return true;
}

/* ---- the sync ---- */

static const char *phase_name(enum cache_sync_phase phase) {
    static const char *const names[] = {"idle", "running", "waiting"};
    return names[phase];
}

void slave_answer_sync_status(const struct cache_slave *slave, const struct slave_view *view,
                              struct buffer *out) {
    struct json_writer json;
    int64_t wait_ms = cache_sync_wait_ms(&slave->sync, slave->monotonic_ms);
    bool problem = !status_is_ok(&slave->sync_problem);
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "sync_status", cache_state_name(view->state));
    json_writer_member_text(&json, "master", puller_master(slave->puller));
    write_last_sync(slave, &json);
    write_age(view, &json);
    json_writer_member_text(&json, "sync", phase_name(slave->sync.phase));
    if (wait_ms == LICENSE_NEVER)
        json_writer_member_null(&json, "next_sync_in_ms");
    else
        json_writer_member_integer(&json, "next_sync_in_ms", wait_ms);
    json_writer_member_boolean(&json, "push", push_is_connected(slave->push));
    json_writer_member_integer(&json, "failed_tries", slave->sync.failures);
    json_writer_member_text(&json, "last_error", problem ? slave->sync_problem.text : NULL);
    json_writer_member_integer(&json, "licenses", (int64_t)license_shelf_count(slave->shelf));
    json_writer_member_integer(&json, "damaged_licenses",
                               (int64_t)license_shelf_lost(slave->shelf));
    json_writer_member_integer(&json, "master_sequence", slave->progress.since);
    json_writer_member_integer(&json, "ttl_ms", slave->settings.ages.ttl_ms);
    json_writer_member_integer(&json, "grace_ms", slave->settings.ages.grace_ms);
    json_writer_end_object(&json);
    finish(&json, out);
}
