#include "net/websocket_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "loop/shared_memory.h"
#include "net/http_upgrade.h"
#include "net/stream_framing.h"
#include "net/stream_private.h"
#include "net/websocket_private.h"

/* A read gives fewer bytes than it holds; two may come together at the beginning. */
#define INCOMING_BYTES_MAX (4 * (size_t)LOOP_READ_BUFFER_BYTES)

/* Memory up to this size is kept for the next read: what a client that only subscribes sends. */
#define KEPT_BYTES 1024

struct websocket_stream {
    struct stream *stream;
    const struct stream_handlers *handlers; /* of the owner; NULL until started */
    void *context;
    struct websocket_reader reader;
    struct buffer incoming;
    uint8_t pong[WEBSOCKET_CONTROL_BYTES_MAX]; /* payload of the latest ping not answered yet */
    size_t pong_length;
    bool pong_is_due;
    bool is_over;                  /* the peer's last frame was answered */
    struct loop_task resumed_task; /* tells of the end when the owner had paused before */
};

/* ---- output ---- */

static size_t write_header(uint8_t out[STREAM_FRAME_HEADER_BYTES_MAX], size_t payload_bytes) {
    uint8_t header[WEBSOCKET_HEADER_BYTES_MAX];
    size_t length = websocket_write_header(header, WEBSOCKET_BINARY, true, payload_bytes, NULL);
    ASSERT(length <= STREAM_FRAME_HEADER_BYTES_MAX);
    memcpy(out, header, length);
    return length;
}

/* Close, two bytes of payload: 1001. */
static const uint8_t going_away[] = {0x80 | WEBSOCKET_CLOSE, 2, WEBSOCKET_CLOSE_GOING_AWAY >> 8,
                                     WEBSOCKET_CLOSE_GOING_AWAY & 0xff};

static const struct stream_framing framing = {.write_header = write_header,
                                              .farewell = {going_away, sizeof going_away}};

static size_t make_control(uint8_t *out, enum websocket_opcode opcode, const uint8_t *payload,
                           size_t length) {
    size_t used = websocket_write_header(out, opcode, true, length, NULL);
    memcpy(out + used, payload, length);
    return used + length;
}

/* To a peer that sends pings and does not read, none is given until it has read everything: of
 * several pings the latest is answered (RFC 6455, 5.5.3). */
static void answer_ping(struct websocket_stream *websocket) {
    uint8_t frame[WEBSOCKET_HEADER_BYTES_MAX + WEBSOCKET_CONTROL_BYTES_MAX];
    stream_flush(websocket->stream);
    if (stream_pending_bytes(websocket->stream) > 0) return;
    size_t length = make_control(frame, WEBSOCKET_PONG, websocket->pong, websocket->pong_length);
    stream_write_frame(websocket->stream, frame, length);
    websocket->pong_is_due = false;
}

/* ---- input ---- */

static void note_ping(struct websocket_stream *websocket) {
    const struct websocket_reader *reader = &websocket->reader;
    memcpy(websocket->pong, reader->control, reader->control_length);
    websocket->pong_length = reader->control_length;
    websocket->pong_is_due = true;
}

/* Takes frames until the input is used up or the peer's last one came; false then. */
static bool take_frames(struct websocket_stream *websocket, struct bytes bytes) {
    for (;;) {
        switch (websocket_reader_next(&websocket->reader, &bytes, &websocket->incoming)) {
        case WEBSOCKET_NEEDS_MORE: return true;
        case WEBSOCKET_MESSAGE_CAME:
        case WEBSOCKET_PONG_CAME: break;
        case WEBSOCKET_PING_CAME: note_ping(websocket); break;
        case WEBSOCKET_CLOSE_CAME:
        case WEBSOCKET_FRAMES_REFUSED: return false;
        }
    }
}

static void deliver(struct websocket_stream *websocket) {
    if (websocket->incoming.length > 0)
        websocket->handlers->on_read(websocket->context, buffer_bytes(&websocket->incoming));
    if (websocket->incoming.capacity > KEPT_BYTES)
        buffer_free(&websocket->incoming);
    else
        buffer_clear(&websocket->incoming);
}

