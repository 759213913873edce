/* The license server's life: start, settle, reload, stop. */
#include "roles/license-server/server.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/alerts.h"
#include "app/health.h"
#include "app/machine.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/license-server/server_key.h"
#include "store/store.h"

/* Of the key's thumbprint, so many characters tell servers on one host apart. */
#define SERVER_ID_KEY_CHARACTERS 8

/* ---- settling ---- */

/* What is in force now, by digests. */
static struct server_told look(const struct license_server *server) {
    struct server_told now = server->told;
    const struct license *license = server->keeper.license;
    struct bytes keyring = authority_keyring_token(server->authority);
    struct bytes revocations = authority_revocations_token(server->authority);
    now.anything = true;
    now.status = server->keeper.judgement.status;
    now.license[0] = now.keyring[0] = now.revocations[0] = '\0';
    if (license) snprintf(now.license, sizeof now.license, "%s", license->token_sha256);
    if (keyring.length > 0)
        snprintf(now.keyring, sizeof now.keyring, "%s",
                 ledger_document_mark(server->ledger, LEDGER_KEYRING)->digest);
    if (revocations.length > 0)
        snprintf(now.revocations, sizeof now.revocations, "%s",
                 ledger_document_mark(server->ledger, LEDGER_REVOCATIONS)->digest);
    return now;
}

/* Until the status changes by time, a waiting license begins, or the clocks want to be observed. */
static void set_tick(struct license_server *server) {
    int64_t wait_ms = keeper_wait_ms(&server->keeper);
    int64_t again_at_ms = sources_again_at_ms(server->sources);
    if (again_at_ms != LICENSE_NEVER) {
        int64_t again_ms = clock_guard_wait_ms(&server->keeper.reading, again_at_ms);
        if (again_ms < wait_ms) wait_ms = again_ms;
    }
    timer_start(server->tick, wait_ms);
}

void server_settle(struct license_server *server) {
    struct keeper *keeper = &server->keeper;
    if (server->stopping) return;
    keeper_observe(keeper);
    keeper_save(keeper);
    if (sources_want_reading(server->sources)) sources_read(server->sources);
    keeper_judge(keeper);

    struct server_told before = server->told;
    struct server_told now = look(server);
    bool documents = strcmp(now.license, before.license) != 0 ||
                     strcmp(now.keyring, before.keyring) != 0 ||
                     strcmp(now.revocations, before.revocations) != 0;
    bool changed = documents || now.status != before.status;
    server->told = now;
    server_update_health(server);
    if (changed) {
        server_report_status(server, before.status);
        server_audit_change(server, before.status);
    }
    if (changed || !before.anything)
        broadcaster_tell(&server->broadcaster,
                         documents && before.anything ? BROADCAST_UPDATE : BROADCAST_STATUS);
    server_report_alerts(server);
    set_tick(server);
}

/* ---- the key ---- */

/* The key that the disk did not take at the start. Another one that is there by now stays: it is
 * the server's own, and in force from the next start on. */
static void save_key(struct license_server *server) {
    struct role_context *context = server->context;
    struct status status = STATUS_INIT;
    if (!server->key_unsaved || store_persistence(context->store, NULL) != PERSISTENCE_DURABLE)
        return;
    if (server_key_store(store_folder(context->store), &server->key, &status)) {
        server->key_unsaved = false;
        log_event(LOG_INFO, context->name, "the server's key is saved now", "key",
                  server->key.public_key.thumbprint, NULL);
    } else if (status.code == STATUS_BUSY && !server->told.other_key) {
        server->told.other_key = true;
        alerts_raise(context->alerts, ALERT_WARNING, context->name, "server_key_differs",
                     "the data folder has this server's own key, which could not be read when it "
                     "started; a restart puts it in force");
    }
}

/* ---- events ---- */

static void on_event(void *context) {
    server_settle(context);
}

static void on_heartbeat(void *context) {
    struct license_server *server = context;
    server_settle(server);
    save_key(server);
    broadcaster_commit_start(&server->broadcaster);
    broadcaster_tell(&server->broadcaster, BROADCAST_HEARTBEAT);
}

static void on_alert(void *owner, const struct alert *alert) {
    struct license_server *server = owner;
    broadcaster_alert(&server->broadcaster, alert);
}

/* ---- starting ---- */

static void name_server(struct license_server *server) {
    const char *given = options_text(server->context->options, "server_id");
    char host[HOST_NAME_MAX + 1] = "license-server";
    if (given) {
        snprintf(server->server_id, sizeof server->server_id, "%s", given);
        return;
    }
    if (gethostname(host, sizeof host) != 0 || !claims_text_is_fit(host, sizeof host))
        snprintf(host, sizeof host, "license-server");
    host[sizeof host - 1] = '\0';
    snprintf(server->server_id, sizeof server->server_id, "%.200s-%.*s", host,
             SERVER_ID_KEY_CHARACTERS, server->key.public_key.thumbprint);
}

static bool load_key(struct license_server *server, struct status *status) {
    enum server_key_origin origin;
    if (!server_key_load_or_make(store_folder(server->context->store), &server->key, &origin,
                                 status))
        return false;
    server->key_unsaved = origin == SERVER_KEY_FOR_THIS_RUN;
    server->signer = signer_from_private_key(&server->key);
    name_server(server);
    if (!claims_text_is_fit(server->server_id, CLAIM_TEXT_BYTES_MAX))
        return status_fail(status, STATUS_CONFIG,
                           "--server-id: 1 to %d bytes of text without control characters",
                           CLAIM_TEXT_BYTES_MAX);
    log_event(LOG_INFO, server->context->name,
              origin == SERVER_KEY_LOADED ? "this server" : "made a key for this server",
              "server_id", server->server_id, "key", server->key.public_key.thumbprint, NULL);
    return true;
}

