#include "net/websocket.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/websocket_private.h"

/* Memory of a message up to this size is kept for the next one. */
#define KEPT_MESSAGE_BYTES 16384

/* Masked at once: a piece fits every output chunk. */
#define MASKED_PIECE_BYTES 8192

/* ---- beginning ---- */

static void default_size(size_t *value, size_t fallback) {
    if (*value == 0) *value = fallback;
}

static void default_time(int64_t *value, int64_t fallback) {
    if (*value == 0) *value = fallback;
}

static void time_is_up(void *context);
static void tell_gone(struct loop_task *task);

struct websocket *websocket_new(struct loop *loop, bool is_client,
                                const struct websocket_settings *settings,
                                const struct websocket_handlers *handlers, void *context) {
    ASSERT(handlers->on_message && handlers->on_closed && (handlers->on_open || !is_client));
    struct websocket *websocket = memory_new(sizeof *websocket);
    struct websocket_settings *filled = &websocket->settings;
    *filled = *settings;
    default_size(&filled->message_limit_bytes, WEBSOCKET_MESSAGE_BYTES_DEFAULT);
    default_size(&filled->pending_limit_bytes, WEBSOCKET_PENDING_BYTES_DEFAULT);
    default_time(&filled->ping_interval_ms, WEBSOCKET_PING_INTERVAL_MS);
    default_time(&filled->pong_timeout_ms, WEBSOCKET_PONG_TIMEOUT_MS);
    default_time(&filled->close_timeout_ms, WEBSOCKET_CLOSE_TIMEOUT_MS);
    websocket->loop = loop;
    websocket->is_client = is_client;
    websocket->handlers = handlers;
    websocket->context = context;
    websocket->state = WEBSOCKET_CONNECTING;
    websocket->close_code = WEBSOCKET_CLOSE_ABNORMAL;
    websocket->timer = timer_open(loop, time_is_up, websocket);
    loop_task_init(&websocket->gone_task, tell_gone);
    websocket_reader_init(&websocket->reader, !is_client, filled->message_limit_bytes);
    buffer_init(&websocket->message, filled->message_limit_bytes);
    return websocket;
}

void websocket_become_open(struct websocket *websocket, const char *protocol) {
    websocket->state = WEBSOCKET_OPEN;
    websocket->protocol = protocol;
    websocket->last_read_ms = loop_now_ms(websocket->loop);
    timer_start(websocket->timer, websocket->settings.ping_interval_ms);
}

/* ---- sending ---- */

static void write_masked(struct stream *stream, struct bytes payload, const uint8_t *mask) {
    size_t mask_at = 0;
    for (size_t at = 0; at < payload.length;) {
        size_t length = payload.length - at;
        if (length > MASKED_PIECE_BYTES) length = MASKED_PIECE_BYTES;
        uint8_t *place = stream_reserve(stream, length);
        if (!place) return;
        mask_at = websocket_apply_mask(place, payload.data + at, length, mask, mask_at);
        stream_commit(stream, length);
        at += length;
    }
}

static void write_frame(struct websocket *websocket, enum websocket_opcode opcode,
                        struct bytes payload) {
    uint8_t header[WEBSOCKET_HEADER_BYTES_MAX], mask[WEBSOCKET_MASK_BYTES];
    if (websocket->is_client) random_bytes(mask, sizeof mask);
    size_t length = websocket_write_header(header, opcode, true, payload.length,
                                           websocket->is_client ? mask : NULL);
    stream_write(websocket->stream, header, length);
    if (websocket->is_client)
        write_masked(websocket->stream, payload, mask);
    else
        stream_write(websocket->stream, payload.data, payload.length);
}

static bool has_room(const struct websocket *websocket, size_t length) {
    size_t limit = websocket->settings.pending_limit_bytes;
    size_t pending = stream_pending_bytes(websocket->stream);
    return pending <= limit && length <= limit - pending;
}

bool websocket_send(struct websocket *websocket, bool is_text, struct bytes message) {
    if (websocket->state != WEBSOCKET_OPEN || !has_room(websocket, message.length)) return false;
    if (is_text && !bytes_are_utf8(message)) return false;
    write_frame(websocket, is_text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, message);
    return true;
}

size_t websocket_pending_bytes(const struct websocket *websocket) {
    return websocket->stream ? stream_pending_bytes(websocket->stream) : 0;
}

