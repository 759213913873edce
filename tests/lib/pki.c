#include "tests/lib/pki.h"

#include <stdlib.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "codec/pem.h"
#include "verifier/x509_alt_name.h"

#define NAMES_BYTES_MAX 4096

static void write_names(const char *const *texts, struct buffer *out) {
    struct x509_alt_name names[X509_ALT_NAMES_MAX];
    size_t count = 0;
    if (!texts) return;
    for (; texts[count]; count++) {
        bool read = x509_alt_name_parse(texts[count], &names[count], NULL);
        ASSERT(read);
    }
    x509_alt_names_write(out, names, count);
}

struct pki_certificate *pki_make(const struct pki_wish *wish,
                                 const struct pki_certificate *issuer) {
    struct pki_certificate *made = memory_new(sizeof *made);
    struct buffer subject, names;
    struct status status = STATUS_INIT;
    struct x509_template wanted = {
        .not_before_ms = wish->not_before_ms ? wish->not_before_ms : PKI_NOW_MS - PKI_DAY_MS,
        .not_after_ms = wish->not_after_ms ? wish->not_after_ms : PKI_NOW_MS + PKI_DAY_MS,
        .is_ca = wish->is_ca,
        .purposes = wish->purposes ? wish->purposes : X509_PURPOSE_SERVER,
    };
    buffer_init(&subject, NAMES_BYTES_MAX);
    buffer_init(&names, NAMES_BYTES_MAX);
    buffer_init(&made->der, X509_CERTIFICATE_BYTES_MAX);
    x509_name_write(&subject, NULL, wish->common_name);
    write_names(wish->names, &names);
    wanted.subject = buffer_bytes(&subject);
    wanted.alt_names = buffer_bytes(&names);
    x509_serial_generate(wanted.serial);
    made->key = x509_key_generate();
    bool built =
        x509_build(&wanted, x509_key_public(made->key), issuer ? &issuer->certificate : NULL,
                   issuer ? issuer->key : made->key, &made->der, &status) &&
        x509_certificate_parse(buffer_bytes(&made->der), &made->certificate, &status);
    ASSERT(built);
    buffer_free(&subject);
    buffer_free(&names);
    return made;
}

void pki_free(struct pki_certificate *made) {
    if (!made) return;
    x509_key_free(made->key);
    buffer_free(&made->der);
    free(made);
}

void pki_write_pem(const struct pki_certificate *made, struct buffer *out) {
    pem_write(PEM_CERTIFICATE, buffer_bytes(&made->der), out);
}
