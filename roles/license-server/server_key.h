/*
 * The license server's own Ed25519 key, which signs its proofs. Made at the first start and kept in
 * the data folder as a private JWK, mode 0600. Clients know the server by this key's thumbprint, so
 * it is never replaced silently: a file that is not what it should be stops the start, and `lsys
 * server-key restore` brings a backup back.
 *
 * Where the disk fails, the server goes on with a key in memory (SERVER_KEY_FOR_THIS_RUN), says so,
 * and saves it when the disk works and has no other. What clients do with that key is what they do
 * with any new one: a license that names its servers refuses it, as does strict pinning; else it
 * is pinned once it has answered a nonce, in one of the four places. Nobody is deceived: whoever
 * can make the disk fail can as well delete the key.
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_SERVER_KEY_H
#define LSYS_ROLES_LICENSE_SERVER_SERVER_KEY_H

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

enum server_key_origin {
    SERVER_KEY_LOADED,
    SERVER_KEY_MADE,         /* there was none; the new one is in the data folder */
    SERVER_KEY_FOR_THIS_RUN, /* in memory only, because the disk does not take it, or does not
                              * give the one that is there */
};

/* As server_key_load, and makes a new key when there is none, or when the disk fails on it
 * (STATUS_IO on a regular file), so that a broken disk does not end the service. */
bool server_key_load_or_make(const char *data_folder, struct private_key *key,
                             enum server_key_origin *origin, struct status *status) MUST_CHECK;

/* Writes a key into the data folder; STATUS_BUSY when there is one. */
bool server_key_store(const char *data_folder, const struct private_key *key,
                      struct status *status) MUST_CHECK;

#endif
