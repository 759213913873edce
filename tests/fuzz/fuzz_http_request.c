/* Any bytes as pipelined HTTP requests: read whole and read in pieces they must give the same
 * verdict, and what is accepted must be what the header of the parser promises. */
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "net/http_guard.h"
#include "net/http_parser.h"
#include "net/http_router.h"

#define BODY_LIMIT_BYTES 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a run over the input came to. */
struct outcome {
    size_t requests;
    size_t consumed;
    size_t body_bytes;
    enum http_parser_state state;
    int failure_status;
};

static void answer_nothing(void *context, struct http_request *request) {
    (void)context;
    (void)request;
}

/* What inputs begin with, and what could be mistaken for one another. */
static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/", .handle = answer_nothing},
    {.method = "GET", .pattern = "/a", .handle = answer_nothing},
    {.method = "POST", .pattern = "/a", .handle = answer_nothing},
    {.method = "GET", .pattern = "/a/b", .handle = answer_nothing},
    {.method = "GET", .pattern = "/a/{name}", .handle = answer_nothing},
    {.method = "GET", .pattern = "/{rest*}", .handle = answer_nothing},
};

/* A slash or backslash within a segment was escaped, and the path says so. */
static void check_segment(const struct http_path *path, size_t index) {
    const char *segment = http_path_segment(path, index);
    bool is_slashed = path->slashed_bits >> (HTTP_SEGMENTS_MAX - 1 - index) & 1;
    ASSERT(strcmp(segment, "..") != 0 && !strpbrk(segment, "\r\n"));
    ASSERT(is_slashed || !strpbrk(segment, "/\\"));
}

/* A route that is found without decoding is the one that is found with it. */
static void check_literal(const char *method, struct bytes raw, const struct http_path *path) {
    const struct http_route_set set = {.routes = routes, .count = sizeof routes / sizeof routes[0]};
    struct http_route_match literal, decoded = {.route = NULL};
    if (!http_router_find_literal(&set, method, raw, &literal)) return;
    ASSERT(path);
    http_router_find(&set, method, path, &decoded);
    ASSERT(literal.route == decoded.route && literal.context == decoded.context);
}

static void check_path(struct bytes target) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", NULL};
    const uint8_t *question = memchr(target.data, '?', target.length);
    struct http_path path;
    buffer_init(&path.text, 2 * HTTP_TARGET_BYTES_MAX);
    if (question) target.length = (size_t)(question - target.data);
    bool is_fine = http_path_read(target, &path) == HTTP_PATH_FINE;
    for (size_t i = 0; is_fine && i < path.count; i++)
        check_segment(&path, i);
    for (size_t i = 0; methods[i]; i++)
        check_literal(methods[i], target, is_fine ? &path : NULL);
    buffer_free(&path.text);
}

static void check_head(const struct http_head *head) {
    struct bytes value;
    ASSERT(head->minor_version == 0 || head->minor_version == 1);
    ASSERT(head->minor_version == 0 || head->host.length > 0);
    ASSERT(head->target.length > 0 && head->target.length <= HTTP_TARGET_BYTES_MAX);
    ASSERT(head->target.data[0] == '/' || bytes_equal_text(head->target, "*"));
    value = http_fields_find(head->fields, head->field_count, "transfer-encoding");
    ASSERT(!value.data || (head->minor_version == 1 && http_names_equal(value, "chunked")));
    ASSERT(!value.data || head->content_length_bytes == 0);
    for (size_t i = 0; i < head->field_count; i++)
        for (size_t j = 0; j < head->fields[i].value.length; j++)
            ASSERT(head->fields[i].value.data[j] >= 0x20 || head->fields[i].value.data[j] == '\t');
    if (head->target.data[0] == '/') check_path(head->target);
    http_guard_host_is_allowed(head->host, NULL);
    http_guard_origin_is_allowed(head);
}

/* Feeds the input, `step` bytes at a time. */
static struct outcome run(struct bytes input, size_t step) {
    struct outcome outcome = {.requests = 0};
    struct http_parser *parser = http_parser_create();
    while (outcome.consumed < input.length && http_parser_state(parser) != HTTP_PARSER_FAILED) {
        size_t length = input.length - outcome.consumed;
        if (length > step) length = step;
        size_t consumed = http_parser_feed(parser, bytes_of(input.data + outcome.consumed, length));
        ASSERT(consumed <= length);
        outcome.consumed += consumed;
        if (http_parser_state(parser) == HTTP_PARSER_READY) {
            check_head(http_parser_head(parser));
            http_parser_accept_body(parser, BODY_LIMIT_BYTES);
        }
        if (http_parser_state(parser) == HTTP_PARSER_DONE) {
            outcome.requests++;
            outcome.body_bytes += http_parser_body(parser).length;
            http_parser_next(parser);
        }
    }
    outcome.state = http_parser_state(parser);
    if (outcome.state == HTTP_PARSER_FAILED)
        outcome.failure_status = http_parser_failure(parser)->status;
    http_parser_free(parser);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    struct bytes input = bytes_of(data + 1, size - 1);
    struct outcome whole = run(input, SIZE_MAX);
    struct outcome pieces = run(input, data[0] % 16 + 1);
    ASSERT(whole.requests == pieces.requests);
    ASSERT(whole.body_bytes == pieces.body_bytes);
    ASSERT(whole.state == pieces.state);
    ASSERT(whole.failure_status == pieces.failure_status);
    return 0;
}
