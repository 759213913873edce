#include "roles/license-server/server_key.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

static bool parse_key(const char *path, struct bytes text, struct private_key *key,
                      struct status *status) {
    if (!private_key_parse(text, bytes_of(NULL, 0), key, status)) {
        status_context(status, "%s", path);
        return status_context(status, "the server's key cannot be used; `lsys server-key restore` "
                                      "brings a backup back");
    }
    if (key->public_key.type == JWK_ED25519) return true;
    private_key_wipe(key);
    return status_fail(status, STATUS_MALFORMED, "%s: the server's key is not an Ed25519 key",
                       path);
}

bool server_key_load(const char *data_folder, struct private_key *key, struct status *status) {
    struct buffer text;
    char *path = file_join(data_folder, SERVER_KEY_FILE);
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    bool loaded =
        file_read_secret(path, &text, status) && parse_key(path, buffer_bytes(&text), key, status);
    buffer_wipe(&text);
    free(path);
    return loaded;
}

/* True when it is the disk that fails, on a file that may be as it should. */
static bool disk_fails(const char *data_folder, const struct status *loading) {
    struct stat information;
    char *path = file_join(data_folder, SERVER_KEY_FILE);
    bool is_file = stat(path, &information) != 0 || S_ISREG(information.st_mode);
    free(path);
    return loading->code == STATUS_IO && is_file;
}

bool server_key_load_or_make(const char *data_folder, struct private_key *key,
                             enum server_key_origin *origin, struct status *status) {
    struct status loading = STATUS_INIT;
    *origin = SERVER_KEY_LOADED;
    if (server_key_load(data_folder, key, &loading)) return true;
    bool missing = loading.code == STATUS_NOT_FOUND;
    if (!missing && !disk_fails(data_folder, &loading))
        return status_fail(status, loading.code, "%s", loading.text);
    private_key_generate(JWK_ED25519, key);
    *origin = missing && server_key_store(data_folder, key, NULL) ? SERVER_KEY_MADE
                                                                  : SERVER_KEY_FOR_THIS_RUN;
    return true;
}

bool server_key_store(const char *data_folder, const struct private_key *key,
                      struct status *status) {
    struct buffer text;
    char *path = file_join(data_folder, SERVER_KEY_FILE);
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    bool stored = private_key_write(key, &text, status) &&
                  file_create(path, buffer_bytes(&text), 0600, status);
    buffer_wipe(&text);
    free(path);
    return stored;
}
