/*
 * Writing JSON (RFC 8259) straight into a buffer, without a tree between. The writer puts commas
 * and colons itself and asserts that names, values and brackets alternate as they must, so that the
 * output is JSON by construction. Text is escaped so that it stays inside its quotes everywhere,
 * also in a <script> element ('<' becomes \u003c); bytes that are not UTF-8 become U+FFFD.
 *
 *     struct json_writer json;
 *     json_writer_init(&json, &buffer);
 *     json_writer_begin_object(&json);
 *     json_writer_member_text(&json, "edition", license->edition);
 *     json_writer_name(&json, "features");
 *     json_writer_begin_array(&json);
 *     ...
 *     json_writer_end_array(&json);
 *     json_writer_end_object(&json);
 *     if (!json_writer_finish(&json, "the answer", status)) ...
 *
 * Nothing is reported until json_writer_finish: the buffer remembers that something did not fit.
 */
#ifndef LSYS_CODEC_JSON_WRITER_H
#define LSYS_CODEC_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"

/* Deepest nesting that can be written: one bit a level in a word. */
#define JSON_WRITER_DEPTH_MAX 63

struct json_writer {
    struct buffer *out;   /* borrowed */
    uint64_t object_bits; /* bit n: level n is an object */
    uint64_t filled_bits; /* bit n: level n already holds a value, so a comma comes next */
    unsigned depth;       /* open objects and arrays */
    bool has_name;        /* a member's name was written and its value is due */
};

/* Starts one JSON text at the end of `out`, which must outlive the writer. Allocates nothing. */
void json_writer_init(struct json_writer *writer, struct buffer *out);

/* Goes on where `before` stands, with a copy of what it has written at the end of `out`: for texts
 * that begin alike, which then need to be written once. `before` is left as it is. */
void json_writer_go_on(struct json_writer *writer, const struct json_writer *before,
                       struct buffer *out);

void json_writer_begin_object(struct json_writer *writer);
void json_writer_end_object(struct json_writer *writer);
void json_writer_begin_array(struct json_writer *writer);
void json_writer_end_array(struct json_writer *writer);

/* The name of the next member; a value or a begin_... follows. Not checked for duplicates. */
void json_writer_name(struct json_writer *writer, const char *name);

/* One value: an array's next item, or the value of the member just named. */
void json_writer_text(struct json_writer *writer, const char *text); /* NULL writes null */
void json_writer_text_bytes(struct json_writer *writer, struct bytes text);
void json_writer_integer(struct json_writer *writer, int64_t number);
void json_writer_double(struct json_writer *writer, double number); /* NaN, infinite: null */
void json_writer_boolean(struct json_writer *writer, bool boolean);
void json_writer_null(struct json_writer *writer);

/* A value of a parsed document, written anew (canonical spacing, escaped as above). NULL: null. */
void json_writer_value(struct json_writer *writer, const struct json_value *value);

/* Bytes that are one JSON value already, as from another writer; not checked. */
void json_writer_raw(struct json_writer *writer, struct bytes json);

/* A name and a value in one call. */
void json_writer_member_text(struct json_writer *writer, const char *name, const char *text);
void json_writer_member_integer(struct json_writer *writer, const char *name, int64_t number);
void json_writer_member_double(struct json_writer *writer, const char *name, double number);
void json_writer_member_boolean(struct json_writer *writer, const char *name, bool boolean);
void json_writer_member_null(struct json_writer *writer, const char *name);

/* A point in time as an RFC 3339 text in UTC with milliseconds, as all our JSON has it. */
void json_writer_member_time(struct json_writer *writer, const char *name, int64_t unix_ms);

/* Asserts that everything was closed. False, with STATUS_TOO_LARGE or STATUS_NO_MEMORY naming
 * `what`, when the buffer could not hold it all; its content is then of no use. */
bool json_writer_finish(struct json_writer *writer, const char *what,
                        struct status *status) MUST_CHECK;

#endif
