/*
 * Where `lsys licenses` works: on the shelf in a data folder, or through the admin API of a running
 * master. A folder whose master runs is reached through that master, which leaves its address in
 * the folder.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_PLACE_H
#define LSYS_ROLES_CACHE_MASTER_PLACE_H

#include <stdbool.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"
#include "verifier/claims.h"

/* In the data folder of a running master: its URL. */
#define MASTER_URL_FILE_NAME "cache-master.url"

/* Longest such file. */
#define MASTER_URL_BYTES_MAX 256

struct place;

/* Opens the place that --master or --data-dir names. Errors: those of the store, of the key files,
 * STATUS_CONFIG for a missing --keys. The caller gives it to place_close. */
struct place *place_open(const struct options *options, struct status *status) MUST_CHECK;
void place_close(struct place *place);

/* What became of a license that was added. */
struct place_added {
    char result[16]; /* "added", "replaced", "unchanged" */
    char license_id[CLAIM_TEXT_BYTES_MAX + 1];
    int64_t serial;
};

/* Adds or replaces a license, bare or in armour. */
bool place_add(struct place *place, struct bytes text, struct place_added *added,
               struct status *status) MUST_CHECK;

/* Visits the summaries of all licenses (roles/cache-master/intake.h) in the order of their ids,
 * with their tokens if wanted. False from `visit` ends it. */
typedef bool place_visitor(void *context, const struct json_value *license, struct status *status);
bool place_each(struct place *place, bool with_token, place_visitor *visit, void *context,
                struct status *status) MUST_CHECK;

/* Deletes a license, or revokes it with a reason. */
bool place_remove(struct place *place, const char *license_id, struct status *status) MUST_CHECK;
bool place_revoke(struct place *place, const char *license_id, const char *reason,
                  struct status *status) MUST_CHECK;

/* Any other call of the admin API; STATUS_UNAVAILABLE when no master runs here. The caller gives
 * the answer's document to json_document_free. */
struct json_document *place_call(struct place *place, const char *method, const char *path,
                                 struct bytes body, struct status *status) MUST_CHECK;

#endif
