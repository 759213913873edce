/* The inside of a place, for its two halves: a folder (place_folder.c), a master
 * (place_master.c). */
#ifndef LSYS_ROLES_CACHE_MASTER_PLACE_INSIDE_H
#define LSYS_ROLES_CACHE_MASTER_PLACE_INSIDE_H

#include "app/authority.h"
#include "app/ledger.h"
#include "app/license_shelf.h"
#include "base/buffer.h"
#include "roles/cache-master/place.h"
#include "store/store.h"

/* Who changed something on a data folder, in the audit log. */
#define PLACE_ACTOR "lsys licenses"

struct place {
    char *url;         /* of the master; NULL: the folder itself */
    struct buffer key; /* for the master */
    struct store *store;
    struct ledger *ledger;
    struct authority *authority;
    struct license_shelf *shelf;
};

bool folder_open(struct place *place, const struct options *options, struct status *status);
bool folder_add(struct place *place, struct bytes text, struct place_added *added,
                struct status *status);
bool folder_each(struct place *place, bool with_token, place_visitor *visit, void *context,
                 struct status *status);
bool folder_change(struct place *place, const struct shelf_change *change, struct status *status);

bool master_add(struct place *place, struct bytes text, struct place_added *added,
                struct status *status);
bool master_each(struct place *place, bool with_token, place_visitor *visit, void *context,
                 struct status *status);
bool master_remove(struct place *place, const char *license_id, struct status *status);
bool master_revoke(struct place *place, const char *license_id, const char *reason,
                   struct status *status);

#endif
