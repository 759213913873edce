/* lsys ca request: asks a CA elsewhere for a certificate; the private key stays here. */
#include <stdio.h>
#include <stdlib.h>

#include "app/certificate_files.h"
#include "base/file.h"
#include "codec/pem.h"
#include "roles/ca/actions.h"

/* The key of --key, or a new one in `key_path`. Owned by the caller. */
static struct x509_key *get_key(const struct options *options, const char *key_path,
                                struct status *status) {
    const char *given = options_text(options, "key");
    if (given) return certificate_file_read_key(given, status);
    struct x509_key *key = x509_key_generate();
    if (certificate_file_create_key(key_path, key, status)) return key;
    x509_key_free(key);
    status_context(status, "use it with --key, or choose another --out");
    return NULL;
}

static bool write_request(const struct certificate_names *names, const struct x509_key *key,
                          const char *path, struct status *status) {
    struct buffer der, pem;
    buffer_init(&der, X509_REQUEST_BYTES_MAX);
    buffer_init(&pem, CERTIFICATE_FILE_BYTES_MAX);
    bool written = x509_request_build(buffer_bytes(&names->subject),
                                      buffer_bytes(&names->alt_names), key, &der, status);
    if (written) {
        pem_write(PEM_CERTIFICATE_REQUEST, buffer_bytes(&der), &pem);
        written = buffer_check(&pem, "the request", status) &&
                  file_replace(path, buffer_bytes(&pem), 0644, status);
    }
    buffer_free(&pem);
    buffer_free(&der);
    return written;
}

bool ca_request(const struct options *options, struct status *status) {
    struct certificate_names names;
    struct x509_key *key = NULL;
    const char *prefix =
        ca_need(options, "out", "the files are PREFIX.csr.pem and PREFIX.key.pem", status);
    if (!prefix) return false;
    char *request_path = ca_path(prefix, ".csr.pem");
    char *key_path = ca_path(prefix, ".key.pem");
    certificate_names_init(&names);
    bool done = ca_names_from_flags(options, &names, status);
    if (done) key = get_key(options, key_path, status);
    done = done && key && write_request(&names, key, request_path, status);
    if (done)
        printf("%s  request: give it to the CA (lsys ca issue --request)\n"
               "%s  private key: it stays here\n",
               request_path,
               options_text(options, "key") ? options_text(options, "key") : key_path);
    x509_key_free(key);
    certificate_names_free(&names);
    free(request_path);
    free(key_path);
    return done;
}
