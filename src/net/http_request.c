#include "net/http_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "net/http_connection.h"
#include "net/http_guard.h"
#include "net/http_server_private.h"
#include "net/stream_tls.h"
#include "net/url.h"

/* Names and values added to one answer. */
#define EXTRA_FIELDS_BYTES_MAX 4096

/* ---- from a head to a route ---- */

static bool refuse(struct http_request *request, int status, const char *code, const char *title,
                   const char *detail) {
    request->connection->server->counters.requests++;
    http_respond_problem(request, status, code, title, "%s", detail);
    return false;
}

/* For what an attacker or a broken client sends, as opposed to a typing error. */
static bool refuse_abuse(struct http_request *request, int status, const char *code,
                         const char *title, const char *detail) {
    request->connection->server->counters.refused_requests++;
    return refuse(request, status, code, title, detail);
}

static bool add_text(struct buffer *out, struct bytes raw, size_t *start) {
    *start = out->length;
    return url_percent_decode(raw, true, out, NULL) && buffer_append(out, "", 1);
}

/* Reads one "name=value" of a query. */
static bool read_parameter(struct http_request *request, struct bytes raw) {
    if (raw.length == 0) return true;
    if (request->parameter_count == HTTP_PARAMETERS_MAX) return false;
    struct http_parameter *parameter = &request->parameters[request->parameter_count++];
    const uint8_t *equals = memchr(raw.data, '=', raw.length);
    size_t name_length = equals ? (size_t)(equals - raw.data) : raw.length;
    size_t value_at = equals ? name_length + 1 : raw.length;
    return add_text(&request->query_text, bytes_of(raw.data, name_length),
                    &parameter->name_start) &&
           add_text(&request->query_text, bytes_of(raw.data + value_at, raw.length - value_at),
                    &parameter->value_start);
}

static bool read_query(struct http_request *request, struct bytes raw) {
    size_t at = 0;
    while (at < raw.length) {
        const uint8_t *end = memchr(raw.data + at, '&', raw.length - at);
        size_t length = end ? (size_t)(end - raw.data) - at : raw.length - at;
        if (!read_parameter(request, bytes_of(raw.data + at, length))) return false;
        at += length + 1;
    }
    return true;
}

static bool answer_options(struct http_request *request) {
    struct buffer allowed;
    buffer_init(&allowed, 128);
    http_router_allowed_methods(request->connection->server->route_sets, &request->path, &allowed);
    http_response_header(request, "Allow", buffer_text(&allowed));
    buffer_free(&allowed);
    if (strcmp(request->method, "OPTIONS") != 0)
        return refuse(request, 405, "method_not_allowed", "Method not allowed",
                      "this address has no such method; the field Allow names those it has");
    request->connection->server->counters.requests++;
    http_respond(request, 204, NULL, bytes_of(NULL, 0));
    return false;
}

static bool find_route(struct http_request *request) {
    if (http_router_find_literal(request->connection->server->route_sets, request->method,
                                 request->raw_path, &request->match))
        return true;
    enum http_path_verdict verdict = http_path_read(request->raw_path, &request->path);
    if (verdict == HTTP_PATH_MALFORMED)
        return refuse_abuse(request, 400, "bad_request", "Malformed request",
                            "the path holds an incomplete escape");
    if (verdict == HTTP_PATH_FINE)
        http_router_find(request->connection->server->route_sets, request->method, &request->path,
                         &request->match);
    if (verdict == HTTP_PATH_FINE && !request->match.route && request->match.path_is_known)
        return answer_options(request);
    if (!request->match.route)
        return refuse(request, 404, "not_found", "Not found", "there is nothing at this address");
    return true;
}

static bool is_safe_method(const char *method) {
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "OPTIONS") == 0;
}

static bool host_is_ours(struct http_request *request) {
    struct http_connection *connection = request->connection;
    if (!request->head->host_is_unchanged)
        connection->host_is_allowed = http_guard_host_is_allowed(
            request->head->host, (const char *const *)connection->server->allowed_hosts);
    return connection->host_is_allowed ||
           refuse_abuse(request, 421, "host_not_allowed", "Host not allowed",
                        "the Host field does not name this server; names other than "
                        "localhost must be configured as allowed hosts");
}

/* Pages of other sites could not read an answer (no field of ours lets them), but they could hold
 * connections and event streams and learn from how long things take: they get none. */
static bool page_may_ask(struct http_request *request) {
    const struct http_head *head = request->head;
    if (request->match.route->judges_origin || http_guard_origin_is_allowed(head)) return true;
    if (is_safe_method(request->method) && http_guard_is_visit(head)) return true;
    return refuse_abuse(request, 403, "origin_not_allowed", "Origin not allowed",
                        "pages of other sites may not ask or change anything here");
}

