/*
 * What caches tell each other: GET /api/licenses?since=N&stream=S, answered by a master from its
 * shelf, and by a slave that is the master of others. JSON, a page at a time, oldest change first:
 *
 *     {"v":1,"stream":"hV2...","sequence":42,"through":40,"more":true,
 *      "changes":[{"change":39,"license_id":"L-7","token":"<license+jwt>"},
 *                 {"change":40,"license_id":"L-8","token":"...","revoked":{"at_ms":1,"reason":""}},
 *                 {"change":41,"license_id":"L-9","deleted":true}],
 *      "keyring":"<keyring+jwt>","revocations":"<revocations+jwt>"}
 *
 * `since` counts in the stream that the caller names; for any other stream, or a number that the
 * shelf has never reached, everything is told from the beginning. `through` is the `since` of the
 * next call, and `more` says that there is one. The ETag names stream, sequence and both lists, so
 * that If-None-Match asks "is what I have still all there is", which 304 confirms. Whoever reads
 * believes nothing but the vendor's signatures: a revocation here can only take away.
 */
#ifndef LSYS_APP_LICENSE_FEED_H
#define LSYS_APP_LICENSE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "app/authority.h"
#include "app/license_shelf.h"
#include "app/role_http.h"
#include "base/attributes.h"
#include "base/status.h"
#include "codec/json.h"
#include "net/http_request.h"

/* Changes on one page: whoever takes it verifies them all before it answers anybody else, and 32
 * ES256 signatures take some 30 ms. */
#define LICENSE_FEED_PAGE_CHANGES 32

/* Tokens on one page end when they reach this; with the largest token and both lists the page still
 * stays below ROLE_HTTP_ANSWER_BYTES. */
#define LICENSE_FEED_PAGE_BYTES ((size_t)128 * 1024)
_Static_assert(LICENSE_FEED_PAGE_BYTES + 3 * JWS_TOKEN_BYTES_MAX < ROLE_HTTP_ANSWER_BYTES,
               "a page fits into an answer");

/* Room for an ETag, quotes included. */
#define LICENSE_FEED_ETAG_BYTES (LICENSE_SHELF_STREAM_BYTES + 2 * SHA256_TEXT_BYTES + 32)

/* How old the word of the first master is that stands behind an answer, in milliseconds: a slave
 * that passes on what it was told says it, and whoever asks it counts from there. A master leaves
 * it out. */
#define LICENSE_FEED_AGE_FIELD "X-Confirmed-Age-Ms"

/* Answers a request for the feed. 400 for parameters that are none. `age_ms` goes into the field
 * above, unless it is 0. */
void license_feed_answer(struct license_shelf *shelf, const struct authority *authority,
                         int64_t age_ms, struct http_request *request);

/* Writes the ETag of what the shelf and the lists are now. */
void license_feed_etag(const struct license_shelf *shelf, const struct authority *authority,
                       char out[LICENSE_FEED_ETAG_BYTES]);

/* ---- reading a page ---- */

/* A page; its texts are borrowed from the document. */
struct license_feed_page {
    struct json_document *document; /* owned */
    const char *stream;
    int64_t sequence;
    int64_t through;
    bool more;
    const char *keyring;     /* NULL: none */
    const char *revocations; /* NULL: none */
    const struct json_value *changes;
    size_t count;
};

/* One change on a page. */
struct license_feed_change {
    const char *license_id;
    bool deleted;
    const char *token; /* NULL when deleted */
    bool revoked;
    int64_t revoked_at_ms;
    const char *reason;
};

/* Reads a page strictly; STATUS_BAD_JSON or STATUS_MALFORMED for anything else. On success the
 * caller gives it to license_feed_page_free. */
bool license_feed_page_read(struct bytes body, struct license_feed_page *page,
                            struct status *status) MUST_CHECK;

/* Reads the change at `index`; STATUS_MALFORMED. */
bool license_feed_page_change(const struct license_feed_page *page, size_t index,
                              struct license_feed_change *out, struct status *status) MUST_CHECK;

void license_feed_page_free(struct license_feed_page *page);

#endif
