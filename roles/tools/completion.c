/* lsys completion: a completion script for the shell. */
#include <stdio.h>

#include "app/command_help.h"
#include "roles/tools/tools.h"

/* A line for each command and flag. */
#define SCRIPT_BYTES (256 * 1024)

static int run(const struct command_call *call) {
    struct buffer text;
    buffer_init(&text, SCRIPT_BYTES);
    command_help_bash(call->commands, &text);
    fputs(buffer_text(&text), stdout);
    buffer_free(&text);
    return command_finished(call->command, 0);
}

const struct command completion_command = {
    .name = "completion",
    .summary = "print a completion script for bash",
    .group = COMMAND_TOOLS,
    .arguments = "bash",
    .arguments_minimum = 1,
    .arguments_maximum = 1,
    .actions = "bash",
    .examples = "  eval \"$(lsys completion bash)\"\n"
                "  lsys completion bash > /etc/bash_completion.d/lsys\n",
    .run = run,
};
