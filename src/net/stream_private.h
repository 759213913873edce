/*
 * What a stream is, for the files of the stream: stream.c is its life and its input,
 * stream_output.c its output, stream_tls.c what TLS puts between both and the owner,
 * stream_framing.c what frames do. And how the listener and the connector make streams of sockets
 * that they opened.
 */
#ifndef LSYS_NET_STREAM_PRIVATE_H
#define LSYS_NET_STREAM_PRIVATE_H

#include "base/attributes.h"
#include "base/status.h"
#include "loop/loop_uv.h"
#include "net/chunk_queue.h"
#include "net/stream.h"

struct stream_frames;
struct stream_tls;

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    const struct stream_handlers *handlers; /* NULL until started */
    void *context;
    struct stream_tls *tls;       /* NULL: what is written goes out as it is */
    struct stream_frames *frames; /* NULL: no frames are put around it */

    /* A protocol between the stream and the owner to come: stream_start calls this instead. */
    void (*start_above)(void *layer, const struct stream_handlers *handlers, void *context);
    void *layer;
    struct loop_task
        *resumed_task; /* of that protocol: scheduled when the owner reads again; may be NULL */

    /* What the kernel is to take, oldest first. While a write waits for the socket, its request
     * covers the first `sending_bytes` of them; new bytes are appended behind. */
    struct chunk_queue output;
    size_t sending_bytes;
    struct loop_task flush_task;
    struct timer *finish_timer; /* NULL unless finishing */
    int64_t finish_timeout_ms;
    uint64_t bytes_read;
    uint64_t bytes_written;

    int error; /* of libuv: what broke the stream */
    enum address_kind kind;
    bool is_waiting;     /* a write request waits for the socket */
    bool is_paused;      /* by the owner */
    bool is_held;        /* by TLS: what came was not taken up yet */
    bool has_ended;      /* the peer sent FIN, or in TLS close_notify */
    bool wants_shutdown; /* FIN once all is sent; no more output is taken */
    bool has_shut_down;  /* FIN was handed to the kernel */
    bool shutdown_is_done;
    bool is_finishing; /* input is discarded, closes when both sides have ended */
    bool is_closing;
};

/* Makes a stream of a connected, non-blocking socket, which belongs to the stream from then on (and
 * is closed on failure). TCP_NODELAY is set: output is gathered by ourselves. NULL with
 * STATUS_IO. */
struct stream *stream_adopt(struct loop *loop, int descriptor, enum address_kind kind,
                            struct status *status) MUST_CHECK;

/* Closes because of an error of libuv, or with 0 for a reason that is recorded elsewhere. */
void stream_break(struct stream *stream, int error);

/* The peer will send no more. */
void stream_peer_ended(struct stream *stream);

/* A stream that is finishing closes when both sides have ended. */
void stream_close_if_both_ended(struct stream *stream);

/* Reads from the socket unless the owner, TLS, or the end says otherwise. */
void stream_follow_reading(struct stream *stream);

/* Room for `length_bytes` (at most what a chunk of that queue holds) at the end of a queue of this
 * stream's, or NULL: it is closing, or broke for want of memory. */
uint8_t *stream_queue_room(struct stream *stream, struct chunk_queue *queue, size_t length_bytes);

/* Sends at the end of the turn. */
void stream_flush_later(struct stream *stream);

/* The task behind it. */
void stream_flush_task(struct loop_task *task);

#endif
