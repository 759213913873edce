/*
 * WebSocket frames (RFC 6455, section 5) from bytes and to bytes, without any I/O. The reader is
 * strict: masks on the client's side only, no reserved bits or opcodes, lengths in their shortest
 * form, control frames whole and small, text that is UTF-8 (refused at the first wrong byte), close
 * codes that may be sent. It holds the payload of a message only as far as it has arrived, and a
 * message that would go over the limit is refused when its length is announced. Extensions
 * (permessage-deflate) are not spoken.
 */
#ifndef LSYS_NET_WEBSOCKET_FRAMES_H
#define LSYS_NET_WEBSOCKET_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "net/websocket_text.h"

/* RFC 6455, 5.2: two bytes, a length of eight more, and a mask. */
#define WEBSOCKET_HEADER_BYTES_MAX 14
#define WEBSOCKET_MASK_BYTES       4

/* RFC 6455, 5.5: payload of ping, pong and close. */
#define WEBSOCKET_CONTROL_BYTES_MAX 125

/* Of these a close frame needs two for the code. */
#define WEBSOCKET_REASON_BYTES_MAX (WEBSOCKET_CONTROL_BYTES_MAX - 2)

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

/* RFC 6455, 7.4.1, and the IANA registry. */
enum websocket_close_code {
    WEBSOCKET_CLOSE_NORMAL = 1000,
    WEBSOCKET_CLOSE_GOING_AWAY = 1001,
    WEBSOCKET_CLOSE_PROTOCOL_ERROR = 1002,
    WEBSOCKET_CLOSE_UNACCEPTABLE = 1003, /* a kind of data that is not taken here */
    WEBSOCKET_CLOSE_NO_CODE = 1005,      /* never sent: the peer's close frame was empty */
    WEBSOCKET_CLOSE_ABNORMAL = 1006,     /* never sent: there was no close frame */
    WEBSOCKET_CLOSE_BAD_TEXT = 1007,
    WEBSOCKET_CLOSE_POLICY = 1008,
    WEBSOCKET_CLOSE_TOO_LARGE = 1009,
    WEBSOCKET_CLOSE_INTERNAL_ERROR = 1011,
    WEBSOCKET_CLOSE_TRY_LATER = 1013,
};

/* True for codes that a close frame may carry: 1000 to 1003, 1007 to 1014, and 3000 to 4999, which
 * belong to libraries and applications. */
bool websocket_close_code_is_sendable(unsigned code);

/* ---- reading ---- */

enum websocket_event {
    WEBSOCKET_NEEDS_MORE,     /* the input is used up */
    WEBSOCKET_MESSAGE_CAME,   /* complete, in the caller's buffer; `is_text` says which kind */
    WEBSOCKET_PING_CAME,      /* `control` is its payload, which the pong repeats */
    WEBSOCKET_PONG_CAME,      /* `control` is its payload */
    WEBSOCKET_CLOSE_CAME,     /* `close_code`; the reason is in `control` */
    WEBSOCKET_FRAMES_REFUSED, /* the peer broke the rules: `close_code` and `refusal` say how */
};

struct websocket_reader {
    /* Set by websocket_reader_init. */
    bool expects_masks;
    uint64_t message_limit_bytes;

    /* What came; valid after the event. */
    bool is_text;
    unsigned close_code;
    const char *refusal; /* for people */
    uint8_t control[WEBSOCKET_CONTROL_BYTES_MAX];
    size_t control_length;

    /* The frame under way. */
    uint8_t header[WEBSOCKET_HEADER_BYTES_MAX];
    size_t header_length;
    bool header_is_complete;
    bool frame_is_final;
    enum websocket_opcode opcode;
    uint64_t frame_left_bytes;
    uint8_t mask[WEBSOCKET_MASK_BYTES];
    size_t mask_at; /* 0 to 3: the byte of the mask that comes next */

    /* The message under way. */
    bool is_inside_message;
    uint64_t message_bytes; /* announced by its frames so far */
    struct websocket_text text;

    bool is_over; /* after a close frame or a refusal nothing is read any more */
};

/* Prepares a reader. `expects_masks`: it reads what a client sends. A message may have at most
 * `message_limit_bytes`; over it: refused with WEBSOCKET_CLOSE_TOO_LARGE. */
void websocket_reader_init(struct websocket_reader *reader, bool expects_masks,
                           uint64_t message_limit_bytes);

/* Reads on, up to the next event; drops what it used from the front of `input`. Payload of messages
 * is appended, unmasked and checked, to `message`. After WEBSOCKET_MESSAGE_CAME the caller clears
 * it; who reads a stream of bytes instead of messages takes what is there whenever he likes. The
 * buffer's own limit must not be below `message_limit_bytes` for the former; if it fails, that is
 * WEBSOCKET_CLOSE_TOO_LARGE. After WEBSOCKET_CLOSE_CAME and WEBSOCKET_FRAMES_REFUSED all further
 * input is dropped. */
enum websocket_event websocket_reader_next(struct websocket_reader *reader, struct bytes *input,
                                           struct buffer *message);

/* ---- writing ---- */

/* Writes the header of a frame with `length` bytes of payload. `mask` is NULL for a server's
 * frames. Returns its length, 2 to WEBSOCKET_HEADER_BYTES_MAX. */
size_t websocket_write_header(uint8_t out[WEBSOCKET_HEADER_BYTES_MAX], enum websocket_opcode opcode,
                              bool is_final, uint64_t length, const uint8_t *mask);

/* Copies payload and applies the mask, which begins with its byte `mask_at` (0 to 3). `out` and
 * `in` may be the same. Returns where the mask goes on. */
size_t websocket_apply_mask(uint8_t *out, const uint8_t *in, size_t length,
                            const uint8_t mask[WEBSOCKET_MASK_BYTES], size_t mask_at);

/* Writes the payload of a close frame: nothing for WEBSOCKET_CLOSE_NO_CODE. The reason is cut,
 * between two characters, to what fits. Returns the length. */
size_t websocket_write_close(uint8_t out[WEBSOCKET_CONTROL_BYTES_MAX], unsigned code,
                             struct bytes reason);

#endif
