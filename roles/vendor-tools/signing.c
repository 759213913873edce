#include "roles/vendor-tools/signing.h"

#include <string.h>

#include "app/passphrase.h"
#include "base/file.h"

const struct option signing_options[] = {
    {.key = "key",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Sign with this private key (JWK of keygen, 0600)"},
    {.key = "passphrase_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "The key's passphrase is the first line of this file (0600); else it is asked for"},
    {.key = "signer",
     .type = OPTION_TEXT,
     .value_name = "CMD",
     .help = "Instead of --key: run CMD without a shell; it gets the signing input on stdin and "
             "prints the signature"},
    {.key = "public_key",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "The public key (JWK, or JWKS with one key) that --signer signs with"},
    {0},
};

static bool read_passphrase(const struct options *options, struct buffer *out,
                            struct status *status) {
    const char *path = options_text(options, "passphrase_file");
    if (path) return passphrase_read_file(path, out, status);
    return passphrase_prompt("Passphrase of the key: ", false, out, status);
}

static bool read_key(const struct options *options, const char *path, struct private_key *key,
                     struct status *status) {
    struct buffer text, passphrase;
    buffer_init(&text, PRIVATE_KEY_FILE_BYTES_MAX);
    buffer_init(&passphrase, PASSPHRASE_LIMIT_BYTES);
    bool read = file_read_secret(path, &text, status);
    if (read && private_key_is_sealed(buffer_bytes(&text)))
        read = read_passphrase(options, &passphrase, status);
    if (read)
        read = private_key_parse(buffer_bytes(&text), buffer_bytes(&passphrase), key, status) ||
               status_context(status, "%s", path);
    buffer_wipe(&passphrase);
    buffer_wipe(&text);
    return read;
}

bool signing_read_keys(const char *path, uint32_t uses, struct key_ring *ring,
                       struct status *status) {
    struct buffer text;
    buffer_init(&text, KEY_RING_JWKS_BYTES_MAX);
    bool read = file_read(path, &text, status) &&
                (key_ring_add_jwks(ring, buffer_bytes(&text), uses, status) ||
                 status_context(status, "%s", path));
    buffer_wipe(&text);
    return read;
}

static bool open_command(const struct options *options, const char *command_line,
                         struct signing *out, struct status *status) {
    const char *path = options_text(options, "public_key");
    if (!path)
        return status_fail(status, STATUS_USAGE,
                           "--signer needs --public-key, the key that the signer signs with");
    struct key_ring *ring = key_ring_new();
    if (signing_read_keys(path, TOKEN_USES_VENDOR, ring, status)) {
        if (ring->count == 1)
            out->command = signer_command_new(command_line, &ring->entries[0].key, status);
        else
            status_fail(status, STATUS_CONFIG, "%s: has %zu keys; --public-key takes one", path,
                        ring->count);
    }
    key_ring_free(ring);
    if (out->command) out->signer = signer_command_signer(out->command);
    return out->command != NULL;
}

bool signing_open(const struct options *options, struct signing *out, struct status *status) {
    const char *path = options_text(options, "key");
    const char *command_line = options_text(options, "signer");
    memset(out, 0, sizeof *out);
    if (!path == !command_line)
        return status_fail(status, STATUS_USAGE,
                           "give either --key FILE or --signer CMD to sign with");
    if (command_line) return open_command(options, command_line, out, status);
    if (!read_key(options, path, &out->key, status)) return false;
    out->signer = signer_from_private_key(&out->key);
    return true;
}

void signing_close(struct signing *signing) {
    private_key_wipe(&signing->key);
    signer_command_free(signing->command);
    signing->command = NULL;
}
