/*
 * The NATS client protocol as bytes: takes what was read, in whatever pieces it came, and gives one
 * frame after the other. Sans-I/O. A frame that lies whole within one read is not copied: its parts
 * point into the input. Only a frame that a read cuts in two is put together in memory of its own,
 * which is given back with the frame.
 *
 * Framing as nats-server has it (server/parser.go): the operation in any case, arguments separated
 * by runs of SP and TAB, the line ended by LF or CRLF, a payload always by CRLF.
 */
#ifndef LSYS_BROKER_PARSER_H
#define LSYS_BROKER_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum operation {
    OPERATION_CONNECT,
    OPERATION_PUB, /* also HPUB */
    OPERATION_SUB,
    OPERATION_UNSUB,
    OPERATION_PING,
    OPERATION_PONG,
    OPERATION_INFO, /* clients may send it; it means nothing */
    OPERATION_OK,
    OPERATION_ERR,
};

/* One operation. The ranges point into the input or into the parser, and are valid until the next
 * call of parser_next and while the input is. */
struct frame {
    enum operation operation;
    bool has_headers;       /* PUB: it was HPUB */
    size_t header_length;   /* PUB: bytes of the payload that are headers */
    struct bytes subject;   /* PUB, SUB */
    struct bytes reply;     /* PUB: empty when there is none */
    struct bytes queue;     /* SUB: empty when there is none */
    struct bytes sid;       /* SUB, UNSUB */
    int64_t maximum;        /* UNSUB: after so many messages; 0 or less: now */
    struct bytes payload;   /* PUB: headers and body; in memory a CRLF follows */
    struct bytes arguments; /* the line after the operation, without blanks at its ends */
};

enum parser_result {
    PARSER_FRAME,
    PARSER_NEED_MORE,         /* the input is used up */
    PARSER_UNKNOWN_OPERATION, /* no such operation, or no CRLF after a payload */
    PARSER_LINE_TOO_LONG,
    PARSER_PAYLOAD_TOO_LARGE,
    PARSER_NOT_CONNECT,   /* `connect_only` and something else came */
    PARSER_BAD_ARGUMENTS, /* number or form of the arguments */
    PARSER_NO_MEMORY
};

/* Zero-initialise, then set the limits. */
struct parser {
    size_t max_line_bytes;    /* arguments of an operation */
    size_t max_payload_bytes; /* headers included */
    bool connect_only;        /* nothing but CONNECT is accepted (not authenticated yet) */

    uint8_t *held; /* the beginning of a frame that is not complete yet */
    size_t held_length;
    size_t held_capacity;
    size_t wanted; /* length of the held frame, once its line is complete; else 0 */
    bool given;    /* the held frame was returned: free it at the next call */
};

/* Takes the next frame off the front of `*input`. On PARSER_NEED_MORE the input was taken whole.
 * After any other result than these two the stream makes no sense any more and the parser is not
 * called again. */
enum parser_result parser_next(struct parser *parser, struct bytes *input, struct frame *frame);

/* Frees what is held. */
void parser_free(struct parser *parser);

#endif
