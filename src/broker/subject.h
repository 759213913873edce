/*
 * NATS subjects: tokens separated by '.', where a subscription may have '*' for one whole token and
 * '>' as its last token for one or more. Rules as nats-server has them (server/sublist.go): any
 * byte but blanks may be in a token, and "a*" or "b>" are literal tokens.
 */
#ifndef LSYS_BROKER_SUBJECT_H
#define LSYS_BROKER_SUBJECT_H

#include <stdbool.h>

#include "base/bytes.h"

/* True when one can subscribe to it: no empty token, and '>' only as the last one. */
bool subject_is_valid(struct bytes subject);

/* True when it is valid and has no wildcard token, so that one can publish to it. */
bool subject_is_literal(struct bytes subject);

/* True when a token of it is '*' or '>'. */
bool subject_has_wildcard(struct bytes subject);

/* True when every subject that `inner` matches is also matched by `outer`. With a literal `inner`
 * this is the question whether the subscription `outer` receives it. Both are valid subjects. */
bool subject_contains(struct bytes outer, struct bytes inner);

/* True when some subject is matched by both. Both are valid subjects. */
bool subjects_overlap(struct bytes left, struct bytes right);

/* Takes the first token off `rest` (without its '.'). Returns false when nothing is left; an empty
 * last token is told by `rest->data` being NULL afterwards, as after every last token. */
bool subject_next_token(struct bytes *rest, struct bytes *token);

/* True when the token is '*', and when it is '>'. */
static inline bool token_is_any(struct bytes token) {
    return token.length == 1 && token.data[0] == '*';
}

static inline bool token_is_tail(struct bytes token) {
    return token.length == 1 && token.data[0] == '>';
}

#endif
