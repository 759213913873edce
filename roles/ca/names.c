#include <string.h>

#include "roles/ca/actions.h"
#include "verifier/x509_alt_name.h"
#include "verifier/x509_name.h"

/* A hundred names of full length. */
#define ENCODED_BYTES_MAX ((size_t)32768)

void ca_names_init(struct ca_names *names) {
    buffer_init(&names->subject, ENCODED_BYTES_MAX);
    buffer_init(&names->alt_names, ENCODED_BYTES_MAX);
}

void ca_names_free(struct ca_names *names) {
    buffer_free(&names->subject);
    buffer_free(&names->alt_names);
}

static bool check(const struct ca_names *names, struct status *status) {
    return buffer_check(&names->subject, "the subject's name", status) &&
           buffer_check(&names->alt_names, "the list of names", status);
}

bool ca_names_from_flags(const struct options *options, struct ca_names *out,
                         struct status *status) {
    struct x509_alt_name names[X509_ALT_NAMES_MAX];
    char common_name[X509_ALT_NAME_TEXT_BYTES];
    size_t sans = options_count(options, "san");
    const char *name = ca_need(options, "name", "the host's name or address", status);
    if (!name) return false;
    if (!x509_alt_name_parse(name, &names[0], status)) return status_context(status, "--name");
    if (sans + 1 > X509_ALT_NAMES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "more than %d names", X509_ALT_NAMES_MAX);
    for (size_t i = 0; i < sans; i++)
        if (!x509_alt_name_parse(options_item(options, "san", i), &names[i + 1], status))
            return status_context(status, "--san");
    x509_alt_name_format(&names[0], common_name);
    if (strlen(common_name) > X509_COMMON_NAME_BYTES_MAX)
        return status_fail(status, STATUS_USAGE,
                           "--name is longer than the %d characters of a common name: give a short "
                           "--name and the long one as --san",
                           X509_COMMON_NAME_BYTES_MAX);
    x509_name_write(&out->subject, NULL, common_name);
    x509_alt_names_write(&out->alt_names, names, sans + 1);
    return check(out, status);
}

bool ca_names_from_wish(struct bytes subject, struct bytes alt_names, struct ca_names *out,
                        struct status *status) {
    char common_name[X509_COMMON_NAME_BYTES_MAX + 1];
    struct x509_alt_name name;
    struct bytes wished = x509_name_common_name(subject);
    x509_escape(wished, common_name, sizeof common_name);
    if (alt_names.length > 0) {
        buffer_append(&out->alt_names, alt_names.data, alt_names.length);
        if (wished.length == 0) {
            struct der_reader reader = x509_alt_names_open(alt_names);
            x509_alt_names_next(&reader, &name);
            x509_escape(bytes_of(name.bytes, name.length), common_name, sizeof common_name);
        }
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
