/*
 * Whom a certificate is for, from the names that people write to their encoding.
 */
#ifndef LSYS_APP_CERTIFICATE_NAMES_H
#define LSYS_APP_CERTIFICATE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct certificate_names {
    struct buffer subject;   /* a whole Name, with the common name alone */
    struct buffer alt_names; /* whole GeneralNames */
};

/* Empty ones; given to certificate_names_free in any case. */
void certificate_names_init(struct certificate_names *names);
void certificate_names_free(struct certificate_names *names);

/* Takes names as x509_alt_name_parse reads them, at least one; the first is the common name, too.
 * Errors name what is wrong: STATUS_USAGE, STATUS_TOO_LARGE. */
bool certificate_names_from_texts(const char *const *texts, size_t count,
                                  struct certificate_names *out, struct status *status) MUST_CHECK;

/* Takes the names that a request has, given as a whole Name and GeneralNames (or empty): the
 * alternative names as they are, or, where there are none, the common name if it is a host's, else
 * STATUS_USAGE. */
bool certificate_names_from_wish(struct bytes subject, struct bytes alt_names,
                                 struct certificate_names *out, struct status *status) MUST_CHECK;

#endif
