/*
 * Files that hold a signed token, in armour or bare: licenses, key rings, revocation lists.
 */
#ifndef LSYS_APP_TOKEN_FILE_H
#define LSYS_APP_TOKEN_FILE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/jws.h"

/* Largest file: the largest token, its armour, and room for the line ends of a mail program. */
#define TOKEN_FILE_BYTES (2 * JWS_TOKEN_BYTES_MAX)

struct token_file {
    struct buffer token; /* without armour; owned */
};

/* Reads the file `path`, or standard input for "-". Armour must have the given label
 * (codec/armor.h); NULL: any label. Whether the token is good is for the verifier. Errors: those of
 * file_read and armor_read, naming the file. On failure there is nothing to free. */
bool token_file_read(const char *path, const char *label, struct token_file *out,
                     struct status *status) MUST_CHECK;

/* The token's bytes, valid until the file is freed. */
struct bytes token_file_token(const struct token_file *file);

void token_file_free(struct token_file *file);

/* Writes a token to the file `path`, replacing it atomically with mode 0644, or to standard output
 * for "-". In armour with this label; bare, with a line end, when the label is NULL. */
bool token_file_write(const char *path, const char *label, struct bytes token,
                      struct status *status) MUST_CHECK;

#endif
