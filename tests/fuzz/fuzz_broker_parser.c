/* The broker's parser: whatever comes, in whatever pieces, gives the same frames or the same
 * refusal as in one piece. The first byte chooses the pieces. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "broker/hash.h"
#include "broker/parser.h"

/* What a run over the input amounted to. */
struct outcome {
    enum parser_result result;
    size_t frames;
    uint64_t digest;
};

static void add(struct outcome *outcome, struct bytes part) {
    outcome->digest = hash_name(part, outcome->digest | 1);
}

static enum parser_result take_frames(struct parser *parser, struct bytes input,
                                      struct outcome *outcome) {
    for (;;) {
        struct frame frame;
        memset(&frame, 0, sizeof frame);
        enum parser_result result = parser_next(parser, &input, &frame);
        if (result != PARSER_FRAME) return result;
        outcome->frames++;
        outcome->digest ^= (uint64_t)frame.operation * 31 + frame.header_length;
        add(outcome, frame.subject);
        add(outcome, frame.reply);
        add(outcome, frame.queue);
        add(outcome, frame.sid);
        add(outcome, frame.payload);
        if (frame.operation == OPERATION_PUB)
            ASSERT(memcmp(frame.payload.data + frame.payload.length, "\r\n", 2) == 0);
    }
}

static struct outcome run(const uint8_t *data, size_t size, size_t piece) {
    struct parser parser = {.max_line_bytes = 128, .max_payload_bytes = 256};
    struct outcome outcome = {PARSER_NEED_MORE, 0, 1};
    for (size_t at = 0; at < size && outcome.result == PARSER_NEED_MORE; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        /* A copy of exactly that size, so that reading past it is seen. */
        uint8_t *copy = malloc(length);
        memcpy(copy, data + at, length);
        outcome.result = take_frames(&parser, bytes_of(copy, length), &outcome);
        free(copy);
    }
    parser_free(&parser);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    size_t piece = (size_t)data[0] % 16 + 1;
    struct outcome whole = run(data + 1, size - 1, size);
    struct outcome pieces = run(data + 1, size - 1, piece);
    ASSERT(whole.result == pieces.result);
    ASSERT(whole.frames == pieces.frames);
    ASSERT(whole.digest == pieces.digest);
    return 0;
}
