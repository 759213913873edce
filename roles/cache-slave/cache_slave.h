/*
 * A license cache at a site: always an answer, never a wrong grant. The record of the role;
 * README.md says what an operator needs.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_CACHE_SLAVE_H
#define LSYS_ROLES_CACHE_SLAVE_CACHE_SLAVE_H

#include "app/command.h"

#define CACHE_SLAVE_NAME "cache-slave"

extern const struct command cache_slave_command;

#endif
