/*
 * `lsys up`: the whole stack in one process, for a look, for development, and for a site that is
 * one machine. See README.md in this folder.
 */
#ifndef LSYS_ROLES_UP_UP_H
#define LSYS_ROLES_UP_UP_H

#include "app/command.h"

extern const struct command up_command;

#endif
