/* lsys ca renew: replaces a certificate by its successor once half of its life is over. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/certificate_files.h"
#include "base/clock.h"
#include "base/file.h"
#include "roles/ca/actions.h"
#include "rules/certificate_renewal.h"

static bool is_due(const struct options *options, const char *path,
                   const struct x509_certificate *certificate, int64_t now_ms) {
    struct certificate_life life = {certificate->not_before_ms, certificate->not_after_ms};
    enum certificate_phase phase = certificate_phase_at(life, now_ms);
    char due[CA_TIME_BYTES];
    bool fresh = phase == CERTIFICATE_FRESH || phase == CERTIFICATE_NOT_YET_VALID;
    if (!fresh || options_boolean(options, "force")) return true;
    ca_format_time(certificate_due_ms(life), due);
    printf("%s  %s: renewal is due from %s on (--force renews now)\n", path,
           certificate_phase_name(phase), due);
    return false;
}

/* Keeps the old private key under a name with the old serial number, then puts the new one in its
 * place. When the power fails between this and the new certificate, the next run certifies the new
 * key. */
static bool replace_key(const char *prefix, const char *key_path, const struct x509_key *key,
                        const struct x509_certificate *old, struct status *status) {
    char ending[X509_SERIAL_TEXT_BYTES + 16], serial[X509_SERIAL_TEXT_BYTES];
    struct buffer text;
    x509_certificate_serial_text(old, serial);
    snprintf(ending, sizeof ending, ".key.%s.pem", serial);
    char *kept_path = ca_path(prefix, ending);
    buffer_init(&text, CERTIFICATE_FILE_BYTES_MAX);
    bool had_key = access(key_path, F_OK) == 0;
    bool done = true;
    if (had_key)
        done = file_read_secret(key_path, &text, status) &&
               file_create(kept_path, buffer_bytes(&text), 0600, status);
    buffer_wipe(&text);
    x509_key_write_pem(key, &text);
    done = done && buffer_check(&text, "the private key", status) &&
           file_replace(key_path, buffer_bytes(&text), 0600, status);
    if (done && had_key) printf("%s  the private key until now\n", kept_path);
    buffer_wipe(&text);
    free(kept_path);
    return done;
}

/* The key to certify: a new one, that of the key file, or (the host keeps it) that of the
 * certificate. `*key` (owned by the caller) stays NULL for the last. */
static bool choose_key(const struct options *options, const char *prefix, const char *key_path,
                       const struct x509_certificate *old, struct x509_key **key,
                       struct status *status) {
    if (options_boolean(options, "new_key")) {
        *key = x509_key_generate();
        return replace_key(prefix, key_path, *key, old, status);
    }
    if (access(key_path, F_OK) != 0) return true;
    *key = certificate_file_read_key(key_path, status);
    return *key != NULL;
}

static bool renew_leaf(const struct options *options, const struct certificate_authority *authority,
                       const char *prefix, struct status *status) {
    struct x509_certificate old;
    struct x509_key *key = NULL;
    struct buffer der, pem;
    int64_t now_ms = clock_wall_ms();
    char *path = ca_path(prefix, ".pem");
    char *key_path = ca_path(prefix, ".key.pem");
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    buffer_init(&pem, CERTIFICATE_FILE_BYTES_MAX);
    bool done = certificate_file_read(path, &der, &old, status);
    if (done && is_due(options, path, &old, now_ms))
        done = choose_key(options, prefix, key_path, &old, &key, status) &&
               certificate_authority_renew(authority, &old, key ? x509_key_public(key) : &old.key,
                                           options_duration_ms(options, "valid_for"), now_ms, &pem,
                                           status) &&
               file_replace(path, buffer_bytes(&pem), 0644, status) &&
               ca_print_issued(path, buffer_bytes(&pem), status);
    x509_key_free(key);
    buffer_free(&pem);
    buffer_free(&der);
    free(path);
    free(key_path);
    return done;
}

static bool renew_ca(const struct options *options, const struct certificate_authority *authority,
                     const char *folder, struct status *status) {
    struct buffer pem;
    int64_t now_ms = clock_wall_ms();
    char *path = file_join(folder, CERTIFICATE_AUTHORITY_FILE);
    buffer_init(&pem, CERTIFICATE_FILE_BYTES_MAX);
    bool done = true;
    if (is_due(options, path, certificate_authority_certificate(authority), now_ms)) {
        done = certificate_authority_renew_itself(
                   authority, options_duration_ms(options, "valid_for"), now_ms, &pem, status) &&
               file_replace(path, buffer_bytes(&pem), 0644, status);
        if (done)
            printf("%s  renewed, with the same key: give it to everyone who has the old one\n",
                   path);
    }
    buffer_free(&pem);
    free(path);
    return done;
}

bool ca_renew(const struct options *options, struct status *status) {
    const char *folder = ca_need(options, "ca", "the folder of the CA", status);
    const char *prefix = options_text(options, "out");
    if (!folder) return false;
    if (!prefix && options_boolean(options, "new_key"))
        return status_fail(status, STATUS_USAGE,
                           "a CA with a new key is a new CA: use \"lsys ca init\"");
    struct certificate_authority *authority = certificate_authority_open(folder, status);
    bool renewed = authority && (prefix ? renew_leaf(options, authority, prefix, status)
                                        : renew_ca(options, authority, folder, status));
    certificate_authority_close(authority);
    return renewed;
}
