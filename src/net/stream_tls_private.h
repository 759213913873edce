/*
 * Where the stream calls its TLS: for stream.c and stream_output.c only.
 */
#ifndef LSYS_NET_STREAM_TLS_PRIVATE_H
#define LSYS_NET_STREAM_TLS_PRIVATE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"
#include "net/chunk_queue.h"

struct stream_tls;

/* What the owner wrote and is not encrypted yet. */
struct chunk_queue *stream_tls_plain(struct stream_tls *tls);

/* Bytes came from the socket. */
void stream_tls_received(struct stream_tls *tls, struct bytes bytes);

/* The socket has ended. */
void stream_tls_peer_closed(struct stream_tls *tls);

/* The owner reads again. */
void stream_tls_resume(struct stream_tls *tls);

/* Moves what is to be sent to the stream's output, as much as should wait there. */
void stream_tls_encrypt(struct stream_tls *tls);

/* Sends close_notify if that is possible at once. */
void stream_tls_say_goodbye(struct stream_tls *tls);

/* The stream is closing: nothing runs any more. */
void stream_tls_stop(struct stream_tls *tls);

/* Copies why TLS closed the stream; false when it did not. */
bool stream_tls_copy_failure(const struct stream_tls *tls, struct status *status);

/* Frees it after stream_tls_stop. NULL is accepted. */
void stream_tls_free(struct stream_tls *tls);

#endif
