/*
 * What `lsys ca` can be asked to do: one function and one file an action, and what several of them
 * need.
 */
#ifndef LSYS_ROLES_CA_ACTIONS_H
#define LSYS_ROLES_CA_ACTIONS_H

#include <stdbool.h>

#include "app/certificate_authority.h"
#include "app/certificate_names.h"
#include "app/options.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"

/* Each prints what it did to stdout. */
bool ca_init(const struct options *options, struct status *status) MUST_CHECK;
bool ca_issue(const struct options *options, struct status *status) MUST_CHECK;
bool ca_renew(const struct options *options, struct status *status) MUST_CHECK;
bool ca_request(const struct options *options, struct status *status) MUST_CHECK;
bool ca_show(const struct options *options, struct status *status) MUST_CHECK;
bool ca_verify(const struct options *options, struct status *status) MUST_CHECK;

/* ---- names.c ---- */

/* Takes --name, as the common name and the first alternative name, and each --san. */
bool ca_names_from_flags(const struct options *options, struct certificate_names *out,
                         struct status *status) MUST_CHECK;

/* ---- files.c ---- */

/* The value of a flag that the action cannot do without; NULL and STATUS_USAGE when it is not
 * given. */
const char *ca_need(const struct options *options, const char *key, const char *what,
                    struct status *status) MUST_CHECK;

/* PREFIX and an ending: ".pem", ".key.pem", ".csr.pem". Owned by the caller. */
char *ca_path(const char *prefix, const char *ending);

/* False with STATUS_BUSY when there is such a file already. */
bool ca_check_absent(const char *path, struct status *status) MUST_CHECK;

/* Prints "PATH  certificate for [names] (server, client) until DATE" for one certificate in PEM. */
bool ca_print_issued(const char *path, struct bytes pem, struct status *status) MUST_CHECK;

/* Writes purposes for people, "server, client". */
const char *ca_purposes_text(uint32_t purposes);

/* "2026-01-31 12:00:00 UTC" */
#define CA_TIME_BYTES 32
void ca_format_time(int64_t unix_ms, char out[CA_TIME_BYTES]);

#endif
