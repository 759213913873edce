/*
 * Reading configuration files: `[section]`, `key = value`, comments from ';' or '#' at the
 * beginning of a line and from " ;" to its end. Each entry is handed over as it is read, with its
 * line number. Stricter than libinih: a line too long, an entry outside any section, a continuation
 * line, NUL or invalid UTF-8 is an error, and the first error ends the reading.
 */
#ifndef LSYS_CODEC_INI_H
#define LSYS_CODEC_INI_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"

/* Longest line, without its end: room for a list of many server URLs. */
#define INI_LINE_BYTES_MAX 4096

/* One `key = value`; the texts are borrowed for the time of the call. */
struct ini_entry {
    const char *section;
    const char *key;
    const char *value; /* without blanks at its ends; "" when nothing follows '=' */
    int line;          /* 1 is the first */
};

/* Called for each entry. Returns false, with `status` set, to end the reading; "file:line: " is put
 * before the text. */
typedef bool ini_entry_function(void *context, const struct ini_entry *entry,
                                struct status *status);

/* Reads `text`, the content of `file_name` (which is only for error texts). False with
 * STATUS_CONFIG, or whatever the callback reports; the text begins with "file:line: ". */
bool ini_read(struct bytes text, const char *file_name, ini_entry_function *on_entry, void *context,
              struct status *status) MUST_CHECK;

#endif
