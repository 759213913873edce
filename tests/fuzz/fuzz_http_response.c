/* Any bytes as a server's answer to our client: no crash, and one verdict however it is cut. */
#include "base/assertion.h"
#include "net/http_response_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int heads;
    size_t body_bytes;
    bool is_fine;
    bool is_done;
};

static void note_head(void *context, const struct http_response *response) {
    struct outcome *outcome = context;
    outcome->heads++;
    ASSERT(response->status >= 200 && response->status <= 599);
}

static bool note_body(void *context, struct bytes piece) {
    struct outcome *outcome = context;
    outcome->body_bytes += piece.length;
    return true;
}

static const struct http_response_sink sink = {.on_head = note_head, .on_body = note_body};

static struct outcome run(struct bytes input, size_t step, bool answers_head) {
    struct outcome outcome = {.is_fine = true};
    struct http_response_parser *parser =
        http_response_parser_create(answers_head, &sink, &outcome);
    for (size_t at = 0; at < input.length && outcome.is_fine; at += step) {
        size_t length = input.length - at < step ? input.length - at : step;
        outcome.is_fine =
            http_response_parser_feed(parser, bytes_of(input.data + at, length), NULL);
    }
    outcome.is_fine = outcome.is_fine && http_response_parser_end(parser, NULL);
    outcome.is_done = http_response_parser_is_done(parser);
    http_response_parser_free(parser);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    struct bytes input = bytes_of(data + 1, size - 1);
    bool answers_head = data[0] & 0x80;
    struct outcome whole = run(input, input.length + 1, answers_head);
    struct outcome pieces = run(input, data[0] % 16 + 1, answers_head);
    ASSERT(whole.is_fine == pieces.is_fine);
    ASSERT(whole.is_done == pieces.is_done);
    ASSERT(whole.heads == pieces.heads && whole.heads <= 1);
    ASSERT(!whole.is_fine || whole.body_bytes == pieces.body_bytes);
    return 0;
}
