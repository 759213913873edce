/*
 * The records of the vendor's tools, for the table in src/main.c.
 */
#ifndef LSYS_ROLES_VENDOR_TOOLS_VENDOR_TOOLS_H
#define LSYS_ROLES_VENDOR_TOOLS_VENDOR_TOOLS_H

#include "app/command.h"

extern const struct command inspect_command;
extern const struct command issue_command;
extern const struct command keygen_command;
extern const struct command keyring_command;
extern const struct command revoke_command;
extern const struct command verify_command;

#endif
