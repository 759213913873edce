/* lsys keygen: makes the key pair of a vendor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/passphrase.h"
#include "base/file.h"
#include "codec/json_writer.h"
#include "roles/vendor-tools/vendor_tools.h"
#include "verifier/key_ring.h"
#include "verifier/private_key.h"

/* Room for a file's name: that of the key and an ending. */
#define NAME_BYTES 80

static const struct option options[] = {
    {.key = "out", .type = OPTION_PATH, .value_name = "DIR", .help = "Folder for the two files"},
    {.key = "type",
     .type = OPTION_ENUM,
     .choices = "p256|ed25519",
     .fallback = "p256",
     .help = "p256 signs with ES256, which every HSM and JOSE library has; ed25519 with EdDSA, "
             "which verifies ten times faster"},
    {.key = "name",
     .type = OPTION_TEXT,
     .fallback = "vendor",
     .help = "Names the files: NAME.key.jwk and NAME.jwks (\"root\" for the key of key rings)"},
    {.key = "passphrase_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Seal the private key under the first line of this file (0600)"},
    {.key = "passphrase",
     .type = OPTION_BOOLEAN,
     .help = "Seal the private key under a passphrase that is asked for on the terminal"},
    {0},
};

/* A name that is one harmless part of a path. */
static bool check_name(const char *name, struct status *status) {
    if (*name && *name != '.' && strlen(name) < 64 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
            strlen(name))
        return true;
    return status_fail(status, STATUS_USAGE,
                       "--name: use letters, digits, '-', '_' and '.', at most 63");
}

static bool read_passphrase(const struct options *values, struct buffer *out,
                            struct status *status) {
    const char *path = options_text(values, "passphrase_file");
    if (path && options_boolean(values, "passphrase"))
        return status_fail(status, STATUS_USAGE,
                           "give --passphrase or --passphrase-file, not both");
    if (!path && !options_boolean(values, "passphrase")) return true;
    if (path ? !passphrase_read_file(path, out, status)
             : !passphrase_prompt("New passphrase: ", true, out, status))
        return false;
    if (out->length < PASSPHRASE_MINIMUM_BYTES)
        return status_fail(status, STATUS_USAGE, "the passphrase is shorter than %d characters",
                           PASSPHRASE_MINIMUM_BYTES);
    return true;
}

static bool write_private(const struct private_key *key, struct bytes passphrase, const char *path,
                          struct status *status) {
    struct buffer text;
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    bool written = passphrase.length > 0 ? private_key_seal(key, passphrase, &text, status)
                                         : private_key_write(key, &text, status);
    buffer_append_text(&text, "\n");
    written = written && buffer_check(&text, "the key", status) &&
              file_create(path, buffer_bytes(&text), 0600, status);
    buffer_wipe(&text);
    return written;
}

static bool write_public(const struct private_key *key, const char *path, struct status *status) {
    struct buffer text;
    struct json_writer json;
    struct key_ring *ring = key_ring_new();
    buffer_init(&text, KEY_RING_JWKS_BYTES_MAX);
    json_writer_init(&json, &text);
    bool written = key_ring_add(ring, &key->public_key, TOKEN_USES_VENDOR, KEY_RING_ALWAYS_FROM_MS,
                                KEY_RING_FOREVER_MS, status);
    if (written) {
        key_ring_write_jwks(ring, TOKEN_USES_VENDOR, &json);
        written = json_writer_finish(&json, "the key set", status);
        buffer_append_text(&text, "\n");
        written = written && file_create(path, buffer_bytes(&text), 0644, status);
    }
    buffer_free(&text);
    key_ring_free(ring);
    return written;
}

/* Both files or none: a private key without its public part would only confuse. */
static bool write_files(const struct private_key *key, struct bytes passphrase,
                        const char *private_path, const char *public_path, struct status *status) {
    if (access(public_path, F_OK) == 0)
        return status_fail(status, STATUS_BUSY,
                           "%s is there already; keys are never overwritten: choose another --out "
                           "or --name",
                           public_path);
    if (!write_private(key, passphrase, private_path, status)) return false;
    if (write_public(key, public_path, status)) return true;
    unlink(private_path);
    return false;
}

static bool make_key(const struct options *values, const char *folder, struct status *status) {
    const char *name = options_text(values, "name");
    char private_name[NAME_BYTES], public_name[NAME_BYTES];
    struct private_key key;
    struct buffer passphrase;
    if (!check_name(name, status)) return false;
    snprintf(private_name, sizeof private_name, "%s.key.jwk", name);
    snprintf(public_name, sizeof public_name, "%s.jwks", name);
    char *private_path = file_join(folder, private_name);
    char *public_path = file_join(folder, public_name);
    buffer_init(&passphrase, PASSPHRASE_LIMIT_BYTES);
    bool is_p256 = !strcmp(options_text(values, "type"), "p256");

    private_key_generate(is_p256 ? JWK_P256 : JWK_ED25519, &key);
    bool made = file_make_folder(folder, 0700, status) &&
                read_passphrase(values, &passphrase, status) &&
                write_files(&key, buffer_bytes(&passphrase), private_path, public_path, status);
    if (made)
        printf("%s  private key (%s%s): keep it secret, and keep a copy\n"
               "%s  public key: give it to everyone who verifies\n"
               "key id %s\n",
               private_path, jwk_algorithm(key.public_key.type),
               passphrase.length > 0 ? ", sealed" : "", public_path, key.public_key.thumbprint);
    private_key_wipe(&key);
    buffer_wipe(&passphrase);
    free(private_path);
    free(public_path);
    return made;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    const char *folder = options_text(call->options, "out");
    if (!folder)
        status_fail(&status, STATUS_USAGE, "--out is missing: the folder for the key");
    else if (make_key(call->options, folder, &status))
        return command_finished(call->command, 0);
    return command_failed(call->command, &status);
}

const struct command keygen_command = {
    .name = "keygen",
    .summary = "make a key pair for signing",
    .group = COMMAND_VENDOR_TOOLS,
    .description = "Writes DIR/vendor.key.jwk, the private key (JWK, RFC 7517, mode 0600), and\n"
                   "DIR/vendor.jwks, the public key set. Never overwrites a file.",
    .examples = "  lsys keygen --out keys\n"
                "  lsys keygen --out keys --name root --type ed25519 --passphrase\n",
    .exit_codes = "  75   a file of that name is there already\n",
    .options = options,
    .run = run,
};
