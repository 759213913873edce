/*
 * How the listener and the connector make streams of sockets they opened.
 */
#ifndef LSYS_NET_STREAM_PRIVATE_H
#define LSYS_NET_STREAM_PRIVATE_H

#include "base/attributes.h"
#include "base/status.h"
#include "net/stream.h"

/* Makes a stream of a connected, non-blocking socket, which belongs to the stream from then on (and is
 * closed on failure). TCP_NODELAY is set: output is gathered by ourselves. NULL with STATUS_IO. */
struct stream *stream_adopt(struct loop *loop, int descriptor, enum address_kind kind,
                            struct status *status) MUST_CHECK;

#endif
