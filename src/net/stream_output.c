#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "loop/timer.h"
#include "net/stream_framing.h"
#include "net/stream_framing_private.h"
#include "net/stream_private.h"
#include "net/stream_tls_private.h"

/* Chunks in one system call: 2 MiB, more than a socket takes at once. */
#define GATHER_CHUNKS 64

/* Chunks handed to libuv when the socket is full: as many as it describes without allocating. */
#define WAIT_CHUNKS 4

/* Exists only while the socket is full. */
struct write_request {
    uv_write_t uv;
    struct stream *stream;
};

struct shutdown_request {
    uv_shutdown_t uv;
    struct stream *stream;
};

/* ---- to the kernel ---- */

/* The kernel has taken bytes. */
static void count_sent(struct stream *stream, size_t length) {
    stream->bytes_written += length;
    chunk_queue_consume(&stream->output, stream_loop(stream), length);
}

/* Describes the first chunks of the queue; returns how many, and their total length. */
static unsigned gather(const struct stream *stream, uv_buf_t *out, unsigned limit, size_t *total) {
    unsigned count = 0;
    *total = 0;
    for (struct loop_chunk *chunk = stream->output.first; chunk && count < limit;
         chunk = chunk->next) {
        out[count++] = uv_buf_init((char *)chunk->data + chunk->start, chunk->end - chunk->start);
        *total += chunk->end - chunk->start;
    }
    return count;
}

static void write_waited(uv_write_t *request, int error) {
    struct write_request *owner = (struct write_request *)request;
    struct stream *stream = owner->stream;
    free(owner);
    stream->is_waiting = false;
    if (stream->is_closing) return;
    if (error) {
        stream_break(stream, error);
        return;
    }
    count_sent(stream, stream->sending_bytes);
    /* A long answer on a slow line goes on as long as the peer takes something. */
    if (stream->is_finishing) timer_start(stream->finish_timer, stream->finish_timeout_ms);
    stream_flush(stream);
    bool is_drained =
        stream_pending_bytes(stream) == 0 && !stream->is_closing && !stream->is_finishing;
    if (is_drained && stream->handlers->on_drain) stream->handlers->on_drain(stream->context);
}

/* The socket is full: has libuv send the first chunks when there is room. */
static void wait_for_room(struct stream *stream) {
    struct write_request *request = memory_try(sizeof *request);
    if (!request) {
        stream_break(stream, UV_ENOMEM);
        return;
    }
    request->stream = stream;
    uv_buf_t buffers[WAIT_CHUNKS];
    unsigned count = gather(stream, buffers, WAIT_CHUNKS, &stream->sending_bytes);
    int error = uv_write(&request->uv, &stream->uv.stream, buffers, count, write_waited);
    if (error) {
        free(request);
        stream_break(stream, error);
        return;
    }
    stream->is_waiting = true;
}

static void shutdown_finished(uv_shutdown_t *request, int error) {
    struct shutdown_request *owner = (struct shutdown_request *)request;
    struct stream *stream = owner->stream;
    free(owner);
    if (stream->is_closing) return;
    stream->shutdown_is_done = true;
    /* A peer that is gone already has ended too. */
    if (error) stream->has_ended = true;
    stream_close_if_both_ended(stream);
}

static void shut_down_now(struct stream *stream) {
    struct shutdown_request *request = memory_new(sizeof *request);
    request->stream = stream;
    stream->has_shut_down = true;
    int error = uv_shutdown(&request->uv, &stream->uv.stream, shutdown_finished);
    if (!error) return;
    free(request);
    stream_break(stream, error);
}

/* Hands bytes to the socket without waiting. Returns how many it took, or an error of libuv. One
 * piece, which most output is, goes by send(): that is cheaper than the write() of uv_try_write, by
 * as much as everything else here costs. */
