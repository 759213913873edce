#include "broker/subject.h"

#include <string.h>

bool subject_next_token(struct bytes *rest, struct bytes *token) {
    if (rest->data == NULL) return false;
    const uint8_t *dot = memchr(rest->data, '.', rest->length);
    if (dot == NULL) {
        *token = *rest;
        *rest = (struct bytes){NULL, 0};
        return true;
    }
    size_t length = (size_t)(dot - rest->data);
    *token = bytes_of(rest->data, length);
    *rest = bytes_of(dot + 1, rest->length - length - 1);
    return true;
}

bool subject_is_valid(struct bytes subject) {
    if (subject.length == 0) return false;
    struct bytes token;
    while (subject_next_token(&subject, &token)) {
        if (token.length == 0) return false;
        if (token_is_tail(token) && subject.data != NULL) return false;
    }
    return true;
}

bool subject_has_wildcard(struct bytes subject) {
    struct bytes token;
    while (subject_next_token(&subject, &token))
        if (token_is_any(token) || token_is_tail(token)) return true;
    return false;
}

bool subject_is_literal(struct bytes subject) {
    return subject_is_valid(subject) && !subject_has_wildcard(subject);
}

bool subject_contains(struct bytes outer, struct bytes inner) {
    struct bytes outer_token, inner_token;
    while (subject_next_token(&outer, &outer_token)) {
        if (!subject_next_token(&inner, &inner_token)) return false;
        if (token_is_tail(outer_token)) return true;
        if (token_is_tail(inner_token)) return false;
        if (!token_is_any(outer_token) && !bytes_equal(outer_token, inner_token)) return false;
    }
    return inner.data == NULL;
}

bool subjects_overlap(struct bytes left, struct bytes right) {
    struct bytes left_token, right_token;
    while (subject_next_token(&left, &left_token)) {
        if (!subject_next_token(&right, &right_token)) return false;
        if (token_is_tail(left_token) || token_is_tail(right_token)) return true;
        if (!token_is_any(left_token) && !token_is_any(right_token) &&
            !bytes_equal(left_token, right_token))
            return false;
    }
    return right.data == NULL;
}
