/* lsys check: may the product run, or one feature of it? Asks the license client; answers by exit
 * code. */
#include <stdio.h>
#include <string.h>

#include "app/ask.h"
#include "app/printable.h"
#include "app/role_options.h"
#include "roles/tools/tools.h"

/* The answer is no; clear of the codes for "could not find out". */
#define EXIT_NOT_LICENSED 1

/* Longest path of a question: a feature's name has at most 64 characters, each escaped as three. */
#define PATH_BYTES 256

static const struct option options[] = {
    {.key = "client",
     .type = OPTION_TEXT,
     .value_name = "URL",
     .fallback = "http://127.0.0.1:8002",
     .environment = "LSYS_CLIENT_URL",
     .help = "Where the license client answers; unix:/path for its socket"},
    {.key = "quiet", .type = OPTION_BOOLEAN, .help = "Print nothing; the exit code is the answer"},
    {0},
};

static const struct option *const shared[] = {https_options, NULL};

/* Percent-encodes a feature's name into a path (RFC 3986, section 2.3 names what may stay). */
static bool feature_path(const char *feature, char out[PATH_BYTES], struct status *status) {
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";
    size_t length = (size_t)snprintf(out, PATH_BYTES, "/v1/features/");
    for (; *feature; feature++) {
        if (length + 4 > PATH_BYTES)
            return status_fail(status, STATUS_USAGE, "that is too long for the name of a feature");
        bool plain = strchr(unreserved, *feature) != NULL;
        length += (size_t)snprintf(out + length, PATH_BYTES - length, plain ? "%c" : "%%%02X",
                                   (unsigned char)*feature);
    }
    return true;
}

/* Whether the client's answer to /v1/license means that a license is in force. */
static bool is_licensed(const struct json_value *license) {
    static const char *const good[] = {"valid", "expiring", "grace"};
    const char *word = json_member_text(license, "status");
    bool licensed = false;
    if (json_member_boolean(license, "licensed", &licensed)) return licensed;
    for (size_t i = 0; word && i < sizeof good / sizeof good[0]; i++)
        if (!strcmp(word, good[i])) return true;
    return false;
}

/* Prints `before` and the text, unless there is none. */
static void print_text(const char *before, const char *text) {
    if (!text) return;
    printf("%s", before);
    printable_write(stdout, text);
}

static void print_license(const struct json_value *root, bool licensed) {
    printf("%s", licensed ? "licensed" : "not licensed");
    print_text(": edition ", json_member_text(root, "edition"));
    print_text(", status ", json_member_text(root, "status"));
    print_text(", until ", json_member_text(root, "expires_at"));
    print_text(": ", json_member_text(root, "reason"));
    printf("\n");
}

static void print_feature(const char *feature, const struct json_value *root, bool granted) {
    const char *detail = json_member_text(root, "detail");
    double limit;
    print_text("", feature);
    printf(": %s", granted ? "granted" : "not granted");
    if (granted && json_member_number(root, "limit", &limit)) printf(", limit %.15g", limit);
    print_text(": ", detail ? detail : json_member_text(root, "reason"));
    printf("\n");
}

/* Judges the answer: 200 and 403 are verdicts, anything else is no answer. */
static bool judge(const char *feature, const struct answer *answer, bool quiet, bool *yes,
                  struct status *status) {
    if (!answer->document || (answer->http_status != 200 && answer->http_status != 403))
        return status_fail(status, STATUS_PROTOCOL,
                           "the answer was not a license client's (HTTP status %d)",
                           answer->http_status);
    const struct json_value *root = json_document_root(answer->document);
    *yes = answer->http_status == 200 && (feature || is_licensed(root));
    if (quiet) return true;
    if (feature)
        print_feature(feature, root, *yes);
    else
        print_license(root, *yes);
    return true;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct answer answer = {0};
    char path[PATH_BYTES] = "/v1/license";
    bool yes = false;
    const char *feature = options_argument(call->options, 0);
    const char *client = options_text(call->options, "client");
    bool quiet = options_boolean(call->options, "quiet");
    bool judged = (!feature || feature_path(feature, path, &status)) &&
                  ask(call->options, client, path, &answer, &status) &&
                  judge(feature, &answer, quiet, &yes, &status);
    answer_free(&answer);
    if (!judged) return command_failed(call->command, &status);
    return command_finished(call->command, yes ? 0 : EXIT_NOT_LICENSED);
}

const struct command check_command = {
    .name = "check",
    .summary = "ask the license client whether the product, or a feature, is licensed",
    .group = COMMAND_TOOLS,
    .arguments = "[FEATURE]",
    .arguments_maximum = 1,
    .description =
        "Answers by exit code, for scripts. Without FEATURE: whether a license is in force\n"
        "(valid, expiring or in grace).",
    .examples = "  lsys check sso && start-sso\n"
                "  lsys check --client unix:/run/lsys/client.sock\n",
    .exit_codes = "  1    not licensed, or the feature is not granted\n",
    .options = options,
    .shared = shared,
    .run = run,
};
