/* lsys nats: operator, accounts and users of NATS. The record, and the choice of the action. */
#include "roles/nats/nats.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app/nats_templates.h"
#include "app/option_check.h"
#include "app/role_options.h"
#include "roles/nats/actions.h"

#define YEAR_MS (INT64_C(365) * 24 * 60 * 60 * 1000)

static const struct option options[] = {
    {.key = "dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .help = "The folder that \"init\" made; by default the current one"},
    {.key = "out",
     .type = OPTION_PATH,
     .value_name = "DIR|FILE",
     .help = "init: the folder to make; config: the file to write, - for stdout; export activate: "
             "the file for the activation"},
    {.key = "name", .type = OPTION_TEXT, .help = "init: the operator's name"},
    {.key = "creds",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "user add: write the user's token and key to this new file"},
    {.key = "template",
     .type = OPTION_ENUM,
     .choices = NATS_TEMPLATE_NAMES,
     .help = "user add: the permissions that such a user needs; the flags below add to them"},
    {.key = "allow_pub",
     .type = OPTION_LIST,
     .value_name = "SUBJECT",
     .help = "user add: may publish to this, and to nothing that is not allowed; may be repeated"},
    {.key = "allow_sub",
     .type = OPTION_LIST,
     .value_name = "SUBJECT",
     .help = "user add: may subscribe to this (\"SUBJECT QUEUE\": as a member of that queue)"},
    {.key = "deny_pub",
     .type = OPTION_LIST,
     .value_name = "SUBJECT",
     .help = "user add: may not publish to this, whatever is allowed"},
    {.key = "deny_sub",
     .type = OPTION_LIST,
     .value_name = "SUBJECT",
     .help = "user add: may not subscribe to this, whatever is allowed"},
    {.key = "allow_responses",
     .type = OPTION_INTEGER,
     .value_name = "N",
     .minimum = -1,
     .maximum = 1000000,
     .help = "user add: may answer each request that it receives N times; -1: any number. "
             "Publishing elsewhere then has to be allowed"},
    {.key = "response_ttl",
     .type = OPTION_DURATION,
     .minimum = 1,
     .maximum = YEAR_MS,
     .help =
         "user add: for how long it may answer; export add --service: how long answers may take; "
         "by default the server's 2 minutes"},
    {.key = "connection",
     .type = OPTION_LIST,
     .value_name = "KIND",
     .help = "user add: may connect only so: standard, websocket, leafnode, leafnode-websocket"},
    {.key = "bearer",
     .type = OPTION_BOOLEAN,
     .help = "user add: the token alone lets in, without the key"},
    {.key = "valid_for",
     .type = OPTION_DURATION,
     .minimum = 1000,
     .maximum = 100 * YEAR_MS,
     .help = "user add, export activate: until when; by default for ever"},
    {.key = "max_payload",
     .type = OPTION_INTEGER,
     .value_name = "BYTES",
     .minimum = -1,
     .maximum = 67108864,
     .help = "account add, set, user add: the largest message; -1: any"},
    {.key = "max_subscriptions",
     .type = OPTION_INTEGER,
     .minimum = -1,
     .maximum = 1000000000,
     .help = "account add, set: of all its users; user add: of one connection"},
    {.key = "max_connections",
     .type = OPTION_INTEGER,
     .minimum = -1,
     .maximum = 1000000000,
     .help = "account add, set: connections of all its users, on the whole cluster"},
    {.key = "max_leafnodes",
     .type = OPTION_INTEGER,
     .minimum = -1,
     .maximum = 1000000000,
     .help = "account add, set: leafnode connections"},
    {.key = "jetstream", .type = OPTION_BOOLEAN, .help = "account add, set: may use JetStream"},
    {.key = "add_signing_key",
     .type = OPTION_BOOLEAN,
     .help = "account set, operator set: make one more signing key, which signs from now on"},
    {.key = "remove_signing_key",
     .type = OPTION_TEXT,
     .value_name = "KEY",
     .help = "account set, operator set: what this key signed counts no more"},
    {.key = "role",
     .type = OPTION_TEXT,
     .value_name = "NAME",
     .help = "account set: the new signing key's users have the rights of the flags above, and no "
             "others; user add: make such a user"},
    {.key = "service",
     .type = OPTION_BOOLEAN,
     .help = "export add, import add: a service, which others may ask; else a stream, to be heard"},
    {.key = "private",
     .type = OPTION_BOOLEAN,
     .help = "export add: only for accounts that have an activation"},
    {.key = "responses",
     .type = OPTION_ENUM,
     .choices = "single|stream|chunked",
     .fallback = "single",
     .help = "export add --service: how many messages answer a request"},
    {.key = "from",
     .type = OPTION_TEXT,
     .value_name = "ACCOUNT",
     .help = "import: the exporter's name, or its key"},
    {.key = "for",
     .type = OPTION_TEXT,
     .value_name = "ACCOUNT",
     .help = "export activate, revoke: the importer's name, or its key"},
    {.key = "local",
     .type = OPTION_TEXT,
     .value_name = "SUBJECT",
     .help = "import add: what it is called here; $1 is the first * of the exporter's subject"},
    {.key = "activation",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "import add: the exporter's leave, for a private export of an account that is not in "
             "the folder"},
    {.key = "resolver",
     .type = OPTION_ENUM,
     .choices = "full|memory",
     .fallback = "full",
     .help = "config: full keeps accounts in a folder of the server and takes new ones from "
             "\"push\"; memory has them in the file alone"},
    {.key = "resolver_dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .help = "config: the server's folder for a full resolver; by default jwt beside the file"},
    {.key = "listen",
     .type = OPTION_TEXT,
     .value_name = "ADDRESS",
     .fallback = "127.0.0.1:4222",
     .help = "config: where the server listens"},
    {.key = "nats.urls",
     .flag = "nats",
     .type = OPTION_LIST,
     .value_name = "URL",
     .fallback = "nats://127.0.0.1:4222",
     .help = "push: the NATS server; may be repeated"},
    {.key = "timeout",
     .type = OPTION_DURATION,
     .fallback = "2s",
     .minimum = 100,
     .maximum = 600000,
     .help = "push: how long to wait for the connection, and for answers"},
    {.key = "prune",
     .type = OPTION_BOOLEAN,
     .help = "push: have servers forget accounts that are not in the folder"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "ls: print JSON"},
    {0},
};

#define LOGIN_FLAGS "nats.urls|timeout|prune"
#define RIGHTS_FLAGS                                                                               \
    "template|allow_pub|allow_sub|deny_pub|deny_sub|allow_responses|response_ttl|connection|"      \
    "bearer|max_payload|max_subscriptions"
#define USER_FLAGS    "dir|creds|valid_for|role|" RIGHTS_FLAGS
#define ACCOUNT_FLAGS "dir|max_payload|max_subscriptions|max_connections|max_leafnodes|jetstream"
#define KEY_FLAGS     "dir|add_signing_key|remove_signing_key"

static const struct action {
    const char *words[2];
    size_t names; /* that follow the words */
    const char *usage;
    nats_action *run;
    const char *flags; /* keys of the options that mean something to it */
} actions[] = {
    {{"init"}, 0, "init --out DIR", nats_init, "out|name"},
    {{"account", "add"}, 1, "account add NAME", nats_account_add, ACCOUNT_FLAGS},
    {{"account", "set"},
     1,
     "account set NAME",
     nats_account_set,
     ACCOUNT_FLAGS "|role|" KEY_FLAGS "|" RIGHTS_FLAGS},
    {{"account", "remove"}, 1, "account remove NAME", nats_account_remove, "dir"},
    {{"operator", "set"}, 0, "operator set --add-signing-key", nats_operator_set, KEY_FLAGS},
    {{"user", "add"}, 2, "user add ACCOUNT NAME --creds FILE", nats_user_add, USER_FLAGS},
    {{"user", "revoke"}, 2, "user revoke ACCOUNT NAME|'*'", nats_user_revoke, "dir"},
    {{"revoke"}, 2, "revoke ACCOUNT NAME|'*'", nats_user_revoke, "dir"},
    {{"export", "add"},
     2,
     "export add ACCOUNT SUBJECT",
     nats_export_add,
     "dir|service|private|responses|response_ttl"},
    {{"export", "remove"}, 2, "export remove ACCOUNT SUBJECT", nats_export_remove, "dir"},
    {{"export", "activate"},
     2,
     "export activate ACCOUNT SUBJECT --for ACCOUNT --out FILE",
     nats_export_activate,
     "dir|for|out|valid_for"},
    {{"export", "revoke"},
     2,
     "export revoke ACCOUNT SUBJECT --for ACCOUNT|'*'",
     nats_export_revoke,
     "dir|for"},
    {{"import", "add"},
     2,
     "import add ACCOUNT SUBJECT --from ACCOUNT",
     nats_import_add,
     "dir|from|service|local|activation"},
    {{"import", "remove"},
     2,
     "import remove ACCOUNT SUBJECT --from ACCOUNT",
     nats_import_remove,
     "dir|from"},
    {{"config"}, 0, "config --out FILE", nats_config, "dir|out|resolver|resolver_dir|listen"},
    {{"push"}, 0, "push --nats URL", nats_push, "dir|" LOGIN_FLAGS},
    {{"ls"}, 0, "ls", nats_list, "dir|json"},
};

#define ACTIONS (sizeof actions / sizeof actions[0])

/* The action that the arguments begin with, and how many of them are its words. */
static const struct action *find_action(const struct options *values, size_t *words) {
    size_t count = options_argument_count(values);
    for (size_t i = 0; i < ACTIONS; i++) {
        const struct action *action = &actions[i];
        *words = action->words[1] ? 2 : 1;
        if (count < *words || strcmp(options_argument(values, 0), action->words[0]) != 0) continue;
        if (*words == 1 || strcmp(options_argument(values, 1), action->words[1]) == 0)
            return action;
    }
    return NULL;
}

static bool run_action(const struct options *values, struct status *status) {
    size_t words = 0;
    const struct action *action = find_action(values, &words);
    struct nats_action_call call = {.options = values};
    if (!action)
        return status_fail(
            status, STATUS_USAGE,
            "there is no action \"%.40s%s%.40s\": account wants \"add\", \"set\" or "
            "\"remove\", user \"add\" or \"revoke\", operator \"set\", export \"add\", "
            "\"remove\", \"activate\" or \"revoke\", import \"add\" or \"remove\"",
            options_argument(values, 0), options_argument_count(values) > 1 ? " " : "",
            options_argument_count(values) > 1 ? options_argument(values, 1) : "");
    if (options_argument_count(values) != words + action->names)
        return status_fail(status, STATUS_USAGE, "it is: lsys nats %s", action->usage);
    for (size_t i = 0; i < action->names; i++)
        call.names[i] = options_argument(values, words + i);
    /* The rows for signing in are shared, and not among these. */
    return option_check_flags(values, options, action->flags, action->usage, status) &&
           action->run(&call, status);
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    if (run_action(call->options, &status)) return command_finished(call->command, 0);
    return command_failed(call->command, &status);
}

static const struct option *const shared[] = {nats_options, NULL};

const struct command nats_command = {
    .name = "nats",
    .summary = "NATS accounts and users: make, revoke, tell servers",
    .group = COMMAND_TOOLS,
    .arguments = "ACTION [ACCOUNT] [NAME]",
    .arguments_minimum = 1,
    .arguments_maximum = 4,
    .actions = "init|operator|account|user|export|import|revoke|config|push|ls",
    .description =
        "Operator, accounts and users of NATS in a folder, and what servers need to know of them.\n"
        "  init          makes the operator, the system account and its user\n"
        "  account add   makes an account: what is published in one stays in it\n"
        "  account set   changes its limits, its signing keys and roles\n"
        "                and remove: forgets it, then push --prune\n"
        "  operator set  changes the operator's signing keys\n"
        "  user add      makes a user of an account, and its credentials file\n"
        "  user revoke   takes a user back; '*' all users of the account (also: revoke)\n"
        "  export add    lets other accounts hear a subject, or ask it (--service); remove,\n"
        "                activate and revoke for what is --private\n"
        "  import add    takes what another account exports; remove\n"
        "  config        writes the configuration for nats-server\n"
        "  push          gives the accounts to servers with a full resolver\n"
        "  ls            lists accounts and users\n"
        "Private keys are made with mode 0600 and never overwritten.",
    .examples = "  lsys nats init --out nats\n"
                "  lsys nats account add site-7 --dir nats\n"
                "  lsys nats user add site-7 server --dir nats --template license-server \\\n"
                "      --creds server.creds\n"
                "  lsys nats config --dir nats --out nats.conf\n"
                "  lsys nats user revoke site-7 server --dir nats\n"
                "  lsys nats push --dir nats --nats nats://127.0.0.1:4222\n",
    .exit_codes = "  75   a file of that name is there already\n",
    .options = options,
    .shared = shared,
    .run = run,
};
