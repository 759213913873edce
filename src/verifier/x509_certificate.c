#include "verifier/x509_certificate.h"

#include "codec/hex.h"
#include "verifier/x509_extensions.h"

/* Context tags of TBSCertificate (RFC 5280, section 4.1). */
#define TAG_VERSION           DER_CONTEXT_INSIDE(0)
#define TAG_ISSUER_UNIQUE_ID  DER_CONTEXT(1)
#define TAG_SUBJECT_UNIQUE_ID DER_CONTEXT(2)
#define TAG_EXTENSIONS        DER_CONTEXT_INSIDE(3)

/* Version ::= INTEGER { v1(0), v2(1), v3(2) }, and v1 is not written. Returns it. */
static uint32_t read_version(struct der_reader *tbs) {
    if (!der_next_is(tbs, TAG_VERSION)) return 0;
    struct der_reader inner = der_enter(tbs, TAG_VERSION);
    uint32_t version = der_read_small(&inner);
    if (version != 1 && version != 2) der_fail(&inner);
    der_leave(tbs, &inner);
    return version;
}

static struct bytes read_name(struct der_reader *tbs) {
    struct bytes name = der_read_whole(tbs, DER_SEQUENCE);
    if (!x509_name_is_proper(name)) der_fail(tbs);
    return name;
}

static void read_validity(struct der_reader *tbs, struct x509_certificate *out) {
    struct der_reader inner = der_enter(tbs, DER_SEQUENCE);
    out->not_before_ms = der_read_time_ms(&inner);
    out->not_after_ms = der_read_time_ms(&inner);
    der_leave(tbs, &inner);
}

/* Reads TBSCertificate; gives the algorithm that it names, which the outer one must repeat. */
static struct bytes read_tbs(struct der_reader *tbs, struct x509_certificate *out) {
    struct x509_signature inner_signature;
    uint32_t version = read_version(tbs);
    out->serial = der_read_integer(tbs);
    if (out->serial.length > X509_SERIAL_BYTES_MAX) der_fail(tbs);
    x509_signature_read_algorithm(tbs, &inner_signature);
    out->issuer = read_name(tbs);
    read_validity(tbs, out);
    out->subject = read_name(tbs);
    x509_public_key_read(tbs, &out->key);
    if (version > 0 && der_next_is(tbs, TAG_ISSUER_UNIQUE_ID)) der_read(tbs, TAG_ISSUER_UNIQUE_ID);
    if (version > 0 && der_next_is(tbs, TAG_SUBJECT_UNIQUE_ID))
        der_read(tbs, TAG_SUBJECT_UNIQUE_ID);
    if (version == 2 && der_next_is(tbs, TAG_EXTENSIONS)) {
        struct der_reader inner = der_enter(tbs, TAG_EXTENSIONS);
        x509_extensions_read(&inner, out);
        der_leave(tbs, &inner);
    }
    return inner_signature.algorithm;
}

bool x509_certificate_parse(struct bytes der, struct x509_certificate *out, struct status *status) {
    struct der_reader reader, certificate, whole, tbs;
    *out = (struct x509_certificate){.der = der, .path_length = X509_PATH_LENGTH_ANY};
    if (der.length > X509_CERTIFICATE_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "the certificate has more than %zu bytes",
                           X509_CERTIFICATE_BYTES_MAX);
    der_reader_init(&reader, der);
    certificate = der_enter(&reader, DER_SEQUENCE);
    out->tbs = der_read_whole(&certificate, DER_SEQUENCE);
    der_reader_init(&whole, out->tbs);
    tbs = der_enter(&whole, DER_SEQUENCE);
    struct bytes algorithm = read_tbs(&tbs, out);
    der_leave(&whole, &tbs);
    x509_signature_read_algorithm(&certificate, &out->signature);
    x509_signature_read_value(&certificate, &out->signature);
    if (!bytes_equal(algorithm, out->signature.algorithm)) der_fail(&certificate);
    der_leave(&reader, &certificate);
    if (der_is_done(&reader) && der_is_done(&whole)) return true;
    return status_fail(status, STATUS_MALFORMED, "these bytes are not a proper X.509 certificate");
}

bool x509_certificate_is_self_issued(const struct x509_certificate *certificate) {
    return bytes_equal(certificate->issuer, certificate->subject);
}

bool x509_certificate_allows(const struct x509_certificate *certificate, uint32_t purpose) {
    return !certificate->has_purposes || certificate->purposes & (purpose | X509_PURPOSE_ANY);
}

void x509_certificate_serial_text(const struct x509_certificate *certificate,
                                  char out[X509_SERIAL_TEXT_BYTES]) {
    hex_encode(certificate->serial, out);
}

void x509_certificate_fingerprint(const struct x509_certificate *certificate,
                                  uint8_t out[SHA256_BYTES]) {
    sha256_digest(certificate->der, out);
}
