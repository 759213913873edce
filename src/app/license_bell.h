/*
 * Push: GET /api/licenses/stream of a master, or of a slave that is the master of others: a
 * WebSocket (RFC 6455) on which a slave hears that something has changed, and then pulls it. What is
 * pushed is a bell and nothing else:
 *
 *     {"v":1,"stream":"hV2...","sequence":42}
 *
 * at the beginning and after each change. So nothing can be lost or come out of order: a slave that
 * missed bells, for a second or a week, pulls from where it is (`since`). A slave that does not
 * read gets no queue: while bytes wait for it, no more bells are added, and one more follows when
 * they are gone. A silent connection is pinged, and ended when nothing comes back.
 */
#ifndef LSYS_APP_LICENSE_BELL_H
#define LSYS_APP_LICENSE_BELL_H

#include <stdbool.h>
#include <stddef.h>

#include "app/license_shelf.h"
#include "app/metrics.h"
#include "net/http_request.h"

/* Slaves that listen at once; the others poll. */
#define LICENSE_BELL_LISTENERS_MAX 1000

struct license_bell;

/* Room for what an owner wants to know of a listener, such as the key that it showed. */
#define LICENSE_BELL_BADGE_BYTES 128

/* `shelf` and `role`, a constant for the metric, are borrowed. Never NULL. */
struct license_bell *license_bell_open(const struct license_shelf *shelf, struct metrics *metrics,
                                       const char *role);

/* Makes a listener of a request that may listen; answers it in any case. `badge` is copied. */
void license_bell_add(struct license_bell *bell, struct http_request *request, struct bytes badge);

/* Something on the shelf, or a list in force, has changed. */
void license_bell_ring(struct license_bell *bell);

/* Ends the listeners for whose badge `is_over(context, badge)` holds: those who may not listen any
 * more. */
typedef bool license_bell_match(const void *context, const void *badge);
void license_bell_end(struct license_bell *bell, license_bell_match *is_over, const void *context);

/* Ends all listeners in order. The memory goes when the last is closed, so that the HTTP server
 * they came from may close at the same time. NULL is harmless. */
void license_bell_close(struct license_bell *bell);

#endif