static int hand_over(struct stream *stream, const uv_buf_t *buffers, unsigned count) {
    uv_os_fd_t descriptor;
    if (count != 1 || uv_fileno(&stream->uv.handle, &descriptor) != 0)
        return uv_try_write(&stream->uv.stream, buffers, count);
    ssize_t sent;
    do {
        sent = send(descriptor, buffers[0].base, buffers[0].len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? uv_translate_sys_error(errno) : (int)sent;
}

/* Makes the kernel take what it will. False when it takes no more for now, or the stream broke. */
static bool send_output(struct stream *stream) {
    if (stream->is_waiting || stream->is_closing) return false;
    uv_buf_t buffers[GATHER_CHUNKS];
    size_t total;
    unsigned count = gather(stream, buffers, GATHER_CHUNKS, &total);
    int sent = hand_over(stream, buffers, count);
    if (sent < 0 && sent != UV_EAGAIN) {
        stream_break(stream, sent);
        return false;
    }
    if (sent > 0) count_sent(stream, (size_t)sent);
    if (sent >= 0 && (size_t)sent == total) return true;
    wait_for_room(stream);
    return false;
}

void stream_flush(struct stream *stream) {
    for (;;) {
        if (stream->frames) stream_frames_advance(stream);
        if (stream->tls) stream_tls_encrypt(stream->tls);
        if (stream->output.bytes == 0) break;
        if (!send_output(stream)) return;
    }
    bool is_all_sent = stream_pending_bytes(stream) == 0;
    if (stream->wants_shutdown && is_all_sent && !stream->has_shut_down && !stream->is_closing)
        shut_down_now(stream);
}

void stream_flush_task(struct loop_task *task) {
    struct stream *stream = LIST_ENTRY(task, struct stream, flush_task);
    stream_flush(stream);
    stream_close_if_both_ended(stream); /* both may have happened before stream_finish */
}

void stream_flush_later(struct stream *stream) {
    if (!stream->is_waiting && !stream->is_closing)
        loop_schedule(stream_loop(stream), &stream->flush_task);
}

/* ---- from the owner ---- */

/* Where the owner's bytes wait: for frames, or with TLS to be encrypted. */
static struct chunk_queue *owners_queue(struct stream *stream) {
    if (stream->frames) return stream_frames_open(stream->frames);
    return stream->tls ? stream_tls_plain(stream->tls) : &stream->output;
}

/* What an empty chunk of it holds. */
static size_t chunk_room(const struct stream *stream) {
    return LOOP_CHUNK_BYTES - (stream->frames ? STREAM_FRAME_HEADER_BYTES_MAX : 0);
}

static bool takes_output(const struct stream *stream) {
    return !stream->is_closing && !stream->wants_shutdown;
}

uint8_t *stream_queue_room(struct stream *stream, struct chunk_queue *queue, size_t length_bytes) {
    uint8_t *room = chunk_queue_room(queue, length_bytes);
    if (room) return room;
    if (stream->is_closing) return NULL;
    if (!chunk_queue_grow(queue, stream_loop(stream))) {
        stream_break(stream, UV_ENOMEM);
        return NULL;
    }
    bool needs_header = stream->frames && queue == stream_frames_open(stream->frames);
    if (needs_header) queue->last->start = queue->last->end = STREAM_FRAME_HEADER_BYTES_MAX;
    return chunk_queue_room(queue, length_bytes);
}

uint8_t *stream_reserve(struct stream *stream, size_t length_bytes) {
    ASSERT(length_bytes <= chunk_room(stream));
    if (!takes_output(stream)) return NULL;
    struct chunk_queue *queue = owners_queue(stream);
    uint8_t *room = chunk_queue_room(queue, length_bytes);
    if (room) return room;
    /* Many streams hold output now: rather send than hold more. */
    if (loop_chunks_are_scarce(stream_loop(stream))) stream_flush(stream);
    return stream_queue_room(stream, queue, length_bytes);
}

void stream_commit(struct stream *stream, size_t length_bytes) {
    struct chunk_queue *queue = owners_queue(stream);
    chunk_queue_commit(queue, length_bytes);
    if (length_bytes == 0) chunk_queue_consume(queue, stream_loop(stream), 0);
    if (length_bytes == 0 || stream->is_waiting) return;
    if (queue->bytes >= STREAM_GATHER_BYTES)
        stream_flush(stream);
    else if (list_is_empty(&stream->flush_task.link))
        loop_schedule(stream_loop(stream), &stream->flush_task);
}

void stream_write(struct stream *stream, const void *bytes, size_t length_bytes) {
    const uint8_t *from = bytes;
    while (length_bytes > 0) {
        const struct loop_chunk *last = owners_queue(stream)->last;
        size_t room = last ? LOOP_CHUNK_BYTES - last->end : 0;
        size_t part = room > 0 ? room : chunk_room(stream);
        if (part > length_bytes) part = length_bytes;
        uint8_t *to = stream_reserve(stream, part);
        if (!to) return;
        memcpy(to, from, part);
        stream_commit(stream, part);
        from += part;
        length_bytes -= part;
    }
}

size_t stream_pending_bytes(const struct stream *stream) {
    size_t bytes = stream->output.bytes;
    if (stream->tls) bytes += stream_tls_plain(stream->tls)->bytes;
    if (stream->frames) bytes += stream_frames_bytes(stream->frames);
    return bytes;
}

void stream_shutdown(struct stream *stream) {
    if (!takes_output(stream)) return;
    stream->wants_shutdown = true;
    loop_schedule(stream_loop(stream), &stream->flush_task);
}
