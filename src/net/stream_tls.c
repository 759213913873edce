#include "net/stream_tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "loop/timer.h"
#include "loop/worker.h"
#include "net/stream_framing_private.h"
#include "net/stream_private.h"
#include "net/stream_tls_private.h"
#include "net/tls_engine.h"

/* Encrypted bytes that wait for the kernel; the rest stays plain, so that one large answer does not
 * keep the loop busy encrypting it all. */
#define ENCRYPTED_BYTES_MAX 262144

/* Reading stops while something is held, so this is at most one read, and one more that was on its
 * way. */
#define HELD_BYTES_MAX (2 * LOOP_READ_BUFFER_BYTES)

/* A worker's job: the context reads the system's CAs, for a stream that may be gone by then. */
struct loading {
    struct tls_client_context *context; /* held */
    struct stream_tls *tls;             /* NULL once its stream is closing */
    struct status status;
};

/*
 *   LOADING ---------> HANDSHAKING ---------> OPEN ---------> over (the engine knows)
 *   no engine yet      input is taken in turns   input is taken at once
 */
struct stream_tls {
    struct stream *stream;
    struct tls_engine *engine;  /* NULL while loading */
    struct loading *loading;    /* NULL unless loading */
    char *host;                 /* a client's, until there is an engine, */
    uint16_t port;              /* and the port */
    struct chunk_queue plain;   /* from the owner, not encrypted yet */
    struct buffer held;         /* from the peer, not taken up yet */
    struct loop_task take_task; /* takes it up */
    struct timer *deadline;     /* of the handshake; NULL when it is over */
    struct status failure;
};

static struct loop *loop_of(const struct stream_tls *tls) {
    return stream_loop(tls->stream);
}

static bool is_handshaking(const struct stream_tls *tls) {
    return !tls->engine || tls_engine_state(tls->engine) == TLS_HANDSHAKING;
}

/* ---- failing ---- */

static void break_off(struct stream_tls *tls, enum status_code code, const char *why) {
    status_fail(&tls->failure, code, "%s", why);
    stream_break(tls->stream, 0);
}

static void handshake_timed_out(void *context) {
    break_off(context, STATUS_TIMEOUT, "the peer did not complete the TLS handshake in time");
}

/* The alert is the last that goes out. */
static void fail_with_engine(struct stream_tls *tls) {
    const struct status *why = tls_engine_failure(tls->engine);
    stream_flush(tls->stream);
    break_off(tls, why->code, why->text);
}

/* ---- output ---- */

struct chunk_queue *stream_tls_plain(struct stream_tls *tls) {
    return &tls->plain;
}

/* Moves the engine's output to the stream's. */
static void collect_output(struct stream_tls *tls) {
    struct stream *stream = tls->stream;
    struct bytes out = tls_engine_output(tls->engine);
    while (out.length > 0) {
        size_t part = out.length < LOOP_CHUNK_BYTES ? out.length : LOOP_CHUNK_BYTES;
        uint8_t *room = stream_queue_room(stream, &stream->output, part);
        if (!room) return;
        memcpy(room, out.data, part);
        chunk_queue_commit(&stream->output, part);
        tls_engine_output_sent(tls->engine, part);
        out = tls_engine_output(tls->engine);
    }
}

/* Encrypts a record's worth of what the owner wrote. False when nothing could be taken. */
static bool encrypt_some(struct stream_tls *tls) {
    struct bytes front = chunk_queue_front(&tls->plain);
    size_t taken = tls_engine_write(tls->engine, front.data, front.length);
    chunk_queue_consume(&tls->plain, loop_of(tls), taken);
    if (tls->plain.bytes == 0) tls_engine_flush(tls->engine);
    collect_output(tls);
    return taken > 0;
}

/* True while there is something to encrypt. */
static bool has_plain(struct stream_tls *tls) {
    if (tls->stream->frames) stream_frames_advance(tls->stream);
    return tls->plain.bytes > 0;
}

void stream_tls_encrypt(struct stream_tls *tls) {
    const struct stream *stream = tls->stream;
    if (!tls->engine || stream->is_closing) return;
    collect_output(tls);
    while (has_plain(tls) && stream->output.bytes < ENCRYPTED_BYTES_MAX)
        if (!encrypt_some(tls)) break;
    if (tls_engine_state(tls->engine) > TLS_OPEN)
        chunk_queue_clear(&tls->plain, loop_of(tls)); /* nobody is there to read it */
    if (stream->wants_shutdown && !has_plain(tls)) {
        tls_engine_close(tls->engine);
        collect_output(tls);
    }
}

