#include "roles/license-server/broadcaster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/license-server/license_json.h"
#include "verifier/status_proof.h"

#define MESSAGE_VERSION 1

/* An alert is a short object; its text is at most a status's. */
#define ALERT_BYTES_MAX 4096

const char *broadcast_type_name(enum broadcast_type type) {
    static const char *const names[BROADCAST_TYPES] = {"status", "heartbeat", "update"};
    return names[type];
}

/* ---- the sequence ---- */

static void name_of_starts(const struct broadcaster *broadcaster, char key[64]) {
    snprintf(key, 64, "starts/%s", broadcaster->options.signer->public_key.thumbprint);
}

/* The count of starts as store_increment left it, 8 bytes big-endian; 0 when it cannot be read. */
static int64_t read_starts(const struct broadcaster *broadcaster) {
    struct buffer value;
    char key[64];
    uint64_t starts = 0;
    name_of_starts(broadcaster, key);
    buffer_init(&value, sizeof starts);
    if (store_get(broadcaster->options.store, broadcaster->options.role, key, &value, NULL) &&
        value.length == sizeof starts)
        for (size_t i = 0; i < sizeof starts; i++)
            starts = starts << 8 | value.data[i];
    buffer_free(&value);
    return (int64_t)starts;
}

static bool commit_start(struct broadcaster *broadcaster, int64_t *starts, struct status *status) {
    char key[64];
    uint64_t value;
    name_of_starts(broadcaster, key);
    if (!store_increment(broadcaster->options.store, broadcaster->options.role, key, 1, &value,
                         status))
        return false;
    *starts = (int64_t)value;
    return true;
}

static bool begin_start(struct broadcaster *broadcaster, struct status *status) {
    struct status refused = STATUS_INIT;
    struct heartbeat_sequence *sequence = &broadcaster->sequence;
    int64_t starts = 0;
    bool begun;
    broadcaster->sequence_committed = commit_start(broadcaster, &starts, &refused);
    if (broadcaster->sequence_committed) {
        begun = heartbeat_sequence_start(sequence, starts - 1);
    } else {
        log_event(LOG_ERROR, broadcaster->options.role,
                  "the count of starts cannot be saved; numbers go on by the time of day", "why",
                  refused.text, NULL);
        begun = heartbeat_sequence_start_uncommitted(sequence, read_starts(broadcaster),
                                                     clock_wall_ms() / 1000);
    }
    if (begun) return true;
    return status_fail(status, STATUS_DAMAGED,
                       "the message numbers of this server's key are used up or damaged: move "
                       "the key away, and a new one is made");
}

void broadcaster_commit_start(struct broadcaster *broadcaster) {
    int64_t starts;
    if (broadcaster->sequence_committed || !commit_start(broadcaster, &starts, NULL)) return;
    broadcaster->sequence_committed = true;
    if (starts > broadcaster->sequence.starts &&
        !heartbeat_sequence_start(&broadcaster->sequence, starts - 1))
        broadcaster->sequence_committed = false;
}

static bool next_number(struct broadcaster *broadcaster, int64_t *seq, struct status *status) {
    if (heartbeat_sequence_next(&broadcaster->sequence, seq)) return true;
    return begin_start(broadcaster, status) && heartbeat_sequence_next(&broadcaster->sequence, seq);
}

/* ---- opening and closing ---- */

static void register_metrics(struct broadcaster *broadcaster) {
    struct metrics *metrics = broadcaster->options.metrics;
    const char *role = broadcaster->options.role;
    for (size_t i = 0; i < BROADCAST_TYPES; i++)
        broadcaster->sent[i] = metrics_counter(metrics, "lsys_server_messages_total",
                                               "Messages on license.status.", "role", role, "type",
                                               broadcast_type_name((enum broadcast_type)i), NULL);
    broadcaster->answers =
        metrics_counter(metrics, "lsys_server_answers_total",
                        "Answers to requests on license.status.get.", "role", role, NULL);
    broadcaster->unsent = metrics_counter(
        metrics, "lsys_server_unsent_total",
        "Messages that could not be sent for want of a connection.", "role", role, NULL);
}

