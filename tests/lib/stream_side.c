#include "tests/lib/stream_side.h"

#include "loop/shared_memory.h"
#include "tests/lib/unit.h"

#define RECEIVED_LIMIT_BYTES (64 << 20)

static void note_read(void *context, struct bytes bytes) {
    struct stream_side *side = context;
    side->reads++;
    assert_true(bytes.length <= LOOP_READ_BUFFER_BYTES);
    assert_true(buffer_append(&side->received, bytes.data, bytes.length));
    if (side->echoes) stream_write(side->stream, bytes.data, bytes.length);
    if (side->pauses) stream_pause_reading(side->stream);
}

static void note_end(void *context) {
    struct stream_side *side = context;
    side->ended++;
    if (side->closes_at_end) stream_close(side->stream);
}

static void note_drain(void *context) {
    struct stream_side *side = context;
    side->drained++;
}

static void note_closed(void *context, const struct status *status) {
    struct stream_side *side = context;
    side->closed++;
    side->stream = NULL;
    side->why = *status;
}

const struct stream_handlers stream_side_handlers = {
    .on_read = note_read, .on_end = note_end, .on_drain = note_drain, .on_closed = note_closed};

void stream_side_init(struct stream_side *side) {
    buffer_init(&side->received, RECEIVED_LIMIT_BYTES);
}
