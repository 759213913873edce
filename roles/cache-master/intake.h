/*
 * What may go on a master's shelf, and what is told about it: the same for the admin API and for
 * `lsys licenses` on a data folder.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_INTAKE_H
#define LSYS_ROLES_CACHE_MASTER_INTAKE_H

#include <stdbool.h>

#include "app/authority.h"
#include "app/license_shelf.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json_writer.h"

/* What became of a license that was offered. */
enum intake_result {
    INTAKE_ADDED,
    INTAKE_REPLACED,
    INTAKE_UNCHANGED, /* the very token was there */
    INTAKE_REFUSED,   /* the status says why; nothing has changed */
};

/* "added", "replaced", "unchanged", "refused". */
const char *intake_result_name(enum intake_result result);

/* Verifies a license, bare or in armour, and puts it on the shelf, durably and with an audit entry
 * by `actor`. Refused is what the keys in force do not verify, what the vendor has revoked, and
 * what is older than the shelf has or had under its id; an expired license is taken, so that
 * everybody can be told that it has expired. `*entry` (may be NULL) gets the entry unless
 * refused. */
enum intake_result intake_offer(struct license_shelf *shelf, struct authority *authority,
                                struct bytes text, const char *actor, struct shelf_entry **entry,
                                struct status *status);

/* Writes the object that lists and tools show: {"license_id","serial","change","status", ...}. An
 * entry whose token is not good has the status `invalid` and says why. */
void intake_write_summary(struct license_shelf *shelf, const struct authority *authority,
                          struct shelf_entry *entry, bool with_token, struct json_writer *json);

#endif
