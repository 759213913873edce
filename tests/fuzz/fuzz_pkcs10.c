/* Any bytes as a certificate request. One that proves possession of its key is certified, and what
 * comes out is a certificate that we read. */
#include <stdlib.h>

#include "tests/lib/pki.h"
#include "verifier/x509_alt_name.h"
#include "verifier/x509_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void certify(const struct x509_request *request) {
    static struct pki_certificate *ca;
    struct pki_wish wish = {.common_name = "Site CA", .is_ca = true};
    struct x509_template wanted = {.subject = request->subject,
                                   .alt_names = request->alt_names,
                                   .not_after_ms = PKI_DAY_MS,
                                   .purposes = X509_PURPOSE_SERVER};
    struct x509_certificate certificate;
    struct buffer der;
    if (!ca) ca = pki_make(&wish, NULL);
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    if (x509_build(&wanted, &request->key, &ca->certificate, ca->key, &der, NULL) &&
        (!x509_certificate_parse(buffer_bytes(&der), &certificate, NULL) || certificate.is_ca))
        abort();
    buffer_free(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct x509_request request;
    char text[X509_NAME_TEXT_BYTES];
    if (!x509_request_parse(bytes_of(data, size), &request, NULL)) return 0;
    x509_name_format(request.subject, text);
    x509_alt_names_format(request.alt_names, text, sizeof text);
    certify(&request);
    return 0;
}
