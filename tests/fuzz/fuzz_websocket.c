/* Any bytes as WebSocket frames, from a client and from a server: read whole and read in pieces
 * they must give the same events and payload, and what is accepted must be what the header of the
 * reader promises. */
#include <string.h>

#include "base/assertion.h"
#include "net/websocket_frames.h"

#define MESSAGE_LIMIT_BYTES 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a run over the input came to. */
struct outcome {
    size_t events[WEBSOCKET_FRAMES_REFUSED + 1];
    unsigned close_code;
    uint64_t digest; /* of everything that was handed out */
};

static void add(struct outcome *outcome, struct bytes bytes) {
    for (size_t i = 0; i < bytes.length; i++)
        outcome->digest = (outcome->digest ^ bytes.data[i]) * 0x100000001b3ULL;
}

static void check_event(const struct websocket_reader *reader, enum websocket_event event,
                        struct bytes message) {
    struct bytes control = bytes_of(reader->control, reader->control_length);
    ASSERT(message.length <= MESSAGE_LIMIT_BYTES);
    if (event == WEBSOCKET_MESSAGE_CAME && reader->is_text) ASSERT(bytes_are_utf8(message));
    if (event == WEBSOCKET_PING_CAME || event == WEBSOCKET_PONG_CAME)
        ASSERT(control.length <= WEBSOCKET_CONTROL_BYTES_MAX);
    if (event == WEBSOCKET_CLOSE_CAME) {
        ASSERT(control.length <= WEBSOCKET_REASON_BYTES_MAX && bytes_are_utf8(control));
        ASSERT(reader->close_code == WEBSOCKET_CLOSE_NO_CODE ||
               websocket_close_code_is_sendable(reader->close_code));
    }
    if (event == WEBSOCKET_FRAMES_REFUSED)
        ASSERT(reader->refusal && websocket_close_code_is_sendable(reader->close_code));
}

/* Feeds the input, `step` bytes at a time. */
static struct outcome run(struct bytes input, size_t step, bool expects_masks) {
    struct outcome outcome = {.close_code = 0};
    struct websocket_reader reader;
    struct buffer message;
    websocket_reader_init(&reader, expects_masks, MESSAGE_LIMIT_BYTES);
    buffer_init(&message, MESSAGE_LIMIT_BYTES);
    for (size_t at = 0; at < input.length; at += step) {
        size_t left = input.length - at;
        struct bytes piece = bytes_of(input.data + at, left < step ? left : step);
        enum websocket_event event;
        while ((event = websocket_reader_next(&reader, &piece, &message)) != WEBSOCKET_NEEDS_MORE) {
            check_event(&reader, event, buffer_bytes(&message));
            outcome.events[event]++;
            if (event == WEBSOCKET_MESSAGE_CAME) {
                add(&outcome, buffer_bytes(&message));
                buffer_clear(&message);
            } else if (event != WEBSOCKET_FRAMES_REFUSED) {
                add(&outcome, bytes_of(reader.control, reader.control_length));
            }
        }
        ASSERT(piece.length == 0);
        if (left <= step) break;
    }
    outcome.close_code = reader.close_code;
    ASSERT(outcome.events[WEBSOCKET_CLOSE_CAME] + outcome.events[WEBSOCKET_FRAMES_REFUSED] <= 1);
    buffer_free(&message);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    bool expects_masks = data[0] & 1;
    struct bytes input = bytes_of(data + 1, size - 1);
    struct outcome whole = run(input, SIZE_MAX, expects_masks);
    struct outcome pieces = run(input, (size_t)(data[0] >> 1) % 16 + 1, expects_masks);
    ASSERT(memcmp(whole.events, pieces.events, sizeof whole.events) == 0);
    ASSERT(whole.close_code == pieces.close_code);
    ASSERT(whole.digest == pieces.digest);
    return 0;
}
