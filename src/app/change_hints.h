/*
 * The hint on NATS that the licenses of a cache have changed: license.cache.changed, published by
 * cache-master after each change and heard by cache-slaves where a bus is configured.
 *
 *     {"v":1,"stream":"hV2...","sequence":42,"etag":"\"hV2...\""}
 *
 * It is a hint and nothing else: unsigned, perhaps lost, perhaps forged. A slave that already has
 * what the etag names ignores it, and another asks its master, no more often than
 * rules/hint_pace lets it.
 */
#ifndef LSYS_APP_CHANGE_HINTS_H
#define LSYS_APP_CHANGE_HINTS_H

#include <stdbool.h>

#include "app/license_feed.h"
#include "app/role.h"
#include "base/attributes.h"
#include "base/status.h"

#define CHANGE_HINTS_SUBJECT "license.cache.changed"

/* The row nats.urls (flag --nats), without a default: NATS is optional for caches. */
extern const struct option change_hints_options[];

struct change_hints;

struct change_hints_callbacks {
    /* Connected, once more or for the first time. May be NULL. */
    void (*on_connected)(void *owner);
    /* Somebody says that `etag` is what there is now. NULL: nothing is subscribed to. */
    void (*on_hint)(void *owner, const char *etag);
};

/* Begins to connect, when the role's options name a server: else `*out` is NULL and the result
 * true. `callbacks` is constant. The errors of nats_login_read and bus_create. */
bool change_hints_open(struct role_context *context, const struct change_hints_callbacks *callbacks,
                       void *owner, struct change_hints **out, struct status *status) MUST_CHECK;

/* Publishes what there is now; without a connection it is dropped. NULL is harmless. */
void change_hints_tell(struct change_hints *hints, const struct license_shelf *shelf,
                       const struct authority *authority);

/* True while there is a connection. NULL: false. */
bool change_hints_is_connected(const struct change_hints *hints);

/* Ends it; `on_closed(context)` comes when everything is closed, for NULL at once. */
void change_hints_close(struct change_hints *hints, void (*on_closed)(void *context),
                        void *context);

#endif
