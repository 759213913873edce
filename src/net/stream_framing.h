/*
 * Frames around what the owner of a stream writes, for protocols that carry another one as a stream
 * of bytes (WebSocket). The owner writes as always and sees nothing of it: each output chunk keeps
 * room in front for a header, which is filled in when the chunk is to be sent. What is written
 * together is thus one frame, nothing is copied, and a frame holds at most LOOP_CHUNK_BYTES.
 */
#ifndef LSYS_NET_STREAM_FRAMING_H
#define LSYS_NET_STREAM_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/stream.h"

/* Room for a header; stream_reserve gives so much less. */
#define STREAM_FRAME_HEADER_BYTES_MAX 4

struct stream_framing {
    /* Writes the header of a frame with that much payload and returns its length. */
    size_t (*write_header)(uint8_t out[STREAM_FRAME_HEADER_BYTES_MAX], size_t payload_bytes);

    /* The last bytes of a stream that this side ends in order; constant. */
    struct bytes farewell;
};

/* Puts frames around what is written from now on. Once; `framing` is constant. */
void stream_use_framing(struct stream *stream, const struct stream_framing *framing);

/* True from then on. */
bool stream_is_framed(const struct stream *stream);

/* Writes bytes that are a frame already, behind everything that was written. Sparingly while much
 * is pending: each call ends a chunk. */
void stream_write_frame(struct stream *stream, const void *bytes, size_t length_bytes);

/* Writes other last bytes instead of the farewell. What is written later is dropped. */
void stream_end_framing(struct stream *stream, struct bytes last);

#endif
