#include "roles/license-client/explain.h"

#include "app/persistence_watch.h"
#include "codec/rfc3339.h"

/* A moment of the loop's clock as wall time by the clock guard. */
static int64_t wall_of(const struct follower_view *view, int64_t monotonic_ms) {
    return view->now_wall_ms + (monotonic_ms - view->now_monotonic_ms);
}

static int64_t community_at_ms(const struct follower_view *view) {
    int64_t at_ms = client_state_community_at_ms(view->state);
    return at_ms == LICENSE_NEVER ? LICENSE_NEVER : wall_of(view, at_ms);
}

/* Own judgement and the server's word agree, so time decides. */
static bool is_decided_by_time(const struct follower_view *view) {
    return view->license && view->status == view->judgement.status;
}

int64_t explain_valid_until_ms(const struct follower_view *view) {
    int64_t silence_ms = community_at_ms(view);
    if (!view->license) return silence_ms;
    int64_t edge_ms = view->judgement.next_change_at_ms;
    return edge_ms < silence_ms ? edge_ms : silence_ms;
}

/* The row of the table that decided: of the client's states, of the license's, or the server's word
 * where that is worse than what we would say ourselves. */
static const char *rule_name(const struct follower_view *view) {
    if (!client_state_followed(view->state)) return client_cause_name(view->state->cause);
    if (view->license_problem[0]) return "license_not_verified";
    return is_decided_by_time(view) ? license_rule_name(view->judgement.rule) : "server_says";
}

static void write_server(const struct follower_view *view, struct json_writer *json) {
    if (!view->server) {
        json_writer_member_null(json, "server");
        return;
    }
    json_writer_name(json, "server");
    json_writer_begin_object(json);
    json_writer_member_text(json, "server_id", view->server->server_id);
    json_writer_member_text(json, "key_id", view->server->key_id);
    json_writer_member_text(json, "says", license_status_word(view->server_word));
    json_writer_member_time(json, "heard_at", view->server->heard_wall_ms);
    json_writer_end_object(json);
}

static void write_license(const struct follower_view *view, struct json_writer *json) {
    const struct license *license = view->last_license;
    if (!license) {
        json_writer_member_null(json, "license");
        return;
    }
    json_writer_name(json, "license");
    json_writer_begin_object(json);
    json_writer_member_text(json, "license_id", license->license_id);
    json_writer_member_integer(json, "serial", license->serial);
    json_writer_member_boolean(json, "in_force", view->license != NULL);
    json_writer_member_text(json, "own_judgement", license_status_word(view->judgement.status));
    json_writer_member_text(json, "own_rule", license_rule_name(view->judgement.rule));
    json_writer_member_boolean(json, "names_its_servers", license->server_jkts_count > 0);
    json_writer_end_object(json);
}

static void write_authority(const struct authority *authority, struct json_writer *json) {
    json_writer_name(json, "keyring_serial");
    if (authority->keyring)
        json_writer_integer(json, authority->keyring->serial);
    else
        json_writer_null(json);
    json_writer_name(json, "revocations_serial");
    if (authority->revocations)
        json_writer_integer(json, authority->revocations->serial);
    else
        json_writer_null(json);
}

static void write_clock(const struct clock_reading *clock, struct json_writer *json) {
    json_writer_name(json, "clock");
    json_writer_begin_object(json);
    json_writer_member_boolean(json, "turned_back", clock->turned_back);
    json_writer_member_integer(json, "behind_ms", clock->behind_ms);
    json_writer_member_boolean(json, "jumped_forward", clock->jumped_forward);
    json_writer_member_integer(json, "ahead_ms", clock->ahead_ms);
    json_writer_end_object(json);
}

static void write_refusal(const struct follower_refusal *refusal, struct json_writer *json) {
    if (!refusal->any) {
        json_writer_member_null(json, "last_ignored_message");
        return;
    }
    json_writer_name(json, "last_ignored_message");
    json_writer_begin_object(json);
    json_writer_member_text(json, "verdict", hearing_name(refusal->hearing));
    json_writer_member_text(json, "why", refusal->why);
    json_writer_member_time(json, "at", refusal->at_wall_ms);
    json_writer_end_object(json);
}

static void write_inputs(const struct follower_view *view, struct json_writer *json) {
    const struct client_state *state = view->state;
    json_writer_name(json, "inputs");
    json_writer_begin_object(json);
    json_writer_member_boolean(json, "nats_connected", state->connected);
    json_writer_member_integer(json, "heartbeat_timeout_ms", state->timeout_ms);
    json_writer_name(json, "last_good_message_at");
    if (state->heard_ever) {
        char at[RFC3339_BYTES];
        rfc3339_format(wall_of(view, state->last_good_ms), at);
        json_writer_text(json, at);
    } else {
        json_writer_null(json);
    }
    json_writer_member_integer(json, "live_servers",
                               (int64_t)client_state_live_servers(state, view->now_monotonic_ms));
    json_writer_member_integer(json, "pinned_keys", (int64_t)view->pins->count);
    write_server(view, json);
    write_license(view, json);
    write_authority(view->authority, json);
    write_clock(&view->clock, json);
    write_refusal(view->refusal, json);
    json_writer_end_object(json);
}

static void write_change(struct json_writer *json, int64_t at_ms, const char *to,
                         const char *because) {
    json_writer_begin_object(json);
    json_writer_member_time(json, "at", at_ms);
    json_writer_member_text(json, "to", to);
    json_writer_member_text(json, "because", because);
    json_writer_end_object(json);
}

/* What will happen, and what will happen only if no heartbeat comes. */
static void write_next(const struct follower_view *view, struct json_writer *json) {
    int64_t silence_ms = community_at_ms(view);
    int64_t edge_ms = is_decided_by_time(view) ? view->judgement.next_change_at_ms : LICENSE_NEVER;
    json_writer_name(json, "next_change");
    if (edge_ms == LICENSE_NEVER)
        json_writer_null(json);
    else
        write_change(json, edge_ms, license_status_word(view->judgement.next_status),
                     "by the dates in the license");
    json_writer_name(json, "without_heartbeat");
    if (silence_ms == LICENSE_NEVER)
        json_writer_null(json);
    else
        write_change(json, silence_ms, "community", "no license server heard for the timeout");
}

void explain_write(const struct follower_view *view, struct json_writer *json) {
    char text[LICENSE_STATUS_TEXT_BYTES];
    json_writer_begin_object(json);
    json_writer_member_text(json, "rule", rule_name(view));
    json_writer_member_text(json, "mode", client_mode_name(view->state->mode));
    json_writer_member_text(json, "cause", client_cause_name(view->state->cause));
    json_writer_member_time(json, "since", wall_of(view, view->state->since_ms));
    license_status_explain(&view->facts, &view->judgement, view->now_wall_ms, text);
    json_writer_member_text(json, "license_says", view->last_license ? text : NULL);
    write_inputs(view, json);
    write_next(view, json);
    persistence_watch_write(view->persistence, json);
    json_writer_end_object(json);
}
