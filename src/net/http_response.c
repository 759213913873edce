#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "base/text.h"
#include "codec/json_writer.h"
#include "net/http_connection.h"
#include "net/http_request.h"
#include "net/http_server_private.h"

/* A problem document: fixed names, a title, and a detail of at most DETAIL_BYTES with escapes. */
#define PROBLEM_BYTES_MAX 8192
#define DETAIL_BYTES      1024

#define POLICY_FOR_DATA "default-src 'none'; frame-ancestors 'none'"
#define NOT_STORED      "no-store"
static const char policy_for_pages[] =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'";

struct reason {
    int status;
    const char *phrase;
};

/* RFC 9110, 15; 429 and 431 from RFC 6585. (101 is written by http_upgrade.c.) */
static const struct reason reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

/* The phrase is for people and may be empty (RFC 9112, 4). */
static const char *reason_of(int status) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status) return reasons[i].phrase;
    return "";
}

/* ---- fields ---- */

static char *copy_field_value(const char *value) {
    char *copy = memory_copy_text(value);
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
    return copy;
}

void http_response_header(struct http_request *request, const char *name, const char *value) {
    char *clean = copy_field_value(value);
    if (http_names_equal(bytes_of_text(name), "cache-control")) {
        free(request->cache_control);
        request->cache_control = clean;
        return;
    }
    if (http_names_equal(bytes_of_text(name), "content-security-policy")) {
        free(request->security_policy_text);
        request->security_policy_text = clean;
        request->security_policy = clean;
        return;
    }
    buffer_append_format(&request->extra_fields, "%s: %s\r\n", name, clean);
    free(clean);
}

void http_response_allow_page(struct http_request *request) {
    request->security_policy = policy_for_pages;
}

/* What nearly every answer has, in one piece. */
static const char usual_fields[] = "Cache-Control: " NOT_STORED "\r\n"
                                   "Content-Security-Policy: " POLICY_FOR_DATA "\r\n";
static const char fixed_fields[] = "X-Content-Type-Options: nosniff\r\n"
                                   "Referrer-Policy: no-referrer\r\n"
                                   "Cross-Origin-Resource-Policy: same-origin\r\n";

/* Inline: names have constant lengths. */
static inline void append_field(struct buffer *out, const char *name, const char *value) {
    buffer_append_text(out, name);
    buffer_append(out, ": ", 2);
    buffer_append_text(out, value);
    buffer_append(out, "\r\n", 2);
}

static void append_number_field(struct buffer *out, const char *name, int64_t number) {
    char text[TEXT_INTEGER_BYTES];
    text_write_integer(number, text);
    append_field(out, name, text);
}

static void append_status_line(struct buffer *out, int status) {
    static const char version[] = "HTTP/1.1 ";
    char text[TEXT_INTEGER_BYTES];
    buffer_append(out, version, sizeof version - 1);
    buffer_append(out, text, text_write_integer(status, text));
    buffer_append(out, " ", 1);
    buffer_append_text(out, reason_of(status));
    buffer_append(out, "\r\n", 2);
}

static void append_policies(struct buffer *out, const struct http_request *request) {
    const char *policy = request->security_policy;
    const char *cache_control = request->cache_control;
    if (!policy && !cache_control) {
        buffer_append(out, usual_fields, sizeof usual_fields - 1);
        return;
    }
    append_field(out, "Cache-Control", cache_control ? cache_control : NOT_STORED);
    append_field(out, "Content-Security-Policy", policy ? policy : POLICY_FOR_DATA);
}

static const char *connection_field(const struct http_connection *connection) {
    if (connection->must_close || connection->server->is_closing) return "close";
    return http_parser_head(connection->parser)->minor_version == 0 ? "keep-alive" : NULL;
}

