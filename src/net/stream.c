#include "net/stream.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "loop/shared_memory.h"
#include "loop/timer.h"
#include "net/stream_private.h"

/* Chunks in one system call: 2 MiB, more than a socket takes at once. */
#define GATHER_CHUNKS 64

/* Chunks handed to libuv when the socket is full: as many as it describes without allocating. */
#define WAIT_CHUNKS 4

/* For a peer that closed its side, where the owner leaves the ending to us. */
#define DEFAULT_FINISH_MS 5000

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    const struct stream_handlers *handlers; /* NULL until started */
    void *context;

    /* Unsent bytes, oldest first. While a write waits for the socket, its request covers the first
     * `sending_bytes` of them; new bytes are appended behind. */
    struct loop_chunk *first;
    struct loop_chunk *last;
    size_t pending_bytes;
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
    bool has_ended;      /* the peer sent FIN */
    bool wants_shutdown; /* FIN once all is sent; no more output is taken */
    bool has_shut_down;  /* FIN was handed to the kernel */
    bool shutdown_is_done;
    bool is_finishing; /* input is discarded, closes when both sides have ended */
    bool is_closing;
};

/* Exists only while the socket is full. */
struct write_request {
    uv_write_t uv;
    struct stream *stream;
};

struct shutdown_request {
    uv_shutdown_t uv;
    struct stream *stream;
};

static void read_came(uv_stream_t *handle, ssize_t length, const uv_buf_t *buffer);

/* ---- end of life ---- */

static void make_closing_status(const struct stream *stream, struct status *status) {
    if (stream->error == UV_ETIMEDOUT)
        status_fail(status, STATUS_TIMEOUT, "the connection timed out");
    else if (stream->error)
        loop_status_fail(status, stream->error, "the connection broke");
}

static void stream_closed(uv_handle_t *handle) {
    struct stream *stream = handle->data;
    struct loop *loop = loop_of_handle(handle);
    while (stream->first) {
        struct loop_chunk *chunk = stream->first;
        stream->first = chunk->next;
        loop_chunk_give(loop, chunk);
    }
    if (stream->handlers) {
        struct status status = STATUS_INIT;
        make_closing_status(stream, &status);
        stream->handlers->on_closed(stream->context, &status);
    }
    free(stream);
}

static void begin_close(struct stream *stream) {
    if (stream->is_closing) return;
    stream->is_closing = true;
    loop_unschedule(&stream->flush_task);
    timer_close(stream->finish_timer);
    uv_close(&stream->uv.handle, stream_closed);
}

static void break_stream(struct stream *stream, int error) {
    if (stream->is_closing) return;
    stream->error = error;
    begin_close(stream);
}

void stream_close(struct stream *stream) {
    if (!stream || stream->is_closing) return;
    stream_flush(stream);
    stream->error = 0;
    begin_close(stream);
}

void stream_abort(struct stream *stream) {
    if (stream->is_closing) return;
    bool can_reset = stream->kind == ADDRESS_TCP && !stream->has_shut_down;
    if (can_reset && uv_tcp_close_reset(&stream->uv.tcp, stream_closed) == 0) {
        stream->is_closing = true;
        loop_unschedule(&stream->flush_task);
        timer_close(stream->finish_timer);
    } else {
        begin_close(stream);
    }
}

bool stream_is_closing(const struct stream *stream) {
    return stream->is_closing;
}

/* ---- reading ---- */

static void lend_read_buffer(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out) {
    (void)suggested_bytes;
    *out = uv_buf_init((char *)loop_read_buffer(loop_of_handle(handle)), LOOP_READ_BUFFER_BYTES);
}

static void close_if_both_ended(struct stream *stream) {
    if (stream->is_finishing && stream->has_ended && stream->shutdown_is_done) begin_close(stream);
}

static void peer_ended(struct stream *stream) {
    stream->has_ended = true;
    if (stream->is_finishing)
        close_if_both_ended(stream);
    else if (stream->handlers->on_end)
        stream->handlers->on_end(stream->context);
    else
        stream_finish(stream, DEFAULT_FINISH_MS);
}

static void read_came(uv_stream_t *handle, ssize_t length, const uv_buf_t *buffer) {
    struct stream *stream = handle->data;
    if (length > 0) {
        stream->bytes_read += (uint64_t)length;
        if (!stream->is_finishing)
            stream->handlers->on_read(stream->context, bytes_of(buffer->base, (size_t)length));
    } else if (length == UV_EOF) {
        peer_ended(stream);
    } else if (length < 0) {
        break_stream(stream, (int)length);
    }
}