void http_request_init(struct http_request *request) {
    memset(request, 0, sizeof *request);
    buffer_init(&request->path.text, HTTP_TARGET_BYTES_MAX * 2);
    buffer_init(&request->query_text, HTTP_TARGET_BYTES_MAX * 2);
    buffer_init(&request->rest, HTTP_TARGET_BYTES_MAX);
    buffer_init(&request->extra_fields, EXTRA_FIELDS_BYTES_MAX);
}

static void take_head(struct http_request *request, struct http_connection *connection) {
    const struct http_head *head = http_parser_head(connection->parser);
    ASSERT(!request->connection); /* else the one before was not cleared */
    request->connection = connection;
    request->head = head;
    ASSERT(head->method.length < sizeof request->method);
    memcpy(request->method, head->method.data, head->method.length);
}

bool http_request_begin(struct http_request *request, struct http_connection *connection) {
    take_head(request, connection);
    struct bytes target = request->head->target;
    const uint8_t *question = memchr(target.data, '?', target.length);
    size_t path_length = question ? (size_t)(question - target.data) : target.length;
    request->raw_path = bytes_of(target.data, path_length);
    struct bytes query = bytes_of(NULL, 0);
    if (question) query = bytes_of(question + 1, target.length - path_length - 1);

    if (!host_is_ours(request)) return false;
    if (bytes_equal_text(target, "*")) {
        request->connection->server->counters.requests++;
        http_respond(request, 204, NULL, bytes_of(NULL, 0));
        return false;
    }
    if (!read_query(request, query))
        return refuse_abuse(request, 400, "bad_request", "Malformed request",
                            "the query is malformed or has too many parameters");
    return find_route(request) && page_may_ask(request);
}

/* Few requests use any of the buffers. */
static void release(struct buffer *buffer) {
    if (buffer->data || buffer->failed) buffer_free(buffer);
}

void http_request_clear(struct http_request *request) {
    if (!request->connection) return;
    release(&request->path.text);
    release(&request->query_text);
    release(&request->rest);
    release(&request->extra_fields);
    free(request->security_policy_text);
    free(request->cache_control);
    memset(request, 0, offsetof(struct http_request, query_text));
}

/* ---- what handlers ask ---- */

const char *http_request_method(const struct http_request *request) {
    return request->method;
}

struct bytes http_request_path(const struct http_request *request) {
    return request->raw_path;
}

/* The decoded segments from `first` on, joined again. */
static const char *join_rest(struct http_request *request, size_t first) {
    buffer_clear(&request->rest);
    for (size_t i = first; i < request->path.count; i++) {
        if (i > first) buffer_append_text(&request->rest, "/");
        buffer_append_text(&request->rest, http_path_segment(&request->path, i));
    }
    return buffer_text(&request->rest);
}

const char *http_request_path_value(struct http_request *request, const char *name) {
    bool takes_rest;
    int index = http_pattern_index(request->match.route->pattern, name, &takes_rest);
    ASSERT(index >= 0);
    if (takes_rest) return join_rest(request, (size_t)index);
    return http_path_segment(&request->path, (size_t)index);
}

const char *http_request_parameter(const struct http_request *request, const char *name) {
    const char *text = buffer_text(&request->query_text);
    for (size_t i = 0; i < request->parameter_count; i++)
        if (strcmp(text + request->parameters[i].name_start, name) == 0)
            return text + request->parameters[i].value_start;
    return NULL;
}

struct bytes http_request_header(const struct http_request *request, const char *name) {
    return http_fields_find(request->head->fields, request->head->field_count, name);
}

struct bytes http_request_body(const struct http_request *request) {
    return http_parser_body(request->connection->parser);
}

const struct address *http_request_peer(const struct http_request *request) {
    return &request->connection->peer;
}

bool http_request_is_local(const struct http_request *request) {
    return request->connection->is_local;
}

const uint8_t *http_request_peer_fingerprint(const struct http_request *request) {
    return stream_peer_fingerprint(request->connection->stream);
}

bool http_request_is_from_page(const struct http_request *request) {
    return http_guard_is_from_page(request->head);
}

struct bytes http_request_bearer_token(const struct http_request *request) {
    static const char scheme[] = "bearer ";
    struct bytes value = http_request_header(request, "authorization");
    const size_t length = sizeof scheme - 1;
    if (value.length <= length || !http_names_equal(bytes_of(value.data, length), scheme))
        return bytes_of(NULL, 0);
    return bytes_trim(bytes_of(value.data + length, value.length - length));
}

void http_request_defer(struct http_request *request, void (*on_gone)(void *context),
                        void *context) {
    ASSERT(on_gone && request->connection->state == HTTP_CONNECTION_ANSWERING);
    request->is_deferred = true;
    request->on_gone = on_gone;
    request->gone_context = context;
}
