/* lsys ca issue: certifies a host's new key, or the key of a request. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/certificate_files.h"
#include "base/clock.h"
#include "base/file.h"
#include "roles/ca/actions.h"

/* Both purposes unless one is asked for: in a deployment most are server and client to each
 * other. */
static uint32_t purposes_of(const struct options *options) {
    bool server = options_boolean(options, "server");
    bool client = options_boolean(options, "client");
    if (server == client) return X509_PURPOSE_SERVER | X509_PURPOSE_CLIENT;
    return server ? X509_PURPOSE_SERVER : X509_PURPOSE_CLIENT;
}

/* Appends the certificate for `key` with these names to `out`. */
static bool certify(const struct options *options, const struct x509_public_key *key,
                    const struct certificate_names *names, struct buffer *out,
                    struct status *status) {
    const char *folder = ca_need(options, "ca", "the folder of the CA", status);
    int64_t life_ms = options_duration_ms(options, "valid_for");
    struct certificate_wish wish = {.key = key,
                                    .subject = buffer_bytes(&names->subject),
                                    .alt_names = buffer_bytes(&names->alt_names),
                                    .purposes = purposes_of(options),
                                    .life_ms = life_ms ? life_ms : CERTIFICATE_LIFE_MS};
    struct certificate_authority *authority =
        folder ? certificate_authority_open(folder, status) : NULL;
    bool issued =
        authority && certificate_authority_issue(authority, &wish, clock_wall_ms(), out, status);
    certificate_authority_close(authority);
    return issued;
}

/* The names of the request unless the flags say others. */
static bool names_for_request(const struct options *options, const struct x509_request *request,
                              struct certificate_names *names, struct status *status) {
    if (options_text(options, "name") || options_count(options, "san") > 0)
        return ca_names_from_flags(options, names, status);
    return certificate_names_from_wish(request->subject, request->alt_names, names, status);
}

static bool issue_for_request(const struct options *options, const char *certificate_path,
                              struct status *status) {
    struct x509_request request;
    struct certificate_names names;
    struct buffer der, pem;
    certificate_names_init(&names);
    buffer_init(&der, X509_REQUEST_BYTES_MAX);
    buffer_init(&pem, CERTIFICATE_FILE_BYTES_MAX);
    bool issued =
        certificate_file_read_request(options_text(options, "request"), &der, &request, status) &&
        names_for_request(options, &request, &names, status) &&
        certify(options, &request.key, &names, &pem, status) &&
        file_create(certificate_path, buffer_bytes(&pem), 0644, status) &&
        ca_print_issued(certificate_path, buffer_bytes(&pem), status);
    buffer_free(&pem);
    buffer_free(&der);
    certificate_names_free(&names);
    return issued;
}

/* Both files or none: a key without a certificate would only be in the way. */
static bool write_both(const char *certificate_path, struct bytes pem, const char *key_path,
                       const struct x509_key *key, struct status *status) {
    if (!certificate_file_create_key(key_path, key, status)) return false;
    if (file_create(certificate_path, pem, 0644, status)) return true;
    unlink(key_path);
    return false;
}

static bool issue_with_new_key(const struct options *options, const char *certificate_path,
                               const char *key_path, struct status *status) {
    struct x509_key *key = x509_key_generate();
    struct certificate_names names;
    struct buffer pem;
    certificate_names_init(&names);
    buffer_init(&pem, CERTIFICATE_FILE_BYTES_MAX);
    bool issued = ca_check_absent(key_path, status) &&
                  ca_names_from_flags(options, &names, status) &&
                  certify(options, x509_key_public(key), &names, &pem, status) &&
                  write_both(certificate_path, buffer_bytes(&pem), key_path, key, status) &&
                  ca_print_issued(certificate_path, buffer_bytes(&pem), status);
    if (issued) printf("%s  its private key: keep it on that host only\n", key_path);
    buffer_free(&pem);
    certificate_names_free(&names);
    x509_key_free(key);
    return issued;
}

bool ca_issue(const struct options *options, struct status *status) {
    const char *prefix =
        ca_need(options, "out", "the files are PREFIX.pem and PREFIX.key.pem", status);
    if (!prefix) return false;
    char *certificate_path = ca_path(prefix, ".pem");
    char *key_path = ca_path(prefix, ".key.pem");
    bool issued = ca_check_absent(certificate_path, status);
    if (issued)
        issued = options_text(options, "request")
                     ? issue_for_request(options, certificate_path, status)
                     : issue_with_new_key(options, certificate_path, key_path, status);
    free(certificate_path);
    free(key_path);
    return issued;
}