bool websocket_is_open(const struct websocket *websocket) {
    return websocket->state == WEBSOCKET_OPEN;
}

const char *websocket_protocol(const struct websocket *websocket) {
    return websocket->protocol;
}

/* ---- ending ---- */

static void write_close(struct websocket *websocket, unsigned code, struct bytes reason) {
    uint8_t payload[WEBSOCKET_CONTROL_BYTES_MAX];
    size_t length = websocket_write_close(payload, code, reason);
    write_frame(websocket, WEBSOCKET_CLOSE, bytes_of(payload, length));
}

/* Nothing more is said by either side. The server ends the stream first, so that the client need
 * not remember the connection (RFC 6455, 7.1.1). */
static void begin_ending(struct websocket *websocket) {
    websocket->state = WEBSOCKET_ENDING;
    timer_start(websocket->timer, websocket->settings.close_timeout_ms);
    if (!websocket->is_client || websocket->reader.refusal)
        stream_finish(websocket->stream, websocket->settings.close_timeout_ms);
}

void websocket_close(struct websocket *websocket, unsigned code, const char *reason) {
    if (!websocket) return;
    if (websocket->state == WEBSOCKET_CONNECTING) websocket_abort(websocket);
    if (websocket->state != WEBSOCKET_OPEN) return;
    write_close(websocket, code, bytes_of_text(reason ? reason : ""));
    websocket->state = WEBSOCKET_CLOSING;
    timer_start(websocket->timer, websocket->settings.close_timeout_ms);
}

void websocket_break(struct websocket *websocket, const struct status *status) {
    if (status_is_ok(&websocket->why)) websocket->why = *status;
    websocket->state = WEBSOCKET_ENDING;
    timer_stop(websocket->timer);
    if (websocket->stream)
        stream_abort(websocket->stream);
    else
        loop_schedule(websocket->loop, &websocket->gone_task);
}

void websocket_abort(struct websocket *websocket) {
    struct status status = STATUS_INIT;
    if (!websocket) return;
    status_fail(&status, STATUS_CANCELLED, "the connection was ended on this side");
    websocket_break(websocket, &status);
}

/* ---- time ---- */

/* A peer that is silent is asked; one that then stays silent is gone. */
static void keep_alive(struct websocket *websocket) {
    const struct websocket_settings *settings = &websocket->settings;
    int64_t silence_ms = loop_now_ms(websocket->loop) - websocket->last_read_ms;
    int64_t patience_ms = settings->ping_interval_ms + settings->pong_timeout_ms;
    struct status status = STATUS_INIT;
    if (silence_ms >= patience_ms) {
        status_fail(&status, STATUS_TIMEOUT, "the peer did not answer a ping");
        websocket_break(websocket, &status);
    } else if (silence_ms >= settings->ping_interval_ms) {
        if (!websocket->ping_is_sent) write_frame(websocket, WEBSOCKET_PING, bytes_of(NULL, 0));
        websocket->ping_is_sent = true;
        timer_start(websocket->timer, patience_ms - silence_ms);
    } else {
        timer_start(websocket->timer, settings->ping_interval_ms - silence_ms);
    }
}

static void time_is_up(void *context) {
    struct websocket *websocket = context;
    struct status status = STATUS_INIT;
    switch (websocket->state) {
    case WEBSOCKET_CONNECTING:
        status_fail(&status, STATUS_TIMEOUT, "the server did not answer in time");
        websocket_break(websocket, &status);
        break;
    case WEBSOCKET_OPEN: keep_alive(websocket); break;
    case WEBSOCKET_CLOSING:
        status_fail(&status, STATUS_TIMEOUT, "the peer did not answer a close frame");
        websocket_break(websocket, &status);
        break;
    case WEBSOCKET_ENDING: stream_close(websocket->stream); break;
    }
}

/* ---- reading ---- */

static void hand_over_message(struct websocket *websocket) {
    if (websocket->state == WEBSOCKET_OPEN)
        websocket->handlers->on_message(websocket->context, websocket->reader.is_text,
                                        buffer_bytes(&websocket->message));
    if (websocket->message.capacity > KEPT_MESSAGE_BYTES)
        buffer_free(&websocket->message);
    else
        buffer_clear(&websocket->message);
}

/* The answer repeats the payload. To a peer that sends pings and does not read the answers none are
 * given when much is waiting: the latest of several suffices (RFC 6455, 5.5.3). */
