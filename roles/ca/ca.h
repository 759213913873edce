/*
 * The record of `lsys ca`, for the table in src/main.c.
 */
#ifndef LSYS_ROLES_CA_CA_H
#define LSYS_ROLES_CA_CA_H

#include "app/command.h"

extern const struct command ca_command;

#endif
