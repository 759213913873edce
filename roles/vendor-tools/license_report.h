/*
 * How a license and the verdict about it are shown, to people and as JSON.
 */
#ifndef LSYS_ROLES_VENDOR_TOOLS_LICENSE_REPORT_H
#define LSYS_ROLES_VENDOR_TOOLS_LICENSE_REPORT_H

#include "codec/json_writer.h"
#include "roles/vendor-tools/verification.h"
#include "verifier/license.h"

/* Largest report as JSON: all claims of the largest token, escaped. */
#define LICENSE_REPORT_BYTES (4 * JWS_TOKEN_BYTES_MAX)

/* Prints the claims, a line each, on standard output. */
void license_report_print(const struct license *license);

/* Writes the members of a license into an open object: license_id, customer, edition, features
 * ... */
void license_report_write(const struct license *license, struct json_writer *json);

/* What a license asks for and the circumstances could not judge: "deployment", "fingerprint", or
 * both; `names` gets up to two of them. Returns how many. */
size_t license_report_unjudged(const struct license *license,
                               const struct license_circumstances *circumstances,
                               const char *names[2]);

#endif
