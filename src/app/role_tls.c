#include "app/role_tls.h"

#include <signal.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/file_watch.h"
#include "loop/signal_watch.h"
#include "verifier/x509_key.h"
#include "verifier/x509_trust.h"

/* A chain of certificates; far more than the longest. */
#define CHAIN_FILE_BYTES_MAX ((size_t)262144)

/* Certificates and keys, and the CA. */
#define FILES_MAX (2 * TLS_IDENTITIES_MAX + 1)

/* A file's flag and path; the content only while it is read. */
struct tls_file {
    const char *flag;
    char *path;
    struct file_watch *watch;
    struct buffer text;
};

/* The first `identity_count` files are certificates, as many keys follow, then the CA if there is
 * one. */
struct role_tls {
    struct role_context *context;
    const char *protocol;
    struct tls_server_context *server;
    struct tls_file files[FILES_MAX];
    size_t file_count;
    size_t identity_count;
    bool has_client_ca;
    struct signal_watch *hangup;
};

/* ---- files ---- */

static void add_file(struct role_tls *tls, const char *flag, const char *path) {
    struct tls_file *file = &tls->files[tls->file_count++];
    file->flag = flag;
    file->path = memory_copy_text(path);
}

static bool name_files(struct role_tls *tls, struct status *status) {
    const struct options *options = tls->context->options;
    size_t count = options_count(options, "tls_cert");
    const char *client_ca = options_text(options, "tls_client_ca");
    if (count != options_count(options, "tls_key"))
        return status_fail(status, STATUS_CONFIG,
                           "--tls-cert and --tls-key go together: each certificate needs its key");
    if (count == 0 && client_ca)
        return status_fail(status, STATUS_CONFIG, "--tls-client-ca needs --tls-cert and --tls-key");
    if (count > TLS_IDENTITIES_MAX)
        return status_fail(status, STATUS_CONFIG, "--tls-cert: at most %d certificates",
                           TLS_IDENTITIES_MAX);
    for (size_t i = 0; i < count; i++)
        add_file(tls, "--tls-cert", options_item(options, "tls_cert", i));
    for (size_t i = 0; i < count; i++)
        add_file(tls, "--tls-key", options_item(options, "tls_key", i));
    if (client_ca) add_file(tls, "--tls-client-ca", client_ca);
    tls->identity_count = count;
    tls->has_client_ca = client_ca != NULL;
    return true;
}

static bool read_file(struct role_tls *tls, size_t index, struct status *status) {
    struct tls_file *file = &tls->files[index];
    bool is_key = index >= tls->identity_count && index < 2 * tls->identity_count;
    bool is_ca = index >= 2 * tls->identity_count;
    buffer_init(&file->text, is_key  ? X509_KEY_FILE_BYTES_MAX
                             : is_ca ? X509_BUNDLE_BYTES_MAX
                                     : CHAIN_FILE_BYTES_MAX);
    bool is_read = is_key ? file_read_secret(file->path, &file->text, status)
                          : file_read(file->path, &file->text, status);
    return is_read || status_context(status, "%s", file->flag);
}

static bool read_files(struct role_tls *tls, struct status *status) {
    for (size_t i = 0; i < tls->file_count; i++)
        if (!read_file(tls, i, status)) return false;
    return true;
}

static void forget_files(struct role_tls *tls) {
    for (size_t i = 0; i < tls->file_count; i++)
        buffer_wipe(&tls->files[i].text);
}

/* ---- the context ---- */

/* Makes the context, or renews the one that there is. */
static bool use_files(struct role_tls *tls, struct status *status) {
    struct tls_identity identities[TLS_IDENTITIES_MAX];
    struct tls_server_options options = {
        .identities = identities, .identity_count = tls->identity_count, .protocol = tls->protocol};
    for (size_t i = 0; i < tls->identity_count; i++) {
        identities[i].certificates = buffer_bytes(&tls->files[i].text);
        identities[i].key = buffer_bytes(&tls->files[tls->identity_count + i].text);
    }
    if (tls->has_client_ca) {
        options.client_certificates = TLS_CLIENTS_REQUIRED;
        options.client_ca = buffer_bytes(&tls->files[tls->file_count - 1].text);
    }
    if (tls->server) return tls_server_context_reload(tls->server, &options, status);
    tls->server = tls_server_context_create(&options, status);
    return tls->server != NULL;
}

static void warn_of_period(const struct role_tls *tls) {
    struct status status = STATUS_INIT;
    if (!tls_server_context_check_period(tls->server, clock_wall_ms(), &status))
        log_event(LOG_WARNING, tls->context->name, "clients will refuse the TLS certificate", "why",
                  status.text, NULL);
}

static bool load(struct role_tls *tls, struct status *status) {
    bool is_loaded = read_files(tls, status) && use_files(tls, status);
    forget_files(tls);
    if (is_loaded) warn_of_period(tls);
    return is_loaded;
}

static void reload(void *context) {
    struct role_tls *tls = context;
    struct status status = STATUS_INIT;
    if (load(tls, &status))
        log_event(LOG_INFO, tls->context->name, "TLS certificate read again", NULL);
    else
        log_event(LOG_ERROR, tls->context->name,
                  "the new TLS certificate is refused, the old one stays", "code",
                  status_code_name(status.code), "why", status.text, NULL);
}

static void reload_at_signal(void *context, int number) {
    (void)number;
    reload(context);
}

/* ---- life ---- */

bool role_tls_open(struct role_context *context, const char *protocol, struct role_tls **out,
                   struct status *status) {
    struct role_tls *tls = memory_new(sizeof *tls);
    *out = NULL;
    tls->context = context;
    tls->protocol = protocol;
    if (!name_files(tls, status)) goto fail;
    if (tls->file_count == 0) {
        role_tls_close(tls);
        return true;
    }
    /* The watches come first, so that no change is missed. */
    for (size_t i = 0; i < tls->file_count; i++)
        tls->files[i].watch = file_watch_open(context->loop, tls->files[i].path, reload, tls);
    tls->hangup = signal_watch_open(context->loop, SIGHUP, reload_at_signal, tls, status);
    if (!tls->hangup || !load(tls, status)) goto fail;
    *out = tls;
    return true;

fail:
    role_tls_close(tls);
    return false;
}

struct tls_server_context *role_tls_context(const struct role_tls *tls) {
    return tls->server;
}

bool role_tls_demands_certificates(const struct role_tls *tls) {
    return tls->has_client_ca;
}

void role_tls_close(struct role_tls *tls) {
    if (!tls) return;
    for (size_t i = 0; i < tls->file_count; i++) {
        if (tls->files[i].watch) file_watch_close(tls->files[i].watch);
        free(tls->files[i].path);
    }
    if (tls->hangup) signal_watch_close(tls->hangup);
    tls_server_context_release(tls->server);
    free(tls);
}
