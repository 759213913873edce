#include "net/http_parser.h"

#include <stdlib.h>
#include <string.h>

#include <llhttp.h>

#include "base/assertion.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "net/address.h"
#include "net/http_head_check.h"
#include "net/http_head_reader.h"

/* A body buffer up to this size is kept for the next request of the connection. */
#define KEPT_BODY_BYTES 4096

struct http_parser {
    llhttp_t llhttp;
    enum http_parser_state state;
    struct http_head_reader reader;
    struct http_field fields[HTTP_HEADER_COUNT_MAX];
    size_t field_count;
    bool field_is_open;    /* its name was seen, its value may follow */
    bool head_is_complete; /* for llhttp: what comes now is the body */
    bool message_is_complete;
    struct http_head head;
    struct buffer host; /* of the last request, which was found fine; a client seldom changes it */
    struct buffer body;
    struct http_failure failure;
};

static void fail(struct http_parser *parser, int status, const char *code, const char *detail) {
    parser->state = HTTP_PARSER_FAILED;
    if (parser->failure.status) return; /* the first reason is the one */
    parser->failure = (struct http_failure){.status = status, .code = code, .detail = detail};
}

/* ---- llhttp's callbacks ---- */

static int on_url(llhttp_t *llhttp, const char *at, size_t length) {
    struct http_parser *parser = llhttp->data;
    parser->head.target = bytes_of(at, length);
    return 0;
}

static int on_field_name(llhttp_t *llhttp, const char *at, size_t length) {
    struct http_parser *parser = llhttp->data;
    if (parser->head_is_complete) {
        fail(parser, 400, "bad_request", "fields after the chunks are not accepted");
        return HPE_USER;
    }
    if (parser->field_count == HTTP_HEADER_COUNT_MAX) {
        fail(parser, 431, "too_many_fields", "the request has too many header fields");
        return HPE_USER;
    }
    parser->fields[parser->field_count].name = bytes_of(at, length);
    parser->fields[parser->field_count].value = bytes_of(at + length, 0);
    parser->field_count++;
    parser->field_is_open = true;
    return 0;
}

/* The head is parsed in one piece, so a value comes in one piece too: a second one would be a
 * folded line that slipped through. */
static int on_field_value(llhttp_t *llhttp, const char *at, size_t length) {
    struct http_parser *parser = llhttp->data;
    if (length == 0) return 0;
    if (!parser->field_is_open) return HPE_USER;
    parser->fields[parser->field_count - 1].value = bytes_trim(bytes_of(at, length));
    parser->field_is_open = false;
    return 0;
}

static int on_head_complete(llhttp_t *llhttp) {
    struct http_parser *parser = llhttp->data;
    parser->head_is_complete = true;
    /* Nothing here changes protocols; without this the bytes after the head would not be a body. */
    llhttp->upgrade = 0;
    return 0;
}

static int on_chunk_extension(llhttp_t *llhttp, const char *at, size_t length) {
    (void)at;
    (void)length;
    fail(llhttp->data, 400, "bad_request", "chunk extensions are not accepted");
    return HPE_USER;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t length) {
    struct http_parser *parser = llhttp->data;
    if (buffer_append(&parser->body, at, length)) return 0;
    fail(parser, 413, "body_too_large", "the request body is too large");
    return HPE_USER;
}

static int on_message_complete(llhttp_t *llhttp) {
    struct http_parser *parser = llhttp->data;
    parser->message_is_complete = true;
    return HPE_PAUSED; /* what follows is another request */
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field_name,
    .on_header_value = on_field_value,
    .on_headers_complete = on_head_complete,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- life ---- */

static void expect_request(struct http_parser *parser) {
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
    parser->llhttp.data = parser;
    parser->state = HTTP_PARSER_HEAD;
    parser->field_count = 0;
    parser->field_is_open = false;
    parser->head_is_complete = false;
    parser->message_is_complete = false;
    parser->head = (struct http_head){.fields = parser->fields};
}

struct http_parser *http_parser_create(void) {
    struct http_parser *parser = memory_new(sizeof *parser);
    http_head_reader_init(&parser->reader, HTTP_HEAD_BYTES_MAX);
    buffer_init(&parser->host, ADDRESS_TEXT_BYTES);
    buffer_init(&parser->body, 0);
    expect_request(parser);
    return parser;
}

void http_parser_free(struct http_parser *parser) {
    if (!parser) return;
    http_head_reader_free(&parser->reader);
    buffer_free(&parser->host);
    buffer_wipe(&parser->body);
    free(parser);
}

void http_parser_next(struct http_parser *parser) {
    ASSERT(parser->state == HTTP_PARSER_DONE);
    http_head_reader_restart(&parser->reader);
    if (parser->body.capacity > KEPT_BODY_BYTES)
        buffer_wipe(&parser->body);
    else
        buffer_clear(&parser->body);
    expect_request(parser);
}

/* ---- head ---- */

static struct bytes start_line(const struct http_parser *parser) {
    struct bytes raw = buffer_bytes(&parser->reader.raw);
    const uint8_t *end = memchr(raw.data, '\r', raw.length);
    return bytes_of(raw.data, (size_t)(end - raw.data));
}

static void refuse_head(struct http_parser *parser) {
    fail(parser, 400, "bad_request", "the request is not valid HTTP");
}

/* One that does not fit is read anew each time. */
static void remember_host(struct http_parser *parser) {
    if (parser->head.host_is_unchanged) return;
    buffer_clear(&parser->host);
    buffer_append(&parser->host, parser->head.host.data, parser->head.host.length);
}

/* The whole head is there: grammar, then meaning. */
static void parse_head(struct http_parser *parser) {
    struct http_failure failure;
    struct bytes line = start_line(parser);
    if (!http_check_start_line(line, &failure)) {
        fail(parser, failure.status, failure.code, failure.detail);
        return;
    }
    struct bytes raw = buffer_bytes(&parser->reader.raw);
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, (const char *)raw.data, raw.length);
    bool is_fine = parser->head_is_complete && (error == HPE_OK || error == HPE_PAUSED);
    struct http_head *head = &parser->head;
    if (!is_fine || head->target.data == NULL) {
        refuse_head(parser);
        return;
    }
    head->method = bytes_of(
        line.data, (size_t)((const uint8_t *)memchr(line.data, ' ', line.length) - line.data));
    head->minor_version = parser->llhttp.http_minor;
    head->field_count = parser->field_count;
    /* Asked of llhttp now: after a body it no longer tells. */
    head->keep_alive = llhttp_should_keep_alive(&parser->llhttp);
    if (!http_check_head(head, buffer_bytes(&parser->host), &failure)) {
        fail(parser, failure.status, failure.code, failure.detail);
        return;
    }
    remember_host(parser);
    /* Both must agree on where the request ends. */
    if (head->has_body == parser->message_is_complete) {
        refuse_head(parser);
        return;
    }
    parser->state = HTTP_PARSER_READY;
}

