/*
 * `lsys broker`: the embedded broker by itself.
 */
#ifndef LSYS_ROLES_BROKER_BROKER_H
#define LSYS_ROLES_BROKER_BROKER_H

#include "app/command.h"

extern const struct command broker_command;

#endif
