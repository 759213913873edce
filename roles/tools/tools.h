/*
 * The records of the operator's tools, for the table in src/main.c.
 */
#ifndef LSYS_ROLES_TOOLS_TOOLS_H
#define LSYS_ROLES_TOOLS_TOOLS_H

#include "app/command.h"

extern const struct command audit_command;
extern const struct command check_command;
extern const struct command completion_command;
extern const struct command config_command;
extern const struct command fingerprint_command;
extern const struct command health_command;
extern const struct command help_command;
extern const struct command status_command;
extern const struct command version_command;

#endif
