/* What a license server tells besides NATS: log, alerts, metrics, readiness, the view of `up`. */
#include <stdio.h>
#include <string.h>

#include "app/health.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/rfc3339.h"
#include "roles/license-server/server.h"

/* ---- metrics ---- */

void server_register_meters(struct license_server *server) {
    struct metrics *metrics = server->context->metrics;
    const char *role = server->context->name;
    struct server_meters *meters = &server->meters;
    for (int i = 0; i < LICENSE_STATUS_COUNT; i++)
        meters->status[i] = metrics_gauge(
            metrics, "lsys_license_status", "1 for the status that the license has now.", "role",
            role, "status", license_status_word((enum license_status)i), NULL);
    meters->expires_at_seconds =
        metrics_gauge(metrics, "lsys_license_expires_at_seconds",
                      "When the license expires, Unix time; 0 without one.", "role", role, NULL);
    meters->serial = metrics_gauge(metrics, "lsys_license_serial",
                                   "The serial of the license in force.", "role", role, NULL);
    meters->changes = metrics_counter(metrics, "lsys_license_changes_total",
                                      "Changes of the license or its status.", "role", role, NULL);
    meters->clock_behind_seconds =
        metrics_gauge(metrics, "lsys_clock_behind_seconds",
                      "How far the clock is behind the time already reached.", "role", role, NULL);
    meters->connected = metrics_gauge(metrics, "lsys_nats_connected", "1 while connected to NATS.",
                                      "role", role, NULL);
}

static void set_meters(struct license_server *server) {
    const struct keeper *keeper = &server->keeper;
    const struct license *license = keeper->license;
    for (int i = 0; i < LICENSE_STATUS_COUNT; i++)
        metric_set(server->meters.status[i], i == (int)keeper->judgement.status);
    metric_set(server->meters.expires_at_seconds,
               license ? (double)license->expires_at_ms / 1000 : 0);
    metric_set(server->meters.serial, license ? (double)license->serial : 0);
    metric_set(server->meters.clock_behind_seconds, (double)keeper->reading.behind_ms / 1000);
}

/* ---- a change of the status ---- */

/* A license that is no longer worth what it was. Not when it simply runs out, which has alerts of
 * its own, nor when its file was refused, which the reader of files has told. */
static bool is_bad(const struct keeper *keeper) {
    enum license_status now = keeper->judgement.status;
    return keeper->license && (now == LICENSE_INVALID || now == LICENSE_REVOKED);
}

void server_report_status(struct license_server *server, enum license_status before) {
    const struct keeper *keeper = &server->keeper;
    enum license_status now = keeper->judgement.status;
    char reason[STATUS_TEXT_BYTES];
    char text[STATUS_TEXT_BYTES + 64];
    char code[48];
    keeper_explain(keeper, reason);
    metric_increment(server->meters.changes);
    log_event(license_status_grants(now) ? LOG_INFO : LOG_WARNING, server->context->name,
              "license status", "status", license_status_word(now), "before",
              license_status_word(before), "rule", license_rule_name(keeper->judgement.rule), "why",
              reason, NULL);
    if (!is_bad(keeper)) return;
    snprintf(code, sizeof code, "license_%s", license_status_word(now));
    snprintf(text, sizeof text, "the license is %s now: %s", license_status_word(now), reason);
    alerts_raise(server->context->alerts, ALERT_CRITICAL, server->context->name, code, text);
}

/* ---- alerts that time brings ---- */

static void alert_expiry(struct license_server *server) {
    const struct keeper *keeper = &server->keeper;
    const struct license *license = keeper->license;
    enum license_rule rule = keeper->judgement.rule;
    if (!license || (rule != LICENSE_RULE_IN_TERM && rule != LICENSE_RULE_LAST_DAYS &&
                     rule != LICENSE_RULE_GRACE && rule != LICENSE_RULE_EXPIRED))
        return;
    enum expiry_alert announced = ledger_announced(server->ledger, license->token_sha256);
    struct expiry_alert_due due = expiry_alerts_check(
        announced, keeper->facts.expires_at_ms, keeper->facts.grace_ms, keeper->reading.now_ms);
    if (due.alert == EXPIRY_ALERT_NONE) return;
    char code[48];
    char expires_at[RFC3339_BYTES];
    char text[STATUS_TEXT_BYTES + CLAIM_TEXT_BYTES_MAX];
    bool over = due.alert == EXPIRY_ALERT_EXPIRED || due.alert == EXPIRY_ALERT_GRACE_OVER;
    rfc3339_format(license->expires_at_ms, expires_at);
    snprintf(code, sizeof code, over ? "license_%s" : "license_expires_in_%s",
             expiry_alert_name(due.alert));
    snprintf(text, sizeof text, "%s (license %s of %s, exp %s)", expiry_alert_text(due.alert),
             license->license_id, license->customer, expires_at);
    ledger_keep_announced(server->ledger, license->token_sha256, due.alert);
    alerts_raise(server->context->alerts, over ? ALERT_CRITICAL : ALERT_WARNING,
                 server->context->name, code, text);
}

