/*
 * The files that a master reads by itself: the vendor's keys and lists, and the licenses of
 * --import. They are watched; what changes is read within a second, and what is not good changes
 * nothing, is said in the log and, for keys and lists, in the readiness.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_MASTER_FILES_H
#define LSYS_ROLES_CACHE_MASTER_MASTER_FILES_H

#include <stdbool.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"

struct cache_master;
struct master_files;

/* Begins to watch what the master's options name. Never NULL. */
struct master_files *master_files_open(struct cache_master *master);
void master_files_close(struct master_files *files);

/* Reads keys and lists. False, with nothing changed, when the keys are not good. */
bool master_files_load_authority(struct master_files *files, const struct options *options,
                                 struct status *status) MUST_CHECK;

/* Imports all that is new or has changed since it was read last. */
void master_files_import(struct master_files *files, const struct options *options);

/* Offers again what the disk refused, as soon as it works. True when it did. */
bool master_files_catch_up(struct master_files *files);

/* After a reload: watches what these options name, and imports everything anew. */
void master_files_follow(struct master_files *files, const struct options *options);

#endif