/* Status line and fields, in the server's buffer. */
static struct buffer *make_head(const struct http_request *request, int status,
                                const char *content_type, int64_t content_length) {
    struct http_connection *connection = request->connection;
    ASSERT(connection); /* else it was answered before */
    struct buffer *head = &connection->server->head;
    const char *connection_value = connection_field(connection);
    buffer_clear(head);
    append_status_line(head, status);
    append_field(head, "Date", http_server_date(connection->server));
    if (content_type) append_field(head, "Content-Type", content_type);
    if (content_length >= 0) append_number_field(head, "Content-Length", content_length);
    append_policies(head, request);
    buffer_append(head, fixed_fields, sizeof fixed_fields - 1);
    buffer_append(head, request->extra_fields.data, request->extra_fields.length);
    if (connection_value) append_field(head, "Connection", connection_value);
    buffer_append(head, "\r\n", 2);
    ASSERT(!head->failed);
    return head;
}

void http_response_write_head(struct http_request *request, int status, const char *content_type,
                              int64_t content_length) {
    const struct buffer *head = make_head(request, status, content_type, content_length);
    stream_write(request->connection->stream, head->data, head->length);
}

/* ---- answers ---- */

void http_respond(struct http_request *request, int status, const char *content_type,
                  struct bytes body) {
    struct http_connection *connection = request->connection;
    bool has_no_body = status == 204 || status == 304;
    struct buffer *head =
        make_head(request, status, content_type, has_no_body ? -1 : (int64_t)body.length);
    if (has_no_body || strcmp(request->method, "HEAD") == 0) body.length = 0;
    /* A small body goes with its head in one piece. */
    bool is_small = body.length <= head->limit - head->length;
    if (is_small) buffer_append(head, body.data, body.length);
    stream_write(connection->stream, head->data, head->length);
    if (!is_small) stream_write(connection->stream, body.data, body.length);
    http_connection_answered(connection);
}

static void write_problem(struct buffer *out, int status, const char *code, const char *title,
                          const char *detail) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "title", title);
    json_writer_member_integer(&json, "status", status);
    json_writer_member_text(&json, "code", code);
    if (detail) json_writer_member_text(&json, "detail", detail);
    json_writer_end_object(&json);
    ASSERT(json_writer_finish(&json, "a problem document", NULL));
}

void http_respond_problem(struct http_request *request, int status, const char *code,
                          const char *title, const char *detail, ...) {
    char text[DETAIL_BYTES];
    if (detail) {
        va_list arguments;
        va_start(arguments, detail);
        vsnprintf(text, sizeof text, detail, arguments);
        va_end(arguments);
    }
    struct buffer body;
    buffer_init(&body, PROBLEM_BYTES_MAX);
    write_problem(&body, status, code, title, detail ? text : NULL);
    http_respond(request, status, "application/problem+json", buffer_bytes(&body));
    buffer_free(&body);
}

/* True when If-None-Match names the tag, alone, in a list, as a weak one, or as "*". */
static bool client_has(const struct http_request *request, const char *etag) {
    struct bytes value = http_request_header(request, "if-none-match");
    if (value.length == 0) return false;
    if (bytes_equal_text(value, "*")) return true;
    return memmem(value.data, value.length, etag, strlen(etag)) != NULL;
}

void http_respond_asset(struct http_request *request, const char *content_type, const char *etag,
                        struct bytes body) {
    http_response_header(request, "ETag", etag);
    http_response_header(request, "Cache-Control", "no-cache");
    if (strncmp(content_type, "text/html", strlen("text/html")) == 0)
        http_response_allow_page(request);
    if (client_has(request, etag))
        http_respond(request, 304, NULL, bytes_of(NULL, 0));
    else
        http_respond(request, 200, content_type, body);
}

/* There is no request that a handler could have seen, only a connection. */
void http_response_refuse(struct http_connection *connection, const struct http_failure *failure) {
    struct http_request *request = &connection->request;
    connection->server->counters.requests++;
    connection->server->counters.refused_requests++;
    connection->must_close = true;
    connection->state = HTTP_CONNECTION_ANSWERING;
    http_request_clear(request);
    request->connection = connection;
    http_respond_problem(request, failure->status, failure->code, reason_of(failure->status), "%s",
                         failure->detail);
}
