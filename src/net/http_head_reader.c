#include "net/http_head_reader.h"

#include <string.h>

void http_head_reader_init(struct http_head_reader *reader, size_t limit_bytes) {
    *reader = (struct http_head_reader){.previous = '\n'};
    buffer_init(&reader->raw, limit_bytes);
}

void http_head_reader_free(struct http_head_reader *reader) {
    buffer_free(&reader->raw);
}

void http_head_reader_restart(struct http_head_reader *reader) {
    buffer_clear(&reader->raw);
    reader->lines = 0;
    reader->previous = '\n';
    reader->skipped = 0;
    reader->reason = NULL;
}

/* Why `byte` may not follow `previous` in a head, or NULL. */
static const char *find_fault(uint8_t previous, uint8_t byte, size_t lines) {
    if (previous == '\r' && byte != '\n') return "a CR that is not followed by LF";
    if (byte == '\n' && previous != '\r') return "a line that ends without CR";
    if (byte == '\0') return "a NUL byte";
    if (byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\n'))
        return "a control character";
    if (previous == '\n' && (byte == ' ' || byte == '\t') && lines > 0) return "a folded line";
    return NULL;
}

/* One CRLF before the start line is ignored (RFC 9112, 2.2); more of them are not. */
static bool skips(struct http_head_reader *reader, uint8_t byte) {
    if (reader->raw.length > 0 || reader->skipped >= 2) return false;
    if (byte != (reader->skipped == 0 ? '\r' : '\n')) return false;
    reader->skipped++;
    return true;
}

static enum http_head_verdict refuse(struct http_head_reader *reader, const char *reason) {
    reader->reason = reason;
    return HTTP_HEAD_BAD_BYTE;
}

/* True when none of eight bytes is a control character or DEL; false also for a few others. In the
 * differences the highest bit of a byte that was below shows, for it borrows. */
static bool are_plain(const uint8_t *at) {
    const uint64_t ones = UINT64_C(0x0101010101010101), highest_bits = ones << 7;
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    uint64_t below_space = (eight - ones * 0x20) & ~eight;
    uint64_t no_del = eight ^ (ones * 0x7f);
    uint64_t del = (no_del - ones) & ~no_del;
    return ((below_space | del) & highest_bits) == 0;
}

/* How many bytes at the beginning are neither control characters nor DEL. */
static size_t plain_length(const uint8_t *at, size_t length) {
    size_t count = 0;
    while (count + 8 <= length && are_plain(at + count))
        count += 8;
    while (count < length && at[count] >= 0x20 && at[count] != 0x7f)
        count++;
    return count;
}

/* Judges bytes until the head is complete or one is refused; returns how many were fine. */
static size_t scan(struct http_head_reader *reader, struct bytes bytes,
                   enum http_head_verdict *verdict) {
    *verdict = HTTP_HEAD_WANTS_MORE;
    bool line_is_empty = reader->raw.length == 0 || reader->previous == '\n';
    /* Between chunks of input "\r" of an empty line may be the last byte seen. */
    if (reader->previous == '\r' && reader->raw.length >= 2)
        line_is_empty = reader->raw.data[reader->raw.length - 2] == '\n';
    for (size_t i = 0; i < bytes.length; i++) {
        bool is_inside_line = reader->previous != '\r' && reader->previous != '\n';
        size_t plain = is_inside_line ? plain_length(bytes.data + i, bytes.length - i) : 0;
        if (plain > 0) {
            i += plain - 1;
            reader->previous = bytes.data[i];
            continue;
        }
        uint8_t byte = bytes.data[i];
        const char *fault = find_fault(reader->previous, byte, reader->lines);
        if (fault) {
            *verdict = refuse(reader, fault);
            return i;
        }
        reader->previous = byte;
        if (byte == '\n') {
            reader->lines++;
            if (line_is_empty) {
                *verdict = HTTP_HEAD_COMPLETE;
                return i + 1;
            }
            line_is_empty = true;
        } else if (byte != '\r') {
            line_is_empty = false;
        }
    }
    return bytes.length;
}

enum http_head_verdict http_head_reader_feed(struct http_head_reader *reader, struct bytes bytes,
                                             size_t *consumed) {
    *consumed = 0;
    while (*consumed < bytes.length && skips(reader, bytes.data[*consumed]))
        ++*consumed;
    struct bytes rest = bytes_of(bytes.data + *consumed, bytes.length - *consumed);
    if (rest.length == 0) return HTTP_HEAD_WANTS_MORE;
    if (reader->skipped == 1) return refuse(reader, "a CR that is not followed by LF");
    if (reader->raw.length == 0 && (rest.data[0] == '\r' || rest.data[0] == '\n'))
        return refuse(reader, "empty lines before the request");

    size_t room = reader->raw.limit - reader->raw.length;
    bool is_cut = rest.length > room;
    if (is_cut) rest.length = room;
    enum http_head_verdict verdict;
    size_t scanned = scan(reader, rest, &verdict);
    buffer_append(&reader->raw, rest.data, scanned);
    *consumed += scanned;
    if (verdict != HTTP_HEAD_WANTS_MORE || !is_cut) return verdict;
    return reader->lines == 0 ? HTTP_HEAD_START_LINE_TOO_LONG : HTTP_HEAD_TOO_LARGE;
}