void stream_tls_say_goodbye(struct stream_tls *tls) {
    if (!tls->engine || tls->stream->is_closing || stream_pending_bytes(tls->stream) > 0) return;
    tls_engine_close(tls->engine);
    stream_flush(tls->stream);
}

/* ---- input ---- */

/* Gives the owner what was decrypted. False when the owner wants no more now. */
static bool deliver(struct stream_tls *tls) {
    struct stream *stream = tls->stream;
    struct bytes plain = tls_engine_plaintext(tls->engine);
    while (plain.length > 0) {
        if (stream->is_paused) return false;
        if (!stream->is_finishing) stream->handlers->on_read(stream->context, plain);
        if (stream->is_closing) return false;
        tls_engine_plaintext_used(tls->engine, plain.length);
        plain = tls_engine_plaintext(tls->engine);
    }
    return true;
}

static void note_progress(struct stream_tls *tls) {
    if (!is_handshaking(tls) && tls->deadline) {
        timer_close(tls->deadline);
        tls->deadline = NULL;
    }
}

/* Feeds the engine; returns how many bytes were used up. What follows the end of TLS is discarded.
 * What the owner answers is encrypted before the next record is looked at, for that may be a
 * close_notify, after which nothing can be answered. */
static size_t take(struct stream_tls *tls, struct bytes bytes) {
    struct stream *stream = tls->stream;
    size_t used = 0;
    while (!stream->is_closing) {
        size_t taken = 0;
        if (used < bytes.length)
            taken = tls_engine_take(tls->engine, bytes.data + used, bytes.length - used);
        used += taken;
        note_progress(tls);
        if (!deliver(tls)) break;
        stream_tls_encrypt(tls);
        if (tls_engine_state(tls->engine) > TLS_OPEN) return bytes.length;
        if (taken == 0 || is_handshaking(tls)) break;
    }
    return used;
}

static void follow_end(struct stream_tls *tls) {
    struct stream *stream = tls->stream;
    if (stream->is_closing || !tls->engine) return;
    stream_flush_later(stream);
    if (tls_engine_state(tls->engine) == TLS_FAILED)
        fail_with_engine(tls);
    else if (tls_engine_state(tls->engine) == TLS_CLOSED && !stream->has_ended)
        stream_peer_ended(stream);
}

static bool hold(struct stream_tls *tls, struct bytes bytes) {
    if (buffer_append(&tls->held, bytes.data, bytes.length)) return true;
    stream_break(tls->stream, UV_ENOMEM);
    return false;
}

static void schedule_taking(struct stream_tls *tls) {
    if (is_handshaking(tls))
        loop_schedule_costly(loop_of(tls), &tls->take_task);
    else
        loop_schedule(loop_of(tls), &tls->take_task);
}

/* Has what is held taken up as soon as possible, and reads no more until then. */
static void follow_holding(struct stream_tls *tls) {
    struct stream *stream = tls->stream;
    if (stream->is_closing) return;
    bool waits = tls->held.length > 0;
    if (waits && tls->engine && !stream->is_paused) schedule_taking(tls);
    if (!waits) buffer_free(&tls->held);
    stream->is_held = waits;
    stream_follow_reading(stream);
}

/* What the owner wrote before the handshake was over goes out; of its being sent the owner is
 * told. */
static void send_what_waited(struct stream_tls *tls) {
    struct stream *stream = tls->stream;
    stream_flush(stream);
    bool is_drained = stream_pending_bytes(stream) == 0 && !stream->is_closing;
    if (is_drained && !stream->is_finishing && stream->handlers->on_drain)
        stream->handlers->on_drain(stream->context);
}

static void take_held(struct loop_task *task) {
    struct stream_tls *tls = LIST_ENTRY(task, struct stream_tls, take_task);
    bool had_to_wait = is_handshaking(tls) && tls->plain.bytes > 0;
    size_t used = take(tls, buffer_bytes(&tls->held));
    buffer_drop_front(&tls->held, used);
    follow_end(tls);
    follow_holding(tls);
    if (had_to_wait && !is_handshaking(tls)) send_what_waited(tls);
}

void stream_tls_received(struct stream_tls *tls, struct bytes bytes) {
    bool at_once = !is_handshaking(tls) && tls->held.length == 0 && !tls->stream->is_paused;
    size_t used = at_once ? take(tls, bytes) : 0;
    if (tls->stream->is_closing) return;
    if (used < bytes.length && !hold(tls, bytes_of(bytes.data + used, bytes.length - used))) return;
    if (at_once) follow_end(tls);
    follow_holding(tls);
}

