#include "net/http_router.h"

#include <string.h>

#include "net/url.h"

/* ---- paths ---- */

/* True for what no resource's name holds; control characters would reach logs and file systems. */
static bool is_dangerous(const char *segment, size_t length) {
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0) return true;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)segment[i];
        if (byte < 0x20 || byte == 0x7f) return true;
    }
    return false;
}

static uint32_t segment_bit(size_t index) {
    return UINT32_C(1) << (HTTP_SEGMENTS_MAX - 1 - index);
}

static bool holds_escaped_nul(struct bytes raw) {
    return raw.length >= 3 && memmem(raw.data, raw.length, "%00", 3) != NULL;
}

static enum http_path_verdict add_segment(struct bytes raw, struct http_path *path) {
    if (path->count == HTTP_SEGMENTS_MAX || holds_escaped_nul(raw)) return HTTP_PATH_NOWHERE;
    size_t start = path->text.length;
    if (!url_percent_decode(raw, false, &path->text, NULL)) return HTTP_PATH_MALFORMED;
    size_t length = path->text.length - start;
    if (!buffer_append(&path->text, "", 1)) return HTTP_PATH_NOWHERE;
    path->starts[path->count] = start;
    const char *segment = http_path_segment(path, path->count);
    if (strpbrk(segment, "/\\")) path->slashed_bits |= segment_bit(path->count);
    path->count++;
    return is_dangerous(segment, length) ? HTTP_PATH_NOWHERE : HTTP_PATH_FINE;
}

enum http_path_verdict http_path_read(struct bytes raw, struct http_path *path) {
    buffer_clear(&path->text);
    path->count = 0;
    path->slashed_bits = 0;
    size_t at = 1; /* behind the first slash */
    while (at <= raw.length) {
        const uint8_t *slash = at < raw.length ? memchr(raw.data + at, '/', raw.length - at) : NULL;
        size_t end = slash ? (size_t)(slash - raw.data) : raw.length;
        enum http_path_verdict verdict = add_segment(bytes_of(raw.data + at, end - at), path);
        if (verdict != HTTP_PATH_FINE) return verdict;
        at = end + 1;
    }
    return HTTP_PATH_FINE;
}

const char *http_path_segment(const struct http_path *path, size_t index) {
    return buffer_text(&path->text) + path->starts[index];
}

/* ---- patterns ---- */

/* The next segment of a pattern; `*pattern` is moved behind it, to NULL at the end. */
static struct bytes next_segment(const char **pattern) {
    const char *start = *pattern + 1; /* behind the slash */
    size_t length = strcspn(start, "/");
    *pattern = start[length] == '/' ? start + length : NULL;
    return bytes_of(start, length);
}

static bool is_name(struct bytes segment) {
    return segment.length >= 2 && segment.data[0] == '{' && segment.data[segment.length - 1] == '}';
}

static bool takes_rest(struct bytes segment) {
    return is_name(segment) && segment.data[segment.length - 2] == '*';
}

/* Whether the path matches; the first segment is the highest bit of `*literal_bits`. */
static bool matches(const struct http_route *route, const struct http_path *path,
                    uint32_t *literal_bits) {
    const char *pattern = route->pattern;
    *literal_bits = 0;
    if (path->slashed_bits != 0 && !route->values_hold_slashes) return false;
    for (size_t i = 0; i < path->count; i++) {
        if (!pattern) return false;
        struct bytes segment = next_segment(&pattern);
        if (takes_rest(segment)) return true;
        if (is_name(segment)) {
            if (http_path_segment(path, i)[0] == '\0') return false;
            continue;
        }
        if (!bytes_equal_text(segment, http_path_segment(path, i))) return false;
        *literal_bits |= segment_bit(i);
    }
    return pattern == NULL;
}

int http_pattern_index(const char *pattern, const char *name, bool *rest) {
    size_t length = strlen(name);
    for (int i = 0; pattern; i++) {
        struct bytes segment = next_segment(&pattern);
        *rest = takes_rest(segment);
        size_t extra = *rest ? 3 : 2; /* the braces and the star */
        if (is_name(segment) && segment.length == length + extra &&
            memcmp(segment.data + 1, name, length) == 0)
            return i;
    }
    return -1;
}

/* ---- routes ---- */

static bool serves(const struct http_route *route, const char *method) {
    if (strcmp(route->method, method) == 0) return true;
    return strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0;
}

void http_router_find(const struct http_route_set *sets, const char *method,
                      const struct http_path *path, struct http_route_match *match) {
    *match = (struct http_route_match){.route = NULL};
    for (const struct http_route_set *set = sets; set; set = set->next) {
        for (size_t i = 0; i < set->count; i++) {
            uint32_t literal_bits;
            const struct http_route *route = &set->routes[i];
            if (!matches(route, path, &literal_bits)) continue;
            match->path_is_known = true;
            if (!serves(route, method)) continue;
            if (match->route && literal_bits <= match->literal_bits) continue;
            match->route = route;
            match->context = set->context;
            match->literal_bits = literal_bits;
        }
    }
}

/* "/a/{b}" as a path means the text "{b}", not the pattern. */
static bool is_literal(const char *pattern, struct bytes raw_path) {
    return strncmp(pattern, (const char *)raw_path.data, raw_path.length) == 0 &&
           pattern[raw_path.length] == '\0' && !strchr(pattern, '{');
}

bool http_router_find_literal(const struct http_route_set *sets, const char *method,
                              struct bytes raw_path, struct http_route_match *match) {
    for (const struct http_route_set *set = sets; set; set = set->next) {
        for (size_t i = 0; i < set->count; i++) {
            const struct http_route *route = &set->routes[i];
            if (!is_literal(route->pattern, raw_path) || !serves(route, method)) continue;
            *match = (struct http_route_match){
                .route = route, .context = set->context, .path_is_known = true};
            return true;
        }
    }
    return false;
}

void http_router_allowed_methods(const struct http_route_set *sets, const struct http_path *path,
                                 struct buffer *out) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
    struct http_route_match match;
    for (size_t i = 0; methods[i]; i++) {
        http_router_find(sets, methods[i], path, &match);
        if (match.route) buffer_append_format(out, "%s, ", methods[i]);
    }
    buffer_append_text(out, "OPTIONS");
}
