#include "verifier/x509_identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/pem.h"
#include "verifier/x509_bearssl.h"
#include "verifier/x509_trust.h"

struct x509_identity {
    struct x509_certificate chain[X509_CHAIN_MAX];
    br_x509_certificate views[X509_CHAIN_MAX]; /* own the bytes that the chain was read from */
    size_t count;
    struct x509_key *key;
};

void x509_identity_free(struct x509_identity *identity) {
    if (!identity) return;
    for (size_t i = 0; i < identity->count; i++)
        free(identity->views[i].data);
    x509_key_free(identity->key);
    free(identity);
}

const struct x509_certificate *x509_identity_leaf(const struct x509_identity *identity) {
    return &identity->chain[0];
}

const struct x509_key *x509_identity_key(const struct x509_identity *identity) {
    return identity->key;
}

const br_x509_certificate *x509_identity_view(const struct x509_identity *identity, size_t *count) {
    *count = identity->count;
    return identity->views;
}

static bool add_certificate(struct x509_identity *identity, struct bytes der,
                            struct status *status) {
    size_t at = identity->count;
    struct x509_certificate *certificate = &identity->chain[at];
    if (at == X509_CHAIN_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "more than %d certificates", X509_CHAIN_MAX);
    char *copy = memory_copy_bytes(der.data, der.length);
    identity->views[at] =
        (br_x509_certificate){.data = (unsigned char *)copy, .data_len = der.length};
    identity->count++;
    if (!x509_certificate_parse(bytes_of(copy, der.length), certificate, status))
        return status_context(status, "certificate %zu", at + 1);
    if (at == 0 || bytes_equal(identity->chain[at - 1].issuer, certificate->subject)) return true;
    return status_fail(status, STATUS_MALFORMED,
                       "certificate %zu has not issued the one before it: the server's own comes "
                       "first, then that of its issuer, and so on",
                       at + 1);
}

/* Also true when there is none; the caller asks for that. */
static bool read_chain(struct x509_identity *identity, struct bytes text, struct status *status) {
    struct pem_reader reader;
    struct buffer der;
    struct status problem = STATUS_INIT;
    char label[PEM_LABEL_BYTES];
    pem_reader_init(&reader, text);
    /* The text may also hold the key, whose block is passed over. */
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    bool good = true;
    while (good && pem_read(&reader, label, &der, &problem))
        if (strcmp(label, PEM_CERTIFICATE) == 0)
            good = add_certificate(identity, buffer_bytes(&der), &problem);
    buffer_wipe(&der);
    return status_is_ok(&problem) || status_fail(status, problem.code, "%s", problem.text);
}

/* A root at the end costs bytes in each handshake and proves nothing. */
static void leave_out_root(struct x509_identity *identity) {
    size_t last = identity->count - 1;
    if (last == 0 || !x509_certificate_is_self_issued(&identity->chain[last])) return;
    free(identity->views[last].data);
    identity->count = last;
}

static bool read_all(struct x509_identity *identity, struct bytes certificates, struct bytes key,
                     struct status *status) {
    if (!read_chain(identity, certificates, status)) return false;
    if (identity->count == 0)
        return status_fail(status, STATUS_NOT_FOUND, "there is no certificate (PEM) in it");
    leave_out_root(identity);
    identity->key = x509_key_read_pem(key, status);
    if (!identity->key) return false;
    if (x509_public_key_equal(x509_key_public(identity->key), &identity->chain[0].key)) return true;
    return status_fail(status, STATUS_MALFORMED,
                       "the private key is not that of the (first) certificate");
}

struct x509_identity *x509_identity_read_pem(struct bytes certificates, struct bytes key,
                                             struct status *status) {
    struct x509_identity *identity = memory_new(sizeof *identity);
    if (read_all(identity, certificates, key, status)) return identity;
    x509_identity_free(identity);
    return NULL;
}
