/* What the rest of the slave needs of its syncs, beside what slave.h says. */
#ifndef LSYS_ROLES_CACHE_SLAVE_SYNCING_H
#define LSYS_ROLES_CACHE_SLAVE_SYNCING_H

#include "roles/cache-slave/slave.h"

/* Asks the master, when the rule has said so. */
void slave_begin_try(struct cache_slave *slave);

/* For the push: something changed at the master. */
void slave_on_bell(void *owner);

/* For the puller. */
void slave_on_pulled(void *owner, const struct pulled *pulled);

#endif
