/* Any bytes as a certificate, a private key, a bundle of CAs and a chain under one: nothing may
 * crash, nothing that was not signed by the CA may verify. */
#include <stdlib.h>

#include "codec/pem.h"
#include "tests/lib/pki.h"
#include "verifier/x509_alt_name.h"
#include "verifier/x509_identity.h"
#include "verifier/x509_trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One CA for the life of the process, and a set that trusts it. */
static struct pki_certificate *ca;
static struct x509_trust *trust;

static void prepare(void) {
    struct pki_wish wish = {.common_name = "Site CA", .is_ca = true};
    struct buffer text;
    buffer_init(&text, 1 << 16);
    ca = pki_make(&wish, NULL);
    pki_write_pem(ca, &text);
    trust = x509_trust_new();
    if (!x509_trust_add_pem(trust, buffer_bytes(&text), X509_UNFIT_REFUSE, NULL, NULL)) abort();
    buffer_free(&text);
}

static void look_at(struct bytes der) {
    struct x509_certificate certificate;
    char text[X509_NAME_TEXT_BYTES], serial[X509_SERIAL_TEXT_BYTES];
    if (!x509_certificate_parse(der, &certificate, NULL)) return;
    x509_name_format(certificate.subject, text);
    x509_name_format(certificate.issuer, text);
    x509_alt_names_format(certificate.alt_names, text, sizeof text);
    x509_alt_names_match(certificate.alt_names, "edge-7.example.com");
    x509_alt_names_match(certificate.alt_names, "127.0.0.1");
    x509_certificate_serial_text(&certificate, serial);
}

static void verify(struct bytes der) {
    struct status status = STATUS_INIT;
    struct bytes chain[] = {der, buffer_bytes(&ca->der)};
    struct x509_policy policy = {.trust = trust, .purpose = X509_PURPOSE_SERVER, .host = "edge-7"};
    if (x509_chain_verify(&policy, chain, 2, PKI_NOW_MS, NULL, &status)) abort();
    if (status_is_ok(&status)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes input = bytes_of(data, size);
    struct buffer text;
    if (!ca) prepare();
    look_at(input);
    verify(input);

    struct x509_trust *bundle = x509_trust_new();
    buffer_init(&text, 1 << 20);
    pem_write(PEM_CERTIFICATE, input, &text);
    (void)!x509_trust_add_pem(bundle, buffer_bytes(&text), X509_UNFIT_SKIP, NULL, NULL);
    (void)!x509_trust_add_pem(bundle, input, X509_UNFIT_SKIP, NULL, NULL);
    x509_trust_free(bundle);
    buffer_clear(&text);

    static const char *const labels[] = {PEM_PRIVATE_KEY, PEM_EC_PRIVATE_KEY, PEM_RSA_PRIVATE_KEY};
    pem_write(labels[size % 3], input, &text);
    x509_key_free(x509_key_read_pem(buffer_bytes(&text), NULL));
    x509_identity_free(x509_identity_read_pem(input, input, NULL));
    buffer_free(&text);
    return 0;
}
