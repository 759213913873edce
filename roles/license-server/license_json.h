/*
 * The license as JSON, the same in the broadcasts and over HTTP. `edition` and `features` are what
 * is granted now ("community" and {} when nothing is); everything else is what the license in force
 * says, and null while there is none.
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_LICENSE_JSON_H
#define LSYS_ROLES_LICENSE_SERVER_LICENSE_JSON_H

#include "codec/json_writer.h"
#include "roles/license-server/keeper.h"

/* Writes the members of an object that the caller has begun: status, edition, licensed, features,
 * degrade, customer, license_id, product, serial, seats, deployment_id, not_before, expires_at,
 * grace_ends_at. */
void license_json_write_members(const struct keeper *keeper, struct json_writer *json);

#endif
