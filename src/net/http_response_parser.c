#include "net/http_response_parser.h"

#include <stdlib.h>

#include <llhttp.h>

#include "base/memory.h"
#include "net/http_head_reader.h"

struct http_response_parser {
    llhttp_t llhttp;
    const struct http_response_sink *sink;
    void *context;
    bool answers_head;
    bool allows_switch;
    struct http_head_reader reader;
    struct http_field fields[HTTP_HEADER_COUNT_MAX];
    size_t field_count;
    bool head_is_parsed;
    bool is_done;
    bool is_stopped; /* by on_body */
    struct bytes rest;
    struct http_response response;
};

/* ---- llhttp's callbacks ---- */

static int on_field_name(llhttp_t *llhttp, const char *at, size_t length) {
    struct http_response_parser *parser = llhttp->data;
    if (parser->head_is_parsed) return 0; /* fields after the chunks: nothing of ours uses them */
    if (parser->field_count == HTTP_HEADER_COUNT_MAX) return HPE_USER;
    parser->fields[parser->field_count++] =
        (struct http_field){.name = bytes_of(at, length), .value = bytes_of(at + length, 0)};
    return 0;
}

static int on_field_value(llhttp_t *llhttp, const char *at, size_t length) {
    struct http_response_parser *parser = llhttp->data;
    if (!parser->head_is_parsed && length > 0)
        parser->fields[parser->field_count - 1].value = bytes_trim(bytes_of(at, length));
    return 0;
}

static int on_head_complete(llhttp_t *llhttp) {
    struct http_response_parser *parser = llhttp->data;
    parser->head_is_parsed = true;
    llhttp->upgrade = 0;
    return parser->answers_head ? 1 : 0; /* 1: there is no body */
}

static int on_body(llhttp_t *llhttp, const char *at, size_t length) {
    struct http_response_parser *parser = llhttp->data;
    if (parser->sink->on_body(parser->context, bytes_of(at, length))) return 0;
    parser->is_stopped = true;
    return HPE_USER;
}

static int on_message_complete(llhttp_t *llhttp) {
    struct http_response_parser *parser = llhttp->data;
    parser->is_done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_field_name,
    .on_header_value = on_field_value,
    .on_headers_complete = on_head_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- life ---- */

static void expect_head(struct http_response_parser *parser) {
    llhttp_init(&parser->llhttp, HTTP_RESPONSE, &settings);
    parser->llhttp.data = parser;
    parser->field_count = 0;
    parser->head_is_parsed = false;
    parser->is_done = false;
    http_head_reader_restart(&parser->reader);
}

struct http_response_parser *http_response_parser_create(bool answers_head,
                                                         const struct http_response_sink *sink,
                                                         void *context) {
    struct http_response_parser *parser = memory_new(sizeof *parser);
    parser->sink = sink;
    parser->context = context;
    parser->answers_head = answers_head;
    http_head_reader_init(&parser->reader, HTTP_RESPONSE_HEAD_BYTES_MAX);
    expect_head(parser);
    return parser;
}

void http_response_parser_allow_switch(struct http_response_parser *parser) {
    parser->allows_switch = true;
}

void http_response_parser_free(struct http_response_parser *parser) {
    if (!parser) return;
    http_head_reader_free(&parser->reader);
    free(parser);
}

/* ---- parsing ---- */

static bool fail(struct status *status, const char *why) {
    return status_fail(status, STATUS_PROTOCOL, "the server's answer is not valid HTTP: %s", why);
}

static bool parse_head(struct http_response_parser *parser, struct status *status) {
    struct bytes raw = buffer_bytes(&parser->reader.raw);
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, (const char *)raw.data, raw.length);
    if (!parser->head_is_parsed || (error != HPE_OK && error != HPE_PAUSED))
        return fail(status, llhttp_errno_name(error));
    int code = parser->llhttp.status_code;
    bool is_switch = code == 101 && parser->allows_switch;
    if ((code == 101 && !is_switch) || code < 100 || code > 599)
        return fail(status, "an unexpected status");
    if (code < 200 && !is_switch) {
        expect_head(parser);
        return true;
    }
    parser->response = (struct http_response){
        .status = code, .fields = parser->fields, .field_count = parser->field_count};
    if (is_switch) parser->is_done = true;
    parser->sink->on_head(parser->context, &parser->response);
    return true;
}

static bool feed_head(struct http_response_parser *parser, struct bytes bytes, size_t *consumed,
                      struct status *status) {
    switch (http_head_reader_feed(&parser->reader, bytes, consumed)) {
    case HTTP_HEAD_WANTS_MORE: return true;
    case HTTP_HEAD_COMPLETE: return parse_head(parser, status);
    case HTTP_HEAD_BAD_BYTE: return fail(status, parser->reader.reason);
    default:
        return status_fail(status, STATUS_TOO_LARGE,
                           "the head of the server's answer is larger "
                           "than 16 KiB");
    }
}

static bool feed_body(struct http_response_parser *parser, struct bytes bytes,
                      struct status *status) {
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, (const char *)bytes.data, bytes.length);
    if (parser->is_stopped) return false;
    if (error == HPE_OK || parser->is_done) return true;
    return fail(status, llhttp_errno_name(error));
}

bool http_response_parser_feed(struct http_response_parser *parser, struct bytes bytes,
                               struct status *status) {
    while (bytes.length > 0 && !parser->is_done) {
        if (parser->head_is_parsed) return feed_body(parser, bytes, status);
        size_t consumed;
        if (!feed_head(parser, bytes, &consumed, status)) return false;
        bytes = bytes_of(bytes.data + consumed, bytes.length - consumed);
    }
    parser->rest = bytes;
    return true;
}

struct bytes http_response_parser_rest(const struct http_response_parser *parser) {
    return parser->rest;
}

bool http_response_parser_end(struct http_response_parser *parser, struct status *status) {
    if (parser->is_done) return true;
    /* A body without a length ends where the connection does. */
    if (parser->head_is_parsed) llhttp_finish(&parser->llhttp);
    return parser->is_done ||
           status_fail(status, STATUS_PROTOCOL, "the server's answer was cut short");
}

bool http_response_parser_is_done(const struct http_response_parser *parser) {
    return parser->is_done;
}

const struct http_response *
http_response_parser_response(const struct http_response_parser *parser) {
    return &parser->response;
}
