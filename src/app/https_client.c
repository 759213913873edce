#include "app/https_client.h"

#include "base/buffer.h"
#include "base/file.h"
#include "verifier/x509_key.h"
#include "verifier/x509_trust.h"

/* A certificate and its intermediates. */
#define CHAIN_FILE_BYTES_MAX ((size_t)262144)

struct texts {
    struct buffer ca;
    struct buffer certificates;
    struct buffer key;
};

static bool read_optional(const struct options *options, const char *key, struct buffer *out,
                          struct status *status) {
    const char *path = options_text(options, key);
    return !path || file_read(path, out, status) ||
           status_context(status, "%s", options_origin(options, key));
}

static bool read_key(const struct options *options, struct buffer *out, struct status *status) {
    const char *path = options_text(options, "https_key");
    if (!path != !options_text(options, "https_cert"))
        return status_fail(status, STATUS_CONFIG,
                           "--https-cert and --https-key go together: a certificate needs its key");
    return !path || file_read_secret(path, out, status) ||
           status_context(status, "%s", options_origin(options, "https_key"));
}

static struct tls_client_context *make(const struct texts *texts, struct status *status) {
    struct tls_client_options options = {.protocol = TLS_PROTOCOL_HTTP};
    if (texts->ca.length > 0) options.ca = buffer_bytes(&texts->ca);
    if (texts->certificates.length > 0)
        options.identity = (struct tls_identity){.certificates = buffer_bytes(&texts->certificates),
                                                 .key = buffer_bytes(&texts->key)};
    return tls_client_context_create(&options, status);
}

bool https_client_open(const struct options *options, struct tls_client_context **out,
                       struct status *status) {
    struct texts texts;
    buffer_init(&texts.ca, X509_BUNDLE_BYTES_MAX);
    buffer_init(&texts.certificates, CHAIN_FILE_BYTES_MAX);
    buffer_init(&texts.key, X509_KEY_FILE_BYTES_MAX);
    bool is_read = read_optional(options, "https_ca", &texts.ca, status) &&
                   read_optional(options, "https_cert", &texts.certificates, status) &&
                   read_key(options, &texts.key, status);
    *out = is_read ? make(&texts, status) : NULL;
    buffer_free(&texts.ca);
    buffer_free(&texts.certificates);
    buffer_wipe(&texts.key);
    return *out != NULL;
}
