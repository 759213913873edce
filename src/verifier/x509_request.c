#include "verifier/x509_request.h"

#include "codec/der.h"
#include "verifier/x509_build.h"
#include "verifier/x509_extensions.h"
#include "verifier/x509_oid.h"
#include "verifier/x509_signature.h"

#define TAG_ATTRIBUTES DER_CONTEXT_INSIDE(0)

/* extensionRequest: a SET with one Extensions (RFC 2985, section 5.4.2). */
static void read_extension_request(struct der_reader *attribute, struct x509_request *out) {
    struct x509_certificate wanted = {0};
    struct der_reader values = der_enter(attribute, DER_SET);
    x509_extensions_read(&values, &wanted);
    der_leave(attribute, &values);
    out->alt_names = wanted.alt_names;
}

/* Attributes ::= SET OF Attribute. All but the extensions, such as challenge passwords, are passed
 * over. */
static void read_attributes(struct der_reader *info, struct x509_request *out) {
    struct der_reader attributes = der_enter(info, TAG_ATTRIBUTES);
    bool seen = false;
    while (der_has_more(&attributes)) {
        struct der_reader attribute = der_enter(&attributes, DER_SEQUENCE);
        struct bytes oid = der_read_oid(&attribute);
        if (bytes_equal(oid, x509_oid_extension_request)) {
            if (seen) der_fail(&attribute);
            seen = true;
            read_extension_request(&attribute, out);
        } else {
            der_read(&attribute, DER_SET);
        }
        der_leave(&attributes, &attribute);
    }
    der_leave(info, &attributes);
}

static void read_info(struct bytes whole, struct der_reader *request, struct x509_request *out) {
    struct der_reader reader, info;
    der_reader_init(&reader, whole);
    info = der_enter(&reader, DER_SEQUENCE);
    if (der_read_small(&info) != 0) der_fail(&info);
    out->subject = der_read_whole(&info, DER_SEQUENCE);
    if (!x509_name_is_proper(out->subject)) der_fail(&info);
    x509_public_key_read(&info, &out->key);
    if (der_has_more(&info)) read_attributes(&info, out);
    der_leave(&reader, &info);
    if (!der_is_done(&reader)) der_fail(request);
}

bool x509_request_parse(struct bytes der, struct x509_request *out, struct status *status) {
    struct der_reader reader, request;
    struct x509_signature signature;
    *out = (struct x509_request){0};
    if (der.length > X509_REQUEST_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "the request has more than %zu bytes",
                           X509_REQUEST_BYTES_MAX);
    der_reader_init(&reader, der);
    request = der_enter(&reader, DER_SEQUENCE);
    struct bytes info = der_read_whole(&request, DER_SEQUENCE);
    read_info(info, &request, out);
    x509_signature_read_algorithm(&request, &signature);
    x509_signature_read_value(&request, &signature);
    der_leave(&reader, &request);
    if (!der_is_done(&reader))
        return status_fail(status, STATUS_MALFORMED,
                           "these bytes are not a proper certificate request (PKCS#10)");
    return x509_signature_verify(&signature, info, &out->key, status) ||
           status_context(status, "the request does not prove that its sender has the key");
}

/* [0] with one Attribute, the wish for alternative names; present even when there is none. */
static void write_attributes(struct buffer *out, struct bytes alt_names) {
    size_t attributes = der_begin(out, TAG_ATTRIBUTES);
    if (alt_names.length > 0) {
        size_t attribute = der_begin(out, DER_SEQUENCE);
        der_write(out, DER_OID, x509_oid_extension_request);
        size_t values = der_begin(out, DER_SET);
        size_t extensions = der_begin(out, DER_SEQUENCE);
        x509_extension_write(out, x509_oid_subject_alt_name, false, alt_names);
        der_end(out, extensions);
        der_end(out, values);
        der_end(out, attribute);
    }
    der_end(out, attributes);
}

bool x509_request_build(struct bytes subject, struct bytes alt_names, const struct x509_key *key,
                        struct buffer *out, struct status *status) {
    struct bytes spki = x509_key_public(key)->spki;
    struct buffer info;
    buffer_init(&info, X509_REQUEST_BYTES_MAX);
    size_t sequence = der_begin(&info, DER_SEQUENCE);
    der_write_small(&info, 0);
    buffer_append(&info, subject.data, subject.length);
    buffer_append(&info, spki.data, spki.length);
    write_attributes(&info, alt_names);
    der_end(&info, sequence);

    size_t request = der_begin(out, DER_SEQUENCE);
    buffer_append(out, info.data, info.length);
    x509_key_sign(key, buffer_bytes(&info), out);
    der_end(out, request);
    bool written =
        buffer_check(&info, "the request", status) && buffer_check(out, "the request", status);
    buffer_free(&info);
    return written;
}