bool broadcaster_init(struct broadcaster *broadcaster, const struct broadcaster_options *options,
                      struct status *status) {
    memset(broadcaster, 0, sizeof *broadcaster);
    broadcaster->options = *options;
    register_metrics(broadcaster);
    return begin_start(broadcaster, status);
}

void broadcaster_free(struct broadcaster *broadcaster) {
    for (size_t i = 0; i < broadcaster->alerts_count; i++)
        free(broadcaster->alerts[i]);
    broadcaster->alerts_count = 0;
}

/* ---- one message ---- */

static void fill_proof(const struct broadcaster *broadcaster, int64_t seq, const char *nonce,
                       struct status_proof *proof) {
    const struct keeper *keeper = broadcaster->options.keeper;
    const struct license *license = keeper->license;
    memset(proof, 0, sizeof *proof);
    proof->seq = seq;
    proof->sent_at_ms = keeper->reading.now_ms;
    proof->heartbeat_interval_ms = broadcaster->options.heartbeat_interval_ms;
    proof->serial = license ? license->serial : 0;
    snprintf(proof->server_id, sizeof proof->server_id, "%s", broadcaster->options.server_id);
    snprintf(proof->status, sizeof proof->status, "%s",
             license_status_word(keeper->judgement.status));
    snprintf(proof->nonce, sizeof proof->nonce, "%s", nonce);
    if (!license) return;
    snprintf(proof->license_id, sizeof proof->license_id, "%s", license->license_id);
    snprintf(proof->token_sha256, sizeof proof->token_sha256, "%s", license->token_sha256);
}

static void write_token(struct json_writer *json, const char *name, struct bytes token) {
    if (token.length == 0) return;
    json_writer_name(json, name);
    json_writer_text_bytes(json, token);
}

static void write_message(const struct broadcaster *broadcaster, enum broadcast_type type,
                          const struct status_proof *proof, struct bytes proof_token,
                          struct json_writer *json) {
    const struct keeper *keeper = broadcaster->options.keeper;
    json_writer_begin_object(json);
    json_writer_member_integer(json, "v", MESSAGE_VERSION);
    json_writer_member_text(json, "type", broadcast_type_name(type));
    json_writer_member_text(json, "server_id", proof->server_id);
    json_writer_member_integer(json, "seq", proof->seq);
    json_writer_member_time(json, "sent_at", proof->sent_at_ms);
    json_writer_member_integer(json, "heartbeat_interval_ms", proof->heartbeat_interval_ms);
    json_writer_name(json, "license");
    json_writer_begin_object(json);
    license_json_write_members(keeper, json);
    json_writer_end_object(json);
    write_token(json, "proof", proof_token);
    if (type != BROADCAST_HEARTBEAT) {
        write_token(json, "token", buffer_bytes(&keeper->token));
        write_token(json, "keyring", authority_keyring_token(keeper->authority));
        write_token(json, "revocations", authority_revocations_token(keeper->authority));
    }
    json_writer_end_object(json);
}

/* Makes, numbers, proves and publishes a message. */
static bool publish(struct broadcaster *broadcaster, enum broadcast_type type, const char *subject,
                    const char *nonce, struct status *status) {
    struct status_proof proof;
    struct buffer proof_token, message;
    struct json_writer json;
    int64_t seq;
    if (!next_number(broadcaster, &seq, status)) return false;
    buffer_init(&proof_token, STATUS_PROOF_TOKEN_BYTES_MAX);
    buffer_init(&message, BUS_MESSAGE_BYTES_MAX);
    fill_proof(broadcaster, seq, nonce, &proof);
    bool done = status_proof_sign(&proof, broadcaster->options.signer, &proof_token, status);
    if (done) {
        json_writer_init(&json, &message);
        write_message(broadcaster, type, &proof, buffer_bytes(&proof_token), &json);
        done = json_writer_finish(&json, "the message", status) &&
               bus_publish(broadcaster->bus, subject, NULL, buffer_bytes(&message), status);
    }
    buffer_free(&message);
    buffer_free(&proof_token);
    return done;
}

