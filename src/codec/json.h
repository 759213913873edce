/*
 * Reading JSON (RFC 8259), strictly: a document is an object or an array, in UTF-8, without
 * duplicate members, without NUL in any text, within limits on size, depth and number of values
 * that are checked before anything is allocated. What jansson would let pass and we do not want is
 * refused here, so that nobody above needs to know jansson. Writing is in codec/json_writer.h.
 *
 * A document owns all its values; values and texts are borrowed and live as long as the document.
 * Every getter accepts NULL and a value of another type, and then finds nothing, so that
 * json_member_text(json_value_member(root, "license"), "edition") needs no checks between.
 */
#ifndef LSYS_CODEC_JSON_H
#define LSYS_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"

/* Deepest nesting of arrays and objects. Our own formats need 6; the parser recurses once a
 * level. */
#define JSON_DEPTH_MAX 32

/* Most values in one document: a value of two bytes of text costs about 50 bytes of memory. */
#define JSON_VALUES_MAX 200000

struct json_document; /* a parsed text, owned */
struct json_value;    /* one value inside a document, borrowed */

enum json_type {
    JSON_NONE, /* no value: NULL was given */
    JSON_TYPE_OBJECT,
    JSON_TYPE_ARRAY,
    JSON_TYPE_TEXT,
    JSON_TYPE_INTEGER, /* a number without fraction and exponent that fits int64_t */
    JSON_TYPE_DOUBLE,  /* any other number */
    JSON_TYPE_BOOLEAN,
    JSON_TYPE_NULL
};

/* Parses the whole of `text`, at most `max_bytes` long. Returns the document, to be given to
 * json_document_free, or NULL with STATUS_TOO_LARGE, STATUS_DUPLICATE_MEMBER or STATUS_BAD_JSON;
 * the text says what is wrong and in which line and column. Integers beyond int64_t and numbers
 * beyond double are refused. */
struct json_document *json_document_parse(struct bytes text, size_t max_bytes,
                                          struct status *status) MUST_CHECK;

/* Frees the document and everything borrowed from it. NULL is harmless. */
void json_document_free(struct json_document *document);

/* The object or array that is the document. Never NULL for a document. */
const struct json_value *json_document_root(const struct json_document *document);

enum json_type json_value_type(const struct json_value *value);

/* The member of an object, or NULL. Names are compared exactly. */
const struct json_value *json_value_member(const struct json_value *object, const char *name);

/* The text, valid UTF-8 and free of NUL, or NULL when the value is not a text. */
const char *json_value_text(const struct json_value *value);

/* Each of these returns false, leaving `*out`, when the value is not of that type. */
bool json_value_integer(const struct json_value *value, int64_t *out);
bool json_value_boolean(const struct json_value *value, bool *out);

/* Any number, also an integer (which may lose digits beyond 2^53). */
bool json_value_number(const struct json_value *value, double *out);

/* The same of a member of an object: json_value_text(json_value_member(object, name)) and so on. */
const char *json_member_text(const struct json_value *object, const char *name);
bool json_member_integer(const struct json_value *object, const char *name, int64_t *out);
bool json_member_boolean(const struct json_value *object, const char *name, bool *out);
bool json_member_number(const struct json_value *object, const char *name, double *out);

/* Number of items of an array or members of an object; 0 for anything else. */
size_t json_value_count(const struct json_value *value);

/* The item of an array at `index`, or NULL. */
const struct json_value *json_value_item(const struct json_value *array, size_t index);

/* A walk over the members of an object, in the order of the text:
 *
 *     struct json_member member = {0};
 *     while (json_value_next_member(object, &member)) use(member.name, member.value);
 */
struct json_member {
    const char *name;
    const struct json_value *value;
    void *position; /* of the parser; zero to begin */
};

/* Goes to the next member; false after the last one, or when `object` is no object. */
bool json_value_next_member(const struct json_value *object, struct json_member *member);

#endif
