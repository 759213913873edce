/*
 * The running master and its parts.
 *
 *     admin API, lsys licenses --> intake (verify) --> shelf --+--> bell, feed --> slaves
 *     --keyring, --revocations --> authority ------------------+
 *     every request ------------> access (key, scope, rate)
 */
#ifndef LSYS_ROLES_CACHE_MASTER_MASTER_H
#define LSYS_ROLES_CACHE_MASTER_MASTER_H

#include <stdbool.h>

#include "app/authority.h"
#include "app/change_hints.h"
#include "app/ledger.h"
#include "app/license_bell.h"
#include "app/license_shelf.h"
#include "app/metrics.h"
#include "app/role.h"
#include "app/role_http.h"
#include "loop/timer.h"
#include "roles/cache-master/access.h"
#include "roles/cache-master/sessions.h"

#define CACHE_MASTER_NAME "cache-master"

struct master_meters {
    struct metric *licenses;
    struct metric *sequence;
    struct metric *lost;
    struct metric *pulls;
    struct metric *refused_tokens;
};

struct cache_master {
    struct role_context *context;
    struct ledger *ledger;
    struct authority *authority;
    struct license_shelf *shelf;
    struct master_files *files;
    struct sessions *sessions;
    struct access access;
    struct master_meters meters;
    struct license_bell *bell;
    struct change_hints *hints;         /* NULL: no NATS is configured */
    char told[LICENSE_FEED_ETAG_BYTES]; /* what bells and hints told last */
    struct role_http *http;
    struct timer *saving; /* of what the disk refused */
    size_t told_lost;     /* of license_shelf_lost */
    bool started;
    bool stopping;
    int open_parts; /* while it stops */
};

/* The role's life, for its record. */
bool cache_master_start(struct role_context *context, struct status *status);
void cache_master_stop(struct role_context *context);
bool cache_master_reload(struct role_context *context, const struct options *fresh,
                         struct status *status);
void cache_master_describe(const struct role_context *context, struct role_view *view);

/* Something on the shelf, or a list in force, has changed. */
void cache_master_changed(struct cache_master *master);

/* After tokens were taken from the shelf: damage may have been found. */
void cache_master_tell_losses(struct cache_master *master);

/* The routes under /api: about licenses (admin.c), about keys and sessions (keys_api.c). */
void cache_master_add_routes(struct cache_master *master);
void cache_master_add_key_routes(struct cache_master *master);

#endif
