#include "roles/cache-slave/answer_subject.h"

struct answer_subject answer_subject_of(const struct cache_slave *slave,
                                        const struct slave_view *view) {
    bool stands_in = view->basis == CACHE_ON_DEVELOPMENT;
    return (struct answer_subject){
        .license = view->granting ? view->granting : view->license,
        .licensed = view->granting != NULL,
        .state = view->state,
        .basis = view->basis,
        .status = view->status,
        .license_status = stands_in ? view->development : view->status,
        .confirmed_at_ms = slave->progress.confirmed_at_ms,
    };
}

/* ---- every answer ---- */

void answer_write_last_sync(int64_t confirmed_at_ms, struct json_writer *json) {
    if (confirmed_at_ms == 0)
        json_writer_member_null(json, "last_sync");
    else
        json_writer_member_time(json, "last_sync", confirmed_at_ms);
}

void answer_subject_write(const struct answer_subject *subject, struct json_writer *json) {
    json_writer_member_boolean(json, "licensed", subject->licensed);
    json_writer_member_text(json, "edition",
                            subject->licensed ? subject->license->edition : "community");
    json_writer_member_text(json, "status", license_status_word(subject->status));
    json_writer_member_text(json, "sync_status", cache_state_name(subject->state));
    json_writer_member_text(json, "rests_on", cache_basis_name(subject->basis));
    answer_write_last_sync(subject->confirmed_at_ms, json);
}

/* ---- the license ---- */

static void write_features(const struct answer_subject *subject, struct json_writer *json) {
    json_writer_name(json, "features");
    if (subject->licensed) {
        license_write_features(subject->license, json);
        return;
    }
    json_writer_begin_object(json);
    json_writer_end_object(json);
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

static const char *text_or_null(const char *text) {
    return text[0] ? text : NULL;
}

/* Who it is from, and for whom. */
static void write_names(const struct license *license, struct json_writer *json) {
    json_writer_member_text(json, "id", license ? license->license_id : NULL);
    json_writer_member_text(json, "customer", license ? license->customer : NULL);
    json_writer_member_text(json, "product", license ? text_or_null(license->product) : NULL);
    json_writer_member_text(json, "deployment_id",
                            license ? text_or_null(license->deployment_id) : NULL);
    if (license)
        json_writer_member_integer(json, "serial", license->serial);
    else
        json_writer_member_null(json, "serial");
}

void answer_subject_write_license(const struct answer_subject *subject, struct json_writer *json) {
    write_features(subject, json);
    write_times(subject->license, json);
    json_writer_name(json, "license");
    json_writer_begin_object(json);
    write_names(subject->license, json);
    write_features(subject, json);
    write_times(subject->license, json);
    json_writer_member_text(json, "status", license_status_word(subject->license_status));
    json_writer_member_text(json, "sync_status", cache_state_name(subject->state));
    answer_write_last_sync(subject->confirmed_at_ms, json);
    json_writer_end_object(json);
}
