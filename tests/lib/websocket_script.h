/*
 * WebSocket conversations as data: frames in, a trace of what a reader makes of them out. For unit
 * tests.
 */
#ifndef LSYS_TESTS_LIB_WEBSOCKET_SCRIPT_H
#define LSYS_TESTS_LIB_WEBSOCKET_SCRIPT_H

#include "base/buffer.h"
#include "net/websocket_frames.h"

/* Largest message that script_check and script_read take. */
#define SCRIPT_MESSAGE_BYTES_MAX ((size_t)16 << 20)

/* A frame as the tables write it: its first byte, and its payload. */
struct script_frame {
    unsigned first;
    const char *payload;
    size_t length;
};

#define FRAME(first, text)                                                                         \
    { first, text, sizeof(text) - 1 }
#define TEXT   0x81
#define BINARY 0x82
#define CLOSE  0x88
#define PING   0x89
#define PONG   0x8a
/* Not the last frame of its message, and one that goes on with it. */
#define MORE_TEXT 0x01
#define MORE      0x00
#define LAST      0x80

/* Frames up to the first without payload pointer, and what comes of them: "ping(x) text[300]
 * close1000()", where a payload is shown if it is short and printable, else its length. */
struct script {
    const char *name;
    struct script_frame frames[8];
    const char *expected;
};

/* The mask of all masked frames. */
extern const uint8_t script_mask[WEBSOCKET_MASK_BYTES];

/* Appends a frame, or only its header, with this first byte. */
void script_append_header(struct buffer *out, unsigned first, uint64_t length, bool is_masked);
void script_append_frame(struct buffer *out, unsigned first, struct bytes payload, bool is_masked);

/* Appends an event to a trace. */
void script_note_payload(struct buffer *trace, const char *event, struct bytes payload);

/* Reads frames, at most `step` bytes at a time, into a trace. */
void script_read(struct bytes input, size_t step, bool is_masked, struct buffer *trace);

/* Reads the frames in pieces of many sizes, masked and not: fails the test unless each time it
 * comes to what is expected. */
void script_check(const char *name, const struct script_frame *frames, size_t count,
                  const char *expected);
void script_check_table(const struct script *rows, size_t count);

#endif