static bool is_connected(const struct broadcaster *broadcaster) {
    return broadcaster->bus && bus_condition(broadcaster->bus)->state == BUS_CONNECTED;
}

void broadcaster_tell(struct broadcaster *broadcaster, enum broadcast_type type) {
    struct status status = STATUS_INIT;
    if (is_connected(broadcaster) && publish(broadcaster, type, SUBJECT_STATUS, "", &status)) {
        broadcaster->spoken_monotonic_ms = clock_monotonic_ms();
        metric_increment(broadcaster->sent[type]);
        return;
    }
    metric_increment(broadcaster->unsent);
    log_event(LOG_DEBUG, broadcaster->options.role, "not sent", "type", broadcast_type_name(type),
              "why", status_is_ok(&status) ? "no connection to NATS" : status.text, NULL);
}

void broadcaster_answer(struct broadcaster *broadcaster, const char *reply, const char *nonce) {
    struct status status = STATUS_INIT;
    if (is_connected(broadcaster) &&
        publish(broadcaster, BROADCAST_STATUS, reply, nonce, &status)) {
        metric_increment(broadcaster->answers);
        return;
    }
    metric_increment(broadcaster->unsent);
    log_event(LOG_DEBUG, broadcaster->options.role, "a request was not answered", "why",
              status_is_ok(&status) ? "no connection to NATS" : status.text, NULL);
}

/* ---- alerts ---- */

static void write_alert(const struct broadcaster *broadcaster, const struct alert *alert,
                        struct buffer *out) {
    const struct license *license = broadcaster->options.keeper->license;
    struct status ignored = STATUS_INIT;
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "v", MESSAGE_VERSION);
    json_writer_member_text(&json, "type", "alert");
    json_writer_member_text(&json, "server_id", broadcaster->options.server_id);
    json_writer_member_text(&json, "severity", alert_severity_name(alert->severity));
    json_writer_member_text(&json, "role", alert->role);
    json_writer_member_text(&json, "code", alert->code);
    json_writer_member_text(&json, "text", alert->text);
    json_writer_member_time(&json, "raised_at", alert->raised_ms);
    json_writer_member_text(&json, "license_id", license ? license->license_id : NULL);
    json_writer_end_object(&json);
    if (!json_writer_finish(&json, "an alert", &ignored)) buffer_clear(out);
}

static bool publish_alert(struct broadcaster *broadcaster, const char *text) {
    return is_connected(broadcaster) &&
           bus_publish(broadcaster->bus, SUBJECT_ALERT, NULL, bytes_of_text(text), NULL);
}

void broadcaster_alert(struct broadcaster *broadcaster, const struct alert *alert) {
    struct buffer text;
    buffer_init(&text, ALERT_BYTES_MAX);
    write_alert(broadcaster, alert, &text);
    if (text.length > 0 && !publish_alert(broadcaster, buffer_text(&text))) {
        if (broadcaster->alerts_count == BROADCASTER_ALERTS_MAX) {
            free(broadcaster->alerts[0]);
            broadcaster->alerts_count--;
            memmove(&broadcaster->alerts[0], &broadcaster->alerts[1],
                    broadcaster->alerts_count * sizeof broadcaster->alerts[0]);
        }
        broadcaster->alerts[broadcaster->alerts_count++] = memory_copy_text(buffer_text(&text));
    }
    buffer_free(&text);
}

void broadcaster_connected(struct broadcaster *broadcaster) {
    size_t sent = 0;
    while (sent < broadcaster->alerts_count &&
           publish_alert(broadcaster, broadcaster->alerts[sent]))
        free(broadcaster->alerts[sent++]);
    broadcaster->alerts_count -= sent;
    memmove(&broadcaster->alerts[0], &broadcaster->alerts[sent],
            broadcaster->alerts_count * sizeof broadcaster->alerts[0]);
}
