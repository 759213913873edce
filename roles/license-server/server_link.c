/* The license server's connection to NATS: when it comes and goes, and requests for the status. */
#include <stdio.h>
#include <string.h>

#include "app/health.h"
#include "app/nats_login.h"
#include "base/log.h"
#include "codec/json.h"
#include "roles/license-server/server.h"
#include "verifier/status_proof.h"

/* ---- requests ---- */

/* The nonce of a request, "" when it has none. False when the request is not one. */
static bool read_nonce(struct bytes data, char nonce[STATUS_PROOF_NONCE_BYTES_MAX + 1],
                       struct status *status) {
    nonce[0] = '\0';
    if (bytes_trim(data).length == 0) return true;
    struct json_document *document = json_document_parse(data, SERVER_REQUEST_BYTES_MAX, status);
    if (!document) return false;
    const struct json_value *value = json_value_member(json_document_root(document), "nonce");
    const char *text = json_value_text(value);
    bool good = !value || (text && claims_text_is_fit(text, STATUS_PROOF_NONCE_BYTES_MAX));
    if (good && text) memcpy(nonce, text, strlen(text) + 1);
    json_document_free(document);
    return good ||
           status_fail(status, STATUS_MALFORMED, "\"nonce\" is not a text of 1 to %d characters",
                       STATUS_PROOF_NONCE_BYTES_MAX);
}

static void on_request(void *context, const struct bus_message *message) {
    struct license_server *server = context;
    struct status status = STATUS_INIT;
    char nonce[STATUS_PROOF_NONCE_BYTES_MAX + 1];
    server_settle(server);
    if (!message->reply || !rate_limit_take(&server->answer_limit, server->keeper.monotonic_ms))
        return;
    if (read_nonce(message->data, nonce, &status))
        broadcaster_answer(&server->broadcaster, message->reply, nonce);
    else
        log_event(LOG_DEBUG, server->context->name, "a request is malformed", "why", status.text,
                  NULL);
}

/* ---- the connection ---- */

static void say_connected(struct license_server *server, const struct bus_condition *condition) {
    log_event(LOG_INFO, server->context->name, "connected to NATS", "server", condition->server,
              NULL);
    server->told.anything = false; /* everything is told again, to whoever listens there */
    server_settle(server);
    broadcaster_connected(&server->broadcaster);
    peers_connected(&server->peers);
}

static void on_state(void *context, const struct bus_condition *condition) {
    struct license_server *server = context;
    bool connected = condition->state == BUS_CONNECTED;
    char reason[HEALTH_REASON_BYTES];
    metric_set(server->meters.connected, connected);
    if (connected)
        snprintf(reason, sizeof reason, "connected to %s", condition->server);
    else
        snprintf(reason, sizeof reason, "waiting for NATS at %s: %s", condition->server,
                 status_is_ok(&condition->reason) ? "connecting" : condition->reason.text);
    if (health_set(server->context->health, "nats", connected, reason) && !connected)
        log_event(LOG_WARNING, server->context->name, "no connection to NATS, trying on", "server",
                  condition->server, "why", condition->reason.text, NULL);
    if (connected && condition->connects != server->connects) say_connected(server, condition);
    server->connects = condition->connects;
}

static void on_bus_closed(void *context) {
    struct license_server *server = context;
    server->bus = NULL;
    server_part_closed(server);
}

static bool subscribe(struct license_server *server, struct status *status) {
    server->requests =
        bus_subscribe(server->bus, SUBJECT_STATUS_GET, NULL, on_request, server, status);
    return server->requests && peers_listen(&server->peers, server->bus, status);
}

bool server_connect(struct license_server *server, struct status *status) {
    static const struct bus_callbacks callbacks = {.on_state = on_state,
                                                   .on_closed = on_bus_closed};
    struct role_context *context = server->context;
    struct nats_login login;
    const char *embedded =
        server->broker ? embedded_broker_url(server->broker) : context->embedded_nats_url;
    if (nats_login_read(context->options, server->server_id, embedded, &login, status))
        server->bus = bus_create(context->loop, &login.bus, &callbacks, server, status);
    nats_login_wipe(&login);
    if (!server->bus) return false;
    server->broadcaster.bus = server->bus;
    health_set(context->health, "nats", false, "connecting to NATS");
    return subscribe(server, status);
}

void server_disconnect(struct license_server *server) {
    peers_close(&server->peers);
    bus_unsubscribe(server->requests);
    server->requests = NULL;
    server->broadcaster.bus = NULL;
    if (server->bus)
        bus_stop(server->bus);
    else
        server_part_closed(server);
}
