#include "codec/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"

struct json_document {
    json_t *root; /* owned */
};

/* A `struct json_value` is jansson's json_t under a name that keeps its header in this file. */
static json_t *node_of(const struct json_value *value) {
    return (json_t *)value;
}

static const struct json_value *value_of(const json_t *node) {
    return (const struct json_value *)node;
}

/* Bounds depth and number of values from the brackets and commas outside of strings. It need not be
 * JSON for that: what is not will fail in the parser, which this protects. */
static bool check_shape(struct bytes text, struct status *status) {
    size_t depth = 0;
    size_t values = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (in_string) {
            if (byte == '\\') i++;
            if (byte == '"') in_string = false;
            continue;
        }
        if (byte == '"') in_string = true;
        if (byte == '[' || byte == '{') depth++;
        if ((byte == ']' || byte == '}') && depth > 0) depth--;
        if (byte == '[' || byte == '{' || byte == ',') values++;
        if (depth > JSON_DEPTH_MAX)
            return status_fail(status, STATUS_BAD_JSON,
                               "JSON is nested deeper than %d levels (at byte %zu)", JSON_DEPTH_MAX,
                               i + 1);
        if (values > JSON_VALUES_MAX)
            return status_fail(status, STATUS_TOO_LARGE, "JSON has more than %d values",
                               JSON_VALUES_MAX);
    }
    return true;
}

static enum status_code code_of_error(const json_error_t *error) {
    switch (json_error_code(error)) {
    case json_error_duplicate_key: return STATUS_DUPLICATE_MEMBER;
    case json_error_out_of_memory: return STATUS_NO_MEMORY;
    default: return STATUS_BAD_JSON;
    }
}

/* jansson quotes the input in its texts; what is no printable ASCII would reach terminals. */
static void make_printable(char *text) {
    for (; *text; text++)
        if (*text < ' ' || *text > '~') *text = '?';
}

struct json_document *json_document_parse(struct bytes text, size_t max_bytes,
                                          struct status *status) {
    if (text.length > max_bytes) {
        status_fail(status, STATUS_TOO_LARGE, "JSON of %zu bytes is over the limit of %zu",
                    text.length, max_bytes);
        return NULL;
    }
    if (!check_shape(text, status)) return NULL;

    json_error_t error;
    const char *start = text.data ? (const char *)text.data : "";
    json_t *root = json_loadb(start, text.length, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        make_printable(error.text);
        status_fail(status, code_of_error(&error), "not acceptable JSON: %s (line %d, column %d)",
                    error.text, error.line, error.column);
        return NULL;
    }
    struct json_document *document = memory_new(sizeof *document);
    document->root = root;
    return document;
}

void json_document_free(struct json_document *document) {
    if (!document) return;
    json_decref(document->root);
    free(document);
}

const struct json_value *json_document_root(const struct json_document *document) {
    return value_of(document->root);
}

enum json_type json_value_type(const struct json_value *value) {
    if (!value) return JSON_NONE;
    switch (json_typeof(node_of(value))) {
    case JSON_OBJECT: return JSON_TYPE_OBJECT;
    case JSON_ARRAY: return JSON_TYPE_ARRAY;
    case JSON_STRING: return JSON_TYPE_TEXT;
    case JSON_INTEGER: return JSON_TYPE_INTEGER;
    case JSON_REAL: return JSON_TYPE_DOUBLE;
    case JSON_TRUE:
    case JSON_FALSE: return JSON_TYPE_BOOLEAN;
    case JSON_NULL: return JSON_TYPE_NULL;
    }
    return JSON_NONE;
}

const struct json_value *json_value_member(const struct json_value *object, const char *name) {
    return value_of(json_object_get(node_of(object), name));
}

const char *json_value_text(const struct json_value *value) {
    return json_string_value(node_of(value));
}

bool json_value_integer(const struct json_value *value, int64_t *out) {
    if (json_value_type(value) != JSON_TYPE_INTEGER) return false;
    *out = json_integer_value(node_of(value));
    return true;
}

bool json_value_boolean(const struct json_value *value, bool *out) {
    if (json_value_type(value) != JSON_TYPE_BOOLEAN) return false;
    *out = json_is_true(node_of(value));
    return true;
}

bool json_value_number(const struct json_value *value, double *out) {
    if (!value || !json_is_number(node_of(value))) return false;
    *out = json_number_value(node_of(value));
    return true;
}

const char *json_member_text(const struct json_value *object, const char *name) {
    return json_value_text(json_value_member(object, name));
}

bool json_member_integer(const struct json_value *object, const char *name, int64_t *out) {
    return json_value_integer(json_value_member(object, name), out);
}

bool json_member_boolean(const struct json_value *object, const char *name, bool *out) {
    return json_value_boolean(json_value_member(object, name), out);
}

bool json_member_number(const struct json_value *object, const char *name, double *out) {
    return json_value_number(json_value_member(object, name), out);
}

size_t json_value_count(const struct json_value *value) {
    if (json_value_type(value) == JSON_TYPE_ARRAY) return json_array_size(node_of(value));
    return json_object_size(node_of(value));
}

const struct json_value *json_value_item(const struct json_value *array, size_t index) {
    return value_of(json_array_get(node_of(array), index));
}

bool json_value_next_member(const struct json_value *object, struct json_member *member) {
    json_t *node = node_of(object);
    member->position =
        member->position ? json_object_iter_next(node, member->position) : json_object_iter(node);
    if (!member->position) return false;
    member->name = json_object_iter_key(member->position);
    member->value = value_of(json_object_iter_value(member->position));
    return true;
}
