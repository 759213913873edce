#include "app/certificate_names.h"

#include <string.h>

#include "base/assertion.h"
#include "verifier/x509_alt_name.h"
#include "verifier/x509_name.h"

/* A hundred names of full length. */
#define ENCODED_BYTES_MAX ((size_t)32768)

void certificate_names_init(struct certificate_names *names) {
    buffer_init(&names->subject, ENCODED_BYTES_MAX);
    buffer_init(&names->alt_names, ENCODED_BYTES_MAX);
}

void certificate_names_free(struct certificate_names *names) {
    buffer_free(&names->subject);
    buffer_free(&names->alt_names);
}

static bool check(const struct certificate_names *names, struct status *status) {
    return buffer_check(&names->subject, "the subject's name", status) &&
           buffer_check(&names->alt_names, "the list of names", status);
}

bool certificate_names_from_texts(const char *const *texts, size_t count,
                                  struct certificate_names *out, struct status *status) {
    struct x509_alt_name names[X509_ALT_NAMES_MAX];
    char common_name[X509_ALT_NAME_TEXT_BYTES];
    ASSERT(count > 0);
    if (count > X509_ALT_NAMES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "more than %d names", X509_ALT_NAMES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!x509_alt_name_parse(texts[i], &names[i], status)) return false;
    x509_alt_name_format(&names[0], common_name);
    if (strlen(common_name) > X509_COMMON_NAME_BYTES_MAX)
        return status_fail(status, STATUS_USAGE,
                           "the first name is longer than the %d characters of a common name: put "
                           "a shorter one before it",
                           X509_COMMON_NAME_BYTES_MAX);
    x509_name_write(&out->subject, NULL, common_name);
    x509_alt_names_write(&out->alt_names, names, count);
    return check(out, status);
}

bool certificate_names_from_wish(struct bytes subject, struct bytes alt_names,
                                 struct certificate_names *out, struct status *status) {
    char common_name[X509_COMMON_NAME_BYTES_MAX + 1];
    struct x509_alt_name name;
    struct bytes wished = x509_name_common_name(subject);
    x509_escape(wished, common_name, sizeof common_name);
    if (alt_names.length > 0) {
        buffer_append(&out->alt_names, alt_names.data, alt_names.length);
        struct der_reader reader = x509_alt_names_open(alt_names);
        if (wished.length == 0 && x509_alt_names_next(&reader, &name))
            x509_escape(bytes_of(name.bytes, name.length), common_name, sizeof common_name);
    } else if (x509_alt_name_parse(common_name, &name, NULL)) {
        x509_alt_names_write(&out->alt_names, &name, 1);
    } else {
        return status_fail(status, STATUS_USAGE,
                           "the request names no host (no subjectAltName, and its common name is "
                           "none): give --name");
    }
    x509_name_write(&out->subject, NULL, common_name);
    return check(out, status);
}
