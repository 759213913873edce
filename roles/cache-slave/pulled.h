/*
 * What came of asking the master for a page: the verdict about each answer. Knows HTTP and the form
 * of a page; believes nothing in it.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_PULLED_H
#define LSYS_ROLES_CACHE_SLAVE_PULLED_H

#include <stdint.h>

#include "app/license_feed.h"
#include "base/status.h"
#include "net/http_client.h"
#include "rules/cache_sync.h"

/* Longest ETag that is kept and sent back; ours have about 140 bytes. */
#define PULLED_ETAG_BYTES 256

struct pulled {
    enum cache_outcome outcome;     /* CONFIRMED: `page`, or nothing new */
    struct license_feed_page *page; /* NULL with 304 and with every failure; freed by the puller */
    char etag[PULLED_ETAG_BYTES];   /* of the answer; "" when it had none */
    int64_t retry_after_ms;         /* 0: not said */
    int64_t age_ms; /* of the first master's confirmation, when another slave answers; else 0 */
    struct status status; /* why, in a sentence, unless confirmed */
};

/* Reads an answer; `asked_with_etag` when a 304 may be one. `page` is filled for `pulled->page`,
 * and given to license_feed_page_free by the caller. */
void pulled_read(const struct http_response *response, bool asked_with_etag,
                 struct license_feed_page *page, struct pulled *pulled);

/* No answer came, for the reason that http_call_options.on_done was given. */
void pulled_fail(const struct status *why, struct pulled *pulled);

#endif
