#include "app/audit_trail.h"

#include "app/alerts.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json_writer.h"
#include "store/audit.h"

void audit_trail_append(struct store *store, const char *actor, const char *action,
                        const struct buffer *detail) {
    struct status status = STATUS_INIT;
    if (audit_append(store, clock_wall_ms(), actor, action, buffer_text(detail), &status)) return;
    log_event(LOG_ERROR, actor, "an event is missing in the audit log", "action", action, "why",
              status.text, NULL);
}

static void append_alert(void *owner, const struct alert *alert) {
    struct buffer detail;
    struct json_writer json;
    buffer_init(&detail, AUDIT_DETAIL_BYTES_MAX);
    json_writer_init(&json, &detail);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "severity", alert_severity_name(alert->severity));
    json_writer_member_text(&json, "code", alert->code);
    json_writer_member_text(&json, "text", alert->text);
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "an alert", NULL))
        audit_trail_append(owner, alert->role, "alert", &detail);
    buffer_free(&detail);
}

void audit_trail_follow(struct store *store, struct alerts *alerts) {
    alerts_listen(alerts, append_alert, store);
}
