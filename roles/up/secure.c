#include "roles/up/secure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/certificate_authority.h"
#include "app/certificate_keeper.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/up/secure_accounts.h"
#include "verifier/x509_alt_name.h"
#include "verifier/x509_trust.h"

#define CA_NAME "lsys up"

/* Beside those of the listeners: localhost, both loopback addresses, and the machine's own name. */
#define OWN_NAMES 4

/* The addresses of the page and of five roles. */
#define NAMES_MAX (OWN_NAMES + 6)

struct secure {
    char *folder;
    char *ca_path, *certificate_path, *key_path;
    char *operator_path, *accounts_path;
    char *server_creds_path, *client_creds_path, *master_creds_path, *slave_creds_path;
    char *observer_creds_path;
    char host_name[X509_DNS_NAME_BYTES_MAX + 1];
    const char *names[NAMES_MAX]; /* of the certificate; borrowed while it is opened */
    size_t name_count;
    struct certificate_keeper *keeper;
    struct tls_client_context *client;
};

/* ---- the folder ---- */

static bool fill_folder(const char *folder, struct status *status) {
    return certificate_authority_create(folder, CA_NAME, CERTIFICATE_AUTHORITY_LIFE_MS,
                                        clock_wall_ms(), status) &&
           secure_accounts_make(folder, status);
}

/* Everything or nothing, also when the machine stops meanwhile: a folder under another name is
 * never looked at again. */
static bool make_folder(const char *data_folder, const char *folder, struct status *status) {
    char *making = file_join(data_folder, "secure.XXXXXX");
    bool made = mkdtemp(making) != NULL;
    if (!made) status_fail_errno(status, errno, "cannot make the folder %s", making);
    made = made && fill_folder(making, status);
    if (made && rename(making, folder) != 0)
        made = status_fail_errno(status, errno, "cannot rename %s to %s", making, folder);
    free(making);
    return made;
}

static bool have_folder(const struct role_context *context, const char *data_folder,
                        const struct secure *secure, struct status *status) {
    if (access(secure->folder, F_OK) == 0) return secure_accounts_complete(secure->folder, status);
    if (!make_folder(data_folder, secure->folder, status)) return false;
    log_event(LOG_INFO, context->name, "made a CA and NATS accounts for this machine", "folder",
              secure->folder, "ca", secure->ca_path, NULL);
    return true;
}

/* ---- the certificate ---- */

static void add_name(struct secure *secure, const char *name) {
    if (name[0] == '\0') return;
    for (size_t i = 0; i < secure->name_count; i++)
        if (strcasecmp(secure->names[i], name) == 0) return;
    secure->names[secure->name_count++] = name;
}

/* A machine whose name is no DNS name is known by its addresses alone. */
static void add_host_name(struct secure *secure) {
    struct x509_alt_name parsed;
    if (gethostname(secure->host_name, sizeof secure->host_name - 1) != 0) return;
    if (x509_alt_name_parse(secure->host_name, &parsed, NULL)) add_name(secure, secure->host_name);
}

static void collect_names(struct secure *secure, const struct address *hosts, size_t host_count) {
    add_name(secure, "localhost");
    add_name(secure, "127.0.0.1");
    add_name(secure, "::1");
    add_host_name(secure);
    for (size_t i = 0; i < host_count && i < NAMES_MAX - OWN_NAMES; i++)
        if (hosts[i].kind == ADDRESS_TCP) add_name(secure, hosts[i].host);
}

/* Listeners and the page watch the file themselves. */
static void renewed(void *context) {
    const struct role_context *role = context;
    log_event(LOG_INFO, role->name, "the server certificate was renewed", NULL);
}

static bool keep_certificate(struct secure *secure, struct role_context *context, int64_t life_ms,
                             struct status *status) {
    char *prefix = file_join(secure->folder, "server");
    struct certificate_keeper_wish wish = {
        .role = context->name,
        .folder = secure->folder,
        .prefix = prefix,
        .names = secure->names,
        .name_count = secure->name_count,
        .purposes = X509_PURPOSE_SERVER,
        .life_ms = life_ms,
    };
    secure->keeper = certificate_keeper_start(context->loop, &wish, renewed, context, status);
    free(prefix);
    return secure->keeper != NULL;
}

static bool make_client(struct secure *secure, struct status *status) {
    struct buffer ca;
    buffer_init(&ca, X509_BUNDLE_BYTES_MAX);
    if (file_read(secure->ca_path, &ca, status)) {
        struct tls_client_options options = {.ca = buffer_bytes(&ca),
                                             .protocol = TLS_PROTOCOL_HTTP};
        secure->client = tls_client_context_create(&options, status);
    }
    buffer_free(&ca);
    return secure->client != NULL;
}

/* ---- life ---- */

