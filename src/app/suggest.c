#include "app/suggest.h"

#include <stdbool.h>
#include <string.h>

/* Longer names are not compared: nobody types them by hand. */
#define NAME_LIMIT 64

static size_t smallest(size_t first, size_t second, size_t third) {
    size_t least = first < second ? first : second;
    return least < third ? least : third;
}

/* The optimal string alignment distance: edits of one letter, or a swap of two neighbours. */
static size_t edit_distance(const char *left, size_t left_length, const char *right,
                            size_t right_length) {
    size_t rows[3][NAME_LIMIT + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= right_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= left_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= right_length; j++) {
            size_t changed = above[j - 1] + (left[i - 1] != right[j - 1]);
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, changed);
            bool swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[right_length];
}

void suggestion_consider(struct suggestion *suggestion, const char *typed, const char *candidate) {
    size_t typed_length = strlen(typed), candidate_length = strlen(candidate);
    if (typed_length == 0 || typed_length > NAME_LIMIT || candidate_length > NAME_LIMIT) return;
    bool is_beginning = typed_length >= 3 && !strncmp(typed, candidate, typed_length);
    size_t distance =
        is_beginning ? 1 : edit_distance(typed, typed_length, candidate, candidate_length);
    if (distance > (typed_length + 2) / 3) return;
    if (suggestion->name && suggestion->distance <= distance) return;
    suggestion->name = candidate;
    suggestion->distance = distance;
}
