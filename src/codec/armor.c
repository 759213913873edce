#include "codec/armor.h"

#include <string.h>

#include "codec/base64url.h"

#define BEGIN_MARK      "-----BEGIN "
#define END_MARK        "-----END "
#define MARK_TAIL       "-----"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

bool armor_write(const char *label, struct bytes token, struct buffer *out) {
    buffer_append_format(out, BEGIN_MARK "%s" MARK_TAIL "\n", label);
    for (size_t at = 0; at < token.length; at += ARMOR_COLUMNS) {
        size_t rest = token.length - at;
        buffer_append(out, token.data + at, rest < ARMOR_COLUMNS ? rest : ARMOR_COLUMNS);
        buffer_append(out, "\n", 1);
    }
    return buffer_append_format(out, END_MARK "%s" MARK_TAIL "\n", label);
}

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Takes the next line off `text`, without its end and the blanks before it. */
static struct bytes take_line(struct bytes *text) {
    const uint8_t *end = text->length ? memchr(text->data, '\n', text->length) : NULL;
    size_t length = end ? (size_t)(end - text->data) : text->length;
    struct bytes line = bytes_of(text->data, length);
    size_t taken = end ? length + 1 : length;
    *text = bytes_of(text->data + taken, text->length - taken);
    while (line.length > 0 && is_blank(line.data[line.length - 1]))
        line.length--;
    return line;
}

static bool begins_with(struct bytes text, const char *start) {
    size_t length = strlen(start);
    return text.length >= length && memcmp(text.data, start, length) == 0;
}

/* True when the line is `mark`, the label, and the tail. */
static bool is_mark(struct bytes line, const char *mark, const char *label) {
    size_t mark_length = strlen(mark);
    size_t label_length = strlen(label);
    if (line.length != mark_length + label_length + strlen(MARK_TAIL)) return false;
    return memcmp(line.data, mark, mark_length) == 0 &&
           memcmp(line.data + mark_length, label, label_length) == 0 &&
           memcmp(line.data + mark_length + label_length, MARK_TAIL, strlen(MARK_TAIL)) == 0;
}

static bool read_armored(const char *label, struct bytes text, struct buffer *token,
                         struct status *status) {
    size_t line_number = 1;
    if (!is_mark(take_line(&text), BEGIN_MARK, label))
        return status_fail(status, STATUS_MALFORMED,
                           "the first line is not " BEGIN_MARK "%s" MARK_TAIL, label);
    while (text.length > 0) {
        struct bytes line = take_line(&text);
        line_number++;
        if (begins_with(line, END_MARK)) {
            if (!is_mark(line, END_MARK, label))
                return status_fail(status, STATUS_MALFORMED,
                                   "line %zu is not " END_MARK "%s" MARK_TAIL, line_number, label);
            if (text.length > 0)
                return status_fail(status, STATUS_TRAILING_BYTES,
                                   "text follows " END_MARK "%s" MARK_TAIL, label);
            return true;
        }
        if (!base64url_is_token(line))
            return status_fail(status, STATUS_MALFORMED,
                               "line %zu has a character that is no part of a token", line_number);
        buffer_append(token, line.data, line.length);
    }
    return status_fail(status, STATUS_MALFORMED, "the line " END_MARK "%s" MARK_TAIL " is missing",
                       label);
}

static bool read_bare(const char *label, struct bytes text, struct buffer *token,
                      struct status *status) {
    if (!base64url_is_token(text))
        return status_fail(status, STATUS_MALFORMED,
                           "neither a token nor armour beginning with " BEGIN_MARK "%s" MARK_TAIL,
                           label);
    buffer_append(token, text.data, text.length);
    return true;
}

bool armor_read(const char *label, struct bytes text, struct buffer *token, struct status *status) {
    if (begins_with(text, BYTE_ORDER_MARK))
        text = bytes_of(text.data + strlen(BYTE_ORDER_MARK), text.length - strlen(BYTE_ORDER_MARK));
    text = bytes_trim(text);
    bool armored = begins_with(text, BEGIN_MARK);
    bool done =
        armored ? read_armored(label, text, token, status) : read_bare(label, text, token, status);
    if (done && token->failed) done = buffer_check(token, "the token", status);
    if (done && token->length == 0)
        done = status_fail(status, STATUS_MALFORMED, "there is no token in it");
    if (!done) buffer_clear(token);
    return done;
}