static void answer_ping(struct websocket *websocket) {
    const struct websocket_reader *reader = &websocket->reader;
    if (websocket->state == WEBSOCKET_OPEN && has_room(websocket, reader->control_length))
        write_frame(websocket, WEBSOCKET_PONG, bytes_of(reader->control, reader->control_length));
}

static void take_close(struct websocket *websocket) {
    const struct websocket_reader *reader = &websocket->reader;
    websocket->close_code = reader->close_code;
    memcpy(websocket->reason, reader->control, reader->control_length);
    websocket->reason_length = reader->control_length;
    if (websocket->state == WEBSOCKET_OPEN)
        write_close(websocket, reader->close_code, bytes_of(NULL, 0));
    begin_ending(websocket);
}

static void refuse_frames(struct websocket *websocket) {
    const struct websocket_reader *reader = &websocket->reader;
    bool is_size = reader->close_code == WEBSOCKET_CLOSE_TOO_LARGE;
    status_fail(&websocket->why, is_size ? STATUS_TOO_LARGE : STATUS_PROTOCOL,
                "the peer broke the rules of WebSocket: %s", reader->refusal);
    if (websocket->state == WEBSOCKET_OPEN)
        write_close(websocket, reader->close_code, bytes_of_text(reader->refusal));
    begin_ending(websocket);
}

static void act_on(struct websocket *websocket, enum websocket_event event) {
    switch (event) {
    case WEBSOCKET_MESSAGE_CAME: hand_over_message(websocket); break;
    case WEBSOCKET_PING_CAME: answer_ping(websocket); break;
    case WEBSOCKET_CLOSE_CAME: take_close(websocket); break;
    case WEBSOCKET_FRAMES_REFUSED: refuse_frames(websocket); break;
    case WEBSOCKET_PONG_CAME:
    case WEBSOCKET_NEEDS_MORE: break;
    }
}

void websocket_read(struct websocket *websocket, struct bytes bytes) {
    websocket->last_read_ms = loop_now_ms(websocket->loop);
    websocket->ping_is_sent = false;
    enum websocket_event event = WEBSOCKET_PONG_CAME;
    while (event != WEBSOCKET_NEEDS_MORE && websocket->state != WEBSOCKET_ENDING) {
        event = websocket_reader_next(&websocket->reader, &bytes, &websocket->message);
        act_on(websocket, event);
    }
}

/* ---- what the stream tells ---- */

static void on_read(void *context, struct bytes bytes) {
    websocket_read(context, bytes);
}

static void on_end(void *context) {
    struct websocket *websocket = context;
    if (websocket->state != WEBSOCKET_ENDING)
        status_fail(&websocket->why, STATUS_UNAVAILABLE,
                    "the peer ended the connection without a close frame");
    stream_close(websocket->stream);
}

static void on_drain(void *context) {
    struct websocket *websocket = context;
    if (websocket->state == WEBSOCKET_OPEN && websocket->handlers->on_drain)
        websocket->handlers->on_drain(websocket->context);
}

static void conclude(struct websocket *websocket) {
    websocket_attempt_free(websocket->attempt);
    timer_close(websocket->timer);
    loop_unschedule(&websocket->gone_task);
    buffer_free(&websocket->message);
    websocket->handlers->on_closed(websocket->context, websocket->close_code,
                                   bytes_of(websocket->reason, websocket->reason_length),
                                   &websocket->why);
    free(websocket);
}

static void tell_gone(struct loop_task *task) {
    conclude(LIST_ENTRY(task, struct websocket, gone_task));
}

static void on_closed(void *context, const struct status *status) {
    struct websocket *websocket = context;
    bool is_in_order = websocket->state == WEBSOCKET_ENDING;
    if (!is_in_order && status_is_ok(status))
        status_fail(&websocket->why, STATUS_CANCELLED, "the connection was ended on this side");
    else if (!is_in_order && status->code == STATUS_IO)
        status_fail(&websocket->why, STATUS_UNAVAILABLE, "the connection broke: %s", status->text);
    else if (!is_in_order)
        status_fail(&websocket->why, status->code, "%s", status->text);
    conclude(websocket);
}

const struct stream_handlers websocket_stream_handlers = {
    .on_read = on_read, .on_end = on_end, .on_drain = on_drain, .on_closed = on_closed};
