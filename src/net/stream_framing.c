#include "net/stream_framing.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "net/stream_framing_private.h"
#include "net/stream_private.h"
#include "net/stream_tls_private.h"

struct stream_frames {
    const struct stream_framing *framing;
    struct chunk_queue open; /* what is written, with room for headers, until it is to be sent */
    bool has_ended;          /* the last bytes are written */
};

/* Where frames go: to be encrypted, or to the kernel. */
static struct chunk_queue *next_queue(struct stream *stream) {
    return stream->tls ? stream_tls_plain(stream->tls) : &stream->output;
}

struct chunk_queue *stream_frames_open(struct stream_frames *frames) {
    return &frames->open;
}

size_t stream_frames_bytes(const struct stream_frames *frames) {
    return frames->open.bytes;
}

void stream_use_framing(struct stream *stream, const struct stream_framing *framing) {
    ASSERT(!stream->frames && framing->farewell.length > 0);
    stream->frames = memory_new(sizeof *stream->frames);
    stream->frames->framing = framing;
}

bool stream_is_framed(const struct stream *stream) {
    return stream->frames != NULL;
}

void stream_frames_free(struct stream_frames *frames, struct loop *loop) {
    if (!frames) return;
    chunk_queue_clear(&frames->open, loop);
    free(frames);
}

/* Makes a frame of the chunk. Returns the length of its header. */
static size_t close_frame(const struct stream_frames *frames, struct loop_chunk *chunk) {
    uint8_t header[STREAM_FRAME_HEADER_BYTES_MAX];
    size_t length = frames->framing->write_header(header, chunk->end - chunk->start);
    chunk->start -= (uint32_t)length;
    memcpy(chunk->data + chunk->start, header, length);
    return length;
}

/* Makes frames of all that was written, and has them sent. */
static void close_frames(struct stream *stream) {
    struct stream_frames *frames = stream->frames;
    struct chunk_queue *next = next_queue(stream);
    if (frames->open.bytes == 0) return;
    for (struct loop_chunk *chunk = frames->open.first; chunk; chunk = chunk->next)
        frames->open.bytes += close_frame(frames, chunk);
    chunk_queue_move(&frames->open, next);
}

/* Behind the frames, where a chunk may have room left. */
static void append(struct stream *stream, const void *bytes, size_t length) {
    ASSERT(length <= LOOP_CHUNK_BYTES);
    struct chunk_queue *next = next_queue(stream);
    uint8_t *room = stream_queue_room(stream, next, length);
    if (!room) return;
    memcpy(room, bytes, length);
    chunk_queue_commit(next, length);
    stream_flush_later(stream);
}

void stream_write_frame(struct stream *stream, const void *bytes, size_t length_bytes) {
    if (stream->is_closing || stream->frames->has_ended) return;
    close_frames(stream);
    append(stream, bytes, length_bytes);
}

void stream_end_framing(struct stream *stream, struct bytes last) {
    stream_write_frame(stream, last.data, last.length);
    stream->frames->has_ended = true;
}

void stream_frames_end(struct stream *stream) {
    if (!stream->frames->has_ended) stream_end_framing(stream, stream->frames->framing->farewell);
}

void stream_frames_advance(struct stream *stream) {
    struct stream_frames *frames = stream->frames;
    if (frames->has_ended) chunk_queue_clear(&frames->open, stream_loop(stream));
    if (next_queue(stream)->bytes > 0) return;
    if (stream->wants_shutdown)
        stream_frames_end(stream);
    else
        close_frames(stream);
}
