/*
 * The calls of a slave to its master: one page of the feed at a time, with a deadline each, and the
 * verdict about each answer. Knows HTTP and the form of a page; believes nothing in it.
 */
#ifndef LSYS_CACHE_SLAVE_PULLER_H
#define LSYS_CACHE_SLAVE_PULLER_H

#include <stdint.h>

#include "app/license_feed.h"
#include "app/role.h"
#include "base/attributes.h"
#include "base/status.h"
#include "rules/cache_sync.h"
#include "verifier/fingerprint.h"

/* Longest ETag that is kept and sent back; ours have about 140 bytes. */
#define PULLER_ETAG_BYTES 256

struct puller;

/* What came of one call. */
struct pulled {
    enum cache_outcome outcome;     /* CONFIRMED: `page`, or nothing new */
    struct license_feed_page *page; /* NULL with 304 and with every failure; freed by the puller */
    char etag[PULLER_ETAG_BYTES];   /* of the answer; "" when it had none */
    int64_t retry_after_ms;         /* 0: not said */
    int64_t age_ms; /* of the first master's confirmation, when another slave answers; else 0 */
    struct status status; /* why, in a sentence, unless confirmed */
};

struct puller_options {
    struct role_context *context;
    const char *master_url; /* http(s)://HOST:PORT */
    const struct fingerprint *fingerprint;
    void (*on_pulled)(void *owner, const struct pulled *pulled);
    void *owner;
};

/* STATUS_CONFIG for a URL that is none, and the errors of https_client_open. Everything is copied
 * but the fingerprint. */
struct puller *puller_open(const struct puller_options *options, struct status *status) MUST_CHECK;

/* Cancels a call that runs. NULL is harmless. */
void puller_close(struct puller *puller);

/* For another connection to the same master: whom to trust (NULL: it speaks http), and the text of
 * the fingerprint header. Both live as long as the puller. */
struct tls_client_context *puller_tls(const struct puller *puller);
const char *puller_fingerprint(const struct puller *puller);

/* The master's URL as configured. */
const char *puller_master(const struct puller *puller);

/* Asks for the page after `since` of `stream` ("" for none); with `etag` (not "") an unchanged
 * master answers 304. `options` are the role's present ones, where the key is. on_pulled comes
 * once, from a later turn of the loop. Not to be called while a call runs. */
void puller_ask(struct puller *puller, const struct options *options, int64_t since,
                const char *stream, const char *etag, int64_t timeout_ms);

/* Gives up a call that runs; on_pulled does not come. */
void puller_cancel(struct puller *puller);

#endif
