/*
 * Collects the head of an HTTP message (start line and fields, up to the empty line) in one piece,
 * and refuses bytes that no head may hold before any parser sees them: NUL and other control
 * characters, LF without CR, CR without LF, folded lines.
 */
#ifndef LSYS_NET_HTTP_HEAD_READER_H
#define LSYS_NET_HTTP_HEAD_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"

enum http_head_verdict {
    HTTP_HEAD_WANTS_MORE,
    HTTP_HEAD_COMPLETE,
    HTTP_HEAD_BAD_BYTE,            /* see http_head_reader.reason */
    HTTP_HEAD_START_LINE_TOO_LONG, /* the limit was reached within the first line */
    HTTP_HEAD_TOO_LARGE,
};

struct http_head_reader {
    struct buffer raw;  /* from the start line to the empty line */
    size_t lines;       /* complete ones */
    uint8_t previous;   /* the byte before the next one */
    uint8_t skipped;    /* bytes of the one empty line allowed before the start line */
    const char *reason; /* of HTTP_HEAD_BAD_BYTE, for people */
};

/* Prepares for a head of at most `limit_bytes`. */
void http_head_reader_init(struct http_head_reader *reader, size_t limit_bytes);

/* Frees what was collected. */
void http_head_reader_free(struct http_head_reader *reader);

/* Forgets the last head and is ready for another. */
void http_head_reader_restart(struct http_head_reader *reader);

/* Takes bytes up to the end of the head; `*consumed` says how many. */
enum http_head_verdict http_head_reader_feed(struct http_head_reader *reader, struct bytes bytes,
                                             size_t *consumed);

#endif
