#include "codec/pem.h"

#include <string.h>

#include "codec/base64.h"

#define BEGIN_MARK "-----BEGIN "
#define END_MARK   "-----END "
#define MARK_TAIL  "-----"

void pem_reader_init(struct pem_reader *reader, struct bytes text) {
    *reader = (struct pem_reader){.rest = text};
}

/* Takes the next line without its end and the blanks before it. */
static struct bytes take_line(struct pem_reader *reader) {
    struct bytes *text = &reader->rest;
    const uint8_t *end = memchr(text->data, '\n', text->length);
    size_t length = end ? (size_t)(end - text->data) : text->length;
    struct bytes line = bytes_of(text->data, length);
    size_t taken = end ? length + 1 : length;
    *text = bytes_of(text->data + taken, text->length - taken);
    reader->line_number++;
    while (line.length > 0 &&
           (line.data[line.length - 1] == ' ' || line.data[line.length - 1] == '\t' ||
            line.data[line.length - 1] == '\r'))
        line.length--;
    return line;
}

static bool begins_with(struct bytes line, const char *start) {
    size_t length = strlen(start);
    return line.length >= length && memcmp(line.data, start, length) == 0;
}

/* RFC 7468, section 3: printable characters, hyphens and blanks only between others. */
static bool is_label(struct bytes label) {
    bool after_letter = false;
    for (size_t i = 0; i < label.length; i++) {
        bool separator = label.data[i] == ' ' || label.data[i] == '-';
        if (label.data[i] < ' ' || label.data[i] > '~' || (separator && !after_letter))
            return false;
        after_letter = !separator;
    }
    return after_letter;
}

/* Reads the label out of a BEGIN or END line. */
static bool read_mark(struct bytes line, const char *mark, char label[PEM_LABEL_BYTES]) {
    size_t around = strlen(mark) + strlen(MARK_TAIL);
    if (line.length <= around || line.length - around >= PEM_LABEL_BYTES) return false;
    struct bytes text = bytes_of(line.data + strlen(mark), line.length - around);
    if (memcmp(text.data + text.length, MARK_TAIL, strlen(MARK_TAIL)) != 0) return false;
    if (!is_label(text)) return false;
    memcpy(label, text.data, text.length);
    label[text.length] = '\0';
    return true;
}

/* True when one was found and its label read. */
static bool find_begin(struct pem_reader *reader, char label[PEM_LABEL_BYTES],
                       struct status *status) {
    while (reader->rest.length > 0) {
        struct bytes line = take_line(reader);
        if (begins_with(line, BEGIN_MARK)) {
            if (read_mark(line, BEGIN_MARK, label)) return true;
            return status_fail(status, STATUS_MALFORMED,
                               "line %zu begins a PEM block but has no proper label",
                               reader->line_number);
        }
        if (begins_with(line, END_MARK))
            return status_fail(status, STATUS_MALFORMED,
                               "line %zu ends a PEM block that was not begun", reader->line_number);
    }
    return false;
}

static bool check_end(const struct pem_reader *reader, struct bytes line, const char *label,
                      struct status *status) {
    char end_label[PEM_LABEL_BYTES];
    if (read_mark(line, END_MARK, end_label) && strcmp(end_label, label) == 0) return true;
    return status_fail(status, STATUS_MALFORMED, "line %zu is not " END_MARK "%s" MARK_TAIL,
                       reader->line_number, label);
}

/* Appends the lines of the body to `text` and takes the END line. */
static bool collect_body(struct pem_reader *reader, const char *label, struct buffer *text,
                         struct status *status) {
    while (reader->rest.length > 0) {
        struct bytes line = take_line(reader);
        if (begins_with(line, MARK_TAIL)) return check_end(reader, line, label, status);
        if (line.length > 0 && memchr(line.data, ':', line.length))
            return status_fail(status, STATUS_MALFORMED,
                               "line %zu is a header, as encrypted keys have it: decrypt the key "
                               "first (openssl pkey -in FILE -out NEWFILE)",
                               reader->line_number);
        if (line.length == 0)
            return status_fail(status, STATUS_MALFORMED,
                               "line %zu is empty inside the PEM block \"%s\"", reader->line_number,
                               label);
        buffer_append(text, line.data, line.length);
    }
    return status_fail(status, STATUS_MALFORMED, "the line " END_MARK "%s" MARK_TAIL " is missing",
                       label);
}

bool pem_read(struct pem_reader *reader, char label[PEM_LABEL_BYTES], struct buffer *der,
              struct status *status) {
    struct buffer text;
    buffer_clear(der);
    if (!find_begin(reader, label, status)) return false;
    size_t begin_line = reader->line_number;
    buffer_init(&text, BASE64_LENGTH(der->limit));
    /* Room at once: a buffer that grows leaves pieces of a secret in memory that it gave back. */
    size_t room = reader->rest.length < text.limit ? reader->rest.length : text.limit;
    buffer_reserve(&text, room);
    bool read =
        collect_body(reader, label, &text, status) && buffer_check(&text, "the PEM block", status);
    if (read && !base64_decode(buffer_bytes(&text), der))
        read = buffer_check(der, "the PEM block", status) &&
               status_fail(status, STATUS_MALFORMED,
                           "the PEM block that begins in line %zu is not base64", begin_line);
    if (read && der->length == 0)
        read = status_fail(status, STATUS_MALFORMED,
                           "the PEM block that begins in line %zu is empty", begin_line);
    buffer_wipe(&text);
    return read;
}

bool pem_write(const char *label, struct bytes der, struct buffer *out) {
    /* 48 bytes are one line of 64 characters. */
    const size_t line_bytes = PEM_COLUMNS / 4 * 3;
    buffer_append_format(out, BEGIN_MARK "%s" MARK_TAIL "\n", label);
    for (size_t at = 0; at < der.length; at += line_bytes) {
        size_t rest = der.length - at;
        base64_append(out, bytes_of(der.data + at, rest < line_bytes ? rest : line_bytes));
        buffer_append(out, "\n", 1);
    }
    return buffer_append_format(out, END_MARK "%s" MARK_TAIL "\n", label);
}
