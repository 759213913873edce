/*
 * Where the stream calls its framing: for stream.c, stream_output.c and stream_tls.c only.
 */
#ifndef LSYS_NET_STREAM_FRAMING_PRIVATE_H
#define LSYS_NET_STREAM_FRAMING_PRIVATE_H

#include "net/chunk_queue.h"
#include "net/stream.h"

struct stream_frames;

/* What the owner wrote and is in no frame yet. Its chunks have room for a header in front. */
struct chunk_queue *stream_frames_open(struct stream_frames *frames);

/* How much that is. */
size_t stream_frames_bytes(const struct stream_frames *frames);

/* Makes frames of it if all earlier ones have gone on their way: until then it gathers, so that a
 * slow peer does not cost a chunk for every small message. */
void stream_frames_advance(struct stream *stream);

/* Makes frames of everything, and says farewell. Idempotent. */
void stream_frames_end(struct stream *stream);

/* Frees it. NULL is accepted. */
void stream_frames_free(struct stream_frames *frames, struct loop *loop);

#endif
