/* lsys inspect: what is in a token, verified or not, and why. */
#include <stdio.h>
#include <string.h>

#include "app/printable.h"
#include "app/token_file.h"
#include "codec/json_writer.h"
#include "roles/vendor-tools/license_report.h"
#include "roles/vendor-tools/vendor_tools.h"
#include "roles/vendor-tools/verification.h"

static const struct option options[] = {
    {.key = "json", .type = OPTION_BOOLEAN, .help = "Print JSON; the claims as they are"},
    {0},
};

/* One token and all that is known about it. */
struct inspection {
    struct bytes token;
    struct jws jws;
    const struct json_value *claims; /* as they are in the token, believed or not */
    bool verified;                   /* a key that was given signed it */
    struct status verdict;           /* STATUS_OK: and it is valid now */
    const char *reason;              /* why it was not judged, or NULL */
};

/* Judges a license wholly, and other tokens by their signature. */
static void judge(const struct verification *verification, struct inspection *inspection) {
    enum token_type type;
    struct verdict verdict;
    if (!token_type_find(inspection->jws.typ, &type)) {
        status_fail(&inspection->verdict, STATUS_WRONG_TYPE, "lsys knows no tokens of this typ");
        return;
    }
    const struct key_ring *ring = type == TOKEN_KEYRING ? verification->roots : verification->ring;
    if (ring->count == 0) {
        inspection->reason = type == TOKEN_KEYRING ? "not judged: give --root to verify it"
                                                   : "not judged: give --keys to verify it";
    } else if (type == TOKEN_LICENSE) {
        verification_judge(verification, inspection->token, &verdict);
        inspection->verified = verdict.license != NULL;
        inspection->verdict = verdict.status;
        verdict_free(&verdict);
    } else {
        inspection->verified =
            jws_verify(&inspection->jws, type, ring, NULL, NULL, &inspection->verdict);
    }
}

static const char *verdict_code(const struct inspection *inspection) {
    return inspection->reason ? "not_judged" : status_code_name(inspection->verdict.code);
}

static const char *verdict_text(const struct inspection *inspection) {
    if (inspection->reason) return inspection->reason;
    return status_is_ok(&inspection->verdict) ? "valid" : inspection->verdict.text;
}

static bool write_json(const struct inspection *inspection, struct buffer *out,
                       struct status *status) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "typ", inspection->jws.typ);
    json_writer_member_text(&json, "alg", jwk_algorithm(inspection->jws.algorithm));
    json_writer_member_text(&json, "kid", inspection->jws.kid);
    json_writer_member_boolean(&json, "verified", inspection->verified);
    json_writer_member_boolean(&json, "valid",
                               !inspection->reason && status_is_ok(&inspection->verdict));
    json_writer_member_text(&json, "code", verdict_code(inspection));
    json_writer_member_text(&json, "message", verdict_text(inspection));
    json_writer_name(&json, "claims");
    json_writer_value(&json, inspection->claims);
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the report", status);
}

static bool print_json(const struct inspection *inspection, struct status *status) {
    struct buffer text;
    buffer_init(&text, LICENSE_REPORT_BYTES);
    bool written = write_json(inspection, &text, status);
    if (written) puts(buffer_text(&text));
    buffer_free(&text);
    return written;
}

/* The claims of another kind of token, or of a license with unreadable claims, as JSON. */
static void print_claims(const struct json_value *claims) {
    struct buffer text;
    struct json_writer json;
    struct status unused = STATUS_INIT; /* bounded by the token, which was read */
    buffer_init(&text, LICENSE_REPORT_BYTES);
    json_writer_init(&json, &text);
    json_writer_value(&json, claims);
    if (json_writer_finish(&json, "the claims", &unused)) printf("  %s\n", buffer_text(&text));
    buffer_free(&text);
}

static void print_text(const struct inspection *inspection) {
    struct status unused = STATUS_INIT;
    struct license *license = strcmp(inspection->jws.typ, "license+jwt")
                                  ? NULL
                                  : license_read_claims(inspection->claims, &unused);
    printable_write(stdout, inspection->jws.typ);
    printf(", %s, key ", jwk_algorithm(inspection->jws.algorithm));
    printable_write(stdout, *inspection->jws.kid ? inspection->jws.kid : "unnamed");
    printf("\n");
    if (license)
        license_report_print(license);
    else
        print_claims(inspection->claims);
    license_free(license);
    printf("  %-14s %s\n", "signature",
           inspection->verified ? "verified" : "NOT verified: believe nothing above");
    printf("  %-14s %s: ", "verdict", verdict_code(inspection));
    printable_write(stdout, verdict_text(inspection));
    printf("\n");
}

static bool inspect(const struct options *values, struct bytes token, struct status *status) {
    struct inspection inspection = {.token = token};
    struct verification verification;
    bool inspected = false;
    if (!jws_parse(token, &inspection.jws, status)) return false;
    bool opened = verification_open(values, &verification, status);
    if (opened && (inspection.claims = jws_claims(&inspection.jws, status))) {
        judge(&verification, &inspection);
        inspected = true;
        if (options_boolean(values, "json"))
            inspected = print_json(&inspection, status);
        else
            print_text(&inspection);
    }
    verification_close(&verification);
    jws_free(&inspection.jws);
    return inspected;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct token_file file;
    const char *path = options_argument(call->options, 0);
    bool inspected = token_file_read(path, NULL, &file, &status);
    if (inspected) {
        inspected = inspect(call->options, token_file_token(&file), &status) ||
                    status_context(&status, "%s", path);
        token_file_free(&file);
    }
    return inspected ? command_finished(call->command, 0) : command_failed(call->command, &status);
}

const struct command inspect_command = {
    .name = "inspect",
    .summary = "show what is in a license, key ring or revocation list",
    .group = COMMAND_VENDOR_TOOLS,
    .arguments = "FILE",
    .arguments_minimum = 1,
    .arguments_maximum = 1,
    .description =
        "Shows the claims of a token whether or not they can be believed, and says which.\n"
        "Exit code 0 means that the token could be read, not that it is valid:\n"
        "\"lsys verify\" judges that.",
    .examples = "  lsys inspect acme.lic --keys vendor.jwks\n"
                "  lsys inspect acme.lic --json | jq .claims\n",
    .options = options,
    .shared = (const struct option *const[]){verification_options, NULL},
    .run = run,
};
