/* lsys help: what lsys can do, or one command in detail, or either as a man page. */
#include <stdio.h>

#include "app/command_help.h"
#include "roles/tools/tools.h"

/* The man page of everything is the longest text. */
#define HELP_TEXT_BYTES (1024 * 1024)

static const struct option options[] = {
    {.key = "man", .type = OPTION_BOOLEAN, .help = "Write a man page (troff) to standard output"},
    {0},
};

static int run(const struct command_call *call) {
    const struct command *about = NULL;
    const char *name = options_argument(call->options, 0);
    if (name && !(about = command_find(call->commands, name))) {
        struct status status = STATUS_INIT;
        const char *nearest = command_suggest(call->commands, name);
        status_fail(&status, STATUS_USAGE, "there is no command \"%.60s\"%s%s", name,
                    nearest ? "; did you mean " : "", nearest ? nearest : "");
        return command_failed(call->command, &status);
    }
    struct buffer text;
    buffer_init(&text, HELP_TEXT_BYTES);
    if (options_boolean(call->options, "man"))
        command_help_man(call->commands, about, &text);
    else if (about)
        command_help_write(about, &text);
    else
        command_help_list(call->commands, &text);
    fputs(buffer_text(&text), stdout);
    buffer_free(&text);
    return command_finished(call->command, 0);
}

const struct command help_command = {
    .name = "help",
    .summary = "list the commands, or explain one",
    .group = COMMAND_TOOLS,
    .arguments = "[COMMAND]",
    .arguments_maximum = 1,
    .examples = "  lsys help issue\n"
                "  lsys help issue --man | man -l -\n",
    .options = options,
    .run = run,
};
