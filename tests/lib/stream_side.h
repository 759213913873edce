/*
 * One side of a connection: keeps what it received and counts what happened to it.
 */
#ifndef LSYS_TESTS_LIB_STREAM_SIDE_H
#define LSYS_TESTS_LIB_STREAM_SIDE_H

#include "base/buffer.h"
#include "net/stream.h"

/* Zero-initialise, then stream_side_init. */
struct stream_side {
    struct stream *stream; /* NULL once closed */
    struct buffer received;
    int reads;
    int ended;
    int drained;
    int closed;
    struct status why; /* of the close */

    bool echoes; /* writes back what it reads */
    bool pauses; /* after each read */
    bool closes_at_end;
};

/* Reads, ends, drains and closes are noted in the context, a struct stream_side. */
extern const struct stream_handlers stream_side_handlers;

/* Makes room for what is received. */
void stream_side_init(struct stream_side *side);

#endif