static size_t feed_head(struct http_parser *parser, struct bytes bytes) {
    size_t consumed;
    switch (http_head_reader_feed(&parser->reader, bytes, &consumed)) {
    case HTTP_HEAD_WANTS_MORE: break;
    case HTTP_HEAD_COMPLETE: parse_head(parser); break;
    case HTTP_HEAD_BAD_BYTE: fail(parser, 400, "bad_request", parser->reader.reason); break;
    case HTTP_HEAD_START_LINE_TOO_LONG:
        fail(parser, 414, "target_too_long", "the request line is too long");
        break;
    case HTTP_HEAD_TOO_LARGE:
        fail(parser, 431, "head_too_large", "the header fields are too large");
        break;
    }
    return consumed;
}

bool http_parser_is_inside_head(const struct http_parser *parser) {
    return parser->state == HTTP_PARSER_HEAD &&
           (parser->reader.raw.length > 0 || parser->reader.skipped > 0);
}

/* ---- body ---- */

void http_parser_accept_body(struct http_parser *parser, size_t limit_bytes) {
    ASSERT(parser->state == HTTP_PARSER_READY);
    if (parser->head.content_length_bytes > limit_bytes) {
        fail(parser, 413, "body_too_large", "the request body is too large");
        return;
    }
    parser->body.limit = limit_bytes;
    parser->state = parser->message_is_complete ? HTTP_PARSER_DONE : HTTP_PARSER_BODY;
}

static size_t feed_body(struct http_parser *parser, struct bytes bytes) {
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, (const char *)bytes.data, bytes.length);
    if (error == HPE_OK) return bytes.length;
    if (error == HPE_PAUSED && parser->message_is_complete) {
        parser->state = HTTP_PARSER_DONE;
        const char *end = llhttp_get_error_pos(&parser->llhttp);
        return (size_t)((const uint8_t *)end - bytes.data);
    }
    fail(parser, 400, "bad_request", "the chunks of the request body are malformed");
    return 0;
}

size_t http_parser_feed(struct http_parser *parser, struct bytes bytes) {
    if (bytes.length == 0) return 0;
    if (parser->state == HTTP_PARSER_HEAD) return feed_head(parser, bytes);
    if (parser->state == HTTP_PARSER_BODY) return feed_body(parser, bytes);
    return 0;
}

/* ---- results ---- */

enum http_parser_state http_parser_state(const struct http_parser *parser) {
    return parser->state;
}

const struct http_head *http_parser_head(const struct http_parser *parser) {
    return &parser->head;
}

struct bytes http_parser_body(const struct http_parser *parser) {
    return buffer_bytes(&parser->body);
}

const struct http_failure *http_parser_failure(const struct http_parser *parser) {
    return &parser->failure;
}

struct bytes http_fields_find(const struct http_field *fields, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (http_names_equal(fields[i].name, name)) return fields[i].value;
    return bytes_of(NULL, 0);
}

static bool is_clean(struct bytes text) {
    for (size_t i = 0; i < text.length; i++)
        if ((text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f) return false;
    return true;
}

bool http_fields_append(const struct http_field *fields, size_t count, struct buffer *out) {
    for (size_t i = 0; i < count; i++) {
        if (!http_is_token(fields[i].name) || !is_clean(fields[i].value)) return false;
        buffer_append(out, fields[i].name.data, fields[i].name.length);
        buffer_append_text(out, ": ");
        buffer_append(out, fields[i].value.data, fields[i].value.length);
        buffer_append_text(out, "\r\n");
    }
    return true;
}
