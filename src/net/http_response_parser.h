/*
 * HTTP/1.1 responses from bytes, without I/O: for the client, whose peer may be anybody. Interim
 * responses (1xx) are skipped; a change of protocol (101) is refused unless it was asked for.
 */
#ifndef LSYS_NET_HTTP_RESPONSE_PARSER_H
#define LSYS_NET_HTTP_RESPONSE_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/http_client.h"

struct http_response_parser;

/* Who gets the parts. A callback may set what makes the caller stop feeding; it may not free. */
struct http_response_sink {
    /* Status and fields (valid as long as the parser); before any body. */
    void (*on_head)(void *context, const struct http_response *response);

    /* A piece of the body, without chunk framing. False ends the parsing: feed then returns
     * false. */
    bool (*on_body)(void *context, struct bytes piece);
};

/* Makes a parser. `answers_head`: the request was HEAD, so no body follows whatever the fields
 * say. */
struct http_response_parser *http_response_parser_create(bool answers_head,
                                                         const struct http_response_sink *sink,
                                                         void *context);

/* Frees it, not from within a callback; NULL is accepted. */
void http_response_parser_free(struct http_response_parser *parser);

/* From now on 101 is a response like others, and the last one: what follows is another protocol. */
void http_response_parser_allow_switch(struct http_response_parser *parser);

/* Takes all bytes. False with STATUS_PROTOCOL or STATUS_TOO_LARGE (head), or, without a status,
 * when on_body returned false. Bytes behind the response are ignored. */
bool http_response_parser_feed(struct http_response_parser *parser, struct bytes bytes,
                               struct status *status) MUST_CHECK;

/* The peer closed: false with STATUS_PROTOCOL when the response is cut short. */
bool http_response_parser_end(struct http_response_parser *parser,
                              struct status *status) MUST_CHECK;

/* What the last feed held behind a response that is complete; valid as long as that input. */
struct bytes http_response_parser_rest(const struct http_response_parser *parser);

/* True when the response is complete. */
bool http_response_parser_is_done(const struct http_response_parser *parser);

/* Status and fields; valid from on_head on, before that the status is 0. */
const struct http_response *
http_response_parser_response(const struct http_response_parser *parser);

#endif
