#include "roles/broker/broker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/health.h"
#include "app/listen_policy.h"
#include "app/role.h"
#include "app/role_http.h"
#include "app/role_options.h"
#include "app/role_tls.h"
#include "base/log.h"
#include "base/memory.h"
#include "broker/broker.h"
#include "roles/broker/broker_metrics.h"
#include "roles/broker/broker_options.h"
#include "roles/broker/broker_websocket.h"
#include "roles/broker/pid_file.h"

struct broker_role {
    struct role_context *context;
    struct broker *broker;
    struct broker_metrics *metrics;
    struct role_http *http;         /* NULL: no monitoring port */
    struct role_tls *tls;           /* of the clients; NULL: none */
    struct role_tls *websocket_tls; /* NULL: no wss */
    char *pid_path;                 /* NULL: no pid file */
    int pid_descriptor;
    char listens[160]; /* "nats://127.0.0.1:4222 nats://[::1]:4222" */
    bool stopping;
};

/* ---- the end ---- */

static void broker_closed(void *context) {
    struct broker_role *role = context;
    struct role_context *role_context = role->context;
    pid_file_release(role->pid_path, role->pid_descriptor);
    free(role->pid_path);
    free(role);
    role_context->state = NULL;
    role_context->stopped(role_context);
}

/* The monitoring port reads the broker, so it goes first. */
static void http_closed(void *context) {
    struct broker_role *role = context;
    broker_stop(role->broker, broker_closed, role);
}

static void broker_role_stop(struct role_context *context) {
    struct broker_role *role = context->state;
    if (role == NULL || role->stopping) return;
    role->stopping = true;
    role_tls_close(role->tls);
    broker_metrics_close(role->metrics);
    role_tls_close(role->websocket_tls);
    role_http_close(role->http, http_closed, role);
}

/* Nobody is connected any more: the broker has done its work. */
static void drained(void *context) {
    struct broker_role *role = context;
    log_event(LOG_INFO, role->context->name, "lame duck: all clients have left", NULL);
    broker_role_stop(role->context);
}

static void broker_role_user_signal(struct role_context *context) {
    struct broker_role *role = context->state;
    if (role == NULL || role->stopping) return;
    health_set(context->health, "in_service", false, "lame duck mode: clients are being moved");
    broker_drain(role->broker, drained, role);
}

/* ---- the beginning ---- */

static void note_listening(struct broker_role *role, const char *url) {
    size_t used = strlen(role->listens);
    snprintf(role->listens + used, sizeof role->listens - used, "%s%s", used > 0 ? " " : "", url);
    log_event(LOG_INFO, role->context->name, "listening", "url", url, NULL);
}

/* A certificate that clients must have is a credential. */
static struct listen_protection protection_of(const struct broker_role *role) {
    const struct options *options = role->context->options;
    bool asks_certificates = role->tls != NULL && role_tls_demands_certificates(role->tls);
    return (struct listen_protection){
        .tls = role->tls != NULL,
        .credential = broker_has_users(role->broker) || asks_certificates,
        .insecure_listen = options_boolean(options, "insecure_listen")};
}

static bool listen_at(struct broker_role *role, const char *text, struct status *status) {
    struct address address, bound;
    struct listen_protection protection = protection_of(role);
    struct status wrong = STATUS_INIT;
    if (!address_parse(bytes_of_text(text), ADDRESS_PORT_REQUIRED, &address, &wrong))
        return status_fail(status, STATUS_CONFIG,
                           "--listen: %s; write HOST:PORT, [IPv6]:PORT or unix:/path", wrong.text);
    if (!listen_policy_check(role->context->name, "--listen", &address, protection, status))
        return false; /* its text names the flag already */
    if (!broker_listen(role->broker, &address, &bound, status))
        return status_context(status, "--listen");
    char bound_text[ADDRESS_TEXT_BYTES], url[ADDRESS_TEXT_BYTES + 8];
    address_format(&bound, bound_text);
    const char *scheme = role->tls != NULL ? "tls://" : "nats://";
    snprintf(url, sizeof url, "%s%s", bound.kind == ADDRESS_TCP ? scheme : "", bound_text);
    note_listening(role, url);
    return true;
}

static bool listen_for_browsers(struct broker_role *role, struct status *status) {
    char url[BROKER_WEBSOCKET_URL_BYTES];
    if (options_text(role->context->options, "websocket") == NULL) return true;
    if (!broker_websocket_listen(role->context, role->broker, &role->websocket_tls, url, status))
        return false;
    note_listening(role, url);
    return true;
}

static bool listen_everywhere(struct broker_role *role, struct status *status) {
    const struct options *options = role->context->options;
    for (size_t i = 0; i < options_count(options, "listen"); i++)
        if (!listen_at(role, options_item(options, "listen", i), status)) return false;
    if (!listen_for_browsers(role, status)) return false;
    if (options_text(options, "http") == NULL) return true;
    role->http = role_http_open(role->context, "http", status);
    if (role->http == NULL) return false;
    broker_add_monitor(role->broker, role_http_server(role->http));
    return true;
}

static bool hold_pid_file(struct broker_role *role, struct status *status) {
    const char *path = options_text(role->context->options, "pid_file");
    if (path == NULL) return true;
    role->pid_descriptor = pid_file_hold(path, status);
    role->pid_path = memory_copy_text(path);
    return role->pid_descriptor >= 0 || status_context(status, "--pid-file");
}

