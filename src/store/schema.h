/*
 * The tables of the state file and how older ones are brought forward. A version is a list of
 * statements that leads to it from the one before; released versions never change.
 */
#ifndef LSYS_STORE_SCHEMA_H
#define LSYS_STORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "store/database.h"

/* PRAGMA application_id of our files: "LSYS". */
#define SCHEMA_APPLICATION_ID 0x4c535953

struct schema {
    const char *const *steps; /* steps[n] leads from version n to n + 1 */
    int version;              /* how many steps there are: the version this lsys writes */
};

/* The schema of this lsys. */
const struct schema *schema_current(void);

/* What a file is, as far as its header and its table `store_version` agree. */
enum schema_state {
    SCHEMA_EMPTY,   /* no tables yet */
    SCHEMA_CURRENT, /* the version this lsys writes */
    SCHEMA_OLDER,   /* to be migrated */
    SCHEMA_NEWER,   /* written by a newer lsys */
};

/* Tells the state of a file and its version. STATUS_DAMAGED when it is not ours, or when header and
 * table disagree; other errors as database_fail. */
bool schema_examine(sqlite3 *database, const struct schema *schema, enum schema_state *state,
                    int *version, struct status *status) MUST_CHECK;

/* Brings a file from `version` to the schema's, all or nothing. */
bool schema_migrate(sqlite3 *database, const struct schema *schema, int version,
                    struct status *status) MUST_CHECK;

#endif
