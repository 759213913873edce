/* `lsys server-key`: shows, backs up and restores the key by which clients know a license
 * server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/passphrase.h"
#include "app/role_options.h"
#include "base/file.h"
#include "roles/license-server/license_server.h"
#include "roles/license-server/server_key.h"
#include "store/store.h"

static const struct option rows[] = {
    {.key = "passphrase_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .flag_only = true,
     .help = "Seals the backup, or opens a sealed one, with the passphrase in this file"},
    {0},
};

static const struct option *const shared[] = {store_options, NULL};

static bool read_passphrase(const struct options *options, struct buffer *passphrase,
                            struct status *status) {
    const char *path = options_text(options, "passphrase_file");
    return !path || passphrase_read_file(path, passphrase, status);
}

static bool show_key(const char *folder, struct status *status) {
    struct private_key key;
    struct json_writer json;
    struct buffer text;
    if (!server_key_load(folder, &key, status)) return false;
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    json_writer_init(&json, &text);
    jwk_write(&json, &key.public_key);
    bool done = json_writer_finish(&json, "the public key", status);
    if (done) printf("%s\n", buffer_text(&text));
    buffer_free(&text);
    private_key_wipe(&key);
    return done;
}

static bool back_up_key(const struct options *options, const char *folder, const char *path,
                        struct status *status) {
    struct private_key key;
    struct buffer passphrase, text;
    if (!server_key_load(folder, &key, status)) return false;
    buffer_init(&passphrase, PASSPHRASE_LIMIT_BYTES);
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    bool done =
        read_passphrase(options, &passphrase, status) &&
        (passphrase.length > 0 ? private_key_seal(&key, buffer_bytes(&passphrase), &text, status)
                               : private_key_write(&key, &text, status)) &&
        file_create(path, buffer_bytes(&text), 0600, status);
    if (done)
        printf("%s: the key %s%s\n", path, key.public_key.thumbprint,
               passphrase.length > 0 ? ", sealed" : "; keep this file secret");
    buffer_wipe(&passphrase);
    buffer_wipe(&text);
    private_key_wipe(&key);
    return done;
}

static bool read_backup(const struct options *options, const char *path, struct private_key *key,
                        struct status *status) {
    struct buffer passphrase, text;
    buffer_init(&passphrase, PASSPHRASE_LIMIT_BYTES);
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    bool done = file_read_secret(path, &text, status) &&
                read_passphrase(options, &passphrase, status) &&
                (private_key_parse(buffer_bytes(&text), buffer_bytes(&passphrase), key, status) ||
                 status_context(status, "%s", path));
    buffer_wipe(&passphrase);
    buffer_wipe(&text);
    if (!done || key->public_key.type == JWK_ED25519) return done;
    private_key_wipe(key);
    return status_fail(status, STATUS_MALFORMED, "%s is not the key of a license server", path);
}

/* The key that is there is moved aside, never overwritten. */
static bool set_aside(const char *folder, const struct private_key *restored,
                      struct status *status) {
    struct private_key present;
    struct status loading = STATUS_INIT;
    if (server_key_load(folder, &present, &loading)) {
        bool same = strcmp(present.public_key.thumbprint, restored->public_key.thumbprint) == 0;
        private_key_wipe(&present);
        if (same) return status_fail(status, STATUS_BUSY, "this key is there already");
    } else if (loading.code == STATUS_NOT_FOUND) {
        return true;
    }
    char *from = file_join(folder, SERVER_KEY_FILE);
    char *to = file_join(folder, SERVER_KEY_FILE ".replaced");
    bool done = rename(from, to) == 0 || status_fail_errno(status, errno, "cannot rename %s", from);
    if (done) printf("%s: the key that was there\n", to);
    free(from);
    free(to);
    return done;
}

/* Holding the store keeps a running server, which has it open, from losing its key under its
 * feet. */
static bool restore_key(const struct options *options, const char *folder, const char *path,
                        struct status *status) {
    struct private_key key;
    struct store *store = NULL;
    if (!read_backup(options, path, &key, status)) return false;
    bool done = (store_open(folder, &store, NULL, status) ||
                 status_context(status, "stop the server that uses it first")) &&
                set_aside(folder, &key, status) && server_key_store(folder, &key, status);
    if (done) printf("%s: restored the key %s\n", folder, key.public_key.thumbprint);
    store_close(store);
    private_key_wipe(&key);
    return done;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    const struct options *options = call->options;
    const char *action = options_argument(options, 0);
    const char *path = options_argument_count(options) > 1 ? options_argument(options, 1) : NULL;
    const char *folder = options_text(options, "data_dir");
    bool done;
    if (strcmp(action, "show") == 0)
        done = show_key(folder, &status);
    else if (!path)
        done = status_fail(&status, STATUS_USAGE, "%s needs a FILE", action);
    else if (strcmp(action, "backup") == 0)
        done = back_up_key(options, folder, path, &status);
    else
        done = restore_key(options, folder, path, &status);
    return done ? command_finished(call->command, 0) : command_failed(call->command, &status);
}

const struct command server_key_command = {
    .name = "server-key",
    .summary = "show, back up or restore a license server's own key",
    .group = COMMAND_TOOLS,
    .arguments = "show|backup|restore [FILE]",
    .arguments_minimum = 1,
    .arguments_maximum = 2,
    .actions = "show|backup|restore",
    .description =
        "Clients know a license server by its key. `show` prints the public key, whose `kid` goes\n"
        "into a license's server_jkts. `backup` writes the private key to a new file, mode 0600,\n"
        "sealed if --passphrase-file is given. `restore` puts a backup into a data folder whose\n"
        "server is stopped; a key that is there is moved aside.",
    .examples = "  lsys server-key backup license-server.key --data-dir /var/lib/lsys\n"
                "  lsys server-key restore license-server.key --data-dir /var/lib/lsys",
    .section = "license-server",
    .options = rows,
    .shared = shared,
    .run = run,
};
