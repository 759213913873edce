/*
 * Push: GET /api/licenses/stream, a WebSocket (RFC 6455) on which a slave hears that something has
 * changed, and then pulls it. What is pushed is a bell and nothing else:
 *
 *     {"v":1,"stream":"hV2...","sequence":42}
 *
 * at the beginning and after each change. So nothing can be lost or come out of order: a slave that
 * missed bells, for a second or a week, pulls from where it is (`since`). A slave that does not
 * read gets no queue: while bytes wait for it, no more bells are added, and one more follows when
 * they are gone. A silent connection is pinged, and ended when nothing comes back.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_STREAM_H
#define LSYS_ROLES_CACHE_MASTER_STREAM_H

#include <stddef.h>

#include "app/license_shelf.h"
#include "app/metrics.h"
#include "net/http_request.h"
#include "roles/cache-master/access.h"

/* Slaves that listen at once; the others poll. */
#define STREAM_LISTENERS_MAX 1000

struct stream_bell;

/* `shelf` is borrowed. Never NULL. */
struct stream_bell *stream_bell_open(const struct license_shelf *shelf, struct metrics *metrics);

/* Makes a listener of a request that access_allow has let through for `caller` (copied); answers it
 * in any case. */
void stream_bell_add(struct stream_bell *bell, struct http_request *request,
                     const struct access_caller *caller);

/* Ends the listeners for which `is_over(context, key, session)` holds; the session is "" for those
 * that showed the key itself. For keys and sessions that were taken back; one that ended at its
 * time has done what it was for, and its listener goes on. */
typedef bool stream_match(const void *context, const struct session_owner *owner,
                          const char *session_id);
void stream_bell_end(struct stream_bell *bell, stream_match *is_over, const void *context);

/* Something on the shelf, or a list in force, has changed. */
void stream_bell_ring(struct stream_bell *bell);

/* Ends all listeners in order. The memory goes when the last is closed, so that the HTTP server
 * they came from may close at the same time. NULL is harmless. */
void stream_bell_close(struct stream_bell *bell);

#endif