static void alert_clock(struct license_server *server) {
    const struct clock_reading *reading = &server->keeper.reading;
    struct server_told *told = &server->told;
    char text[STATUS_TEXT_BYTES];
    if (reading->turned_back && !told->turned_back) {
        snprintf(text, sizeof text,
                 "this machine's clock is %lld s behind the time that was already reached; the "
                 "license is judged by the later time",
                 (long long)(reading->behind_ms / 1000));
        alerts_raise(server->context->alerts, ALERT_WARNING, server->context->name,
                     "clock_turned_back", text);
    }
    if (reading->jumped_forward && !told->jumped_forward) {
        snprintf(text, sizeof text,
                 "this machine's clock jumped forward by %lld s; the license is judged by it, and "
                 "heals if the clock is set right within an hour",
                 (long long)(reading->ahead_ms / 1000));
        alerts_raise(server->context->alerts, ALERT_WARNING, server->context->name,
                     "clock_jumped_forward", text);
    }
    if ((told->turned_back && !reading->turned_back) ||
        (told->jumped_forward && !reading->jumped_forward))
        log_event(LOG_INFO, server->context->name, "the clock is right again", NULL);
    told->turned_back = reading->turned_back;
    told->jumped_forward = reading->jumped_forward;
}

/* Says once about a document that a newer one should have come. */
static void alert_old(struct license_server *server, bool old, const char *digest,
                      char told[SHA256_TEXT_BYTES], const char *code, const char *text) {
    if (!old || strcmp(told, digest) == 0) return;
    memcpy(told, digest, SHA256_TEXT_BYTES);
    alerts_raise(server->context->alerts, ALERT_WARNING, server->context->name, code, text);
}

static void alert_old_documents(struct license_server *server) {
    const struct keyring_token *keyring = server->authority->keyring;
    const struct revocations *list = server->authority->revocations;
    struct server_told *told = &server->told;
    int64_t now_ms = server->keeper.reading.now_ms;
    alert_old(server, keyring && keyring->expires_at_ms <= now_ms, told->keyring, told->old_keyring,
              "keyring_old",
              "the key ring is past its date; it stays in force, and a newer one should have come "
              "from the vendor");
    alert_old(server, list && revocations_is_old(list, now_ms), told->revocations,
              told->old_revocations, "revocations_old",
              "the revocation list is past its date; it stays in force, and a newer one should "
              "have come from the vendor");
}

void server_report_alerts(struct license_server *server) {
    alert_expiry(server);
    alert_clock(server);
    alert_old_documents(server);
    set_meters(server);
}

/* ---- readiness and view ---- */

/* Ready means: there is a license to tell about. That it has expired is told as well, and has
 * alerts of its own; without any license, or with a bad one, the server waits. */
void server_update_health(struct license_server *server) {
    const struct keeper *keeper = &server->keeper;
    struct health *health = server->context->health;
    char reason[STATUS_TEXT_BYTES];
    keeper_explain(keeper, reason);
    health_set(health, "license", keeper->license != NULL, reason);
    for (int i = 0; i < SOURCE_KINDS; i++) {
        enum source_kind kind = (enum source_kind)i;
        const struct status *problem = sources_problem(server->sources, kind);
        if (kind == SOURCE_LICENSE) continue;
        if (status_is_ok(problem))
            health_remove(health, source_name(kind));
        else
            health_set(health, source_name(kind), false, problem->text);
    }
}

void server_describe(const struct role_context *context, struct role_view *view) {
    const struct license_server *server = context->state;
    const struct keeper *keeper = &server->keeper;
    bool connected = server->bus && bus_condition(server->bus)->state == BUS_CONNECTED;
    char reason[STATUS_TEXT_BYTES];
    keeper_explain(keeper, reason);
    memset(view, 0, sizeof *view);
    view->condition = server->stopping                                              ? ROLE_STOPPED
                      : !connected || !keeper->license                              ? ROLE_WAITING
                      : !keeper_grants(keeper) || !health_is_ready(context->health) ? ROLE_DEGRADED
                                                                                    : ROLE_SERVING;
    view->last_heartbeat_monotonic_ms = server->broadcaster.spoken_monotonic_ms;
    snprintf(view->state, sizeof view->state, "%s", license_status_word(keeper->judgement.status));
    if (connected)
        snprintf(view->detail, sizeof view->detail, "%s", reason);
    else
        snprintf(view->detail, sizeof view->detail, "waiting for NATS; %s", reason);
    snprintf(view->listens, sizeof view->listens, "%s%s%s",
             server->http ? role_http_url(server->http) : "", server->broker ? " " : "",
             server->broker ? embedded_broker_url(server->broker) : "");
}
