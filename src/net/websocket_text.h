/*
 * Whether bytes that arrive in pieces are UTF-8 (RFC 3629): text messages are split wherever a
 * sender likes, also within a character. Wrong bytes are found at once, not at the end of the
 * message.
 */
#ifndef LSYS_NET_WEBSOCKET_TEXT_H
#define LSYS_NET_WEBSOCKET_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct websocket_text {
    uint8_t missing; /* bytes that the present character still needs */
    uint8_t lowest;  /* bounds of the next one of them */
    uint8_t highest;
};

/* Ready for the first byte of a text. */
void websocket_text_begin(struct websocket_text *text);

/* Takes the next bytes. False when no text can begin like this; then the check is over. */
bool websocket_text_add(struct websocket_text *text, struct bytes bytes);

/* True when the text may end here: no character is cut off. */
bool websocket_text_may_end(const struct websocket_text *text);

#endif