struct secure *secure_open(struct role_context *context, const char *folder,
                           const struct address *hosts, size_t host_count, int64_t life_ms,
                           struct status *status) {
    struct secure *secure = memory_new(sizeof *secure);
    secure->folder = file_join(folder, "secure");
    secure->ca_path = file_join(secure->folder, CERTIFICATE_AUTHORITY_FILE);
    secure->certificate_path = file_join(secure->folder, "server.pem");
    secure->key_path = file_join(secure->folder, "server.key.pem");
    secure->operator_path = file_join(secure->folder, "nats/operator.jwt");
    secure->accounts_path = file_join(secure->folder, "nats/accounts");
    secure->server_creds_path = file_join(secure->folder, "license-server.creds");
    secure->client_creds_path = file_join(secure->folder, "license-client.creds");
    secure->master_creds_path = file_join(secure->folder, "cache-master.creds");
    secure->slave_creds_path = file_join(secure->folder, "cache-slave.creds");
    secure->observer_creds_path = file_join(secure->folder, "observer.creds");
    collect_names(secure, hosts, host_count);
    if (have_folder(context, folder, secure, status) &&
        keep_certificate(secure, context, life_ms, status) && make_client(secure, status))
        return secure;
    secure_close(secure);
    status_context(status, "--secure");
    return NULL;
}

void secure_close(struct secure *secure) {
    if (!secure) return;
    certificate_keeper_stop(secure->keeper);
    tls_client_context_release(secure->client);
    char *const paths[] = {secure->folder,
                           secure->ca_path,
                           secure->certificate_path,
                           secure->key_path,
                           secure->operator_path,
                           secure->accounts_path,
                           secure->server_creds_path,
                           secure->client_creds_path,
                           secure->master_creds_path,
                           secure->slave_creds_path,
                           secure->observer_creds_path};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        free(paths[i]);
    free(secure);
}

/* ---- what it is for ---- */

static bool can_be_secured(const char *role) {
    static const char *const roles[] = {"broker", "license-server", "license-client",
                                        "cache-master", "cache-slave"};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(role, roles[i]) == 0) return true;
    return false;
}

bool secure_check_roles(const char *const *roles, size_t count, struct status *status) {
    bool has_broker = false;
    for (size_t i = 0; i < count; i++) {
        has_broker |= strcmp(roles[i], "broker") == 0;
        if (!can_be_secured(roles[i]))
            return status_fail(status, STATUS_USAGE,
                               "--secure runs broker, license-server, license-client and the "
                               "caches; \"%s\" is to be run by itself, with a certificate and "
                               "credentials of its own",
                               roles[i]);
    }
    return has_broker || status_fail(status, STATUS_USAGE,
                                     "--secure needs the broker among the roles: its accounts are "
                                     "what protects NATS");
}

size_t secure_overrides(const struct secure *secure, struct stack_override out[SECURE_OVERRIDES]) {
    static const char flag[] = "--secure";
    const struct stack_override overrides[] = {
        {"broker", "tls_cert", flag, secure->certificate_path, false},
        {"broker", "tls_key", flag, secure->key_path, false},
        {"broker", "operator", flag, secure->operator_path, false},
        {"broker", "resolver_dir", flag, secure->accounts_path, false},
        {"license-server", "tls_cert", flag, secure->certificate_path, true},
        {"license-server", "tls_key", flag, secure->key_path, true},
        {"license-server", "nats.urls", flag, "embedded", false},
        {"license-server", "nats.tls_ca", flag, secure->ca_path, false},
        {"license-server", "nats.creds", flag, secure->server_creds_path, false},
        {"license-client", "tls_cert", flag, secure->certificate_path, false},
        {"license-client", "tls_key", flag, secure->key_path, false},
        {"license-client", "nats.urls", flag, "embedded", false},
        {"license-client", "nats.tls_ca", flag, secure->ca_path, false},
        {"license-client", "nats.creds", flag, secure->client_creds_path, false},
        {"cache-master", "tls_cert", flag, secure->certificate_path, true},
        {"cache-master", "tls_key", flag, secure->key_path, true},
        {"cache-master", "nats.urls", flag, "embedded", false},
        {"cache-master", "nats.tls_ca", flag, secure->ca_path, false},
        {"cache-master", "nats.creds", flag, secure->master_creds_path, false},
        {"cache-slave", "nats.urls", flag, "embedded", false},
        {"cache-slave", "nats.tls_ca", flag, secure->ca_path, false},
        {"cache-slave", "nats.creds", flag, secure->slave_creds_path, false},
        {"cache-slave", "tls_cert", flag, secure->certificate_path, false},
        {"cache-slave", "tls_key", flag, secure->key_path, false},
        {"cache-slave", "https_ca", flag, secure->ca_path, false},
    };
    size_t count = sizeof overrides / sizeof overrides[0];
    memcpy(out, overrides, sizeof overrides);
    return count;
}

bool secure_page_options(const struct secure *secure, struct options *options,
                         struct status *status) {
    if (options_is_given(options, "tls_cert")) return true;
    return options_override(options, "tls_cert", secure->certificate_path, "--secure", status) &&
           options_override(options, "tls_key", secure->key_path, "--secure", status);
}

struct tls_client_context *secure_client(const struct secure *secure) {
    return secure->client;
}

const char *secure_ca_path(const struct secure *secure) {
    return secure->ca_path;
}

const char *secure_observer_path(const struct secure *secure) {
    return secure->observer_creds_path;
}
