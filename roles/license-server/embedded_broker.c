#include "roles/license-server/embedded_broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/listen_policy.h"
#include "app/nats_login.h"
#include "app/role_tls.h"
#include "base/log.h"
#include "base/memory.h"
#include "broker/broker.h"

struct embedded_broker {
    struct broker *broker;
    struct role_tls *tls; /* NULL: none */
    char url[EMBEDDED_BROKER_URL_BYTES];
    void (*on_closed)(void *context);
    void *context;
};

bool embedded_broker_is_wanted(const struct role_context *context) {
    if (context->embedded_nats_url) return false;
    for (size_t i = 0; i < options_count(context->options, "nats.urls"); i++)
        if (strcmp(options_item(context->options, "nats.urls", i), NATS_EMBEDDED) == 0) return true;
    return false;
}

bool embedded_broker_check_unused(const struct role_context *context, struct status *status) {
    static const char *const keys[] = {"nats.listen", "nats.listen_tls", "nats.listen_users_file"};
    if (context->embedded_nats_url || embedded_broker_is_wanted(context)) return true;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (options_is_given(context->options, keys[i]))
            return status_fail(status, STATUS_CONFIG,
                               "%s is about the embedded broker, and --nats names another server: "
                               "leave one of them out",
                               options_origin(context->options, keys[i]));
    return true;
}

/* ---- what its flags say ---- */

