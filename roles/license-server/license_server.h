/*
 * The license server: verifies the customer's license and tells every instance on NATS what it is
 * worth. The records of the role and of the tool for its key; README.md says what an operator
 * needs.
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_LICENSE_SERVER_H
#define LSYS_ROLES_LICENSE_SERVER_LICENSE_SERVER_H

#include "app/command.h"

extern const struct command license_server_command;
extern const struct command server_key_command;

#endif
