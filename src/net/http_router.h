/*
 * From a request's path to a route, without I/O. Paths are split at '/' first and decoded
 * afterwards, segment by segment, so that an encoded slash never makes a new segment; what could
 * lead out of a folder ("." and ".." in any spelling, NUL) matches nothing, and encoded slashes
 * match only where a route says that its values may hold them.
 */
#ifndef LSYS_NET_HTTP_ROUTER_H
#define LSYS_NET_HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "net/http_server.h"

/* Longer paths than any of ours. Also the bits of http_route_match.literal_bits. */
#define HTTP_SEGMENTS_MAX 32

/* A decoded path. */
struct http_path {
    struct buffer text; /* the segments, each ended by NUL */
    size_t starts[HTTP_SEGMENTS_MAX];
    size_t count;
    uint32_t slashed_bits; /* segments that hold a slash; the first is the highest bit */
};

enum http_path_verdict {
    HTTP_PATH_FINE,
    HTTP_PATH_MALFORMED, /* an incomplete escape: 400 */
    HTTP_PATH_NOWHERE,   /* no resource can have this path: 404 */
};

/* Splits and decodes `raw`, which begins with '/' and has no query. `path->text` is initialised and
 * is cleared first. */
enum http_path_verdict http_path_read(struct bytes raw, struct http_path *path);

/* The decoded segment as text. */
const char *http_path_segment(const struct http_path *path, size_t index);

/* One call of http_server_add_routes. */
struct http_route_set {
    const struct http_route *routes;
    size_t count;
    void *context;
    struct http_route_set *next;
};

struct http_route_match {
    const struct http_route *route; /* NULL: none for this method */
    void *context;
    bool path_is_known; /* some route has this path */
    uint32_t literal_bits;
};

/* Finds the route for a method and path. HEAD finds routes of GET. Of several that match, the one
 * with a literal segment where the other has a name wins, then the earlier one. */
void http_router_find(const struct http_route_set *sets, const char *method,
                      const struct http_path *path, struct http_route_match *match);

/* As http_router_find, for a path as sent that is a route's pattern letter by letter: nothing in it
 * needs decoding, and no other route could match better. False, leaving `match`, when there is
 * none. Most requests are for such a path. */
bool http_router_find_literal(const struct http_route_set *sets, const char *method,
                              struct bytes raw_path, struct http_route_match *match);

/* Appends the methods that are allowed for the path, as in the field Allow. */
void http_router_allowed_methods(const struct http_route_set *sets, const struct http_path *path,
                                 struct buffer *out);

/* The index of the segment that "{name}" (or "{name*}", `*takes_rest` set) has in the pattern, or
 * -1. */
int http_pattern_index(const char *pattern, const char *name, bool *takes_rest);

#endif
