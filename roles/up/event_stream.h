/*
 * Reading server-sent events (WHATWG HTML, section 9.2.6) from the pieces in which they arrive.
 * Sans-I/O. Of the fields only `event` and `data` are of use here; `id` and `retry` are passed
 * over.
 */
#ifndef LSYS_ROLES_UP_EVENT_STREAM_H
#define LSYS_ROLES_UP_EVENT_STREAM_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"

/* Longest line and longest data of one event: a license with all its features is far below. */
#define EVENT_STREAM_BYTES_MAX 262144

/* Longest name of an event that is told apart from "message"; longer ones are cut. */
#define EVENT_STREAM_NAME_BYTES 32

/* One whole event. `data` is valid during the call. */
typedef void event_stream_callback(void *context, const char *name, struct bytes data);

struct event_stream {
    struct buffer line; /* the unfinished one */
    struct buffer data; /* of the unfinished event */
    char name[EVENT_STREAM_NAME_BYTES];
    bool has_data;
    bool after_cr; /* the LF of a CR LF is still to come */
    event_stream_callback *callback;
    void *context;
};

/* Begins a stream; nothing is allocated yet. */
void event_stream_init(struct event_stream *stream, event_stream_callback *callback, void *context);

/* Takes the next piece, calling back for each event that it completes. False when a line or an
 * event is longer than EVENT_STREAM_BYTES_MAX: the stream is of no further use. */
bool event_stream_feed(struct event_stream *stream, struct bytes piece) MUST_CHECK;

/* Forgets everything and frees the memory; ready for a new stream. */
void event_stream_reset(struct event_stream *stream);

#endif
