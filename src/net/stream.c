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
#include "net/stream_framing_private.h"
#include "net/stream_private.h"
#include "net/stream_tls_private.h"

/* For a peer that closed its side, where the owner leaves the ending to us. */
#define DEFAULT_FINISH_MS 5000

/* ---- end of life ---- */

static void make_closing_status(const struct stream *stream, struct status *status) {
    if (stream->tls && stream_tls_copy_failure(stream->tls, status)) return;
    if (stream->error == UV_ETIMEDOUT)
        status_fail(status, STATUS_TIMEOUT, "the connection timed out");
    else if (stream->error)
        loop_status_fail(status, stream->error, "the connection broke");
}

static void stream_closed(uv_handle_t *handle) {
    struct stream *stream = handle->data;
    struct loop *loop = loop_of_handle(handle);
    chunk_queue_clear(&stream->output, loop);
    if (stream->handlers) {
        struct status status = STATUS_INIT;
        make_closing_status(stream, &status);
        stream->handlers->on_closed(stream->context, &status);
    }
    stream_frames_free(stream->frames, loop);
    stream_tls_free(stream->tls);
    free(stream);
}

/* What waits or runs for the stream is stopped; the handle is closed by the caller. */
static void stop_all(struct stream *stream) {
    stream->is_closing = true;
    loop_unschedule(&stream->flush_task);
    timer_close(stream->finish_timer);
    if (stream->tls) stream_tls_stop(stream->tls);
}

static void begin_close(struct stream *stream) {
    if (stream->is_closing) return;
    stop_all(stream);
    uv_close(&stream->uv.handle, stream_closed);
}

void stream_break(struct stream *stream, int error) {
    if (stream->is_closing) return;
    stream->error = error;
    begin_close(stream);
}

void stream_close(struct stream *stream) {
    if (!stream || stream->is_closing) return;
    if (stream->frames) stream_frames_end(stream);
    stream_flush(stream);
    if (stream->tls) stream_tls_say_goodbye(stream->tls);
    stream->error = 0;
    begin_close(stream);
}

void stream_abort(struct stream *stream) {
    if (stream->is_closing) return;
    bool can_reset = stream->kind == ADDRESS_TCP && !stream->has_shut_down;
    if (can_reset && uv_tcp_close_reset(&stream->uv.tcp, stream_closed) == 0)
        stop_all(stream);
    else
        begin_close(stream);
}

bool stream_is_closing(const struct stream *stream) {
    return stream->is_closing;
}

/* ---- reading ---- */

static void lend_read_buffer(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out) {
    (void)suggested_bytes;
    *out = uv_buf_init((char *)loop_read_buffer(loop_of_handle(handle)), LOOP_READ_BUFFER_BYTES);
}

void stream_close_if_both_ended(struct stream *stream) {
    if (stream->is_finishing && stream->has_ended && stream->shutdown_is_done) begin_close(stream);
}

void stream_peer_ended(struct stream *stream) {
    stream->has_ended = true;
    if (stream->is_finishing)
        stream_close_if_both_ended(stream);
    else if (stream->handlers->on_end)
        stream->handlers->on_end(stream->context);
    else
        stream_finish(stream, DEFAULT_FINISH_MS);
}

static void bytes_came(struct stream *stream, struct bytes bytes) {
    stream->bytes_read += bytes.length;
    if (stream->tls)
        stream_tls_received(stream->tls, bytes);
    else if (!stream->is_finishing)
        stream->handlers->on_read(stream->context, bytes);
}

static void read_came(uv_stream_t *handle, ssize_t length, const uv_buf_t *buffer) {
    struct stream *stream = handle->data;
    if (length > 0)
        bytes_came(stream, bytes_of(buffer->base, (size_t)length));
    else if (length == UV_EOF && stream->tls)
        stream_tls_peer_closed(stream->tls);
    else if (length == UV_EOF)
        stream_peer_ended(stream);
    else if (length < 0)
        stream_break(stream, (int)length);
}

void stream_follow_reading(struct stream *stream) {
    if (stream->is_closing || !stream->handlers) return;
    if (stream->is_paused || stream->is_held || stream->has_ended) {
        uv_read_stop(&stream->uv.stream);
        return;
    }
    int error = uv_read_start(&stream->uv.stream, lend_read_buffer, read_came);
    if (error && error != UV_EALREADY) stream_break(stream, error);
}

void stream_pause_reading(struct stream *stream) {
    if (stream->is_finishing || stream->is_closing) return;
    stream->is_paused = true;
    stream_follow_reading(stream);
}

void stream_resume_reading(struct stream *stream) {
    if (!stream->is_paused) return;
    stream->is_paused = false;
    if (stream->resumed_task) loop_schedule(stream_loop(stream), stream->resumed_task);
    if (stream->tls) stream_tls_resume(stream->tls);
    stream_follow_reading(stream);
}

/* ---- ending in order ---- */

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
    stream_resume_reading(stream);
}

/* ---- start and facts ---- */

struct stream *stream_adopt(struct loop *loop, int descriptor, enum address_kind kind,
                            struct status *status) {
    struct stream *stream = memory_new(sizeof *stream);
    stream->kind = kind;
    loop_task_init(&stream->flush_task, stream_flush_task);
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
    if (stream->start_above) {
        stream->start_above(stream->layer, handlers, context);
        stream->start_above = NULL;
        return;
    }
    ASSERT(!stream->handlers && handlers->on_read && handlers->on_closed);
    stream->handlers = handlers;
    stream->context = context;
    stream_follow_reading(stream);
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
