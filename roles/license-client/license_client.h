/*
 * The role license-client and its tool, as rows for the table of commands. README.md in this folder
 * is the operator's page; the code reads from client.c (wiring) to follower.c and intake.c (what is
 * believed) to answers.c (what is said).
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_LICENSE_CLIENT_H
#define LSYS_ROLES_LICENSE_CLIENT_LICENSE_CLIENT_H

#include "app/command.h"

/* `lsys license-client`: the role. */
extern const struct command license_client_command;

/* `lsys client keys ls|add|rm`: the pinned keys of license servers. */
extern const struct command client_command;

#endif
