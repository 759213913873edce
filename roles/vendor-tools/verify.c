/* lsys verify: is this license valid? */
#include <stdio.h>
#include <sysexits.h>

#include "app/printable.h"
#include "app/token_file.h"
#include "base/clock.h"
#include "codec/armor.h"
#include "codec/json_writer.h"
#include "roles/vendor-tools/license_report.h"
#include "roles/vendor-tools/vendor_tools.h"
#include "roles/vendor-tools/verification.h"

static const struct option options[] = {
    {.key = "json", .type = OPTION_BOOLEAN, .help = "Print the verdict as JSON"},
    {0},
};

static bool print_json(const struct verification *verification, const struct verdict *verdict,
                       struct status *status) {
    struct buffer text;
    struct json_writer json;
    const char *unjudged[2];
    buffer_init(&text, LICENSE_REPORT_BYTES);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_boolean(&json, "valid", status_is_ok(&verdict->status));
    json_writer_member_text(&json, "code", status_code_name(verdict->status.code));
    json_writer_member_text(&json, "message",
                            status_is_ok(&verdict->status) ? "the license is valid"
                                                           : verdict->status.text);
    json_writer_member_time(&json, "checked_at", verification->circumstances.now_ms);
    if (verdict->license) {
        license_report_write(verdict->license, &json);
        size_t count =
            license_report_unjudged(verdict->license, &verification->circumstances, unjudged);
        json_writer_name(&json, "not_judged");
        json_writer_begin_array(&json);
        for (size_t i = 0; i < count; i++)
            json_writer_text(&json, unjudged[i]);
        json_writer_end_array(&json);
    }
    json_writer_end_object(&json);
    bool written = json_writer_finish(&json, "the verdict", status);
    if (written) puts(buffer_text(&text));
    buffer_free(&text);
    return written;
}

static void print_text(const struct verification *verification, const struct verdict *verdict) {
    const char *unjudged[2];
    size_t count = 0;
    if (status_is_ok(&verdict->status)) {
        printf("valid: %s, edition %s, license %s\n", verdict->license->customer,
               verdict->license->edition, verdict->license->license_id);
    } else {
        printf("%s: ", status_code_name(verdict->status.code));
        printable_write(stdout, verdict->status.text);
        printf("\n");
    }
    if (verdict->license)
        count = license_report_unjudged(verdict->license, &verification->circumstances, unjudged);
    for (size_t i = 0; i < count; i++)
        printf("not judged: the license names a %s, and none was given to compare\n", unjudged[i]);
}

/* Judges the token and prints; returns the verdict's exit code. */
static int judge(const struct verification *verification, const struct options *values,
                 struct bytes token, struct status *status) {
    struct verdict verdict;
    verification_judge(verification, token, &verdict);
    int exit_code = status_exit_code(verdict.status.code);
    if (!options_boolean(values, "json"))
        print_text(verification, &verdict);
    else if (!print_json(verification, &verdict, status))
        exit_code = status_exit_code(status->code);
    verdict_free(&verdict);
    return exit_code;
}

/* Says why the license could not be judged; with --json that is a JSON object, too. */
static int fail(const struct command_call *call, const struct status *status) {
    struct verification nothing = {.circumstances.now_ms = clock_wall_ms()};
    struct verdict verdict = {.status = *status};
    struct status unused = STATUS_INIT;
    if (options_boolean(call->options, "json") && status->code != STATUS_USAGE &&
        print_json(&nothing, &verdict, &unused))
        return command_finished(call->command, status_exit_code(status->code));
    return command_failed(call->command, status);
}

/* The same for keys and lists: exit codes of verdicts are about the license alone. */
static int fail_input(const struct command_call *call, const struct status *status) {
    int exit_code = fail(call, status);
    return exit_code < EX__BASE ? EX_DATAERR : exit_code;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct token_file file;
    struct verification verification;
    if (!options_text(call->options, "keys") && !options_text(call->options, "keyring")) {
        status_fail(&status, STATUS_USAGE,
                    "--keys is missing: the vendor's public keys (or --keyring and --root)");
        return command_failed(call->command, &status);
    }
    if (!token_file_read(options_argument(call->options, 0), ARMOR_LICENSE, &file, &status))
        return fail(call, &status);
    int exit_code = 0;
    if (verification_open(call->options, &verification, &status))
        exit_code = judge(&verification, call->options, token_file_token(&file), &status);
    else
        exit_code = fail_input(call, &status);
    verification_close(&verification);
    token_file_free(&file);
    return command_finished(call->command, exit_code);
}

const struct command verify_command = {
    .name = "verify",
    .summary = "judge a license: exit code 0 only when it is valid",
    .group = COMMAND_VENDOR_TOOLS,
    .arguments = "FILE",
    .arguments_minimum = 1,
    .arguments_maximum = 1,
    .description =
        "Checks form, key, signature, revocation, deployment, machine and time, in this\n"
        "order. A license in its grace period still counts, but is no longer valid: code\n"
        "grace, exit code 10.\n"
        "--json prints {\"valid\":bool,\"code\":\"...\",\"message\":\"...\", ...}.",
    .examples = "  lsys verify acme.lic --keys vendor.jwks\n"
                "  lsys verify acme.lic --keyring ring.jwt --root root.jwks --at 2027-01-31\n",
    .exit_codes =
        "  10   grace                 17   wrong fingerprint     24   bad claim\n"
        "  11   expired               18   malformed, bad JSON   25   old serial\n"
        "  12   not yet valid         19   key not valid         26   duplicate member\n"
        "  13   revoked               20   wrong algorithm       27   bad encoding\n"
        "  14   bad signature         21   wrong type            28   trailing bytes\n"
        "  15   unknown key           22   forbidden header      29   bad signature length\n"
        "  16   wrong deployment      23   unknown critical\n",
    .options = options,
    .shared = (const struct option *const[]){verification_options, NULL},
    .run = run,
};
