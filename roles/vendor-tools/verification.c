#include "roles/vendor-tools/verification.h"

#include <string.h>

#include "app/machine.h"
#include "app/token_file.h"
#include "base/clock.h"
#include "codec/armor.h"
#include "roles/vendor-tools/signing.h"

const struct option verification_options[] = {
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "The vendor's public keys (JWKS)"},
    {.key = "keyring",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "The vendor's signed key ring; its keys replace those of --keys"},
    {.key = "root",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "The public root keys (JWKS) that sign key rings"},
    {.key = "revocations",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "The vendor's signed list of revoked licenses"},
    {.key = "deployment_id",
     .type = OPTION_TEXT,
     .value_name = "ID",
     .help = "Judge a license that names a deployment by this one"},
    {.key = "fingerprint_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Judge a license that is bound to a machine by this fingerprint"},
    {.key = "this_machine",
     .type = OPTION_BOOLEAN,
     .help = "Judge a license that is bound to a machine by this one"},
    {.key = "at", .type = OPTION_TIME, .help = "Judge as of this time (default: now)"},
    {0},
};

static bool read_keyring(const char *path, struct verification *out, struct status *status) {
    struct token_file file;
    if (!token_file_read(path, ARMOR_KEYRING, &file, status)) return false;
    out->keyring = keyring_token_verify(token_file_token(&file), out->roots, NULL, status);
    if (!out->keyring) status_context(status, "%s", path);
    token_file_free(&file);
    return out->keyring && keyring_token_apply(out->keyring, out->ring, status);
}

/* Reads the keys of --keys and --root, then what --keyring says instead of --keys. */
static bool read_rings(const struct options *options, struct verification *out,
                       struct status *status) {
    const char *keys = options_text(options, "keys");
    const char *root = options_text(options, "root");
    const char *keyring = options_text(options, "keyring");
    out->ring = key_ring_new();
    out->roots = key_ring_new();
    if (keys && !signing_read_keys(keys, TOKEN_USES_VENDOR, out->ring, status)) return false;
    if (root && !signing_read_keys(root, TOKEN_USE(TOKEN_KEYRING), out->roots, status))
        return false;
    if (keyring && !root)
        return status_fail(status, STATUS_USAGE,
                           "--keyring needs --root, the keys that sign key rings");
    return !keyring || read_keyring(keyring, out, status);
}

static bool read_revocations(const char *path, struct verification *out, struct status *status) {
    struct token_file file;
    if (!token_file_read(path, ARMOR_REVOCATIONS, &file, status)) return false;
    out->revocations = revocations_verify(token_file_token(&file), out->ring, NULL, status);
    if (!out->revocations) status_context(status, "%s", path);
    token_file_free(&file);
    return out->revocations != NULL;
}

static bool read_fingerprint(const struct options *options, struct verification *out,
                             struct status *status) {
    const char *path = options_text(options, "fingerprint_file");
    if (path && options_boolean(options, "this_machine"))
        return status_fail(status, STATUS_USAGE,
                           "give --fingerprint-file or --this-machine, not both");
    if (!path && !options_boolean(options, "this_machine")) return true;
    if (path && !machine_read_file(path, &out->fingerprint, status)) return false;
    if (!path) machine_read(&out->fingerprint);
    out->circumstances.fingerprint = &out->fingerprint;
    return true;
}

bool verification_open(const struct options *options, struct verification *out,
                       struct status *status) {
    const char *revocations = options_text(options, "revocations");
    memset(out, 0, sizeof *out);
    if (!read_rings(options, out, status)) return false;
    if (revocations && !read_revocations(revocations, out, status)) return false;
    if (!read_fingerprint(options, out, status)) return false;
    out->circumstances.ring = out->ring;
    out->circumstances.revocations = out->revocations;
    out->circumstances.deployment_id = options_text(options, "deployment_id");
    out->circumstances.now_ms =
        options_is_given(options, "at") ? options_time_ms(options, "at") : clock_wall_ms();
    return true;
}

void verification_close(struct verification *verification) {
    revocations_free(verification->revocations);
    keyring_token_free(verification->keyring);
    key_ring_free(verification->roots);
    key_ring_free(verification->ring);
}

void verification_judge(const struct verification *verification, struct bytes token,
                        struct verdict *out) {
    memset(out, 0, sizeof *out);
    out->license = license_verify(token, verification->ring, NULL, &out->status);
    if (!out->license) return;
    bool valid = license_check(out->license, &verification->circumstances, &out->status);
    (void)valid; /* the status says the same, and why */
}

void verdict_free(struct verdict *verdict) {
    license_free(verdict->license);
    verdict->license = NULL;
}
