/*
 * A connected byte stream: TCP or unix socket (and TLS, once there is one). Streams come from a
 * listener or a connector, both hand over an unstarted stream whose owner then calls stream_start.
 *
 * Reading: bytes arrive in the loop's shared read buffer, at most LOOP_READ_BUFFER_BYTES at a time,
 * and are valid during the callback only.
 *
 * Writing: stream_write copies into output chunks lent by the loop, so a stream without unsent
 * bytes owns no buffer, and no message costs an allocation. What was written is sent with one
 * system call at the end of the loop's turn, earlier when STREAM_GATHER_BYTES are waiting, or at
 * once by stream_flush. What the kernel does not take stays queued, is sent as room comes, and is
 * not copied again. The queue has no limit of its own: the owner watches stream_pending_bytes and
 * pauses the source, or cuts off.
 *
 * Ending: whoever ends it, on_closed comes exactly once, later, and the stream is freed after it.
 * No handler is ever called from inside one of these functions.
 */
#ifndef LSYS_NET_STREAM_H
#define LSYS_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "loop/loop.h"
#include "net/address.h"

/* Sent without waiting for the end of the turn: what one full read of messages makes. Measured
 * best: with twice as much a 1 KiB message costs a broker twice the time, since what is sent has
 * left the cache. */
#define STREAM_GATHER_BYTES 32768

struct stream;

/* What the owner wants to hear; one constant table for all streams of a kind. */
struct stream_handlers {
    /* Bytes came in. */
    void (*on_read)(void *context, struct bytes bytes);

    /* The peer will send no more (FIN). Our side can still write. NULL: the stream closes itself
     * once everything written is sent, at the latest after five seconds. */
    void (*on_end)(void *context);

    /* Unsent bytes were queued, and now none are left. May be NULL. */
    void (*on_drain)(void *context);

    /* The stream is closed and will be freed. `status` is OK when the owner closed it or the peer
     * ended it in order, otherwise says what broke (STATUS_IO, STATUS_TIMEOUT,
     * STATUS_NO_MEMORY). */
    void (*on_closed)(void *context, const struct status *status);
};

/* Takes ownership of a stream from a listener or connector and starts reading. `handlers`
 * (constant) and `context` must stay valid until on_closed. */
void stream_start(struct stream *stream, const struct stream_handlers *handlers, void *context);

/* Appends bytes to the output (copied). Ignored after a close, stream_finish or stream_shutdown.
 * When there is no memory the stream breaks with STATUS_NO_MEMORY. */
void stream_write(struct stream *stream, const void *bytes, size_t length_bytes);

/* For a message assembled in place: returns room for `length_bytes` (at most LOOP_CHUNK_BYTES, with
 * framing STREAM_FRAME_HEADER_BYTES_MAX less), or NULL when the stream no longer takes output.
 * stream_commit then says how many were filled in, before any other call on the stream. */
uint8_t *stream_reserve(struct stream *stream, size_t length_bytes);
void stream_commit(struct stream *stream, size_t length_bytes);

/* Gives everything written so far to the kernel, as far as it takes it, without waiting for the end
 * of the turn. For latency; not needed for progress. */
void stream_flush(struct stream *stream);

/* Bytes written and not yet taken by the kernel. */
size_t stream_pending_bytes(const struct stream *stream);

/* Stops and resumes on_read and on_end: back-pressure through the kernel's receive window.
 * Idempotent. While paused a peer that goes away is noticed only by a failing write. */
void stream_pause_reading(struct stream *stream);
void stream_resume_reading(struct stream *stream);

/* Sends what is pending and then FIN; reading goes on. */
void stream_shutdown(struct stream *stream);

/* Ends in order: sends what is pending and FIN, discards what still comes in (so that no reset
 * destroys the last words), and closes when the peer has closed too, at the latest `timeout_ms`
 * after the peer took the last bytes. Once more: a new deadline. */
void stream_finish(struct stream *stream, int64_t timeout_ms);

/* Closes now: one last attempt to send what is pending, the rest is dropped. Idempotent; NULL is
 * accepted. Without stream_start nobody is called. */
void stream_close(struct stream *stream);

/* Closes now and drops what is pending; a TCP peer gets a reset. For those who broke the rules. */
void stream_abort(struct stream *stream);

/* True from the moment the stream is closing or broken until on_closed. */
bool stream_is_closing(const struct stream *stream);

/* The other end, or, when the system no longer knows, an empty host. */
void stream_peer(const struct stream *stream, struct address *out);

/* True when the other end is on this machine (loopback address or unix socket). */
bool stream_peer_is_loopback(const struct stream *stream);

/* Total bytes read and written since the start, for statistics. */
uint64_t stream_bytes_read(const struct stream *stream);
uint64_t stream_bytes_written(const struct stream *stream);

/* The loop it lives on. */
struct loop *stream_loop(const struct stream *stream);

#endif
