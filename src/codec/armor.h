/*
 * The armour around a token in a file, so that people see what it is and mail does not harm it:
 *
 *     -----BEGIN LSYS LICENSE-----
 *     eyJhbGciOiJFUzI1NiIsImtpZCI6IkRZbU9kRUI1dExPdGRyd3ZDbjdvQVVGVkpoNDFnZFc4
 *     ...
 *     -----END LSYS LICENSE-----
 *
 * The body is the token as it is (not base64 of it), cut into lines of 64 characters. A file may
 * also hold the bare token. Either way the bytes of the token come out; whether it is one is for
 * verifier/jws.h to say.
 */
#ifndef LSYS_CODEC_ARMOR_H
#define LSYS_CODEC_ARMOR_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

/* Labels, for the kinds of token that people handle as files. */
#define ARMOR_LICENSE     "LSYS LICENSE"
#define ARMOR_REVOCATIONS "LSYS REVOCATIONS"
#define ARMOR_KEYRING     "LSYS KEYRING"
#define ARMOR_REQUEST     "LSYS REQUEST"
#define ARMOR_BINDING     "LSYS BINDING"

/* Columns of a body line, as in PEM (RFC 7468). */
#define ARMOR_COLUMNS 64

/* Appends `token` in armour with the given label. False as buffer_append. */
bool armor_write(const char *label, struct bytes token, struct buffer *out);

/* Appends to `token` what `text` holds, in armour with this label or bare. Blanks and line ends
 * around the armour, around the bare token and at the end of armour lines (also CR) are ignored, as
 * is a UTF-8 byte order mark at the beginning. Anything else that is not token text is refused with
 * STATUS_MALFORMED: text around the armour, blanks inside a line, another label, a missing end, an
 * empty body. STATUS_TOO_LARGE when the token does not fit `token`. On failure `token` is empty. */
bool armor_read(const char *label, struct bytes text, struct buffer *token,
                struct status *status) MUST_CHECK;

#endif
