#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "codec/pem.h"
#include "codec/rfc3339.h"
#include "roles/ca/actions.h"
#include "verifier/x509_alt_name.h"

#define NAMES_TEXT_BYTES 512

const char *ca_need(const struct options *options, const char *key, const char *what,
                    struct status *status) {
    const char *value = options_text(options, key);
    if (!value) status_fail(status, STATUS_USAGE, "--%s is missing: %s", key, what);
    return value;
}

char *ca_path(const char *prefix, const char *ending) {
    size_t size = strlen(prefix) + strlen(ending) + 1;
    char *path = memory_new(size);
    snprintf(path, size, "%s%s", prefix, ending);
    return path;
}

bool ca_check_absent(const char *path, struct status *status) {
    return access(path, F_OK) != 0 ||
           status_fail(status, STATUS_BUSY,
                       "%s exists already and is not overwritten: choose another --out, or use "
                       "\"lsys ca renew\"",
                       path);
}

const char *ca_purposes_text(uint32_t purposes) {
    bool server = purposes & X509_PURPOSE_SERVER;
    bool client = purposes & X509_PURPOSE_CLIENT;
    if (server && client) return "server, client";
    return server ? "server" : client ? "client" : "other purposes";
}

void ca_format_time(int64_t unix_ms, char out[CA_TIME_BYTES]) {
    char text[RFC3339_BYTES];
    rfc3339_format(unix_ms, text);
    snprintf(out, CA_TIME_BYTES, "%.10s %.8s UTC", text, text + 11);
}

bool ca_print_issued(const char *path, struct bytes pem, struct status *status) {
    struct pem_reader reader;
    struct x509_certificate certificate;
    struct buffer der;
    char label[PEM_LABEL_BYTES], names[NAMES_TEXT_BYTES], end[CA_TIME_BYTES];
    pem_reader_init(&reader, pem);
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    bool read = pem_read(&reader, label, &der, status) &&
                x509_certificate_parse(buffer_bytes(&der), &certificate, status);
    if (read) {
        x509_alt_names_format(certificate.alt_names, names, sizeof names);
        ca_format_time(certificate.not_after_ms, end);
        printf("%s  certificate for %s (%s) until %s\n", path, names,
               ca_purposes_text(certificate.purposes), end);
    }
    buffer_free(&der);
    return read;
}
