#include "roles/cache-slave/answers.h"

#include "app/persistence_watch.h"
#include "roles/cache-slave/answer_subject.h"

static void write_age(const struct slave_view *view, struct json_writer *json) {
    if (view->age_ms == CACHE_NEVER_CONFIRMED)
        json_writer_member_null(json, "age_ms");
    else
        json_writer_member_integer(json, "age_ms", view->age_ms);
}

static void finish(struct json_writer *json) {
    struct status ignored = STATUS_INIT;
    if (!json_writer_finish(json, "the answer", &ignored)) json->out->failed = true;
}

void slave_answer_end(const struct cache_slave *slave, const struct slave_view *view,
                      struct json_writer *json) {
    char reason[SLAVE_REASON_BYTES];
    slave_explain(slave, view, reason);
    write_age(view, json);
    json_writer_member_text(json, "reason", reason);
    json_writer_end_object(json);
    finish(json);
}

void slave_answer_license(const struct cache_slave *slave, const struct slave_view *view,
                          struct buffer *out) {
    struct answer_subject subject = answer_subject_of(slave, view);
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    answer_subject_write(&subject, &json);
    answer_subject_write_license(&subject, &json);
    slave_answer_end(slave, view, &json);
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
    struct answer_subject subject = answer_subject_of(slave, view);
    struct json_writer json;
    bool allowed;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    answer_subject_write(&subject, &json);
    if (!write_results(view, checks, question, &json, &allowed, status)) return false;
    json_writer_member_boolean(&json, "allowed", allowed);
    slave_answer_end(slave, view, &json);
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
    answer_write_last_sync(slave->progress.confirmed_at_ms, &json);
    write_age(view, &json);
    json_writer_member_text(&json, "sync", phase_name(slave->sync.phase));
    if (wait_ms == LICENSE_NEVER)
        json_writer_member_null(&json, "next_sync_in_ms");
    else
        json_writer_member_integer(&json, "next_sync_in_ms", wait_ms);
    json_writer_member_boolean(&json, "push", push_is_connected(slave->push));
    json_writer_member_boolean(&json, "nats", slave_hints_are_heard(slave->hints));
    json_writer_member_integer(&json, "failed_tries", slave->sync.failures);
    json_writer_member_text(&json, "last_error", problem ? slave->sync_problem.text : NULL);
    json_writer_member_integer(&json, "licenses", (int64_t)license_shelf_count(slave->shelf));
    json_writer_member_integer(&json, "damaged_licenses",
                               (int64_t)license_shelf_lost(slave->shelf));
    json_writer_member_integer(&json, "master_sequence", slave->progress.since);
    json_writer_member_integer(&json, "ttl_ms", slave->settings.ages.ttl_ms);
    json_writer_member_integer(&json, "grace_ms", slave->settings.ages.grace_ms);
    persistence_watch_write(slave->context->persistence, &json);
    json_writer_end_object(&json);
    finish(&json);
}
