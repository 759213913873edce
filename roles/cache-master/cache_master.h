/*
 * The master of license caches: holds what the vendor issued, and tells slaves what is new. The
 * records of the role and of the tool for its licenses; README.md says what an operator needs.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_CACHE_MASTER_H
#define LSYS_ROLES_CACHE_MASTER_CACHE_MASTER_H

#include "app/command.h"

extern const struct command cache_master_command;
extern const struct command licenses_command;

#endif
