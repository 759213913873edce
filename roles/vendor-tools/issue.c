/* lsys issue: signs a license. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/token_file.h"
#include "base/clock.h"
#include "codec/armor.h"
#include "codec/rfc3339.h"
#include "roles/vendor-tools/issue_claims.h"
#include "roles/vendor-tools/signing.h"
#include "roles/vendor-tools/vendor_tools.h"

static const struct option options[] = {
    {.key = "out",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .fallback = "-",
     .help = "Write the license here, replacing what was there; - is standard output"},
    {.key = "bare", .type = OPTION_BOOLEAN, .help = "Write the token without armour"},
    {0},
};

static bool write_license(const struct options *values, const struct license *license,
                          const struct signer *signer, struct status *status) {
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    bool written = license_sign(license, signer, &token, status) &&
                   token_file_write(options_text(values, "out"),
                                    options_boolean(values, "bare") ? NULL : ARMOR_LICENSE,
                                    buffer_bytes(&token), status);
    buffer_free(&token);
    return written;
}

/* On standard error, because the license may be on standard output. */
static void report(const struct license *license, const char *path, int64_t now_ms) {
    char expires[RFC3339_BYTES];
    rfc3339_format(license->expires_at_ms, expires);
    fprintf(stderr,
            "%s%sissued license %s for %s: edition %s, %zu feature%s, until %s, serial %" PRId64
            "\n",
            strcmp(path, "-") ? path : "", strcmp(path, "-") ? ": " : "", license->license_id,
            license->customer, license->edition, license->features_count,
            license->features_count == 1 ? "" : "s", expires, license->serial);
    if (license->expires_at_ms <= now_ms)
        fprintf(stderr, "lsys issue: note that it has expired already\n");
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct signing signing;
    int64_t now_ms = clock_wall_ms();
    /* The claims first: nobody should type a passphrase to learn that --customer is missing. */
    struct license *license = issue_claims_make(call->options, now_ms, &status);
    bool issued = license && license_validate(license, &status);
    if (issued) {
        issued = signing_open(call->options, &signing, &status) &&
                 write_license(call->options, license, &signing.signer, &status);
        signing_close(&signing);
    }
    if (issued) report(license, options_text(call->options, "out"), now_ms);
    license_free(license);
    return issued ? command_finished(call->command, 0) : command_failed(call->command, &status);
}

const struct command issue_command = {
    .name = "issue",
    .summary = "sign a license",
    .group = COMMAND_VENDOR_TOOLS,
    .description =
        "A license is a JSON Web Token (typ license+jwt) that any JOSE library verifies.\n"
        "Every claim can be given by a flag or in a JSON file (--claims). Refuses what makes\n"
        "no sense, such as an end before the beginning.",
    .examples =
        "  lsys issue --key keys/vendor.key.jwk --customer ACME --edition enterprise \\\n"
        "      --feature sso --feature nodes=50 --valid-for 1y --serial 1 --out acme.lic\n"
        "  lsys issue --signer 'kms-sign --key 17' --public-key vendor.jwks --claims acme.json\n",
    .exit_codes = "  24   a claim in the file has the wrong form\n",
    .options = options,
    .shared = (const struct option *const[]){issue_claims_options, signing_options, NULL},
    .run = run,
};
