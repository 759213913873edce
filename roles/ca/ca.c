/* lsys ca: a deployment's own certificate authority. The record, and the choice of the action. */
#include "roles/ca/ca.h"

#include <stddef.h>
#include <string.h>

#include "app/option_check.h"
#include "roles/ca/actions.h"

#define MINUTE_MS INT64_C(60000)
#define YEAR_MS   (365 * 24 * 60 * MINUTE_MS)

static const struct option options[] = {
    {.key = "ca",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .help = "The folder of the CA, as \"init\" made it; for \"verify\" also a file of CA "
             "certificates"},
    {.key = "out",
     .type = OPTION_PATH,
     .value_name = "DIR|PREFIX",
     .help = "init: the folder to make; others: the files are PREFIX.pem, PREFIX.key.pem, "
             "PREFIX.csr.pem"},
    {.key = "name",
     .type = OPTION_TEXT,
     .value_name = "HOST",
     .help = "issue, request: the host's name or address, as common name and alternative name; "
             "init: the name of the CA"},
    {.key = "san",
     .type = OPTION_LIST,
     .value_name = "NAME",
     .help = "A further name or address: edge-7, DNS:*.edge.example.com, IP:127.0.0.1"},
    {.key = "request",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "issue: certify the key of this request (PKCS#10) instead of a new one; its names "
             "count unless --name is given"},
    {.key = "key",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "request: use this private key instead of a new one"},
    {.key = "valid_for",
     .type = OPTION_DURATION,
     .minimum = MINUTE_MS,
     .maximum = 100 * YEAR_MS,
     .help = "How long it is valid; by default 10 years for a CA, 90 days for others, and as long "
             "as before for a renewal"},
    {.key = "server",
     .type = OPTION_BOOLEAN,
     .help = "issue: for servers only; neither or both flags: for servers and clients"},
    {.key = "client",
     .type = OPTION_BOOLEAN,
     .help = "issue: for clients only; verify: judge it as a client's"},
    {.key = "new_key", .type = OPTION_BOOLEAN, .help = "renew: make a new private key, too"},
    {.key = "force", .type = OPTION_BOOLEAN, .help = "renew: also before half of its life"},
    {.key = "host",
     .type = OPTION_TEXT,
     .value_name = "HOST",
     .help = "verify: the name or address that it has to be for"},
    {.key = "at", .type = OPTION_TIME, .help = "verify: judge as of this moment instead of now"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "show: print JSON"},
    {0},
};

static const struct action {
    const char *name;
    bool (*run)(const struct options *options, struct status *status);
    bool takes_file;
    const char *flags; /* keys of the options that mean something to it */
} actions[] = {
    {"init", ca_init, false, "out|name|valid_for"},
    {"issue", ca_issue, false, "ca|out|name|san|request|valid_for|server|client"},
    {"renew", ca_renew, false, "ca|out|valid_for|new_key|force"},
    {"show", ca_show, true, "json"},
    {"verify", ca_verify, true, "ca|host|client|at"},
    {"request", ca_request, false, "out|name|san|key"},
};

static const struct action *find_action(const char *name) {
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].name, name) == 0) return &actions[i];
    return NULL;
}

static bool check_usage(const struct action *action, const struct options *values,
                        struct status *status) {
    size_t files = options_argument_count(values) - 1;
    if (action->takes_file && files != 1)
        return status_fail(status, STATUS_USAGE, "\"%s\" takes one FILE", action->name);
    if (!action->takes_file && files != 0)
        return status_fail(status, STATUS_USAGE, "\"%s\" takes no FILE", action->name);
    return option_check_flags(values, options, action->flags, action->name, status);
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    const char *name = options_argument(call->options, 0);
    const struct action *action = find_action(name);
    if (!action)
        status_fail(&status, STATUS_USAGE, "there is no action \"%.40s\"", name);
    else if (check_usage(action, call->options, &status) && action->run(call->options, &status))
        return command_finished(call->command, 0);
    return command_failed(call->command, &status);
}

const struct command ca_command = {
    .name = "ca",
    .summary = "the deployment's own certificates: make, renew, look at them",
    .group = COMMAND_TOOLS,
    .arguments = "ACTION [FILE]",
    .arguments_minimum = 1,
    .arguments_maximum = 2,
    .actions = "init|issue|renew|show|verify|request",
    .description =
        "A certificate authority in a folder: ca.pem for everyone, ca.key.pem for nobody else.\n"
        "  init     makes it\n"
        "  issue    certifies a host: a new key, or that of a request from elsewhere\n"
        "  renew    replaces a certificate once half of its life is over; else it does\n"
        "           nothing, so that it can run every day. Without --out: the CA's own\n"
        "  show     prints the certificates and requests in FILE\n"
        "  verify   says whether lsys would believe the certificate in FILE, and if not, why\n"
        "  request  makes a key here and a request (PKCS#10) for a CA elsewhere\n"
        "Private keys are made with mode 0600 and never overwritten.",
    .examples = "  lsys ca init --out pki\n"
                "  lsys ca issue --ca pki --name edge-7 --san IP:127.0.0.1 --out edge-7\n"
                "  lsys ca renew --ca pki --out edge-7\n"
                "  lsys ca verify edge-7.pem --ca pki --host edge-7\n",
    .exit_codes = "  11   expired             12   not yet valid\n"
                  "  14   a signature does not verify\n"
                  "  75   a file of that name is there already\n"
                  "  76   unknown issuer, or a certificate for other names\n",
    .options = options,
    .run = run,
};
