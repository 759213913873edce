#include "app/certificate_files.h"

#include <string.h>

#include "base/file.h"
#include "codec/pem.h"

/* The first block with one of two labels (the second may be NULL). */
static bool find_block(struct bytes text, const char *label, const char *other_label,
                       struct buffer *der, struct status *status) {
    struct pem_reader reader;
    struct status problem = STATUS_INIT;
    char found[PEM_LABEL_BYTES];
    pem_reader_init(&reader, text);
    while (pem_read(&reader, found, der, &problem))
        if (strcmp(found, label) == 0 || (other_label && strcmp(found, other_label) == 0))
            return true;
    if (!status_is_ok(&problem)) return status_fail(status, problem.code, "%s", problem.text);
    return status_fail(status, STATUS_NOT_FOUND, "there is no \"-----BEGIN %s-----\" in it", label);
}

static bool read_block(const char *path, const char *label, const char *other_label,
                       struct buffer *der, struct status *status) {
    struct buffer text;
    buffer_init(&text, CERTIFICATE_FILE_BYTES_MAX);
    bool read = file_read(path, &text, status);
    if (read && !find_block(buffer_bytes(&text), label, other_label, der, status))
        read = status_context(status, "%s", path);
    buffer_wipe(&text); /* a file of a certificate may hold its key as well */
    return read;
}

bool certificate_file_read(const char *path, struct buffer *der, struct x509_certificate *out,
                           struct status *status) {
    if (!read_block(path, PEM_CERTIFICATE, NULL, der, status)) return false;
    return x509_certificate_parse(buffer_bytes(der), out, status) ||
           status_context(status, "%s", path);
}

bool certificate_file_read_request(const char *path, struct buffer *der, struct x509_request *out,
                                   struct status *status) {
    /* Older tools say NEW (RFC 7468, section 7). */
    if (!read_block(path, PEM_CERTIFICATE_REQUEST, "NEW CERTIFICATE REQUEST", der, status))
        return false;
    return x509_request_parse(buffer_bytes(der), out, status) || status_context(status, "%s", path);
}

struct x509_key *certificate_file_read_key(const char *path, struct status *status) {
    struct x509_key *key = NULL;
    struct buffer text;
    buffer_init(&text, CERTIFICATE_FILE_BYTES_MAX);
    if (file_read_secret(path, &text, status)) {
        key = x509_key_read_pem(buffer_bytes(&text), status);
        if (!key) status_context(status, "%s", path);
    }
    buffer_wipe(&text);
    return key;
}

struct x509_identity *certificate_files_read_identity(const char *certificates_path,
                                                      const char *key_path, struct status *status) {
    struct x509_identity *identity = NULL;
    struct buffer certificates, key;
    buffer_init(&certificates, CERTIFICATE_FILE_BYTES_MAX);
    buffer_init(&key, CERTIFICATE_FILE_BYTES_MAX);
    if (file_read(certificates_path, &certificates, status) &&
        file_read_secret(key_path, &key, status)) {
        identity = x509_identity_read_pem(buffer_bytes(&certificates), buffer_bytes(&key), status);
        if (!identity) status_context(status, "%s with %s", certificates_path, key_path);
    }
    buffer_wipe(&certificates);
    buffer_wipe(&key);
    return identity;
}

struct x509_trust *certificate_file_read_trust(const char *path, struct status *status) {
    struct x509_trust *trust = x509_trust_new();
    struct buffer text;
    buffer_init(&text, X509_BUNDLE_BYTES_MAX);
    bool read = file_read(path, &text, status);
    if (read && !x509_trust_add_pem(trust, buffer_bytes(&text), X509_UNFIT_REFUSE, NULL, status))
        read = status_context(status, "%s", path);
    buffer_free(&text);
    if (read) return trust;
    x509_trust_free(trust);
    return NULL;
}

bool certificate_file_create_key(const char *path, const struct x509_key *key,
                                 struct status *status) {
    struct buffer text;
    buffer_init(&text, X509_KEY_FILE_BYTES_MAX);
    x509_key_write_pem(key, &text);
    bool created = buffer_check(&text, "the private key", status) &&
                   file_create(path, buffer_bytes(&text), 0600, status);
    buffer_wipe(&text);
    return created;
}
