#include "codec/nats_creds.h"

#include <string.h>

#define TOKEN_LABEL "NATS USER JWT"
#define SEED_LABEL  "USER NKEY SEED"

#define DASHES_MIN 3

bool nats_creds_write(struct bytes token, struct bytes seed, struct buffer *out) {
    buffer_append_text(out, "-----BEGIN " TOKEN_LABEL "-----\n");
    buffer_append(out, token.data, token.length);
    buffer_append_text(out, "\n------END " TOKEN_LABEL "------\n"
                            "\n"
                            "The seed below is secret: whoever has it can sign in as this user.\n"
                            "\n"
                            "-----BEGIN " SEED_LABEL "-----\n");
    buffer_append(out, seed.data, seed.length);
    return buffer_append_text(out, "\n------END " SEED_LABEL "------\n");
}

/* Takes the next line off `text`, without blanks at its ends. */
static struct bytes take_line(struct bytes *text) {
    const uint8_t *end = memchr(text->data, '\n', text->length);
    size_t length = end ? (size_t)(end - text->data) : text->length;
    size_t taken = end ? length + 1 : length;
    struct bytes line = bytes_of(text->data, length);
    *text = bytes_of(text->data + taken, text->length - taken);
    return bytes_trim(line);
}

static size_t dashes_at_start(struct bytes line) {
    size_t count = 0;
    while (count < line.length && line.data[count] == '-')
        count++;
    return count;
}

/* The text between the dashes of a mark; empty when the line is none. */
static struct bytes mark_of(struct bytes line) {
    size_t before = dashes_at_start(line), after = 0;
    if (before == line.length) return bytes_of(NULL, 0);
    while (line.data[line.length - 1 - after] == '-')
        after++;
    if (before < DASHES_MIN || after < DASHES_MIN) return bytes_of(NULL, 0);
    return bytes_of(line.data + before, line.length - before - after);
}

/* Reads the one line of a block and its end. */
static bool read_block(struct bytes *text, const char *label, const char *end_mark,
                       struct bytes *out, struct status *status) {
    struct bytes body = text->length > 0 ? take_line(text) : bytes_of(NULL, 0);
    if (body.length == 0 || dashes_at_start(body) >= DASHES_MIN)
        return status_fail(status, STATUS_MALFORMED, "the block \"%s\" is empty", label);
    for (size_t i = 0; i < body.length; i++)
        if (body.data[i] <= ' ' || body.data[i] >= 0x7F)
            return status_fail(status, STATUS_MALFORMED,
                               "the block \"%s\" has more than one word in its line", label);
    if (text->length == 0 || !bytes_equal_text(mark_of(take_line(text)), end_mark))
        return status_fail(status, STATUS_MALFORMED, "the block \"%s\" does not end after its line",
                           label);
    *out = body;
    return true;
}

bool nats_creds_read(struct bytes text, struct bytes *token, struct bytes *seed,
                     struct status *status) {
    *token = *seed = bytes_of(NULL, 0);
    if (text.length > NATS_CREDS_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "credentials have at most %d bytes",
                           NATS_CREDS_BYTES_MAX);
    while (text.length > 0) {
        struct bytes mark = mark_of(take_line(&text));
        bool read = true;
        if (!token->data && bytes_equal_text(mark, "BEGIN " TOKEN_LABEL))
            read = read_block(&text, TOKEN_LABEL, "END " TOKEN_LABEL, token, status);
        else if (!seed->data && bytes_equal_text(mark, "BEGIN " SEED_LABEL))
            read = read_block(&text, SEED_LABEL, "END " SEED_LABEL, seed, status);
        if (!read) return false;
    }
    if (token->data && seed->data) return true;
    return status_fail(status, STATUS_MALFORMED,
                       "not NATS credentials: the block \"%s\" is missing",
                       token->data ? SEED_LABEL : TOKEN_LABEL);
}
