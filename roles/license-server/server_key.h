/*
 * The license server's own Ed25519 key, which signs its proofs. Made at the first start and kept in
 * the data folder as a private JWK, mode 0600. Clients know the server by this key's thumbprint, so
 * it is never replaced silently: a file that cannot be read stops the start, and `lsys server-key
 * restore` brings a backup back.
 */
#ifndef LSYS_LICENSE_SERVER_SERVER_KEY_H
#define LSYS_LICENSE_SERVER_SERVER_KEY_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/private_key.h"

/* The file's name in the data folder. */
#define SERVER_KEY_FILE "server.key.jwk"

/* Reads the key of the data folder. STATUS_NOT_FOUND when there is none; the errors of
 * file_read_secret and private_key_parse, naming the file; STATUS_MALFORMED when it is not an
 * Ed25519 key. The caller wipes `key`. */
bool server_key_load(const char *data_folder, struct private_key *key,
                     struct status *status) MUST_CHECK;

/* As server_key_load, and makes a new key when there is none; `*made` says so. */
bool server_key_load_or_make(const char *data_folder, struct private_key *key, bool *made,
                             struct status *status) MUST_CHECK;

/* Writes a key into the data folder; STATUS_BUSY when there is one. */
bool server_key_store(const char *data_folder, const struct private_key *key,
                      struct status *status) MUST_CHECK;

#endif
