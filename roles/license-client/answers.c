#include "roles/license-client/answers.h"

#include <stdio.h>
#include <string.h>

#include "codec/json_writer.h"
#include "roles/license-client/explain.h"

const char *answer_edition(const struct follower_view *view) {
    return view->licensed && view->license ? view->license->edition : "community";
}

const char *answer_source(const struct follower_view *view) {
    return client_state_followed(view->state) ? "license-server" : "none";
}

/* While the license is fine, where that is from is the answer; otherwise what is wrong with it. */
void answer_reason(const struct follower_view *view, char out[ANSWER_REASON_BYTES]) {
    char source[CLIENT_REASON_BYTES];
    char judged[LICENSE_STATUS_TEXT_BYTES];
    client_state_reason(view->state, view->now_monotonic_ms, source);
    if (!client_state_followed(view->state) || view->status == LICENSE_VALID) {
        snprintf(out, ANSWER_REASON_BYTES, "%s", source);
    } else if (view->license_problem[0]) {
        snprintf(out, ANSWER_REASON_BYTES, "%s; the license does not verify here: %s", source,
                 view->license_problem);
    } else if (view->license && view->status == view->judgement.status) {
        license_status_explain(&view->facts, &view->judgement, view->now_wall_ms, judged);
        snprintf(out, ANSWER_REASON_BYTES, "%s", judged);
    } else {
        snprintf(out, ANSWER_REASON_BYTES, "%s", source);
    }
}

/* ---- features ---- */

struct feature_answer answer_feature(const struct follower_view *view, const char *name,
                                     const struct license_feature **feature) {
    bool live = client_state_followed(view->state) != NULL;
    const struct license *license = live ? view->license : view->last_license;
    *feature = license ? license_find_feature(license, name) : NULL;
    struct degradation_input input = {
        .status = live ? view->status : view->judgement.status,
        .server_is_live = live,
        .licensed = *feature != NULL,
        .degrade = *feature ? (*feature)->degrade : LICENSE_DEGRADE_BLOCK,
    };
    return degradation_answer(&input);
}

static void write_limit(const struct license_feature *feature, struct json_writer *json) {
    json_writer_name(json, "limit");
    switch (feature->kind) {
    case LICENSE_FEATURE_NUMBER: json_writer_double(json, feature->number); break;
    case LICENSE_FEATURE_TEXT: json_writer_text(json, feature->text); break;
    case LICENSE_FEATURE_FLAG: json_writer_boolean(json, true); break;
    }
}

bool answer_write_feature(const struct follower_view *view, const char *name,
                          const struct license_feature *feature, struct feature_answer answer,
                          struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "feature", name);
    json_writer_member_boolean(&json, "allowed", answer.allowed);
    json_writer_member_text(&json, "mode", feature_mode_name(answer.mode));
    write_limit(feature, &json);
    json_writer_member_text(&json, "code", answer.code);
    json_writer_member_text(&json, "reason", answer.reason);
    json_writer_member_text(&json, "edition", answer_edition(view));
    json_writer_member_text(&json, "status", license_status_word(view->status));
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the answer", NULL);
}

static void write_features(const struct follower_view *view, struct json_writer *json) {
    if (view->licensed && view->license) {
        license_write_features(view->license, json);
        return;
    }
    json_writer_begin_object(json);
    json_writer_end_object(json);
}

bool answer_write_features(const struct follower_view *view, struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    write_features(view, &json);
    return json_writer_finish(&json, "the features", NULL);
}

/* The features that the license lets go on in a lesser way, now that it does not grant. */
static void write_degraded(const struct follower_view *view, struct json_writer *json) {
    const struct license *license = view->last_license;
    json_writer_name(json, "degraded");
    json_writer_begin_object(json);
    for (size_t i = 0; license && i < license->features_count; i++) {
        const struct license_feature *feature;
        const char *name = license->features[i].name;
        struct feature_answer answer = answer_feature(view, name, &feature);
        if (answer.mode == FEATURE_ADVISE || answer.mode == FEATURE_READONLY)
            json_writer_member_text(json, name, feature_mode_name(answer.mode));
    }
    json_writer_end_object(json);
}

/* ---- the state ---- */

/* Who and what the license is; null for all of it while there is none in force. */
static void write_identity(const struct license *license, struct json_writer *json) {
    json_writer_member_text(json, "license_id", license ? license->license_id : NULL);
    json_writer_member_text(json, "customer", license ? license->customer : NULL);
    json_writer_member_text(json, "product",
                            license && license->product[0] ? license->product : NULL);
    if (license) {
        json_writer_member_integer(json, "serial", license->serial);
        json_writer_member_time(json, "expires_at", license->expires_at_ms);
        json_writer_member_time(json, "grace_ends_at", license_grace_ends_at_ms(license));
    } else {
        json_writer_member_null(json, "serial");
        json_writer_member_null(json, "expires_at");
        json_writer_member_null(json, "grace_ends_at");
    }
    json_writer_name(json, "seats");
    license_write_seats(license, json);
}

bool answer_write_license(const struct follower_view *view, struct buffer *out) {
    struct json_writer json;
    char reason[ANSWER_REASON_BYTES];
    int64_t valid_until_ms = explain_valid_until_ms(view);
    answer_reason(view, reason);
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "edition", answer_edition(view));
    json_writer_member_text(&json, "status", license_status_word(view->status));
    json_writer_member_boolean(&json, "licensed", view->licensed);
    json_writer_name(&json, "features");
    write_features(view, &json);
    write_degraded(view, &json);
    write_identity(view->license, &json);
    json_writer_member_text(&json, "source", answer_source(view));
    json_writer_member_text(&json, "server_id", view->server ? view->server->server_id : NULL);
    json_writer_member_text(&json, "reason", reason);
    json_writer_member_time(&json, "as_of", view->now_wall_ms);
    if (valid_until_ms == LICENSE_NEVER)
        json_writer_member_null(&json, "valid_until");
    else
        json_writer_member_time(&json, "valid_until", valid_until_ms);
    json_writer_name(&json, "explain");
    explain_write(view, &json);
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the state", NULL);
}
