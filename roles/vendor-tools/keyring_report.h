/*
 * How a key ring is shown, to people and as JSON.
 */
#ifndef LSYS_ROLES_VENDOR_TOOLS_KEYRING_REPORT_H
#define LSYS_ROLES_VENDOR_TOOLS_KEYRING_REPORT_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"
#include "verifier/keyring_token.h"

/* Prints serial, issuer and a line for each key with its window and uses. */
void keyring_report_print(const struct keyring_token *ring);

/* Prints the same as one JSON object; open ends of windows are null. */
bool keyring_report_print_json(const struct keyring_token *ring, struct status *status) MUST_CHECK;

#endif