static void start_reading(struct stream *stream) {
    if (stream->is_closing || stream->has_ended) return;
    int error = uv_read_start(&stream->uv.stream, lend_read_buffer, read_came);
    if (error && error != UV_EALREADY) break_stream(stream, error);
}

void stream_pause_reading(struct stream *stream) {
    if (stream->is_finishing || stream->is_closing) return;
    stream->is_paused = true;
    uv_read_stop(&stream->uv.stream);
}

void stream_resume_reading(struct stream *stream) {
    if (!stream->is_paused) return;
    stream->is_paused = false;
    start_reading(stream);
}

/* ---- writing ---- */

/* Drops the first `length` unsent bytes, which the kernel has taken, and returns empty chunks. */
static void consume(struct stream *stream, size_t length) {
    ASSERT(length <= stream->pending_bytes);
    struct loop *loop = stream_loop(stream);
    stream->pending_bytes -= length;
    stream->bytes_written += length;
    while (stream->first) {
        struct loop_chunk *chunk = stream->first;
        size_t here = chunk->end - chunk->start;
        if (length < here) {
            chunk->start += (uint32_t)length;
            return;
        }
        length -= here;
        stream->first = chunk->next;
        loop_chunk_give(loop, chunk);
    }
    stream->last = NULL;
}

/* Describes the first chunks of the queue; returns how many, and their total length. */
static unsigned gather(const struct stream *stream, uv_buf_t *out, unsigned limit, size_t *total) {
    unsigned count = 0;
    *total = 0;
    for (struct loop_chunk *chunk = stream->first; chunk && count < limit; chunk = chunk->next) {
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
        break_stream(stream, error);
        return;
    }
    consume(stream, stream->sending_bytes);
    /* A long answer on a slow line goes on as long as the peer takes something. */
    if (stream->is_finishing) timer_start(stream->finish_timer, stream->finish_timeout_ms);
    stream_flush(stream);
    bool is_drained = stream->pending_bytes == 0 && !stream->is_closing && !stream->is_finishing;
    if (is_drained && stream->handlers->on_drain) stream->handlers->on_drain(stream->context);
}

