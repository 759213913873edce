#include "app/nats_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define IDENTITY_ENDING ".nk"
#define SIGNING_ENDING  ".signing.nk"

/* Room for a path below the folder: "keys/accounts/", a name of 64 characters, a key, an ending. */
#define RELATIVE_BYTES 256

/* "folder/keys/PLACEending", owned by the caller. */
static char *path_of(const char *folder, const char *place, const char *ending) {
    char relative[RELATIVE_BYTES];
    snprintf(relative, sizeof relative, "keys/%s%s", place, ending);
    return file_join(folder, relative);
}

/* The path for a signing key that was added. */
static char *path_of_added(const char *folder, const char *place, const char *key) {
    char ending[NKEY_PUBLIC_TEXT_BYTES + sizeof ".signing..nk"];
    snprintf(ending, sizeof ending, ".signing.%s.nk", key);
    return path_of(folder, place, ending);
}

/* ---- making ---- */

/* Keeps the seed in the new file `path`, which is freed. */
static bool keep(char *path, char seed[NKEY_SEED_TEXT_BYTES], struct status *status) {
    seed[NKEY_SEED_TEXT_BYTES - 1] = '\n';
    bool kept = file_create(path, bytes_of(seed, NKEY_SEED_TEXT_BYTES), 0600, status);
    memory_wipe(seed, NKEY_SEED_TEXT_BYTES);
    free(path);
    return kept;
}

bool nats_keys_make(const char *folder, const char *place, enum nkey_kind kind,
                    char identity[NKEY_PUBLIC_TEXT_BYTES], char signing[NKEY_PUBLIC_TEXT_BYTES],
                    struct status *status) {
    char seed[NKEY_SEED_TEXT_BYTES];
    nkey_generate(kind, seed, identity);
    if (!keep(path_of(folder, place, IDENTITY_ENDING), seed, status)) return false;
    nkey_generate(kind, seed, signing);
    return keep(path_of(folder, place, SIGNING_ENDING), seed, status);
}

bool nats_keys_add_signing(const char *folder, const char *place, enum nkey_kind kind,
                           char key[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    char seed[NKEY_SEED_TEXT_BYTES];
    nkey_generate(kind, seed, key);
    return keep(path_of_added(folder, place, key), seed, status);
}

/* ---- finding ---- */

/* Reads the seed without its line end. */
static bool read_seed(const char *path, struct buffer *seed, struct status *status) {
    if (!file_read_secret(path, seed, status)) return false;
    size_t length = bytes_trim(buffer_bytes(seed)).length;
    if (length < seed->length && seed->data[length] <= ' ') seed->length = length;
    return true;
}

/* True when the file is there and holds the key, whose seed is then in `seed`. */
static bool holds(const char *path, const char *key, struct buffer *seed, struct status *status) {
    char found[NKEY_PUBLIC_TEXT_BYTES];
    if (access(path, F_OK) != 0) return false;
    buffer_clear(seed);
    return read_seed(path, seed, status) &&
           nkey_public_of_seed(buffer_bytes(seed), found, status) && strcmp(found, key) == 0;
}

bool nats_keys_read(const char *folder, const char *place, const char *key, struct buffer *seed,
                    struct status *status) {
    char *paths[] = {path_of_added(folder, place, key), path_of(folder, place, SIGNING_ENDING),
                     path_of(folder, place, IDENTITY_ENDING)};
    struct status problem = STATUS_INIT;
    bool found = false;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        found = found || (status_is_ok(&problem) && holds(paths[i], key, seed, &problem));
        free(paths[i]);
    }
    if (found) return true;
    if (!status_is_ok(&problem)) return status_fail(status, problem.code, "%s", problem.text);
    return status_fail(status, STATUS_NOT_FOUND,
                       "the private key of %s is not in %s/keys: bring it back from where it is "
                       "kept",
                       key, folder);
}

void nats_keys_remove_signing(const char *folder, const char *place, const char *key) {
    char *paths[] = {path_of_added(folder, place, key), path_of(folder, place, SIGNING_ENDING)};
    struct buffer seed;
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (holds(paths[i], key, &seed, NULL)) unlink(paths[i]);
        free(paths[i]);
    }
    buffer_wipe(&seed);
}
