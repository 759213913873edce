#include "app/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/command_help.h"
#include "app/printable.h"
#include "app/role.h"
#include "app/suggest.h"

/* Largest text of --help. */
#define HELP_BYTES (256 * 1024)

const struct command *command_find(const struct command_table *commands, const char *name) {
    for (size_t i = 0; i < commands->count; i++)
        if (!strcmp(commands->rows[i]->name, name)) return commands->rows[i];
    return NULL;
}

const char *command_suggest(const struct command_table *commands, const char *typed) {
    struct suggestion suggestion = {0};
    for (size_t i = 0; i < commands->count; i++)
        suggestion_consider(&suggestion, typed, commands->rows[i]->name);
    return suggestion.name;
}

int command_failed(const struct command *command, const struct status *status) {
    char text[STATUS_TEXT_BYTES];
    printable_copy(status->text, text, sizeof text);
    fflush(stdout);
    fprintf(stderr, "lsys %s: %s\n", command->name, text);
    if (status->code == STATUS_USAGE)
        fprintf(stderr, "lsys %s: see \"lsys %s --help\"\n", command->name, command->name);
    return status_exit_code(status->code);
}

int command_finished(const struct command *command, int exit_code) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return exit_code;
    /* Whoever closed the pipe, as head(1) does, has seen enough and wants no message. */
    if (errno == EPIPE) return status_exit_code(STATUS_IO);
    struct status status = STATUS_INIT;
    status_fail_errno(&status, errno != 0 ? errno : EIO, "cannot write to standard output");
    return command_failed(command, &status);
}

static int print_help(const struct command *command) {
    struct buffer text;
    buffer_init(&text, HELP_BYTES);
    command_help_write(command, &text);
    fputs(buffer_text(&text), stdout);
    buffer_free(&text);
    return command_finished(command, 0);
}

int command_main(const struct command_table *commands, const struct command *command, int count,
                 char *const *arguments) {
    struct status status = STATUS_INIT;
    struct options *options = options_load(commands, command, count, arguments, environ, &status);
    if (!options) return command_failed(command, &status);
    struct command_call call = {command, commands, options};
    if (options_want_help(options)) {
        options_free(options);
        return print_help(command);
    }
    int exit_code = command->role && !command->run ? role_main(&call) : command->run(&call);
    options_free(options);
    return exit_code;
}
