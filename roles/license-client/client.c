#include "roles/license-client/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/health.h"
#include "app/nats_login.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/license-client/answers.h"
#include "roles/license-client/client_parts.h"
#include "roles/license-client/turn.h"

/* Where license servers speak. */
#define STATUS_SUBJECT "license.status"

/* ---- events ---- */

static void on_timer(void *context) {
    struct client *client = context;
    turn_settle(client, follower_tick(client->follower, turn_moment()));
}

/* For HTTP: the exact state of this moment, also one millisecond after a license expired. */
static void look(void *owner, struct follower_view *view) {
    struct client *client = owner;
    turn_settle(client, follower_tick(client->follower, turn_moment()));
    turn_look(client, view);
}

static void hear(struct client *client, struct bytes message) {
    if (client->stopping) return;
    turn_settle(client, follower_hear(client->follower, message, turn_moment()));
}

static void on_message(void *context, const struct bus_message *message) {
    hear(context, message->data);
}

static void on_answer(void *context, struct bytes message) {
    hear(context, message);
}

static void on_answers_end(void *context) {
    struct client *client = context;
    if (client->stopping) return;
    follower_close_nonce(client->follower);
    turn_decided(client);
}

static void on_disconnected(struct client *client, const struct bus_condition *condition) {
    follower_disconnected(client->follower);
    if (status_is_ok(&condition->reason)) return;
    log_event(LOG_WARNING, LICENSE_CLIENT_NAME, "waiting for NATS", "server", condition->server,
              "why", condition->reason.text, NULL);
    turn_decided(client);
}

static void on_bus_state(void *context, const struct bus_condition *condition) {
    struct client *client = context;
    if (client->stopping) return;
    if (condition->state != BUS_CONNECTED) {
        on_disconnected(client, condition);
    } else if (condition->connects != client->connects) {
        client->connects = condition->connects;
        log_event(LOG_INFO, LICENSE_CLIENT_NAME, "connected to NATS", "server", condition->server,
                  NULL);
        follower_connected(client->follower);
    }
    turn_settle(client, follower_tick(client->follower, turn_moment()));
}

/* ---- stopping: the server and the bus close in their own time ---- */

/* What is not waiting for the loop. Harmless when done twice. */
static void free_state(struct client *client) {
    client_metrics_close(client->metrics);
    client->metrics = NULL;
    status_file_free(&client->status_file);
    follower_close(client->follower);
    client->follower = NULL;
    authority_close(client->authority);
    client->authority = NULL;
    ledger_close(client->ledger);
    client->ledger = NULL;
}

/* The last of server and bus has closed. After a failed start the context may be gone by now. */
static void finish(struct client *client) {
    if (client->http || client->bus) return;
    struct role_context *context = client->started ? client->context : NULL;
    free_state(client);
    free(client);
    if (!context) return;
    context->state = NULL;
    context->stopped(context);
}

static void on_http_closed(void *context) {
    struct client *client = context;
    client->http = NULL;
    finish(client);
}

static void on_bus_closed(void *context) {
    struct client *client = context;
    client->bus = NULL;
    finish(client);
}

/* Closes what is open, in any state of start or run. */
static void close_parts(struct client *client) {
    if (client->stopping) return;
    client->stopping = true;
    nonces_cancel(&client->nonces);
    on_change_close(client->on_change);
    client->on_change = NULL;
    if (client->timer) timer_close(client->timer);
    if (client->metrics) client_metrics_watch_bus(client->metrics, NULL);
    if (!client->started) free_state(client);
    if (!client->http && !client->bus) {
        finish(client);
        return;
    }
    /* Closing the server may end what the client hangs on, so the bus is looked up before. */
    struct bus *bus = client->bus;
    if (client->http) client_http_close(client->http, on_http_closed, client);
    bus_stop(bus);
}

/* ---- starting ---- */

static struct follower_options read_follower_options(const struct options *options) {
    bool strict = strcmp(options_text(options, "pinning"), "strict") == 0;
    return (struct follower_options){
        .timeout_ms = options_duration_ms(options, "heartbeat_timeout"),
        .pinning = strict ? PINNING_STRICT : PINNING_OPEN,
    };
}

static bool require_keys(const struct options *options, struct status *status) {
    return options_text(options, "keys") ||
           status_fail(status, STATUS_CONFIG,
                       "--keys is missing: the file with the vendor's public keys, vendor.jwks");
}

