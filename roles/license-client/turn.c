#include "roles/license-client/turn.h"

#include "app/health.h"
#include "base/clock.h"
#include "base/log.h"
#include "roles/license-client/answers.h"

/* Parts of the timeout after which the status file is renewed while nothing changes. */
#define STATUS_FILE_RENEWALS 4

struct moment turn_moment(void) {
    return (struct moment){.wall_ms = clock_wall_ms(), .monotonic_ms = clock_monotonic_ms()};
}

void turn_look(const struct client *client, struct follower_view *view) {
    follower_look(client->follower, view);
    view->persistence = client->context->persistence;
}

/* ---- saying what changed ---- */

static void log_change(const struct follower_view *view) {
    char reason[ANSWER_REASON_BYTES];
    answer_reason(view, reason);
    log_event(view->licensed ? LOG_INFO : LOG_WARNING, LICENSE_CLIENT_NAME, "the license changed",
              "edition", answer_edition(view), "status", license_status_word(view->status), "cause",
              client_cause_name(view->state->cause), "license_id",
              view->license ? view->license->license_id : NULL, "server",
              view->server ? view->server->server_id : NULL, "reason", reason, NULL);
}

/* Log, listeners, file, program. */
static void publish(struct client *client) {
    struct follower_view view;
    struct buffer json;
    turn_look(client, &view);
    log_change(&view);
    client_metrics_changed(client->metrics, view.state->cause);
    buffer_init(&json, ANSWER_BYTES_MAX);
    if (answer_write_license(&view, &json)) {
        client_http_publish(client->http, buffer_bytes(&json));
        status_file_write(&client->status_file, buffer_bytes(&json), view.now_monotonic_ms);
    }
    buffer_free(&json);
    client->announced = true;
    on_change_run(client->on_change, &view);
}

/* Nothing changed, but the state holds for longer: the file says until when. */
static void renew_file(struct client *client, int64_t divisor) {
    struct follower_view view;
    struct buffer json;
    turn_look(client, &view);
    int64_t age_ms = view.state->timeout_ms / divisor;
    if (!status_file_is_due(&client->status_file, age_ms, view.now_monotonic_ms)) return;
    buffer_init(&json, ANSWER_BYTES_MAX);
    if (answer_write_license(&view, &json))
        status_file_write(&client->status_file, buffer_bytes(&json), view.now_monotonic_ms);
    buffer_free(&json);
}

void turn_decided(struct client *client) {
    struct follower_view view;
    char reason[ANSWER_REASON_BYTES];
    turn_look(client, &view);
    answer_reason(&view, reason);
    health_set(client->context->health, CLIENT_CONDITION_DECIDED, true, reason);
    if (client->announced) return;
    client->announced = true;
    on_change_run(client->on_change, &view);
}

/* ---- asking ---- */

static void ask(struct client *client) {
    char nonce[FOLLOWER_NONCE_BYTES];
    struct status status = STATUS_INIT;
    struct follower_view view;
    enum client_nonce_reason reason = follower_make_nonce(client->follower, nonce, turn_moment());
    if (reason == CLIENT_NONCE_NOT_DUE) return;
    turn_look(client, &view);
    int64_t timeout_ms = view.state->timeout_ms / FRESHNESS_ANSWER_DIVISOR;
    bool asked = nonces_ask(&client->nonces, client->bus, nonce, timeout_ms, &status);
    client_metrics_asked(client->metrics, reason);
    log_event(LOG_DEBUG, LICENSE_CLIENT_NAME,
              asked ? "asking the license servers for a sign of life"
                    : "the license servers cannot be asked",
              "because", client_nonce_reason_name(reason), "why", asked ? NULL : status.text, NULL);
}

void turn_settle(struct client *client, enum follower_effect effect) {
    if (client->stopping) return;
    if (effect == FOLLOWER_CHANGED) publish(client);
    if (effect == FOLLOWER_RENEWED) renew_file(client, STATUS_FILE_RENEWALS);
    if (effect != FOLLOWER_NOTHING) turn_decided(client);
    ask(client);
    timer_start(client->timer, follower_wait_ms(client->follower, turn_moment()));
}

void turn_begin(struct client *client) {
    renew_file(client, INT64_MAX);
    turn_settle(client, FOLLOWER_NOTHING);
}
