#include "broker/subject_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "broker/subject.h"

/* ---- making ---- */

/* The importer's subject, with its references replaced by wildcards. */
struct local {
    char *pattern;
    unsigned char
        source[SUBJECT_MAP_WILDCARDS_MAX]; /* of each '*' of it: which of the exporter's */
    size_t wildcards;
};

static size_t count_wildcards(const char *pattern, bool *has_tail) {
    struct bytes rest = bytes_of_text(pattern), token;
    size_t count = 0;
    *has_tail = false;
    while (subject_next_token(&rest, &token)) {
        count += token_is_any(token);
        *has_tail |= token_is_tail(token);
    }
    return count;
}

/* The number in "$12"; 0 when it is none. */
static size_t read_reference(struct bytes token) {
    size_t number = 0;
    if (token.length < 2 || token.length > 3 || token.data[0] != '$') return 0;
    for (size_t i = 1; i < token.length; i++) {
        if (token.data[i] < '0' || token.data[i] > '9') return 0;
        number = number * 10 + (size_t)(token.data[i] - '0');
    }
    return number;
}

static bool add_wildcard(struct local *local, size_t number) {
    if (local->wildcards == SUBJECT_MAP_WILDCARDS_MAX || number > SUBJECT_MAP_WILDCARDS_MAX)
        return false;
    local->source[local->wildcards++] = (unsigned char)(number - 1);
    return true;
}

static bool read_local(const char *importer, struct local *out) {
    struct bytes rest = bytes_of_text(importer), token;
    size_t stars = 0, length = 0;
    out->wildcards = 0;
    out->pattern = memory_new(strlen(importer) + 1);
    while (subject_next_token(&rest, &token)) {
        size_t number = token_is_any(token) ? ++stars : read_reference(token);
        if (number > 0 && !add_wildcard(out, number)) return false;
        if (number > 0) token = bytes_of("*", 1);
        memcpy(out->pattern + length, token.data, token.length);
        length += token.length;
        if (rest.data != NULL) out->pattern[length++] = '.';
    }
    out->pattern[length] = '\0';
    return strstr(importer, "{{") == NULL && subject_is_valid(bytes_of_text(out->pattern));
}

/* Every wildcard of the exporter is used once. */
static bool is_permutation(const struct local *local, size_t wildcards) {
    bool seen[SUBJECT_MAP_WILDCARDS_MAX] = {false};
    if (local->wildcards != wildcards) return false;
    for (size_t i = 0; i < wildcards; i++) {
        if (local->source[i] >= wildcards || seen[local->source[i]]) return false;
        seen[local->source[i]] = true;
    }
    return true;
}

bool subject_map_make(const char *exporter, const char *importer,
                      enum subject_map_direction direction, struct subject_map *out,
                      struct status *status) {
    struct local local;
    bool tail, local_tail;
    size_t wildcards = count_wildcards(exporter, &tail);
    bool good = read_local(importer, &local);
    count_wildcards(local.pattern, &local_tail);
    *out = (struct subject_map){0};
    if (!good || tail != local_tail || !is_permutation(&local, wildcards)) {
        free(local.pattern);
        return status_fail(
            status, STATUS_CONFIG,
            "\"%s\" cannot stand for \"%s\": it needs each '*' of it once, as '*' or "
            "as $1, $2 ..., and '>' where it has one",
            importer, exporter);
    }
    bool inward = direction == SUBJECT_MAP_TO_IMPORTER;
    out->from = inward ? memory_copy_text(exporter) : local.pattern;
    out->to = inward ? local.pattern : memory_copy_text(exporter);
    for (size_t i = 0; i < wildcards; i++)
        out->source[inward ? i : local.source[i]] = inward ? local.source[i] : (unsigned char)i;
    return true;
}

void subject_map_free(struct subject_map *map) {
    free(map->from);
    free(map->to);
    *map = (struct subject_map){0};
}

/* ---- using ---- */

/* What the wildcards of a pattern stand for in a subject. */
struct caught {
    struct bytes tokens[SUBJECT_MAP_WILDCARDS_MAX];
    struct bytes tail;
};

static bool catch_tokens(const char *pattern, struct bytes subject, struct caught *out) {
    struct bytes rest = bytes_of_text(pattern), expected, token;
    size_t count = 0;
    while (subject_next_token(&rest, &expected)) {
        if (token_is_tail(expected)) {
            out->tail = subject;
            return subject.data != NULL;
        }
        if (!subject_next_token(&subject, &token)) return false;
        if (token_is_any(expected))
            out->tokens[count++] = token;
        else if (!bytes_equal(expected, token))
            return false;
    }
    return subject.data == NULL;
}

struct bytes subject_map_apply(const struct subject_map *map, struct bytes subject, void *out,
                               size_t size_bytes) {
    struct bytes rest = bytes_of_text(map->to), token;
    struct caught caught = {0};
    uint8_t *bytes = out;
    size_t count = 0, length = 0;
    if (!catch_tokens(map->from, subject, &caught)) return bytes_of(NULL, 0);
    while (subject_next_token(&rest, &token)) {
        if (token_is_any(token))
            token = caught.tokens[map->source[count++]];
        else if (token_is_tail(token))
            token = caught.tail;
        if (length + token.length + 1 > size_bytes) return bytes_of(NULL, 0);
        if (token.length > 0) memcpy(bytes + length, token.data, token.length);
        length += token.length;
        if (rest.data != NULL) bytes[length++] = '.';
    }
    return bytes_of(out, length);
}