/* The first of the server's own flags for signing in that is given, or NULL. */
static const char *own_credential(const struct options *options) {
    static const char *const keys[] = {"nats.user", "nats.password_file", "nats.token_file",
                                       "nats.nkey_file", "nats.creds"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (options_is_given(options, keys[i])) return keys[i];
    return NULL;
}

/* The server is a client of its broker like others: what cannot work is refused at once, not found
 * out by a connection that never comes. */
static bool check_flags(const struct options *options, struct status *status) {
    const char *credential = own_credential(options);
    bool has_users = options_text(options, "nats.listen_users_file") != NULL;
    if (options_is_given(options, "nats.creds"))
        return status_fail(status, STATUS_CONFIG,
                           "%s: the embedded broker has no operator who could have signed it; run "
                           "\"lsys broker --operator\" beside this server and name it with --nats",
                           options_origin(options, "nats.creds"));
    if (credential && !has_users)
        return status_fail(
            status, STATUS_CONFIG,
            "%s: the embedded broker asks nobody who they are; leave it out, or give "
            "the broker users with --nats-listen-users-file",
            options_origin(options, credential));
    if (has_users && !credential)
        return status_fail(status, STATUS_CONFIG,
                           "--nats-listen-users-file: this server has to sign in to its broker as "
                           "well; say how with --nats-user and --nats-password-file, "
                           "--nats-token-file or --nats-nkey-file");
    return true;
}

/* Who may connect; NULL: everybody. */
static bool read_users(const struct options *options, struct broker_users **out,
                       struct status *status) {
    const char *path = options_text(options, "nats.listen_users_file");
    *out = path ? broker_users_new() : NULL;
    if (!path || broker_users_add_file(*out, path, status)) return true;
    broker_users_free(*out);
    return status_context(status, "--nats-listen-users-file");
}

static bool read_tls(struct embedded_broker *embedded, struct role_context *context,
                     struct broker_options *out, struct status *status) {
    const char *ca = options_is_given(context->options, "nats.tls_ca")     ? "nats.tls_ca"
                     : options_is_given(context->options, "nats.tls_cert") ? "nats.tls_cert"
                                                                           : NULL;
    if (!options_boolean(context->options, "nats.listen_tls"))
        return !ca ||
               status_fail(status, STATUS_CONFIG,
                           "%s: the embedded broker speaks plain text; leave it out, give the "
                           "broker TLS with --nats-listen-tls, or name a server that has it "
                           "with --nats tls://...",
                           options_origin(context->options, ca));
    if (!role_tls_open(context, NULL, &embedded->tls, status)) return false;
    if (!embedded->tls)
        return status_fail(status, STATUS_CONFIG,
                           "--nats-listen-tls needs --tls-cert and --tls-key, which it shares with "
                           "HTTP");
    out->tls = role_tls_context(embedded->tls);
    out->tls_verify = role_tls_demands_certificates(embedded->tls);
    return true;
}

/* ---- life ---- */

/* Where the server itself connects: a listener on all addresses is also on loopback. */
static void write_url(struct embedded_broker *embedded, const struct address *bound) {
    struct address own = *bound;
    char text[ADDRESS_TEXT_BYTES];
    if (strcmp(own.host, "0.0.0.0") == 0) snprintf(own.host, sizeof own.host, "127.0.0.1");
    if (strcmp(own.host, "::") == 0) snprintf(own.host, sizeof own.host, "::1");
    address_format(&own, text);
    snprintf(embedded->url, sizeof embedded->url, "%s://%s", embedded->tls ? "tls" : "nats", text);
}

static bool listen_at(struct embedded_broker *embedded, struct role_context *context,
                      struct status *status) {
    static const char flag[] = "--nats-listen";
    struct address address, bound;
    char text[ADDRESS_TEXT_BYTES];
    bool asks_certificates = embedded->tls && role_tls_demands_certificates(embedded->tls);
    struct listen_protection protection = {
        .tls = embedded->tls != NULL,
        .credential = broker_has_users(embedded->broker) || asks_certificates,
        .insecure_listen = options_boolean(context->options, "insecure_listen")};
    if (!options_address(context->options, "nats.listen", &address))
        return status_fail(status, STATUS_CONFIG, "%s: no address is configured", flag);
    if (!listen_policy_check(context->name, flag, &address, protection, status)) return false;
    if (!broker_listen(embedded->broker, &address, &bound, status))
        return status_context(status, "%s", flag);
    write_url(embedded, &bound);
    address_format(&bound, text);
    char shown[EMBEDDED_BROKER_URL_BYTES];
    snprintf(shown, sizeof shown, "%s://%s", embedded->tls ? "tls" : "nats", text);
    log_event(LOG_INFO, context->name, "listening", "url", shown, NULL);
    return true;
}

static bool make_broker(struct embedded_broker *embedded, struct role_context *context,
                        struct status *status) {
    struct broker_options options = {.role = context->name};
    if (!check_flags(context->options, status) || !read_tls(embedded, context, &options, status) ||
        !read_users(context->options, &options.users, status))
        return false;
    embedded->broker = broker_create(context->loop, &options, status);
    if (!embedded->broker) broker_users_free(options.users);
    return embedded->broker != NULL;
}

struct embedded_broker *embedded_broker_open(struct role_context *context, struct status *status) {
    struct embedded_broker *embedded = memory_new(sizeof *embedded);
    if (make_broker(embedded, context, status) && listen_at(embedded, context, status))
        return embedded;
    broker_stop(embedded->broker, NULL, NULL);
    role_tls_close(embedded->tls);
    free(embedded);
    return NULL;
}

bool embedded_broker_reload(struct embedded_broker *broker, const struct options *fresh,
                            struct status *status) {
    struct broker_users *users;
    if (!broker) return true;
    if (!read_users(fresh, &users, status)) return false;
    if (!users && broker_has_users(broker->broker))
        return status_fail(status, STATUS_CONFIG,
                           "the new configuration has no users: open the broker by a restart");
    if (users) broker_set_users(broker->broker, users);
    return true;
}

const char *embedded_broker_url(const struct embedded_broker *broker) {
    return broker->url;
}

static void finish_close(void *context) {
    struct embedded_broker *embedded = context;
    void (*on_closed)(void *context) = embedded->on_closed;
    void *closed_context = embedded->context;
    free(embedded);
    on_closed(closed_context);
}

void embedded_broker_close(struct embedded_broker *broker, void (*on_closed)(void *context),
                           void *context) {
    if (!broker) {
        on_closed(context);
        return;
    }
    role_tls_close(broker->tls);
    broker->on_closed = on_closed;
    broker->context = context;
    broker_stop(broker->broker, finish_close, broker);
}