/* The socket is full: has libuv send the first chunks when there is room. */
static void wait_for_room(struct stream *stream) {
    struct write_request *request = memory_try(sizeof *request);
    if (!request) {
        break_stream(stream, UV_ENOMEM);
        return;
    }
    request->stream = stream;
    uv_buf_t buffers[WAIT_CHUNKS];
    unsigned count = gather(stream, buffers, WAIT_CHUNKS, &stream->sending_bytes);
    int error = uv_write(&request->uv, &stream->uv.stream, buffers, count, write_waited);
    if (error) {
        free(request);
        break_stream(stream, error);
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
    close_if_both_ended(stream);
}

static void shut_down_now(struct stream *stream) {
    struct shutdown_request *request = memory_new(sizeof *request);
    request->stream = stream;
    stream->has_shut_down = true;
    int error = uv_shutdown(&request->uv, &stream->uv.stream, shutdown_finished);
    if (!error) return;
    free(request);
    break_stream(stream, error);
}

void stream_flush(struct stream *stream) {
    while (stream->pending_bytes > 0) {
        if (stream->is_waiting || stream->is_closing) return;
        uv_buf_t buffers[GATHER_CHUNKS];
        size_t total;
        unsigned count = gather(stream, buffers, GATHER_CHUNKS, &total);
        int sent = uv_try_write(&stream->uv.stream, buffers, count);
        if (sent < 0 && sent != UV_EAGAIN) {
            break_stream(stream, sent);
            return;
        }
        if (sent > 0) consume(stream, (size_t)sent);
        if (sent < 0 || (size_t)sent < total) {
            wait_for_room(stream);
            return;
        }
    }
    if (stream->wants_shutdown && !stream->has_shut_down && !stream->is_closing)
        shut_down_now(stream);
}

static void flush_task_runs(struct loop_task *task) {
    struct stream *stream = LIST_ENTRY(task, struct stream, flush_task);
    stream_flush(stream);
    close_if_both_ended(stream); /* both may have happened before stream_finish */
}

static bool takes_output(const struct stream *stream) {
    return !stream->is_closing && !stream->wants_shutdown;
}

/* Puts an empty chunk at the end of the queue. */
static bool add_chunk(struct stream *stream) {
    struct loop *loop = stream_loop(stream);
    /* Many streams hold output now: rather send than hold more. */
    if (loop_chunks_are_scarce(loop)) stream_flush(stream);
    if (stream->is_closing) return false;
    struct loop_chunk *chunk = loop_chunk_take(loop);
    if (!chunk) {
        break_stream(stream, UV_ENOMEM);
        return false;
    }
    if (stream->last)
        stream->last->next = chunk;
    else
        stream->first = chunk;
    stream->last = chunk;
    return true;
}

uint8_t *stream_reserve(struct stream *stream, size_t length_bytes) {
    ASSERT(length_bytes <= LOOP_CHUNK_BYTES);
    if (!takes_output(stream)) return NULL;
    bool has_room = stream->last && LOOP_CHUNK_BYTES - stream->last->end >= length_bytes;
    if (!has_room && !add_chunk(stream)) return NULL;
    return stream->last->data + stream->last->end;
}

void stream_commit(struct stream *stream, size_t length_bytes) {
    ASSERT(stream->last && length_bytes <= LOOP_CHUNK_BYTES - stream->last->end);
    stream->last->end += (uint32_t)length_bytes;
    stream->pending_bytes += length_bytes;
    if (length_bytes == 0) consume(stream, 0); /* gives an unused chunk back */
    if (length_bytes == 0 || stream->is_waiting) return;
    if (stream->pending_bytes >= STREAM_GATHER_BYTES)
        stream_flush(stream);
    else if (list_is_empty(&stream->flush_task.link))
        loop_schedule(stream_loop(stream), &stream->flush_task);
}

void stream_write(struct stream *stream, const void *bytes, size_t length_bytes) {
    const uint8_t *from = bytes;
    while (length_bytes > 0) {
        size_t room = stream->last ? LOOP_CHUNK_BYTES - stream->last->end : 0;
        size_t part = room > 0 ? room : LOOP_CHUNK_BYTES;
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
    return stream->pending_bytes;
}

void stream_shutdown(struct stream *stream) {
    if (!takes_output(stream)) return;
    stream->wants_shutdown = true;
    loop_schedule(stream_loop(stream), &stream->flush_task);
}

static void finish_timed_out(void *context) {
    begin_close(context);
}

void stream_finish(struct stream *stream, int64_t timeout_ms) {
    if (stream->is_closing) return;
    stream->finish_timeout_ms = timeout_ms;
    if (stream->is_finishing) {
        timer_start(stream->finish_timer, timeout_ms);
        return;
    }
    stream->is_finishing = true;
    stream->wants_shutdown = true;
    stream->finish_timer = timer_open(stream_loop(stream), finish_timed_out, stream);
    timer_start(stream->finish_timer, timeout_ms);
    loop_schedule(stream_loop(stream), &stream->flush_task);
    /* Also when paused: what comes is discarded, and the end must be seen. */
    stream->is_paused = false;
    start_reading(stream);
}

/* ---- start and facts ---- */

struct stream *stream_adopt(struct loop *loop, int descriptor, enum address_kind kind,
                            struct status *status) {
    struct stream *stream = memory_new(sizeof *stream);
    stream->kind = kind;
    loop_task_init(&stream->flush_task, flush_task_runs);
    int error;
    if (kind == ADDRESS_TCP) {
        uv_tcp_init(loop_uv(loop), &stream->uv.tcp);
        error = uv_tcp_open(&stream->uv.tcp, descriptor);
    } else {
        uv_pipe_init(loop_uv(loop), &stream->uv.pipe, 0);
        error = uv_pipe_open(&stream->uv.pipe, descriptor);
    }
    stream->uv.handle.data = stream;
    if (error) {
        close(descriptor);
        begin_close(stream);
        loop_status_fail(status, error, "cannot use a socket");
        return NULL;
    }
    if (kind == ADDRESS_TCP) uv_tcp_nodelay(&stream->uv.tcp, 1);
    return stream;
}

void stream_start(struct stream *stream, const struct stream_handlers *handlers, void *context) {
    ASSERT(!stream->handlers && handlers->on_read && handlers->on_closed);
    stream->handlers = handlers;
    stream->context = context;
    start_reading(stream);
}

void stream_peer(const struct stream *stream, struct address *out) {
    struct sockaddr_storage socket_address;
    socklen_t length = sizeof socket_address;
    memset(&socket_address, 0, sizeof socket_address);
    uv_os_fd_t descriptor;
    *out = (struct address){.kind = stream->kind};
    if (uv_fileno(&stream->uv.handle, &descriptor) != 0) return;
    if (getpeername(descriptor, (struct sockaddr *)&socket_address, &length) != 0) return;
    address_of_socket(&socket_address, out);
}

bool stream_peer_is_loopback(const struct stream *stream) {
    struct address peer;
    stream_peer(stream, &peer);
    return address_is_loopback(&peer);
}

uint64_t stream_bytes_read(const struct stream *stream) {
    return stream->bytes_read;
}

uint64_t stream_bytes_written(const struct stream *stream) {
    return stream->bytes_written;
}

struct loop *stream_loop(const struct stream *stream) {
    return loop_of_handle(&stream->uv.handle);
}
