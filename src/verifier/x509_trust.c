#include "verifier/x509_trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "codec/pem.h"
#include "verifier/x509_trust_state.h"

#define FIRST_CAPACITY 4 /* a deployment has one or two CAs */

struct x509_trust *x509_trust_new(void) {
    return memory_new(sizeof(struct x509_trust));
}

void x509_trust_free(struct x509_trust *trust) {
    if (!trust) return;
    for (size_t i = 0; i < trust->count; i++)
        free((void *)trust->anchors[i].der.data);
    free(trust->anchors);
    free(trust->views);
    free(trust);
}

size_t x509_trust_count(const struct x509_trust *trust) {
    return trust->count;
}

const struct x509_certificate *x509_trust_anchor(const struct x509_trust *trust, size_t index) {
    ASSERT(index < trust->count);
    return &trust->anchors[index];
}

const br_x509_trust_anchor *x509_trust_view(const struct x509_trust *trust, size_t *count) {
    *count = trust->count;
    return trust->views;
}

/* BearSSL's structures have no const; it does not write to what they point to. */
static unsigned char *writable(struct bytes bytes) {
    return (unsigned char *)bytes.data;
}

static bool check_fitness(const struct x509_certificate *certificate, struct status *status) {
    if (!certificate->is_ca)
        return status_fail(status, STATUS_WRONG_TYPE,
                           "it is not the certificate of a CA (basicConstraints CA:TRUE)");
    if (certificate->has_key_usage && !(certificate->key_usage & X509_USAGE_KEY_CERT_SIGN))
        return status_fail(status, STATUS_WRONG_TYPE,
                           "its key may not sign certificates (keyUsage keyCertSign)");
    if (certificate->has_name_constraints)
        return status_fail(status, STATUS_UNKNOWN_CRITICAL,
                           "it constrains names, which is not supported");
    return x509_public_key_check(&certificate->key, status);
}

static bool is_known(const struct x509_trust *trust, struct bytes der) {
    for (size_t i = 0; i < trust->count; i++)
        if (bytes_equal(trust->anchors[i].der, der)) return true;
    return false;
}

static bool make_room(struct x509_trust *trust, struct status *status) {
    if (trust->count == X509_ANCHORS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "more than %d CA certificates",
                           X509_ANCHORS_MAX);
    if (trust->count < trust->capacity) return true;
    size_t capacity = trust->capacity ? 2 * trust->capacity : FIRST_CAPACITY;
    struct x509_certificate *anchors =
        memory_try_resize(trust->anchors, capacity * sizeof *anchors);
    if (anchors) trust->anchors = anchors;
    br_x509_trust_anchor *views = memory_try_resize(trust->views, capacity * sizeof *views);
    if (views) trust->views = views;
    if (!anchors || !views)
        return status_fail(status, STATUS_NO_MEMORY, "no memory for %zu CA certificates", capacity);
    trust->capacity = capacity;
    return true;
}

/* Keeps a copy of the certificate, which is fit. */
static bool keep(struct x509_trust *trust, struct bytes der, struct status *status) {
    if (is_known(trust, der)) return true;
    if (!make_room(trust, status)) return false;
    struct x509_certificate *anchor = &trust->anchors[trust->count];
    struct bytes copy = bytes_of(memory_copy_bytes(der.data, der.length), der.length);
    bool parsed = x509_certificate_parse(copy, anchor, NULL);
    ASSERT(parsed);
    trust->views[trust->count] = (br_x509_trust_anchor){
        .dn = {.data = writable(anchor->subject), .len = anchor->subject.length},
        .flags = BR_X509_TA_CA,
        .pkey = x509_public_key_view(&anchor->key),
    };
    trust->count++;
    return true;
}

/* Adds one certificate, the `number`th of the text. `*unfit` tells that only its fitness was
 * missing. */
static bool add_one(struct x509_trust *trust, struct bytes der, size_t number, bool *unfit,
                    struct status *status) {
    struct x509_certificate certificate;
    char subject[X509_NAME_TEXT_BYTES];
    *unfit = false;
    if (!x509_certificate_parse(der, &certificate, status)) {
        *unfit = true;
        return status_context(status, "certificate %zu", number);
    }
    if (check_fitness(&certificate, status)) return keep(trust, der, status);
    *unfit = true;
    x509_name_format(certificate.subject, subject);
    return status_context(status, "certificate %zu (%s)", number, subject);
}

static bool check_found(const struct x509_trust *trust, size_t certificates,
                        const struct status *problem, struct status *status) {
    if (!status_is_ok(problem)) return status_fail(status, problem->code, "%s", problem->text);
    if (certificates == 0)
        return status_fail(status, STATUS_NOT_FOUND, "there is no certificate (PEM) in it");
    return trust->count > 0 ||
           status_fail(status, STATUS_NOT_FOUND,
                       "none of the %zu certificates in it is fit to be trusted", certificates);
}

bool x509_trust_add_pem(struct x509_trust *trust, struct bytes text, enum x509_unfit unfit,
                        size_t *skipped, struct status *status) {
    struct pem_reader reader;
    struct buffer der;
    struct status problem = STATUS_INIT;
    char label[PEM_LABEL_BYTES];
    size_t certificates = 0;
    size_t skips = 0;
    if (text.length > X509_BUNDLE_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "the bundle has more than %zu bytes",
                           X509_BUNDLE_BYTES_MAX);
    pem_reader_init(&reader, text);
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    while (pem_read(&reader, label, &der, &problem)) {
        bool only_unfit;
        if (strcmp(label, PEM_CERTIFICATE) != 0) continue;
        if (add_one(trust, buffer_bytes(&der), ++certificates, &only_unfit, &problem)) continue;
        if (!only_unfit || unfit == X509_UNFIT_REFUSE) break;
        skips++;
        status_clear(&problem);
    }
    buffer_free(&der);
    if (skipped) *skipped = skips;
    return check_found(trust, certificates, &problem, status);
}