static bool open_on_change(struct client *client, struct status *status) {
    const struct role_context *context = client->context;
    const char *program = options_text(context->options, "on_change");
    if (!program) return true;
    client->on_change =
        on_change_open(context->loop, context->metrics, program,
                       options_duration_ms(context->options, "on_change_timeout"), status);
    return client->on_change != NULL;
}

/* What is known from the disk. */
static bool open_state(struct client *client, struct status *status) {
    const struct role_context *context = client->context;
    const struct options *options = context->options;
    struct follower_options follower_options = read_follower_options(options);
    if (!require_keys(options, status)) return false;
    client->ledger = ledger_open(context->store, LICENSE_CLIENT_NAME);
    client->authority = authority_open(client->ledger);
    if (!authority_load(client->authority, options_text(options, "keys"),
                        options_text(options, "root"), status))
        return false;
    client->follower = follower_open(client->authority, client->ledger, context->metrics,
                                     context->alerts, &follower_options, turn_moment());
    client->metrics = client_metrics_open(context->metrics, client->follower);
    status_file_init(&client->status_file, options_text(options, "status_file"));
    return true;
}

static bool connect_bus(struct client *client, struct status *status) {
    static const struct bus_callbacks callbacks = {.on_state = on_bus_state,
                                                   .on_closed = on_bus_closed};
    const struct role_context *context = client->context;
    struct nats_login login;
    bool read = nats_login_read(context->options, LICENSE_CLIENT_NAME, context->embedded_nats_url,
                                &login, status);
    /* Inside `lsys up` the broker is in this process, wherever it listens. */
    if (read && context->embedded_nats_url && !options_is_given(context->options, "nats.urls"))
        login.bus.urls = context->embedded_nats_url;
    if (read) client->bus = bus_create(context->loop, &login.bus, &callbacks, client, status);
    nats_login_wipe(&login);
    if (!client->bus) return false;
    client_metrics_watch_bus(client->metrics, client->bus);
    return bus_subscribe(client->bus, STATUS_SUBJECT, NULL, on_message, client, status) != NULL;
}

static bool start(struct role_context *context, struct status *status) {
    struct client *client = memory_new(sizeof *client);
    client->context = context;
    client->nonces =
        (struct nonces){.on_answer = on_answer, .on_end = on_answers_end, .context = client};
    client->timer = timer_open(context->loop, on_timer, client);
    health_set(context->health, CLIENT_CONDITION_DECIDED, false, "looking for a license server");
    if (!open_state(client, status) || !open_on_change(client, status)) goto failed;
    client->http = client_http_open(context, look, client, status);
    if (!client->http || !connect_bus(client, status)) goto failed;
    client->started = true;
    context->state = client;
    turn_begin(client);
    return true;

failed:
    close_parts(client);
    return false;
}

static void stop(struct role_context *context) {
    if (context->state) close_parts(context->state);
}

/* ---- while running ---- */

static bool reload(struct role_context *context, const struct options *fresh,
                   struct status *status) {
    struct client *client = context->state;
    struct follower_options options = read_follower_options(fresh);
    if (!require_keys(fresh, status) ||
        !authority_load(client->authority, options_text(fresh, "keys"), options_text(fresh, "root"),
                        status))
        return false;
    turn_settle(client, follower_rejudge(client->follower, &options, turn_moment()));
    return true;
}

static enum role_condition condition_of(const struct follower_view *view) {
    if (view->licensed) return ROLE_SERVING;
    return view->state->heard_ever ? ROLE_DEGRADED : ROLE_WAITING;
}

static void describe(const struct role_context *context, struct role_view *out) {
    const struct client *client = context->state;
    struct follower_view view;
    char reason[ANSWER_REASON_BYTES];
    turn_look(client, &view);
    answer_reason(&view, reason);
    out->condition = condition_of(&view);
    snprintf(out->state, sizeof out->state, "%s, %s", answer_edition(&view),
             license_status_word(view.status));
    snprintf(out->detail, sizeof out->detail, "%s", reason);
    snprintf(out->listens, sizeof out->listens, "%s",
             client->stopping ? "" : client_http_url(client->http));
    out->last_heartbeat_monotonic_ms = view.state->heard_ever ? view.state->last_good_ms : 0;
}

const struct role license_client_role = {
    .wants_store = true,
    .least_persistence = PERSISTENCE_MEMORY,
    .start = start,
    .stop = stop,
    .reload = reload,
    .describe = describe,
};
