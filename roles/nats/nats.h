/*
 * The record of `lsys nats`, for the table in src/main.c.
 */
#ifndef LSYS_ROLES_NATS_NATS_H
#define LSYS_ROLES_NATS_NATS_H

#include "app/command.h"

extern const struct command nats_command;

#endif
