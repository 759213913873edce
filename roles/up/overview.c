#include "roles/up/overview.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/version.h"
#include "base/attributes.h"
#include "base/text.h"
#include "codec/json_writer.h"

#define ADDRESS_BYTES 160

/* Two paths and an address. */
#define COMMAND_BYTES 9000

bool overview_address(const struct stack_member *member, const char *scheme, char *out,
                      size_t out_bytes) {
    const char *found = member ? strstr(member->view.listens, scheme) : NULL;
    if (!found) return false;
    snprintf(out, out_bytes, "%.*s", (int)strcspn(found, " "), found);
    return true;
}

static void write_license(const struct overview *overview, struct json_writer *json) {
    json_writer_name(json, "license");
    if (overview->license) {
        json_writer_value(json, overview->license);
        return;
    }
    json_writer_begin_object(json);
    json_writer_member_text(json, "edition", "community");
    json_writer_member_text(json, "status", "missing");
    json_writer_member_text(json, "reason", "no license-client has answered yet");
    json_writer_name(json, "features");
    json_writer_begin_object(json);
    json_writer_end_object(json);
    json_writer_end_object(json);
}

static void write_heartbeat(const struct overview *overview, struct json_writer *json) {
    const struct heartbeat_view *heartbeat = &overview->heartbeat;
    json_writer_name(json, "heartbeat");
    json_writer_begin_object(json);
    json_writer_member_integer(json, "count", (int64_t)heartbeat->count);
    json_writer_member_integer(json, "timeout_ms", heartbeat->timeout_ms);
    if (heartbeat->last_monotonic_ms)
        json_writer_member_integer(json, "age_ms",
                                   overview->monotonic_ms - heartbeat->last_monotonic_ms);
    else
        json_writer_member_null(json, "age_ms");
    json_writer_end_object(json);
}

static void write_fact(struct json_writer *json, const char *label, const char *value) {
    if (!value[0]) return;
    json_writer_begin_object(json);
    json_writer_member_text(json, "label", label);
    json_writer_member_text(json, "value", value);
    json_writer_end_object(json);
}

static void write_role(const struct stack_member *member, struct json_writer *json) {
    const struct role_view *view = &member->view;
    const char *reason = health_first_reason(member->health);
    json_writer_begin_object(json);
    json_writer_member_text(json, "name", member->command->name);
    json_writer_member_text(json, "summary", member->command->summary);
    json_writer_member_boolean(json, "ready", health_is_ready(member->health));
    json_writer_member_text(json, "condition", role_condition_name(view->condition));
    json_writer_member_text(json, "state", view->state);
    json_writer_member_text(json, "detail", view->detail);
    json_writer_name(json, "reasons");
    json_writer_begin_array(json);
    if (reason[0]) json_writer_text(json, reason);
    json_writer_end_array(json);
    json_writer_name(json, "facts");
    json_writer_begin_array(json);
    write_fact(json, "State", view->state);
    write_fact(json, "Listens", view->listens);
    json_writer_end_array(json);
    json_writer_end_object(json);
}

static void write_events(const struct history *history, struct json_writer *json) {
    json_writer_name(json, "events");
    json_writer_begin_array(json);
    for (size_t age = 0; age < history->count; age++) {
        const struct history_event *event = history_event(history, age);
        json_writer_begin_object(json);
        json_writer_member_time(json, "time", event->happened_ms);
        json_writer_member_text(json, "level", event->level);
        json_writer_member_text(json, "role", event->role);
        json_writer_member_text(json, "text", event->text);
        json_writer_end_object(json);
    }
    json_writer_end_array(json);
}

/* A line to try. */
PRINTF_LIKE(3, 4)
static void write_command(struct json_writer *json, const char *purpose, const char *format, ...) {
    char line[COMMAND_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    json_writer_begin_object(json);
    json_writer_member_text(json, "purpose", purpose);
    json_writer_member_text(json, "line", line);
    json_writer_end_object(json);
}

static void write_client_commands(struct json_writer *json, const char *url, const char *ca_path) {
    const char *flag = ca_path ? " --https-ca " : "";
    const char *curl_flag = ca_path ? " --cacert " : "";
    const char *ca = ca_path ? ca_path : "";
    write_command(json, "Ask what an application would ask", "curl%s%s %s/v1/license", curl_flag,
                  ca, url);
    write_command(json, "Is one feature licensed? (the exit code says it)",
                  "lsys check sso%s%s --client %s", flag, ca, url);
    write_command(json, "Why is the state what it is, and what comes next?",
                  "lsys status --explain%s%s --client %s", flag, ca, url);
}

static void write_commands(const struct overview *overview, struct json_writer *json) {
    static const char listening[] = "Listen to the heartbeats with any NATS client";
    const struct stack_member *client = stack_find(overview->stack, "license-client");
    const struct stack_member *broker = stack_find(overview->stack, "broker");
    bool secure = overview->ca_path != NULL;
    char address[ADDRESS_BYTES];
    json_writer_name(json, "commands");
    json_writer_begin_array(json);
    if (overview_address(client, secure ? "https://" : "http://", address, sizeof address))
        write_client_commands(json, address, overview->ca_path);
    if (secure && overview_address(broker, "tls://", address, sizeof address))
        write_command(json, listening, "nats sub --tlsca %s --creds %s -s %s license.status",
                      overview->ca_path, overview->creds_path, address);
    else if (overview_address(broker, "nats://", address, sizeof address))
        write_command(json, listening, "nats sub -s %s license.status", address);
    json_writer_end_array(json);
}

bool overview_write(const struct overview *overview, struct buffer *out, struct status *status) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "version", lsys_version());
    json_writer_member_time(&json, "time", overview->wall_ms);
    write_license(overview, &json);
    write_heartbeat(overview, &json);
    json_writer_name(&json, "roles");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < stack_count(overview->stack); i++)
        write_role(stack_member(overview->stack, i), &json);
    json_writer_end_array(&json);
    write_events(overview->history, &json);
    write_commands(overview, &json);
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the overview of the stack", status);
}