static bool read_fingerprint(const struct options *options, struct fingerprint *fingerprint,
                             struct status *status) {
    const char *path = options_text(options, "fingerprint_file");
    memset(fingerprint, 0, sizeof *fingerprint);
    if (path) return machine_read_file(path, fingerprint, status);
    machine_read(fingerprint);
    return true;
}

static bool open_judgement(struct license_server *server, struct status *status) {
    struct role_context *context = server->context;
    const char *deployment_id = options_text(context->options, "deployment_id");
    struct fingerprint fingerprint;
    if (!read_fingerprint(context->options, &fingerprint, status)) return false;
    server->ledger = ledger_open(context->store, context->name);
    server->authority = authority_open(server->ledger);
    keeper_init(&server->keeper, server->ledger, server->authority,
                deployment_id ? deployment_id : "", &fingerprint);
    struct sources_options sources = {
        .loop = context->loop,
        .keeper = &server->keeper,
        .alerts = context->alerts,
        .metrics = context->metrics,
        .role = context->name,
        .on_read = on_event,
        .context = server,
    };
    server->sources = sources_open(&sources, context->options);
    return true;
}

static bool open_speech(struct license_server *server, struct status *status) {
    struct role_context *context = server->context;
    struct broadcaster_options broadcaster = {
        .keeper = &server->keeper,
        .signer = &server->signer,
        .server_id = server->server_id,
        .store = context->store,
        .metrics = context->metrics,
        .role = context->name,
        .heartbeat_interval_ms = options_duration_ms(context->options, "heartbeat_interval"),
    };
    struct peers_options peers = {
        .keeper = &server->keeper,
        .metrics = context->metrics,
        .server_id = server->server_id,
        .role = context->name,
        .on_adopted = on_event,
        .context = server,
    };
    peers_init(&server->peers, &peers);
    rate_limit_init(&server->answer_limit, SERVER_ANSWERS_PER_SECOND, SERVER_ANSWERS_BURST,
                    server->keeper.monotonic_ms);
    return broadcaster_init(&server->broadcaster, &broadcaster, status);
}

static bool open_network(struct license_server *server, struct status *status) {
    struct role_context *context = server->context;
    server->http = role_http_open(context, "http", status);
    if (!server->http) return false;
    server_add_routes(server);
    if (!embedded_broker_check_unused(context, status)) return false;
    if (embedded_broker_is_wanted(context)) {
        server->broker = embedded_broker_open(context, status);
        if (!server->broker) return false;
    }
    return server_connect(server, status);
}

static void begin(struct license_server *server) {
    server->tick = timer_open(server->context->loop, on_event, server);
    server->heartbeat = timer_open(server->context->loop, on_heartbeat, server);
    timer_start_repeating(server->heartbeat, server->broadcaster.options.heartbeat_interval_ms);
    alerts_listen(server->context->alerts, on_alert, server);
    if (server->key_unsaved)
        alerts_raise(
            server->context->alerts, ALERT_CRITICAL, server->context->name, "server_key_not_saved",
            "the server's key cannot be saved or read: it runs with a new one that is lost "
            "when it ends, and clients have to accept that one anew");
    sources_read(server->sources);
    server_settle(server);
}

bool server_start(struct role_context *context, struct status *status) {
    struct license_server *server = memory_new(sizeof *server);
    server->context = context;
    context->state = server;
    server_register_meters(server);
    if (load_key(server, status) && open_judgement(server, status) && open_speech(server, status) &&
        open_network(server, status)) {
        server->started = true;
        begin(server);
        return true;
    }
    server_stop(context);
    return false;
}

/* ---- reloading ---- */

bool server_reload(struct role_context *context, const struct options *fresh,
                   struct status *status) {
    struct license_server *server = context->state;
    struct fingerprint fingerprint;
    if (!read_fingerprint(fresh, &fingerprint, status) ||
        !embedded_broker_reload(server->broker, fresh, status))
        return false;
    server->keeper.fingerprint = fingerprint;
    server->broadcaster.options.heartbeat_interval_ms =
        options_duration_ms(fresh, "heartbeat_interval");
    timer_start_repeating(server->heartbeat, server->broadcaster.options.heartbeat_interval_ms);
    sources_set_paths(server->sources, fresh);
    sources_read(server->sources);
    server_settle(server);
    return true;
}

/* ---- stopping ---- */

static void free_server(struct license_server *server) {
    struct role_context *context = server->context;
    bool started = server->started;
    sources_close(server->sources);
    broadcaster_free(&server->broadcaster);
    if (server->ledger) keeper_free(&server->keeper);
    authority_close(server->authority);
    ledger_close(server->ledger);
    private_key_wipe(&server->key);
    free(server);
    if (started) context->stopped(context);
}

/* The broker closes last, so that the bus takes its leave of it. */
void server_part_closed(void *context) {
    struct license_server *server = context;
    if (--server->closing > 0) return;
    struct embedded_broker *broker = server->broker;
    if (broker) {
        server->broker = NULL;
        server->closing = 1;
        embedded_broker_close(broker, server_part_closed, server);
        return;
    }
    free_server(server);
}

void server_stop(struct role_context *context) {
    struct license_server *server = context->state;
    if (server->stopping) return;
    server->stopping = true;
    alerts_unlisten(context->alerts, server);
    timer_close(server->tick);
    timer_close(server->heartbeat);
    server->closing = 2;
    role_http_close(server->http, server_part_closed, server);
    server->http = NULL;
    server_disconnect(server);
}
