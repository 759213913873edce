/*
 * Taking a page of the master's feed: the vendor's lists first, then every license that the
 * vendor's keys verify. What they do not verify, and what is older than what is here, changes
 * nothing.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_INTAKE_H
#define LSYS_ROLES_CACHE_SLAVE_INTAKE_H

#include "app/license_feed.h"
#include "roles/cache-slave/slave.h"

/* Takes a page. False with STATUS_MALFORMED when a change on it has not the form of one, or
 * STATUS_TOO_LARGE when the shelf is full; nothing of the page's licenses has been taken then. */
bool intake_page(struct cache_slave *slave, const struct license_feed_page *page,
                 struct status *status) MUST_CHECK;

#endif