static void peer_ended(struct websocket_stream *websocket) {
    if (websocket->handlers->on_end)
        websocket->handlers->on_end(websocket->context);
    else
        stream_finish(websocket->stream, WEBSOCKET_CLOSE_TIMEOUT_MS);
}

/* The close frame repeats the peer's code, or says what was wrong. An owner that does not read now
 * has something in hand still: it hears of the end when it reads again, as of a FIN. */
static void answer_end(struct websocket_stream *websocket) {
    if (websocket->stream->is_paused) return;
    const struct websocket_reader *reader = &websocket->reader;
    uint8_t payload[WEBSOCKET_CONTROL_BYTES_MAX];
    uint8_t frame[WEBSOCKET_HEADER_BYTES_MAX + WEBSOCKET_CONTROL_BYTES_MAX];
    const char *reason = reader->refusal ? reader->refusal : "";
    size_t length = websocket_write_close(payload, reader->close_code, bytes_of_text(reason));
    length = make_control(frame, WEBSOCKET_CLOSE, payload, length);
    stream_end_framing(websocket->stream, bytes_of(frame, length));
    websocket->is_over = true;
    peer_ended(websocket);
}

/* ---- what the stream tells ---- */

static void on_read(void *context, struct bytes bytes) {
    struct websocket_stream *websocket = context;
    if (websocket->reader.is_over || !websocket->handlers) return;
    bool goes_on = take_frames(websocket, bytes);
    deliver(websocket);
    if (stream_is_closing(websocket->stream) || websocket->stream->is_finishing) return;
    if (!goes_on)
        answer_end(websocket);
    else if (websocket->pong_is_due)
        answer_ping(websocket);
}

static void owner_resumed(struct loop_task *task) {
    struct websocket_stream *websocket = LIST_ENTRY(task, struct websocket_stream, resumed_task);
    bool is_due = websocket->reader.is_over && !websocket->is_over;
    if (is_due && !stream_is_closing(websocket->stream)) answer_end(websocket);
}

static void on_end(void *context) {
    struct websocket_stream *websocket = context;
    if (!websocket->reader.is_over && websocket->handlers) peer_ended(websocket);
}

static void on_drain(void *context) {
    struct websocket_stream *websocket = context;
    if (websocket->pong_is_due) answer_ping(websocket);
    if (websocket->handlers && websocket->handlers->on_drain)
        websocket->handlers->on_drain(websocket->context);
}

static void on_closed(void *context, const struct status *status) {
    struct websocket_stream *websocket = context;
    loop_unschedule(&websocket->resumed_task);
    if (websocket->handlers) websocket->handlers->on_closed(websocket->context, status);
    buffer_free(&websocket->incoming);
    free(websocket);
}

static const struct stream_handlers handlers = {
    .on_read = on_read, .on_end = on_end, .on_drain = on_drain, .on_closed = on_closed};

static void take_owner(void *layer, const struct stream_handlers *owner_handlers, void *context) {
    struct websocket_stream *websocket = layer;
    websocket->handlers = owner_handlers;
    websocket->context = context;
}

struct stream *websocket_accept_stream(struct http_request *request,
                                       const struct websocket_accept_options *options) {
    const char *protocol;
    if (!websocket_shake_hands(request, options, &protocol)) return NULL;
    struct websocket_stream *websocket = memory_new(sizeof *websocket);
    websocket_reader_init(&websocket->reader, true, UINT64_MAX);
    buffer_init(&websocket->incoming, INCOMING_BYTES_MAX);
    websocket->stream = http_request_upgrade(request, "websocket", &handlers, websocket);
    websocket->stream->start_above = take_owner;
    websocket->stream->layer = websocket;
    loop_task_init(&websocket->resumed_task, owner_resumed);
    websocket->stream->resumed_task = &websocket->resumed_task;
    stream_use_framing(websocket->stream, &framing);
    return websocket->stream;
}
