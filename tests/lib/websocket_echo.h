/*
 * A WebSocket of ours that sends messages back, and a raw peer that says what a test wants, over
 * real sockets: the peer as the client of our server, and as the server of our client.
 */
#ifndef LSYS_TESTS_LIB_WEBSOCKET_ECHO_H
#define LSYS_TESTS_LIB_WEBSOCKET_ECHO_H

#include "tests/lib/websocket_script.h"

/* Largest message that our side takes. */
#define WEBSOCKET_ECHO_BYTES_MAX ((size_t)16 << 20)

struct websocket_echo;

/* For cmocka; the state is a struct websocket_echo. */
int websocket_echo_set_up(void **state);
int websocket_echo_tear_down(void **state);

/* Sends the frames, `chop` bytes in a turn of the loop (0: all at once), in both directions, and
 * fails the test unless the trace of all that our side answers is `expected`. Where neither says
 * anything of closing, a close frame with 1000 is sent at the end, and expected back. */
void websocket_echo_run(struct websocket_echo *echo, const char *number,
                        const struct script_frame *frames, size_t count, size_t chop,
                        const char *expected);

#endif
