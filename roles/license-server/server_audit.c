/* What a license server leaves in the audit log: every change of the license or of its status. */
#include "app/audit_trail.h"
#include "codec/json_writer.h"
#include "roles/license-server/server.h"
#include "store/audit.h"

static void write_license(const struct license *license, struct json_writer *json) {
    json_writer_member_text(json, "license_id", license->license_id);
    json_writer_member_text(json, "customer", license->customer);
    json_writer_member_text(json, "edition", license->edition);
    json_writer_member_integer(json, "serial", license->serial);
    json_writer_member_time(json, "expires_at", license->expires_at_ms);
    json_writer_member_text(json, "token_sha256", license->token_sha256);
}

void server_audit_change(struct license_server *server, enum license_status before) {
    const struct keeper *keeper = &server->keeper;
    char reason[STATUS_TEXT_BYTES];
    struct buffer detail;
    struct json_writer json;
    keeper_explain(keeper, reason);
    buffer_init(&detail, AUDIT_DETAIL_BYTES_MAX);
    json_writer_init(&json, &detail);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "status", license_status_word(keeper->judgement.status));
    json_writer_member_text(&json, "before", license_status_word(before));
    json_writer_member_text(&json, "why", reason);
    if (keeper->license) write_license(keeper->license, &json);
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "a change of the license", NULL))
        audit_trail_append(server->context->store, server->context->name, "license_changed",
                           &detail);
    buffer_free(&detail);
}
