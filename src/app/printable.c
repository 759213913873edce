#include "app/printable.h"

/* How many bytes of `text` are a control character: 1 for C0 and DEL, 2 for C1 in UTF-8, else 0. */
static size_t control_length(const char *text) {
    unsigned char first = (unsigned char)text[0];
    unsigned char second = first ? (unsigned char)text[1] : 0;
    if (first < 0x20 || first == 0x7f) return 1;
    return first == 0xc2 && second >= 0x80 && second < 0xa0 ? 2 : 0;
}

void printable_copy(const char *text, char *out, size_t out_bytes) {
    size_t length = 0;
    while (*text && length + 1 < out_bytes) {
        size_t control = control_length(text);
        out[length] = *text;
        if (control > 0) out[length] = '?';
        length++;
        text += control > 0 ? control : 1;
    }
    out[length] = '\0';
}

void printable_write(FILE *file, const char *text) {
    while (*text) {
        size_t control = control_length(text);
        fputc(control > 0 ? '?' : *text, file);
        text += control > 0 ? control : 1;
    }
}
