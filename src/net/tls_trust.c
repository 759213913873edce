#include "net/tls_trust.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

/* Where the distributions keep their CAs: Debian, Fedora, SUSE, Alpine. The first that exists is
 * read. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static struct tls_trust *make(void) {
    struct tls_trust *trust = memory_new(sizeof *trust);
    atomic_init(&trust->references, 1);
    trust->cas = x509_trust_new();
    trust->sessions = tls_sessions_new();
    return trust;
}

static bool add_pem(struct tls_trust *trust, struct bytes text, enum x509_unfit unfit,
                    struct status *status) {
    return x509_trust_add_pem(trust->cas, text, unfit, NULL, status);
}

struct tls_trust *tls_trust_read_pem(struct bytes text, struct status *status) {
    struct tls_trust *trust = make();
    if (add_pem(trust, text, X509_UNFIT_REFUSE, status)) return trust;
    tls_trust_release(trust);
    return NULL;
}

/* The stamp is taken before the file is read: a file that changes meanwhile is read once more. */
static struct tls_trust *read_bundle(const char *path, struct status *status) {
    struct buffer text;
    struct tls_trust *trust = make();
    trust->path = path;
    trust->read_ns = file_stamp_now_ns();
    file_stamp_read(path, &trust->stamp);
    buffer_init(&text, X509_BUNDLE_BYTES_MAX);
    bool is_read = file_read(path, &text, status) &&
                   (add_pem(trust, buffer_bytes(&text), X509_UNFIT_SKIP, status) ||
                    status_context(status, "the system's CAs in %s", path));
    buffer_free(&text);
    if (is_read) return trust;
    tls_trust_release(trust);
    return NULL;
}

struct tls_trust *tls_trust_read_system(struct status *status) {
    for (size_t i = 0; i < sizeof system_bundles / sizeof system_bundles[0]; i++) {
        struct status attempt = STATUS_INIT;
        struct tls_trust *trust = read_bundle(system_bundles[i], &attempt);
        if (trust) return trust;
        if (attempt.code == STATUS_NOT_FOUND) continue;
        status_fail(status, attempt.code, "%s", attempt.text);
        return NULL;
    }
    status_fail(status, STATUS_NOT_FOUND,
                "this machine has no CA certificates (%s is missing): install its package "
                "ca-certificates, or name the CA to trust in a file",
                system_bundles[0]);
    return NULL;
}

bool tls_trust_is_current(const struct tls_trust *trust) {
    if (!trust->path) return true;
    struct file_stamp now;
    return file_stamp_read(trust->path, &now) &&
           file_stamp_is_same(&trust->stamp, &now, trust->read_ns);
}

struct tls_trust *tls_trust_retain(struct tls_trust *trust) {
    atomic_fetch_add(&trust->references, 1);
    return trust;
}

void tls_trust_release(struct tls_trust *trust) {
    if (!trust || atomic_fetch_sub(&trust->references, 1) > 1) return;
    x509_trust_free(trust->cas);
    tls_sessions_free(trust->sessions);
    free(trust);
}
