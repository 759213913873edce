/* GET /v1/license and /v1/license/token of the license server. */
#include <stdio.h>

#include "app/persistence_watch.h"
#include "codec/json_writer.h"
#include "net/http_request.h"
#include "roles/license-server/license_json.h"
#include "roles/license-server/server.h"

/* ---- /v1/license ---- */

static void write_problem(const struct status *problem, struct json_writer *json) {
    if (status_is_ok(problem)) {
        json_writer_null(json);
        return;
    }
    json_writer_begin_object(json);
    json_writer_member_text(json, "code", status_code_name(problem->code));
    json_writer_member_text(json, "message", problem->text);
    json_writer_end_object(json);
}

static void write_time_or_null(struct json_writer *json, const char *name, int64_t unix_ms) {
    if (unix_ms == LICENSE_NEVER)
        json_writer_member_null(json, name);
    else
        json_writer_member_time(json, name, unix_ms);
}

/* Which rule gave the status, its inputs, and when it will change next. */
static void write_explanation(const struct license_server *server, struct json_writer *json) {
    const struct keeper *keeper = &server->keeper;
    const struct license_judgement *judgement = &keeper->judgement;
    enum status_code code = license_status_code(&keeper->facts, judgement);
    json_writer_name(json, "explain");
    json_writer_begin_object(json);
    json_writer_member_text(json, "rule", license_rule_name(judgement->rule));
    json_writer_member_text(json, "code", status_code_name(code));
    json_writer_member_time(json, "judged_at", keeper->reading.now_ms);
    write_time_or_null(json, "next_change_at", judgement->next_change_at_ms);
    json_writer_member_text(json, "next_status", license_status_word(judgement->next_status));
    json_writer_member_boolean(json, "clock_turned_back", keeper->reading.turned_back);
    json_writer_member_integer(json, "clock_behind_ms", keeper->reading.behind_ms);
    json_writer_member_integer(json, "clock_ahead_ms", keeper->reading.ahead_ms);
    persistence_watch_write(server->context->persistence, json);
    json_writer_end_object(json);
}

static void write_lists(const struct license_server *server, struct json_writer *json) {
    const struct keyring_token *keyring = server->authority->keyring;
    const struct revocations *list = server->authority->revocations;
    json_writer_name(json, "keyring");
    if (keyring) {
        json_writer_begin_object(json);
        json_writer_member_integer(json, "serial", keyring->serial);
        json_writer_member_integer(json, "keys", (int64_t)keyring->keys.count);
        write_time_or_null(json, "expires_at", keyring->expires_at_ms);
        json_writer_end_object(json);
    } else {
        json_writer_null(json);
    }
    json_writer_name(json, "revocations");
    if (list) {
        json_writer_begin_object(json);
        json_writer_member_integer(json, "serial", list->serial);
        json_writer_member_integer(json, "count", (int64_t)list->count);
        write_time_or_null(json, "expires_at", list->expires_at_ms);
        json_writer_member_boolean(json, "old",
                                   revocations_is_old(list, server->keeper.reading.now_ms));
        json_writer_end_object(json);
    } else {
        json_writer_null(json);
    }
}

/* What is wrong with the files, by name; {} when nothing is. */
static void write_files(const struct license_server *server, struct json_writer *json) {
    json_writer_name(json, "files");
    json_writer_begin_object(json);
    for (int i = 0; i < SOURCE_KINDS; i++) {
        enum source_kind kind = (enum source_kind)i;
        const char *path = sources_path(server->sources, kind);
        if (!path) continue;
        json_writer_name(json, source_name(kind));
        json_writer_begin_object(json);
        json_writer_member_text(json, "path", path);
        json_writer_name(json, "problem");
        write_problem(sources_problem(server->sources, kind), json);
        json_writer_end_object(json);
    }
    json_writer_end_object(json);
}

static void answer_license(void *context, struct http_request *request) {
    struct license_server *server = context;
    const struct keeper *keeper = &server->keeper;
    char reason[STATUS_TEXT_BYTES];
    struct status ignored = STATUS_INIT;
    struct json_writer json;
    struct buffer body;
    server_settle(server);
    keeper_explain(keeper, reason);
    buffer_init(&body, ROLE_HTTP_ANSWER_BYTES);
    json_writer_init(&json, &body);
    json_writer_begin_object(&json);
    license_json_write_members(keeper, &json);
    json_writer_member_text(&json, "reason", reason);
    json_writer_member_text(&json, "source", keeper_source_name(keeper->source));
    json_writer_name(&json, "problem");
    write_problem(&keeper->file_problem, &json);
    write_time_or_null(&json, "next_license_at", sources_again_at_ms(server->sources));
    json_writer_member_text(&json, "server_id", server->server_id);
    json_writer_member_text(&json, "server_key", server->key.public_key.thumbprint);
    json_writer_member_boolean(&json, "server_key_saved", !server->key_unsaved);
    json_writer_member_integer(&json, "heartbeat_interval_ms",
                               server->broadcaster.options.heartbeat_interval_ms);
    write_lists(server, &json);
    write_files(server, &json);
    write_explanation(server, &json);
    json_writer_end_object(&json);
    if (!json_writer_finish(&json, "the answer", &ignored)) body.failed = true;
    role_http_respond_json(request, 200, &body);
    buffer_free(&body);
}

/* ---- /v1/license/token ---- */

static void answer_token(void *context, struct http_request *request) {
    struct license_server *server = context;
    server_settle(server);
    if (!server->keeper.license) {
        char reason[STATUS_TEXT_BYTES];
        keeper_explain(&server->keeper, reason);
        http_respond_problem(request, 404, "no_license", "There is no license in force", "%s",
                             reason);
        return;
    }
    http_respond(request, 200, "application/jwt", buffer_bytes(&server->keeper.token));
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/v1/license", .handle = answer_license},
    {.method = "GET", .pattern = "/v1/license/token", .handle = answer_token},
};

void server_add_routes(struct license_server *server) {
    http_server_add_routes(role_http_server(server->http), routes, sizeof routes / sizeof routes[0],
                           server);
}