void stream_tls_resume(struct stream_tls *tls) {
    if (tls->engine && !tls->stream->is_closing) schedule_taking(tls);
}

void stream_tls_peer_closed(struct stream_tls *tls) {
    if (tls->stream->is_finishing)
        stream_peer_ended(tls->stream);
    else if (is_handshaking(tls))
        break_off(tls, STATUS_TLS, "the peer closed the connection during the TLS handshake");
    else
        break_off(tls, STATUS_TLS, "the connection was cut off: the peer did not end TLS");
}

/* ---- life ---- */

static struct stream_tls *begin(struct stream *stream) {
    ASSERT(!stream->tls);
    struct stream_tls *tls = memory_new(sizeof *tls);
    tls->stream = stream;
    buffer_init(&tls->held, HELD_BYTES_MAX);
    loop_task_init(&tls->take_task, take_held);
    stream->tls = tls;
    if (stream->is_closing) return tls;
    tls->deadline = timer_open(stream_loop(stream), handshake_timed_out, tls);
    timer_start(tls->deadline, STREAM_TLS_HANDSHAKE_MS);
    return tls;
}

/* Without a stream nobody would call: a stream that is closing already gets no engine. */
static void use_engine(struct stream_tls *tls, struct tls_engine *engine,
                       const struct status *status) {
    tls->engine = engine;
    if (!engine) {
        break_off(tls, status->code, status->text);
        return;
    }
    stream_flush_later(tls->stream);
    follow_holding(tls);
}

void stream_tls_accept(struct stream *stream, struct tls_server_context *context) {
    struct status status = STATUS_INIT;
    struct stream_tls *tls = begin(stream);
    if (stream->is_closing) return;
    struct tls_engine *engine = tls_engine_create_server(context);
    if (!engine) status_fail(&status, STATUS_NO_MEMORY, "no memory for a TLS connection");
    use_engine(tls, engine, &status);
}

static void connect_now(struct stream_tls *tls, struct tls_client_context *context,
                        const char *host, uint16_t port) {
    struct status status = STATUS_INIT;
    const struct tls_target target = {.host = host, .port = port};
    struct tls_engine *engine = tls_engine_create_client(context, &target, &status);
    use_engine(tls, engine, &status);
}

static void load(void *context) {
    struct loading *loading = context;
    bool is_loaded = tls_client_context_load(loading->context, &loading->status);
    ASSERT(is_loaded == status_is_ok(&loading->status));
}

static void loaded(void *context, bool cancelled) {
    struct loading *loading = context;
    struct stream_tls *tls = loading->tls;
    ASSERT(!cancelled); /* nobody cancels it */
    if (tls) {
        tls->loading = NULL;
        if (status_is_ok(&loading->status))
            connect_now(tls, loading->context, tls->host, tls->port);
        else
            break_off(tls, loading->status.code, loading->status.text);
    }
    tls_client_context_release(loading->context);
    free(loading);
}

void stream_tls_connect(struct stream *stream, struct tls_client_context *context, const char *host,
                        uint16_t port) {
    struct stream_tls *tls = begin(stream);
    if (stream->is_closing) return;
    if (tls_client_context_is_loaded(context)) {
        connect_now(tls, context, host, port);
        return;
    }
    tls->host = memory_copy_text(host);
    tls->port = port;
    tls->loading = memory_new(sizeof *tls->loading);
    *tls->loading = (struct loading){.context = tls_client_context_retain(context), .tls = tls};
    worker_start(stream_loop(stream), load, loaded, tls->loading);
}

void stream_tls_stop(struct stream_tls *tls) {
    if (tls->loading) tls->loading->tls = NULL;
    tls->loading = NULL;
    loop_unschedule(&tls->take_task);
    timer_close(tls->deadline);
    tls->deadline = NULL;
}

bool stream_tls_copy_failure(const struct stream_tls *tls, struct status *status) {
    *status = tls->failure;
    return !status_is_ok(status);
}

void stream_tls_free(struct stream_tls *tls) {
    if (!tls) return;
    chunk_queue_clear(&tls->plain, loop_of(tls));
    tls_engine_free(tls->engine);
    buffer_free(&tls->held);
    free(tls->host);
    free(tls);
}

bool stream_is_tls(const struct stream *stream) {
    return stream->tls != NULL;
}

bool stream_tls_is_open(const struct stream *stream) {
    return stream->tls && stream->tls->engine && tls_engine_state(stream->tls->engine) == TLS_OPEN;
}

const uint8_t *stream_peer_fingerprint(const struct stream *stream) {
    return stream->tls && stream->tls->engine ? tls_engine_peer_fingerprint(stream->tls->engine)
                                              : NULL;
}
