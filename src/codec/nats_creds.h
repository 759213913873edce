/*
 * NATS credentials as a file (".creds"): a user's token and the seed of its key, each on one line
 * between marks that look like PEM but have five dashes before the block and six after it:
 *
 *     -----BEGIN NATS USER JWT-----
 *     eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ....
 *     ------END NATS USER JWT------
 *
 *     -----BEGIN USER NKEY SEED-----
 *     SUA...
 *     ------END USER NKEY SEED------
 *
 * Whoever has such a file is that user. Only the framing is read here.
 */
#ifndef LSYS_CODEC_NATS_CREDS_H
#define LSYS_CODEC_NATS_CREDS_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

/* Largest file: a user's token has to fit into CONNECT, 4 KiB; the rest is notices. */
#define NATS_CREDS_BYTES_MAX 16384

/* Appends both blocks, with the notice between that the seed is a secret. False as
 * buffer_append. */
bool nats_creds_write(struct bytes token, struct bytes seed, struct buffer *out);

/* Finds the first block of each kind; both results are borrowed from `text`. As the clients of NATS
 * do, takes three dashes or more and passes over text outside of blocks; blanks at the end of a
 * line (also CR) are ignored. STATUS_MALFORMED when a block is missing, empty, has more than one
 * line or no end; STATUS_TOO_LARGE. The texts of errors hold nothing of the file. */
bool nats_creds_read(struct bytes text, struct bytes *token, struct bytes *seed,
                     struct status *status) MUST_CHECK;

#endif
