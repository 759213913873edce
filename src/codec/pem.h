/*
 * PEM: binary objects as text between "-----BEGIN label-----" and "-----END label-----" (RFC 7468).
 * A file may hold several, with explanations around them. Reading is strict inside a block and
 * blind outside: a block is base64 in lines, canonical, and nothing else.
 */
#ifndef LSYS_CODEC_PEM_H
#define LSYS_CODEC_PEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

/* Labels in use (RFC 7468, section 4; RFC 5915; PKCS#1). */
#define PEM_CERTIFICATE         "CERTIFICATE"
#define PEM_CERTIFICATE_REQUEST "CERTIFICATE REQUEST"
#define PEM_PRIVATE_KEY         "PRIVATE KEY"
#define PEM_EC_PRIVATE_KEY      "EC PRIVATE KEY"
#define PEM_RSA_PRIVATE_KEY     "RSA PRIVATE KEY"

/* Longest label and its NUL. The longest in use is below 30 characters. */
#define PEM_LABEL_BYTES 64

/* Columns of a line that we write, as the RFC demands; any width is read. */
#define PEM_COLUMNS 64

/* Reads the blocks of a text one after the other. */
struct pem_reader {
    struct bytes rest;  /* borrowed text that was not looked at yet */
    size_t line_number; /* of the last line that was read */
};

/* Starts at the beginning of `text`, which must outlive the reader. */
void pem_reader_init(struct pem_reader *reader, struct bytes text);

/* Finds the next block; `label` and `der` (initialised, emptied first; its limit bounds the block)
 * get what is in it. Text outside of blocks is skipped; inside one, blanks at the end of a line
 * (also CR) are ignored. Returns false without touching `status` when there is no further block;
 * false with STATUS_MALFORMED naming the line for a wrong or missing end, headers as encrypted keys
 * have them (RFC 1421), anything that is not canonical base64, an empty block; STATUS_TOO_LARGE.
 * Bytes of secrets are wiped wherever they were held but in `der`, which the caller wipes. */
bool pem_read(struct pem_reader *reader, char label[PEM_LABEL_BYTES], struct buffer *der,
              struct status *status) MUST_CHECK;

/* Appends one block. False as buffer_append. */
bool pem_write(const char *label, struct bytes der, struct buffer *out);

#endif