static bool read_tls(struct broker_role *role, struct broker_options *options,
                     struct status *status) {
    bool tls_first = options_boolean(role->context->options, "tls_first");
    if (!role_tls_open(role->context, NULL, &role->tls, status)) return false;
    if (role->tls == NULL)
        return !tls_first ||
               status_fail(status, STATUS_CONFIG, "--tls-first needs --tls-cert and --tls-key");
    options->tls = role_tls_context(role->tls);
    options->tls_first = tls_first;
    options->tls_verify = role_tls_demands_certificates(role->tls);
    return true;
}

static bool make_broker(struct broker_role *role, struct status *status) {
    struct broker_options options;
    broker_options_read(role->context->options, &options);
    options.role = role->context->name;
    if (!read_tls(role, &options, status) ||
        !broker_options_read_login(role->context->options, &options, status))
        return false;
    role->broker = broker_create(role->context->loop, &options, status);
    if (role->broker != NULL) return true;
    broker_users_free(options.users);
    broker_trust_free(options.trust);
    return false;
}

static bool broker_role_start(struct role_context *context, struct status *status) {
    struct broker_role *role = memory_new(sizeof *role);
    role->context = context;
    role->pid_descriptor = -1;
    if (!make_broker(role, status) || !hold_pid_file(role, status) ||
        !listen_everywhere(role, status)) {
        pid_file_release(role->pid_path, role->pid_descriptor);
        role_tls_close(role->websocket_tls);
        broker_stop(role->broker, NULL, NULL);
        role_tls_close(role->tls);
        free(role->pid_path);
        free(role);
        return false;
    }
    role->metrics = broker_metrics_open(context, role->broker);
    context->state = role;
    health_set(context->health, "in_service", true, "accepting clients");
    return true;
}

/* ---- while it runs ---- */

static bool broker_role_reload(struct role_context *context, const struct options *fresh,
                               struct status *status) {
    struct broker_role *role = context->state;
    struct broker_users *users;
    /* An operator's accounts are read again as they change. */
    if (options_text(fresh, "operator") != NULL) return true;
    if (!broker_options_read_users(fresh, &users, status)) return false;
    if (users == NULL && broker_has_users(role->broker))
        return status_fail(status, STATUS_CONFIG,
                           "the new configuration has no users: open the broker by a restart");
    if (users != NULL) broker_set_users(role->broker, users);
    return true;
}

static void broker_role_describe(const struct role_context *context, struct role_view *view) {
    const struct broker_role *role = context->state;
    struct broker_counters counters;
    if (role == NULL) {
        view->condition = ROLE_STOPPED;
        return;
    }
    broker_read_counters(role->broker, &counters);
    view->condition = counters.lame_duck ? ROLE_DEGRADED : ROLE_SERVING;
    snprintf(view->state, sizeof view->state, "%zu clients", counters.connections);
    snprintf(view->detail, sizeof view->detail, "%llu messages in, %llu out, %zu subscriptions",
             (unsigned long long)counters.in_messages, (unsigned long long)counters.out_messages,
             counters.subscriptions);
    snprintf(view->listens, sizeof view->listens, "%s", role->listens);
}

/* ---- the command ---- */

static int tell_to_drain(const struct command_call *call) {
    struct status status = STATUS_INIT;
    const char *path = options_text(call->options, "pid_file");
    pid_t process;
    if (path == NULL) {
        status_fail(&status, STATUS_USAGE,
                    "--drain needs --pid-file, the one that the running broker was started with");
        return command_failed(call->command, &status);
    }
    if (!pid_file_find(path, &process, &status)) return command_failed(call->command, &status);
    if (kill(process, SIGUSR2) != 0) {
        status_fail_errno(&status, errno, "cannot signal process %d", (int)process);
        return command_failed(call->command, &status);
    }
    printf("told process %d to go into lame duck mode; it ends when its clients have moved on\n",
           (int)process);
    return command_finished(call->command, 0);
}

static int broker_run(const struct command_call *call) {
    return options_boolean(call->options, "drain") ? tell_to_drain(call) : role_main(call);
}

static const struct role broker_role = {
    .start = broker_role_start,
    .stop = broker_role_stop,
    .reload = broker_role_reload,
    .user_signal = broker_role_user_signal,
    .describe = broker_role_describe,
};

static const struct option *const shared[] = {http_options, process_options, NULL};

const struct command broker_command = {
    .name = "broker",
    .summary = "the embedded NATS broker by itself",
    .group = COMMAND_ROLES,
    .description =
        "Speaks the NATS client protocol: publish and subscribe with wildcards, queue groups,\n"
        "requests, headers. No JetStream and no clustering: for those, use nats-server.\n"
        "\n"
        "SIGTERM stops it. SIGUSR2, or --drain from another terminal, puts it into lame duck\n"
        "mode: clients are told to move on, and it ends when they have. SIGHUP reads the\n"
        "users and the certificates again.",
    .examples = "  lsys broker\n"
                "  lsys broker --listen 127.0.0.1:4222 --http 127.0.0.1:8222\n"
                "  lsys broker --user app --password-file app.password\n"
                "  lsys broker --users-file users.json --pid-file /run/lsys-broker.pid\n"
                "  lsys broker --tls-cert nats.pem --tls-key nats.key.pem --users-file users.json\n"
                "  lsys broker --operator nats/operator.jwt --resolver-dir nats/accounts\n"
                "  lsys broker --websocket 127.0.0.1:9222 --websocket-origin https://app.example\n"
                "  lsys broker --drain --pid-file /run/lsys-broker.pid",
    .section = "broker",
    .options = broker_options_table,
    .shared = shared,
    .run = broker_run,
    .role = &broker_role,
};
